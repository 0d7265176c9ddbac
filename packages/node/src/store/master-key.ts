/**
 * The master key of a store: 32 random bytes, kept in `store.json` sealed under what the operator holds, either a
 * passphrase (scrypt, RFC 7914, N = 2^17, r = 8, p = 1: 128 MiB and about half a second per guess) or a 32-byte key
 * file. The master key itself never changes, so a changed passphrase or a restored backup rewrites this one file only.
 */
import { hkdfSync, scryptSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import { Check } from 'typebox/value';
import { LABELS } from '../labels.ts';
import { writeDurably } from './files.ts';
import { freshNonce, KEY_BYTES, seal, unseal } from './sealed-box.ts';
import { StoreError } from './store-error.ts';

/** What unlocks a store. The owner erases the bytes. */
export type Unlock =
  | { readonly kind: 'passphrase'; readonly bytes: Uint8Array }
  | { readonly kind: 'key-file'; readonly bytes: Uint8Array };

export interface MasterKeys {
  /** Encrypts data keys of secrets. */
  readonly wrapping: Uint8Array;
  /** Authenticates records and public files. */
  readonly integrity: Uint8Array;
}

type Random = (bytes: number) => Uint8Array;

const SCRYPT = { N: 2 ** 17, r: 8, p: 1 } as const;
const SCRYPT_MEMORY_BYTES_MAX = 256 * 1024 * 1024;
const SALT_BYTES = 16;
const FILE_NAME = 'store.json';
const Hex = Type.String({ pattern: '^([0-9a-f]{2}){16,128}$' });
const StoreFile = Type.Object(
  { version: Type.Literal(1), unlock: Type.Enum(['passphrase', 'key-file']), salt: Hex, master: Hex },
  { additionalProperties: false },
);

function sealingKey(unlock: Unlock, salt: Uint8Array): Uint8Array {
  if (unlock.kind === 'passphrase') {
    return new Uint8Array(scryptSync(unlock.bytes, salt, KEY_BYTES, { ...SCRYPT, maxmem: SCRYPT_MEMORY_BYTES_MAX }));
  }
  if (unlock.bytes.length !== KEY_BYTES) {
    throw new StoreError('STORE_WRONG_KEY', `the key file has ${unlock.bytes.length} bytes, want ${KEY_BYTES}`);
  }
  return new Uint8Array(hkdfSync('sha256', unlock.bytes, salt, LABELS.masterKey, KEY_BYTES));
}

/** Writes (or replaces) the sealed master key of a data directory. */
export async function writeMasterKey(
  folder: string,
  master: Uint8Array,
  unlock: Unlock,
  random: Random,
): Promise<void> {
  const salt = random(SALT_BYTES);
  const key = sealingKey(unlock, salt);
  const box = seal(key, freshNonce(random), master, { label: LABELS.masterKey, name: unlock.kind });
  key.fill(0);
  const file = {
    version: 1,
    unlock: unlock.kind,
    salt: Buffer.from(salt).toString('hex'),
    master: box.toString('hex'),
  };
  await writeDurably(join(folder, FILE_NAME), [Buffer.from(`${JSON.stringify(file, null, 2)}\n`)]);
}

export function hasMasterKey(folder: string): boolean {
  return existsSync(join(folder, FILE_NAME));
}

/**
 * The master key of a data directory, for the caller to erase. Throws STORE_MISSING, STORE_TAMPERED, STORE_WRONG_KEY.
 */
export async function readMasterKey(folder: string, unlock: Unlock): Promise<Uint8Array> {
  const path = join(folder, FILE_NAME);
  if (!existsSync(path)) throw new StoreError('STORE_MISSING', `${path} does not exist: run keyquorum init first`);
  const file = parse(await readFile(path, 'utf8'), path);
  if (file.unlock !== unlock.kind) {
    const problem = `the store is locked with a ${file.unlock} but the configuration gives a ${unlock.kind}`;
    throw new StoreError('STORE_WRONG_KEY', problem);
  }
  const key = sealingKey(unlock, Buffer.from(file.salt, 'hex'));
  const master = unseal(key, Buffer.from(file.master, 'hex'), { label: LABELS.masterKey, name: unlock.kind });
  key.fill(0);
  if (!master) throw new StoreError('STORE_WRONG_KEY', `the ${unlock.kind} does not open ${path}`);
  return master;
}

function parse(text: string, path: string): Type.Static<typeof StoreFile> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined; // reported below
  }
  if (!Check(StoreFile, value)) {
    throw new StoreError('STORE_TAMPERED', `${path} is damaged: restore it, or run keyquorum backup combine`);
  }
  return value;
}

export function deriveKeys(master: Uint8Array): MasterKeys {
  const derive = (info: string) => new Uint8Array(hkdfSync('sha256', master, new Uint8Array(0), info, KEY_BYTES));
  return { wrapping: derive(LABELS.storeWrapping), integrity: derive(LABELS.storeIntegrity) };
}
