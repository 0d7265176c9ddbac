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
import { type BodyChunk, bodyChunks, chunkBytes } from './chunks.ts';

/** In the order in which they are listed, smallest first. */
export const OBJECT_TYPES = [
  'CompactPublicKey',
  'CompressedCompactPublicKey',
  'CompressedServerKey',
  'CompressedXofKeySet',
] as const;
export type ObjectType = (typeof OBJECT_TYPES)[number];

export interface PublicObject {
  readonly type: ObjectType;
  readonly size: number;
  /** The bytes from `start` up to `end`, in pieces of at most a chunk. @throws when a chunk is missing */
  read(start?: number, end?: number): AsyncGenerator<Uint8Array>;
}

/** Reads an opened chunk. @throws when it is missing or damaged */
export type ReadChunk = (index: number) => Promise<Uint8Array>;

/** Every public object of a key, in the order of OBJECT_TYPES. Only the compact key's body is read, and kept. */
export async function publicObjects(
  choice: KeySetChoice,
  seed: Uint8Array,
  readChunk: ReadChunk,
): Promise<readonly PublicObject[]> {
  const chunks = bodyChunks(choice);
  const description = { ...choice, seed };
  const { parameters } = choice;
  const first = chunks.find(({ component }) => component.component === 'compact-public-key')!;
  const body = await readChunk(first.index);
  const streamIndex = first.component.position;
  const mask = createMaskStream(keyStreamSeedData(seed), streamIndex).read(first.component.maskBytes);
  const layouts: Record<ObjectType, FileLayout> = {
    CompactPublicKey: whole(compactPublicKeyBytes({ parameters, mask, body })),
    CompressedCompactPublicKey: whole(compressedCompactPublicKeyBytes({ parameters, seed, streamIndex, body })),
    CompressedServerKey: compressedServerKeyLayout(description),
    CompressedXofKeySet: compressedXofKeySetLayout(description),
  };
  return OBJECT_TYPES.map((type) => ({
    type,
    size: layouts[type].totalBytes,
    read: (start = 0, end = layouts[type].totalBytes) => readFile(layouts[type], { chunks, readChunk }, start, end),
  }));
}

function whole(bytes: Uint8Array): FileLayout {
  return { totalBytes: bytes.length, segments: [{ kind: 'bytes', offset: 0, bytes }] };
}

interface Bodies {
  readonly chunks: readonly BodyChunk[];
  readonly readChunk: ReadChunk;
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
