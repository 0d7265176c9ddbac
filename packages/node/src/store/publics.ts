/**
 * PublicStore on files: 32-byte HMAC-SHA-256 over label, name and content, then the content. Public does not mean
 * unimportant: opened values of a pool batch that a disk has changed would turn into wrong shares.
 * Cost: one hash pass per read and write; two fsyncs per write.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { PublicStore } from '@keyquorum/protocols/storage';
import { LABELS } from '../labels.ts';
import { openFolder, readIfPresent, removeFile, writeDurably } from './files.ts';
import { createKeyedQueue } from './keyed-queue.ts';
import { StoreError } from './store-error.ts';

const TAG_BYTES = 32;
const SUFFIX = '.bin';

export async function openPublicStore({
  path,
  integrityKey,
}: {
  readonly path: string;
  readonly integrityKey: Uint8Array;
}): Promise<PublicStore> {
  const folder = await openFolder(path);
  const inOrder = createKeyedQueue();
  const tagOf = (name: string, bytes: Uint8Array) =>
    createHmac('sha256', integrityKey).update(`${LABELS.publicFile}|${name}|`).update(bytes).digest();
  return {
    put: (name, bytes) => inOrder(name, () => writeDurably(folder.path(name, SUFFIX), [tagOf(name, bytes), bytes])),
    get: (name) =>
      inOrder(name, async () => {
        const file = await readIfPresent(folder.path(name, SUFFIX));
        if (!file) return undefined;
        const bytes = file.subarray(TAG_BYTES);
        if (file.length >= TAG_BYTES && timingSafeEqual(tagOf(name, bytes), file.subarray(0, TAG_BYTES))) {
          return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
        }
        const remedy = 'peers give key material back by themselves; remove any other file';
        throw new StoreError('STORE_TAMPERED', `${folder.path(name, SUFFIX)} fails its authentication: ${remedy}`);
      }),
    delete: (name) => inOrder(name, () => removeFile(folder.path(name, SUFFIX))),
    names: (prefix) => folder.names(prefix, SUFFIX),
  };
}
