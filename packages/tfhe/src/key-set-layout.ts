/**
 * Where the bodies of a key set lie in its files. The files are up to 0.5 GB and their bodies come row by row, so a
 * layout gives the few bytes between the bodies and the offsets of the bodies; whoever makes them writes them there
 * and hashes on the way. Making the components in the order of the segments allows one pass.
 */
import { Writer } from '@keyquorum/codec/writer';
import type { KeyStreamComponent } from './csprng.ts';
import type { KeySetComponent } from './key-set-components.ts';

export type Segment =
  | { readonly kind: 'bytes'; readonly offset: number; readonly bytes: Uint8Array }
  | {
      readonly kind: 'body';
      readonly offset: number;
      /** All bodies of this component, in row order: words little endian. */
      readonly component: KeyStreamComponent;
      readonly byteCount: number;
    };

/** A file as consecutive segments. */
export interface FileLayout {
  readonly totalBytes: number;
  readonly segments: readonly Segment[];
}

/** Stands for the bodies of each component in a value that is written to find its layout. */
export type BodyPlaceholders = ReadonlyMap<KeyStreamComponent, Uint8Array>;

export function bodyPlaceholders(components: readonly KeySetComponent[]): BodyPlaceholders {
  return new Map(components.map(({ component }) => [component, new Uint8Array(0)]));
}

/**
 * The layout of what `write` writes, with placeholders standing for bodies. Bodies are vectors of words: the count
 * before each placeholder becomes that of the real body.
 */
export function fileLayout(
  components: readonly KeySetComponent[],
  placeholders: BodyPlaceholders,
  write: (writer: Writer) => void,
): FileLayout {
  const writer = new CuttingWriter(new Set(placeholders.values()));
  write(writer);
  const written = writer.finish();
  const view = new DataView(written.buffer);
  const segments: Segment[] = [];
  let [from, offset] = [0, 0];
  const literal = (to: number) => {
    if (to > from) segments.push({ kind: 'bytes', offset, bytes: written.slice(from, to) });
    offset += to - from;
    from = to;
  };
  for (const { at, placeholder } of writer.cuts) {
    const { component, bodyBytes, wordBytes } = components.find((c) => placeholders.get(c.component) === placeholder)!;
    view.setBigUint64(at - 8, BigInt(bodyBytes / wordBytes), true);
    literal(at);
    segments.push({ kind: 'body', offset, component, byteCount: bodyBytes });
    offset += bodyBytes;
  }
  literal(written.length);
  return { totalBytes: offset, segments };
}

/**
 * The whole file in memory: for keys of a few megabytes.
 * @throws RangeError when a body is missing or of the wrong length
 */
export function assembleFile(
  { totalBytes, segments }: FileLayout,
  bodies: ReadonlyMap<KeyStreamComponent, Uint8Array>,
): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(totalBytes);
  for (const segment of segments) {
    if (segment.kind === 'bytes') {
      file.set(segment.bytes, segment.offset);
      continue;
    }
    const body = bodies.get(segment.component);
    if (body?.length !== segment.byteCount) {
      throw new RangeError(`${segment.component}: got ${body?.length ?? 0} bytes of bodies, want ${segment.byteCount}`);
    }
    file.set(body, segment.offset);
  }
  return file;
}

/** Notes where placeholders are written. */
class CuttingWriter extends Writer {
  readonly cuts: { readonly at: number; readonly placeholder: Uint8Array }[] = [];
  readonly #placeholders: ReadonlySet<Uint8Array>;

  constructor(placeholders: ReadonlySet<Uint8Array>) {
    super();
    this.#placeholders = placeholders;
  }

  override raw(bytes: Uint8Array): void {
    if (this.#placeholders.has(bytes)) this.cuts.push({ at: this.finish().length, placeholder: bytes });
    super.raw(bytes);
  }
}
