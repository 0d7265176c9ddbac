/**
 * SecretStore on files. Each secret has a data key of its own: `<name>.key` (data key sealed under the wrapping key)
 * and `<name>.box` (the secret sealed under the data key). Shredding overwrites the small key file where it lies, which
 * makes every copy of the large one useless, wherever the disk moved it.
 *
 * Promises: durable when `put` resolves; a crash leaves the old or the new secret. Not promised: that an SSD or a
 * copy-on-write file system really overwrites; there, shredding is as good as the erasure of 60 bytes by that device.
 */
import type { SecretStore } from '@keyquorum/protocols/storage';
import { LABELS } from '../labels.ts';
import { type Folder, openFolder, overwriteAndUnlink, readIfPresent, removeFile, writeDurably } from './files.ts';
import { createKeyedQueue } from './keyed-queue.ts';
import { freshNonce, KEY_BYTES, seal, unseal } from './sealed-box.ts';
import { StoreError } from './store-error.ts';

const KEY_SUFFIX = '.key';
const BOX_SUFFIX = '.box';

interface Options {
  readonly path: string;
  /** Stays with the store until the process ends. */
  readonly wrappingKey: Uint8Array;
  random(bytes: number): Uint8Array;
}

export async function openSecretStore(options: Options): Promise<SecretStore> {
  const folder = await openFolder(options.path);
  const inOrder = createKeyedQueue();
  return {
    put: (name, secret) => inOrder(name, () => put(folder, options, name, secret)),
    get: (name) => inOrder(name, () => get(folder, options, name)),
    shred: (name) => inOrder(name, () => shred(folder, options, name)),
    names: (prefix) => folder.names(prefix, BOX_SUFFIX),
  };
}

async function put(folder: Folder, options: Options, name: string, secret: Uint8Array): Promise<void> {
  const { random } = options;
  const known = await dataKey(folder, options, name);
  const key = known ?? random(KEY_BYTES);
  try {
    if (!known) {
      await removeFile(folder.path(name, BOX_SUFFIX)); // of an interrupted shredding: it must not meet a new data key
      const box = seal(options.wrappingKey, freshNonce(random), key, { label: LABELS.dataKey, name });
      await writeDurably(folder.path(name, KEY_SUFFIX), [box]);
    }
    const box = seal(key, freshNonce(random), secret, { label: LABELS.secretFile, name });
    await writeDurably(folder.path(name, BOX_SUFFIX), [box]);
  } finally {
    key.fill(0);
  }
}

async function get(folder: Folder, options: Options, name: string): Promise<Uint8Array | undefined> {
  const box = await readIfPresent(folder.path(name, BOX_SUFFIX));
  if (!box) return undefined;
  const key = await dataKey(folder, options, name);
  if (!key) return undefined; // shredding was interrupted after the data key was gone
  const secret = unseal(key, box, { label: LABELS.secretFile, name });
  key.fill(0);
  if (!secret) throw tampered(folder.path(name, BOX_SUFFIX));
  return secret;
}

async function shred(folder: Folder, { random }: Options, name: string): Promise<void> {
  await overwriteAndUnlink(folder.path(name, KEY_SUFFIX), random);
  await removeFile(folder.path(name, BOX_SUFFIX));
}

async function dataKey(folder: Folder, options: Options, name: string): Promise<Uint8Array | undefined> {
  const path = folder.path(name, KEY_SUFFIX);
  const box = await readIfPresent(path);
  if (!box) return undefined;
  const key = unseal(options.wrappingKey, box, { label: LABELS.dataKey, name });
  if (!key) throw tampered(path);
  return key;
}

function tampered(path: string): StoreError {
  const remedy = 'restore this data directory from its own disk; never start from an older copy';
  return new StoreError('STORE_TAMPERED', `${path} fails its authentication: ${remedy}`);
}
