/**
 * The keys of one party in one family. Epoch keys serve many sessions; a session only ever sees keys derived from them
 * by a KDF, so that showing a session's keys says nothing about any other session (SPEC R5, R6).
 */
import { hash } from 'node:crypto';
import { fromHex, HASH_BYTES } from '../bytes.ts';
import { LABELS } from '../labels.ts';
import type { PartyId, SessionId } from '../transport.ts';
import { type Family, subsetsWith } from './family.ts';

export const PRSS_KEY_BYTES = 32;
/** Of SHA-256. */
const BLOCK_BYTES = 64;
const LENGTH_BYTES = 4;

export interface PrssKeys {
  readonly family: Family;
  readonly self: PartyId;
  /** Key by index of its set; exactly the sets that contain `self`. 32 bytes each, owned by whoever made them. */
  readonly bySubset: ReadonlyMap<number, Uint8Array>;
}

/** @throws RangeError unless there is one key of 32 bytes for each set of the party */
export function prssKeys(family: Family, self: PartyId, bySubset: ReadonlyMap<number, Uint8Array>): PrssKeys {
  const wanted = subsetsWith(family, self);
  const fits =
    wanted.length === bySubset.size && wanted.every((index) => bySubset.get(index)?.length === PRSS_KEY_BYTES);
  if (!fits) throw new RangeError(`family ${family.name}: want ${wanted.length} keys of 32 bytes for party ${self}`);
  return { family, self, bySubset };
}

/** K_{A,sid} = HMAC-SHA256(r_A, label || family || sid) for every set of the party. The caller erases both. */
export function sessionKeys(keys: PrssKeys, session: SessionId): PrssKeys {
  const derived = [...keys.bySubset].map(([index, key]): [number, Uint8Array] => [
    index,
    derive(key, LABELS.prssSessionKey, keys.family.name, fromHex(session)),
  ]);
  return { ...keys, bySubset: new Map(derived) };
}

export function eraseKeys(keys: PrssKeys): void {
  for (const key of keys.bySubset.values()) key.fill(0);
}

/**
 * HMAC-SHA256 (RFC 2104) of label and parts, which are separated by their lengths. The result has a buffer of its own.
 * Made of two one-shot hashes: objects of node:crypto cost several times as much, and 13/4 derives 990 keys for one
 * flooded value.
 * @throws RangeError when the key is longer than a block of SHA-256
 */
export function derive(key: Uint8Array, label: string, ...parts: readonly (string | Uint8Array)[]): Uint8Array {
  if (key.length > BLOCK_BYTES) throw new RangeError(`a key of ${key.length} bytes, want at most ${BLOCK_BYTES}`);
  const texts = [label, ...parts].map((part) => (typeof part === 'string' ? new TextEncoder().encode(part) : part));
  const inner = new Uint8Array(texts.reduce((sum, text) => sum + LENGTH_BYTES + text.length, BLOCK_BYTES));
  const outer = new Uint8Array(BLOCK_BYTES + HASH_BYTES);
  padKey(inner, key, 0x36);
  padKey(outer, key, 0x5c);
  const view = new DataView(inner.buffer);
  let at = BLOCK_BYTES;
  for (const text of texts) {
    view.setUint32(at, text.length, true);
    inner.set(text, at + LENGTH_BYTES);
    at += LENGTH_BYTES + text.length;
  }
  const digest = hash('sha256', inner, 'buffer');
  outer.set(digest, BLOCK_BYTES);
  const made = hash('sha256', outer, 'buffer');
  const mac = Uint8Array.from(made);
  for (const secret of [inner, digest, outer, made]) secret.fill(0);
  return mac;
}

/** The first block of a hash: the key, padded with zeros, xor the pad. */
function padKey(block: Uint8Array, key: Uint8Array, pad: number): void {
  block.set(key);
  for (let index = 0; index < BLOCK_BYTES; index++) block[index]! ^= pad;
}
