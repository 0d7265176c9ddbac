/**
 * Keys of a set from what its members say (SPEC R2, R5.7; docs/protocols/prss.md): t+1 members that say the same
 * include an honest one, and honest members all hold the same key, so a wrong key is never taken. Serves a party that
 * missed PRSS-Init, and a burnt session whose keys were derived from epoch keys. Keys are compared in constant time.
 *
 * For family C: a set has 2t+1 members, t+1 of them honest. A member that was away needs t+1 equal answers of the 2t
 * others; it counts as one of the t faults, so at most t-1 others lie or are silent. With more it waits
 * ("When a start is missed").
 */
import { timingSafeEqual } from 'node:crypto';
import type { PartyId } from '../transport.ts';
import { type Family, subsetsWith } from './family.ts';
import { PRSS_KEY_BYTES, type PrssKeys, prssKeys } from './keys.ts';

/** Keys by index of their set, as one party gave them. */
export type KeyAnswer = ReadonlyMap<number, Uint8Array>;

/**
 * The keys of `self` from private answers of other members. Copies. Undefined while some set lacks t+1 equal answers:
 * ask more members.
 */
export function agreeKeys(
  family: Family,
  self: PartyId,
  answers: ReadonlyMap<PartyId, KeyAnswer>,
  t: number,
): PrssKeys | undefined {
  const agreed = new Map<number, Uint8Array>();
  for (const index of subsetsWith(family, self)) {
    const key = majorityKey(family, index, answers, t);
    if (!key) {
      for (const other of agreed.values()) other.fill(0);
      return undefined;
    }
    agreed.set(index, Uint8Array.from(key));
  }
  return prssKeys(family, self, agreed);
}

/** The keys of any party of a burnt session, from the reveals of its members. Copies. */
export function majorityKeys(
  family: Family,
  reveals: ReadonlyMap<PartyId, Pick<PrssKeys, 'bySubset'>>,
  t: number,
): (party: PartyId) => PrssKeys | undefined {
  const answers = answersOf(reveals);
  return (party) => agreeKeys(family, party, answers, t);
}

/** Parties whose reveal differs from what t+1 members say: proven corrupt, if they signed it. Ascending. */
export function deviators(
  family: Family,
  reveals: ReadonlyMap<PartyId, Pick<PrssKeys, 'bySubset'>>,
  t: number,
): PartyId[] {
  const answers = answersOf(reveals);
  const found = new Set<PartyId>();
  for (const [index, members] of family.subsets.entries()) {
    const key = majorityKey(family, index, answers, t);
    if (!key) continue;
    for (const member of members) {
      const said = answers.get(member)?.get(index);
      if (said && !sameKey(said, key)) found.add(member);
    }
  }
  return [...found].sort((left, right) => left - right);
}

/**
 * The keys of one party for such an answer or reveal. Layout: 32 bytes per set of the party, by ascending index.
 * Secret.
 */
export function encodePrssKeys({ family, self, bySubset }: PrssKeys): Uint8Array {
  const indices = subsetsWith(family, self);
  const bytes = new Uint8Array(indices.length * PRSS_KEY_BYTES);
  indices.forEach((index, at) => {
    bytes.set(bySubset.get(index)!, at * PRSS_KEY_BYTES);
  });
  return bytes;
}

/** Undefined unless the bytes are one key for each set of the party. Copies. */
export function decodePrssKeys(family: Family, party: PartyId, bytes: Uint8Array): PrssKeys | undefined {
  const indices = subsetsWith(family, party);
  if (bytes.length !== indices.length * PRSS_KEY_BYTES) return undefined;
  const key = (at: number) => bytes.slice(at * PRSS_KEY_BYTES, (at + 1) * PRSS_KEY_BYTES);
  return prssKeys(family, party, new Map(indices.map((index, at) => [index, key(at)])));
}

/** Longest encoding of any party's keys. */
export function prssKeysBytesMax(family: Family): number {
  const parties = Array.from({ length: family.n }, (_, index) => index + 1);
  return PRSS_KEY_BYTES * Math.max(...parties.map((party) => subsetsWith(family, party).length));
}

/** The key that t+1 members of the set say, by reference. */
function majorityKey(
  { subsets }: Family,
  index: number,
  answers: ReadonlyMap<PartyId, KeyAnswer>,
  t: number,
): Uint8Array | undefined {
  const said = subsets[index]!.flatMap((member) => answers.get(member)?.get(index) ?? []);
  return said.find((key) => key.length === PRSS_KEY_BYTES && said.filter((other) => sameKey(other, key)).length > t);
}

function sameKey(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

function answersOf(reveals: ReadonlyMap<PartyId, Pick<PrssKeys, 'bySubset'>>): Map<PartyId, KeyAnswer> {
  return new Map([...reveals].map(([party, { bySubset }]) => [party, bySubset]));
}
