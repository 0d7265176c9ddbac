/**
 * Digests of public objects: SHAKE-256 over the label of their kind and their bytes, by which the ecosystem names them.
 * Native code, since a key set is half a gigabyte, and one pass: the object that is behind is read next, so objects
 * that consist of the same bodies read them at the same time, and their reader keeps the newest (keygen/objects.ts).
 */
import { createHash, type Hash } from 'node:crypto';
import { DIGEST_BYTES } from '@keyquorum/wire/digest';
import type { ReadableObject } from './public-object.ts';

export interface Description {
  readonly digest: string;
  readonly size: number;
}

interface Reader {
  readonly pieces: AsyncGenerator<Uint8Array>;
  readonly hash: Hash;
  size: number;
  result?: Description | { readonly error: unknown };
}

/**
 * In the order of the objects; an object that cannot be read does not keep the others from being described.
 * `onRead` is told the bytes of each piece, and may delay the next one.
 */
export async function describeObjects(
  objects: readonly ReadableObject[],
  onRead: (bytes: number) => Promise<void> = async () => undefined,
): Promise<(Description | { readonly error: unknown })[]> {
  const readers = objects.map(({ label, read }): Reader => {
    const hash = createHash('shake256', { outputLength: DIGEST_BYTES }).update(label);
    return { pieces: read(), hash, size: 0 };
  });
  for (;;) {
    const left = readers.filter(({ result }) => result === undefined);
    if (left.length === 0) return readers.map(({ result }) => result!);
    const behind = left.reduce((least, each) => (each.size < least.size ? each : least));
    await onRead(await advance(behind));
  }
}

/** Hashes the next piece: its bytes. */
async function advance(reader: Reader): Promise<number> {
  const { pieces, hash, size } = reader;
  try {
    const { done, value } = await pieces.next();
    if (done) {
      reader.result = { digest: hash.digest('hex'), size };
      return 0;
    }
    hash.update(value);
    reader.size += value.length;
    return value.length;
  } catch (error) {
    reader.result = { error };
    return 0;
  }
}
