/**
 * The keys of one party in one family. Epoch keys serve many sessions; a session only ever sees keys derived from them
 * by a KDF, so that showing a session's keys says nothing about any other session (SPEC R5, R6).
 */
import { createHmac } from 'node:crypto';
import { fromHex } from '../bytes.ts';
import { LABELS } from '../labels.ts';
import type { PartyId, SessionId } from '../transport.ts';
import { type Family, subsetsWith } from './family.ts';

export const PRSS_KEY_BYTES = 32;

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

/** Parts are separated by their lengths. The result has a buffer of its own. */
export function derive(key: Uint8Array, label: string, ...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const mac = createHmac('sha256', key);
  for (const part of [label, ...parts]) {
    const bytes = typeof part === 'string' ? new TextEncoder().encode(part) : part;
    mac.update(new Uint8Array(Uint32Array.of(bytes.length).buffer)).update(bytes);
  }
  const digest = mac.digest();
  const out = Uint8Array.from(digest);
  digest.fill(0);
  return out;
}
