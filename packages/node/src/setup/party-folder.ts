/**
 * Makes the folder of a new node: key file, store with fresh keys, `node.toml`, and the signed card for the other
 * operators. Refuses to touch a folder that already holds any of them.
 */
import { randomFillSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSigner } from '@keyquorum/wire/signer';
import { signCard } from '../config/card.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Card } from '../config/schema.ts';
import { FILE_MODE, FOLDER_MODE } from '../store/files.ts';
import { IDENTITY_SECRET, SIGNER_SECRET } from '../store/layout.ts';
import type { Unlock } from '../store/master-key.ts';
import { createStore, openStore } from '../store/store.ts';
import { DATA_FOLDER, KEY_FILE, NODE_FILE, type NodeTomlFields, nodeToml } from './node-toml.ts';

const KEY_BYTES = 32;
const random = (bytes: number) => randomFillSync(new Uint8Array(bytes));

export interface NewParty extends Omit<NodeTomlFields, 'unlock'> {
  readonly folder: string;
  readonly network: string;
  /** Multiaddr under which the others reach this node. */
  readonly address: string;
  /** Given: the store is locked with it, as `setting` says. Else a key file is made. */
  readonly passphrase?: { readonly bytes: Uint8Array; readonly setting: Readonly<Record<string, string>> };
}

/** Returns the card of the new party, also written to `card.json`. */
export async function createPartyFolder(options: NewParty): Promise<Card> {
  const { folder, network, party, address } = options;
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const file = join(folder, NODE_FILE);
  if (existsSync(file)) {
    throw new ConfigError('CONFIG_INVALID', { file, field: '', message: 'exists already; choose another folder' });
  }
  const { unlock, setting } = await lockOf(options);
  const path = join(folder, DATA_FOLDER);
  await createStore({ path, unlock, random });
  const store = await openStore({ path, unlock, random });
  unlock.bytes.fill(0);
  const seed = random(KEY_BYTES);
  const answerKey = random(KEY_BYTES);
  try {
    await store.secrets.put(IDENTITY_SECRET, seed);
    await store.secrets.put(SIGNER_SECRET, answerKey);
    const card = signCard({ network, party, address, signer: createSigner(answerKey).address }, seed);
    await writeFile(join(folder, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
    await writeFile(file, nodeToml({ ...options, unlock: setting }), { mode: FILE_MODE });
    return card;
  } finally {
    seed.fill(0);
    answerKey.fill(0);
    await store.close();
  }
}

async function lockOf({ folder, passphrase }: NewParty): Promise<{
  unlock: Unlock;
  setting: Readonly<Record<string, string>>;
}> {
  if (passphrase) return { unlock: { kind: 'passphrase', bytes: passphrase.bytes }, setting: passphrase.setting };
  const bytes = random(KEY_BYTES);
  await writeFile(join(folder, KEY_FILE), bytes, { mode: FILE_MODE, flag: 'wx' });
  return { unlock: { kind: 'key-file', bytes }, setting: { keyFile: KEY_FILE } };
}
