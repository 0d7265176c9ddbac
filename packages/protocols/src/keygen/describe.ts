/**
 * Digests of the public objects of a key: SHAKE-256 over the label of keys and the bytes, by which the ecosystem names
 * them. One pass over each file; native code, since a key set is half a gigabyte.
 */
import { createHash } from 'node:crypto';
import { DIGEST_BYTES, DIGEST_LABEL } from '@keyquorum/wire/digest';
import type { KeyObject } from '../services.ts';
import type { PublicObject } from './objects.ts';

export async function describeObjects(objects: readonly PublicObject[]): Promise<KeyObject[]> {
  const described: KeyObject[] = [];
  for (const { type, size, read } of objects) {
    const hash = createHash('shake256', { outputLength: DIGEST_BYTES }).update(DIGEST_LABEL.key);
    for await (const piece of read()) hash.update(piece);
    described.push({ type, size, digest: hash.digest('hex') });
  }
  return described;
}
