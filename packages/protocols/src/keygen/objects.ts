/**
 * The public objects of a finished key, as files that are never held: a file is a few bytes of its own and the chunks
 * of bodies between them, read where they are stored.
 */
import { compactPublicKeyBytes, compressedCompactPublicKeyBytes } from '@keyquorum/tfhe/compact-public-key';
import { createMaskStream, type KeyStreamComponent, keyStreamSeedData } from '@keyquorum/tfhe/csprng';
import { compressedXofKeySetLayout } from '@keyquorum/tfhe/key-set';
import type { FileLayout, Segment } from '@keyquorum/tfhe/key-set-layout';
import type { KeySetChoice } from '@keyquorum/tfhe/key-sets';
import { compressedServerKeyLayout } from '@keyquorum/tfhe/server-key';
import { DIGEST_LABEL } from '@keyquorum/wire/digest';
import type { ReadableObject } from '../material/public-object.ts';
import { type BodyChunk, bodyChunks, chunkBytes } from './chunks.ts';

/** In the order in which they are listed, smallest first. */
export const OBJECT_TYPES = [
  'CompactPublicKey',
  'CompressedCompactPublicKey',
  'CompressedServerKey',
  'CompressedXofKeySet',
] as const;
export type ObjectType = (typeof OBJECT_TYPES)[number];

/** Chunks that are kept for the objects that are read side by side: they run apart by less than one. */
const CHUNKS_KEPT = 2;

/** Reads an opened chunk. @throws when it is missing or damaged */
export type ReadChunk = (index: number) => Promise<Uint8Array>;

interface Bodies {
  readonly chunks: readonly BodyChunk[];
  readonly readChunk: ReadChunk;
}

/** Every public object of a key, in the order of OBJECT_TYPES. Nothing is read before one of them is. */
export function publicObjects(
  choice: KeySetChoice,
  seed: Uint8Array,
  readChunk: ReadChunk,
): readonly ReadableObject<ObjectType>[] {
  const bodies = { chunks: bodyChunks(choice), readChunk: keepingNewest(readChunk) };
  const description = { ...choice, seed };
  const layouts: Record<ObjectType, () => Promise<FileLayout>> = {
    CompactPublicKey: () => compactKey(choice, seed, bodies, 'expanded'),
    CompressedCompactPublicKey: () => compactKey(choice, seed, bodies, 'compressed'),
    CompressedServerKey: async () => compressedServerKeyLayout(description),
    CompressedXofKeySet: async () => compressedXofKeySetLayout(description),
  };
  return OBJECT_TYPES.map((type) => ({
    type,
    label: DIGEST_LABEL.key,
    read: async function* (start = 0, end = Number.POSITIVE_INFINITY) {
      yield* readFile(await layouts[type](), bodies, start, end);
    },
  }));
}

/** A compact public key, whose only body is a few kilobytes, as a whole. */
async function compactKey(
  { parameters }: KeySetChoice,
  seed: Uint8Array,
  { chunks, readChunk }: Bodies,
  form: 'expanded' | 'compressed',
): Promise<FileLayout> {
  const { index, component } = chunks.find((chunk) => chunk.component.component === 'compact-public-key')!;
  const body = await readChunk(index);
  const streamIndex = component.position;
  if (form === 'compressed') return whole(compressedCompactPublicKeyBytes({ parameters, seed, streamIndex, body }));
  const mask = createMaskStream(keyStreamSeedData(seed), streamIndex).read(component.maskBytes);
  return whole(compactPublicKeyBytes({ parameters, mask, body }));
}

function whole(bytes: Uint8Array): FileLayout {
  return { totalBytes: bytes.length, segments: [{ kind: 'bytes', offset: 0, bytes }] };
}

function keepingNewest(readChunk: ReadChunk): ReadChunk {
  const newest = new Map<number, Uint8Array>();
  return async (index) => {
    const values = newest.get(index) ?? (await readChunk(index));
    newest.delete(index);
    newest.set(index, values);
    for (const [oldest] of newest) {
      if (newest.size <= CHUNKS_KEPT) break;
      newest.delete(oldest);
    }
    return values;
  };
}

async function* readFile(
  { segments }: FileLayout,
  bodies: Bodies,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  for (const segment of segments) {
    const [from, to] = [Math.max(0, start - segment.offset), Math.min(lengthOf(segment), end - segment.offset)];
    if (from >= to) continue;
    if (segment.kind === 'bytes') yield segment.bytes.subarray(from, to);
    else yield* readBodies(segment.component, bodies, from, to);
  }
}

function lengthOf(segment: Segment): number {
  return segment.kind === 'bytes' ? segment.bytes.length : segment.byteCount;
}

/** Bytes from..to-1 of all bodies of a component. */
async function* readBodies(
  component: KeyStreamComponent,
  { chunks, readChunk }: Bodies,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  let at = 0; // where the chunk begins
  for (const chunk of chunks.filter((each) => each.component.component === component)) {
    const bytes = chunkBytes(chunk);
    if (at < to && at + bytes > from) {
      const values = await readChunk(chunk.index);
      yield values.subarray(Math.max(0, from - at), Math.min(bytes, to - at));
    }
    at += bytes;
  }
}
