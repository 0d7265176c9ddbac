/**
 * Backup of a store's master key as Shamir shares (any `threshold` of `shares` restore it; fewer tell nothing), with
 * the audited package shamir-secret-sharing. It restores the lock, not the data: records and secrets live on the node's
 * disk.
 */
import { createHash, randomFillSync, timingSafeEqual } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { combine, split } from 'shamir-secret-sharing';
import { ConfigError } from '../config/config-error.ts';
import { FILE_MODE } from '../store/files.ts';
import { readMasterKey, type Unlock, writeMasterKey } from '../store/master-key.ts';
import { requireFittingMaster } from '../store/store.ts';

const PREFIX = 'kqshare1';
const KEY_BYTES = 32;
const CHECK_BYTES = 4;
const CHECK_CHARACTERS = 8;
const random = (bytes: number) => randomFillSync(new Uint8Array(bytes));

/** One line per share: prefix, number, threshold, hex, and a check value against typing errors. */
function encodeShare(share: Uint8Array, index: number, threshold: number): string {
  const body = `${PREFIX}-${index + 1}-${threshold}-${Buffer.from(share).toString('hex')}`;
  return `${body}-${checkValue(body)}`;
}

function checkValue(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, CHECK_CHARACTERS);
}

/** Shares of different backups combine to garbage without a sign; four bytes of hash beside the key show it. */
function withCheck(master: Uint8Array): Uint8Array {
  const secret = new Uint8Array(KEY_BYTES + CHECK_BYTES);
  secret.set(master);
  secret.set(createHash('sha256').update(master).digest().subarray(0, CHECK_BYTES), KEY_BYTES);
  return secret;
}

function decodeShare(text: string): { share: Uint8Array; threshold: number } {
  const match = /^(kqshare1-\d+-(\d+)-([0-9a-f]{74}))-([0-9a-f]{8})$/.exec(text.trim());
  const [, body = '', threshold = '', hex = '', check = ''] = match ?? [];
  if (body === '' || checkValue(body) !== check) {
    throw new ConfigError('CONFIG_INVALID', { file: 'share', field: '', message: 'is damaged or mistyped' });
  }
  return { share: new Uint8Array(Buffer.from(hex, 'hex')), threshold: Number(threshold) };
}

export async function splitMasterKey(
  dataPath: string,
  unlock: Unlock,
  { shares, threshold }: { shares: number; threshold: number },
): Promise<string[]> {
  const master = await readMasterKey(dataPath, unlock);
  const secret = withCheck(master);
  master.fill(0);
  const parts = await split(secret, shares, threshold);
  secret.fill(0);
  const lines = parts.map((part, index) => encodeShare(part, index, threshold));
  for (const part of parts) part.fill(0);
  return lines;
}

/** Restores the master key and locks the store with a new key file. Refuses to overwrite a key file. */
export async function combineMasterKey(dataPath: string, lines: readonly string[], newKeyFile: string): Promise<void> {
  const decoded = lines.map(decodeShare);
  const [{ threshold } = { threshold: 2 }] = decoded;
  const refuse = (message: string) => new ConfigError('CONFIG_INVALID', { file: 'shares', field: '', message });
  if (decoded.some((other) => other.threshold !== threshold)) throw refuse('are of different backups');
  if (decoded.length < threshold) throw refuse(`got ${decoded.length}, want ${threshold}`);
  if (existsSync(newKeyFile)) throw refuse(`would overwrite ${newKeyFile}; name a new file`);
  const secret = await combine(decoded.map(({ share }) => share));
  const master = secret.slice(0, KEY_BYTES);
  if (!timingSafeEqual(withCheck(master), secret)) throw refuse('do not belong together');
  await requireFittingMaster(dataPath, master);
  const bytes = random(KEY_BYTES);
  await writeFile(newKeyFile, bytes, { mode: FILE_MODE, flag: 'wx' });
  await writeMasterKey(dataPath, master, { kind: 'key-file', bytes }, random);
  master.fill(0);
  bytes.fill(0);
}
