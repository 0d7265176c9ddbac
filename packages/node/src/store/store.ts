/**
 * A node's data directory: created once by `keyquorum init`, opened by one process at a time. This folder (`store/`) is
 * the only code that knows its layout (layout.ts).
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Journal } from '@keyquorum/mpc/session';
import type { PublicStore, SecretStore } from '@keyquorum/protocols/storage';
import { FOLDER_MODE } from './files.ts';
import { IDENTITY_SECRET, PUBLIC_FOLDER, SECRETS_FOLDER } from './layout.ts';
import { deriveKeys, hasMasterKey, readMasterKey, type Unlock, writeMasterKey } from './master-key.ts';
import { openPublicStore } from './publics.ts';
import { openRecords } from './records.ts';
import { KEY_BYTES } from './sealed-box.ts';
import { openSecretStore } from './secrets.ts';
import { StoreError } from './store-error.ts';

export interface Store {
  /** Decisions of the protocols. */
  readonly journal: Journal;
  /** Public decryptions: content hash, state, answer. */
  readonly requests: Journal;
  /** Which ciphertext each handle names under a production key. */
  readonly handles: Journal;
  /** What requesters have used up: requester and key -> day and blocks. */
  readonly quotas: Journal;
  /** Public objects that were verified in object storage: URI -> version there. */
  readonly published: Journal;
  readonly secrets: SecretStore;
  readonly publics: PublicStore;
  /** Writes what is still pending and releases the directory. */
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly path: string;
  readonly unlock: Unlock;
  random(bytes: number): Uint8Array;
  onFailure?(error: StoreError): void;
}

/** Makes a new, empty store. Throws STORE_EXISTS rather than overwrite a master key. */
export async function createStore({ path, unlock, random }: StoreOptions): Promise<void> {
  await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  if (hasMasterKey(path)) throw new StoreError('STORE_EXISTS', `${path} already holds a store; nothing was changed`);
  const master = random(KEY_BYTES);
  await writeMasterKey(path, master, unlock, random);
  master.fill(0);
}

export async function openStore(options: StoreOptions): Promise<Store> {
  const { path, random } = options;
  const master = await readMasterKey(path, options.unlock);
  const { wrapping, integrity } = deriveKeys(master);
  master.fill(0);
  const records = await openRecords({
    path,
    integrityKey: integrity,
    ...(options.onFailure && { onFailure: options.onFailure }),
  });
  return {
    journal: records.table('journal'),
    requests: records.table('requests'),
    handles: records.table('handles'),
    quotas: records.table('quotas'),
    published: records.table('published'),
    secrets: await openSecretStore({ path: join(path, SECRETS_FOLDER), wrappingKey: wrapping, random }),
    publics: await openPublicStore({ path: join(path, PUBLIC_FOLDER), integrityKey: integrity }),
    close: () => records.close(),
  };
}

/**
 * Throws STORE_TAMPERED unless the master key opens the secrets of this data directory: asked before it replaces one.
 */
export async function requireFittingMaster(path: string, master: Uint8Array): Promise<void> {
  const { wrapping } = deriveKeys(master);
  const random = (): never => {
    throw new StoreError('STORE_NAME', 'checking a key writes nothing');
  };
  const secrets = await openSecretStore({ path: join(path, SECRETS_FOLDER), wrappingKey: wrapping, random });
  const secret = await secrets.get(IDENTITY_SECRET);
  wrapping.fill(0);
  if (!secret) throw new StoreError('STORE_MISSING', `${path} holds no secrets to restore access to`);
  secret.fill(0);
}
