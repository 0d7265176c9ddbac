/**
 * From contributions to keys (SPEC R2): r_A is derived from what the members of A contributed, in order, the empty
 * string for whoever did not; no key is ever set to a constant. Also the reveal of a burn (SPEC R5.7): whoever shows
 * its openings can only show the committed ones, so everybody rebuilds the same keys for every party.
 */
import { CodecError } from '@keyquorum/codec/error';
import { Reader } from '@keyquorum/codec/reader';
import { LABELS } from '../labels.ts';
import type { PartyId } from '../transport.ts';
import type { FamilyName } from './family.ts';
import { matchesCommitments, type Verdict } from './init-judge.ts';
import { OPENING_BYTES, othersOf, SECRET_BYTES } from './init-messages.ts';
import { type BySet, bySet, type InitScope, type KeySet } from './init-scope.ts';
import { derive, eraseKeys, type PrssKeys, prssKeys } from './keys.ts';

/** The public half: who contributed, bound to what. */
export interface PrssCommitments {
  readonly scope: InitScope;
  /** Commitments of every party whose contributions count. */
  readonly bySender: ReadonlyMap<PartyId, BySet>;
}

export function commitmentsOf(scope: InitScope, { contributions }: Verdict): PrssCommitments {
  return { scope, bySender: new Map([...contributions].map(([sender, { commitments }]) => [sender, commitments])) };
}

/** What one party knows of the contributions. Secret: shown only to burn the session, else erased. */
export interface PrssContributions {
  readonly commitments: PrssCommitments;
  /** Everything this party knows, for a burn. Secret until then. */
  encodeReveal(): Uint8Array;
  /** Longest reveal of any party. */
  readonly revealBytesMax: number;
  /** After this, `encodeReveal` throws. The keys stay. */
  erase(): void;
}

/** Openings by sender and set. */
export type Openings = ReadonlyMap<PartyId, BySet>;

/** The keys of a party that knows the openings of all senders; undefined when one it needs is missing. */
export function keysFromOpenings(
  commitments: PrssCommitments,
  party: PartyId,
  openings: Openings,
): Map<FamilyName, PrssKeys> | undefined {
  const byFamily = new Map<FamilyName, PrssKeys>();
  for (const { name } of commitments.scope.families) {
    const keys = familyKeys(commitments, party, { family: name, openings });
    if (!keys) {
      eraseAllKeys(byFamily);
      return undefined;
    }
    byFamily.set(name, keys);
  }
  return byFamily;
}

/** The keys of one family. */
export function familyKeys(
  commitments: PrssCommitments,
  party: PartyId,
  { family: name, openings }: { family: FamilyName; openings: Openings },
): PrssKeys | undefined {
  const sets = commitments.scope.common(party, party).filter(({ family }) => family.name === name);
  const bySubset = new Map<number, Uint8Array>();
  for (const { number, index } of sets) {
    const key = keyOfSet(commitments, number, openings);
    if (!key) {
      for (const other of bySubset.values()) other.fill(0);
      return undefined;
    }
    bySubset.set(index, key);
  }
  const family = commitments.scope.families.find((each) => each.name === name);
  return family && prssKeys(family, party, bySubset);
}

/**
 * r_A = KDF(family, index, C_{i,A} and s_{i,A} of all members i in order; empty where i contributed nothing). Undefined
 * while an opening is missing.
 */
export function keyOfSet(
  { scope, bySender }: PrssCommitments,
  number: number,
  openings: Openings,
): Uint8Array | undefined {
  const { family, index, members } = scope.sets[number]!;
  const none = new Uint8Array(0);
  const commitments = members.map((member) => bySender.get(member)?.get(number) ?? none);
  const secrets: Uint8Array[] = [];
  for (const member of members) {
    const opening = openings.get(member)?.get(number);
    if (!bySender.has(member)) secrets.push(none);
    else if (opening) secrets.push(opening.subarray(0, SECRET_BYTES));
    else return undefined;
  }
  const at = new Uint8Array(4);
  new DataView(at.buffer).setUint32(0, index, true);
  return derive(scope.digest, LABELS.prssKey, family.name, at, ...commitments, ...secrets);
}

/** `openings` belongs to the result from now on. */
export function createContributions(commitments: PrssCommitments, openings: Openings): PrssContributions {
  let erased = false;
  return {
    commitments,
    revealBytesMax: revealBytesMax(commitments.scope),
    encodeReveal() {
      if (erased) throw new Error('PRSS-Init: the contributions of this session are erased');
      return encodeReveal(commitments, openings);
    },
    erase() {
      erased = true;
      eraseOpenings(openings);
    },
  };
}

export function eraseOpenings(openings: Openings): void {
  for (const openingsBySet of openings.values()) for (const opening of openingsBySet.values()) opening.fill(0);
}

export function revealBytesMax(scope: InitScope): number {
  const parties = othersOf(scope, 0);
  return Math.max(
    ...parties.map((party) =>
      parties.reduce((sum, sender) => sum + scope.common(sender, party).length * OPENING_BYTES, 0),
    ),
  );
}

/** Layout: per sender whose contributions count, ascending: s | o of every set common with the revealing party. */
function encodeReveal({ bySender }: PrssCommitments, openings: Openings): Uint8Array {
  const pieces = sendersOf(bySender).flatMap((sender) => [...(openings.get(sender)?.values() ?? [])]);
  const reveal = new Uint8Array(pieces.length * OPENING_BYTES);
  pieces.forEach((piece, at) => {
    reveal.set(piece, at * OPENING_BYTES);
  });
  return reveal;
}

/**
 * The openings in a reveal, as views; undefined unless it holds exactly what `party` must know, and all of it matches
 * the commitments: then `party`, if it signed the reveal, is proven corrupt.
 */
export function readReveal(commitments: PrssCommitments, party: PartyId, reveal: Uint8Array): Openings | undefined {
  const { scope, bySender } = commitments;
  const reader = new Reader(reveal);
  const openings = new Map<PartyId, BySet>();
  try {
    for (const sender of sendersOf(bySender)) {
      const sets = scope.common(sender, party);
      openings.set(sender, bySet(sets, reader.take(sets.length * OPENING_BYTES), OPENING_BYTES)!);
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return undefined;
  }
  const genuine = [...openings].every(([sender, opened]) =>
    matchesCommitments(scope, sender, { openings: opened, commitments: bySender.get(sender)! }),
  );
  return genuine ? openings : undefined;
}

/**
 * The keys of any party, from the reveals of many: a lie matches no commitment and is left out. Undefined for a party
 * while an opening that its keys need is missing; the reveals of all honest parties are always enough.
 */
export function keysFromReveals(
  commitments: PrssCommitments,
  reveals: ReadonlyMap<PartyId, Uint8Array>,
): (party: PartyId) => Map<FamilyName, PrssKeys> | undefined {
  const known = openingsFromReveals(commitments, reveals);
  return (party) => keysFromOpenings(commitments, party, known);
}

/** All genuine openings of the reveals. */
export function openingsFromReveals(commitments: PrssCommitments, reveals: ReadonlyMap<PartyId, Uint8Array>): Openings {
  const known = new Map<PartyId, Map<number, Uint8Array>>();
  for (const [party, reveal] of reveals) {
    for (const [sender, openings] of readReveal(commitments, party, reveal) ?? []) {
      const ofSender = known.get(sender) ?? new Map<number, Uint8Array>();
      known.set(sender, ofSender);
      for (const [number, opening] of openings) ofSender.set(number, opening);
    }
  }
  return known;
}

/** Everything behind the keys of these sets, as bytes; undefined while an opening is missing. */
export function encodeOpenings(
  commitments: PrssCommitments,
  sets: readonly KeySet[],
  openings: Openings,
): Uint8Array | undefined {
  const places = placesOf(commitments, sets);
  const encoded = new Uint8Array(places.length * OPENING_BYTES);
  for (const [index, { sender, number }] of places.entries()) {
    const opening = openings.get(sender)?.get(number);
    if (!opening) return undefined;
    encoded.set(opening, index * OPENING_BYTES);
  }
  return encoded;
}

/** The openings in such bytes, as views; undefined unless each place has one that matches its commitment. */
export function readOpenings(
  commitments: PrssCommitments,
  sets: readonly KeySet[],
  encoded: Uint8Array,
): Openings | undefined {
  const { scope, bySender } = commitments;
  const places = placesOf(commitments, sets);
  if (encoded.length !== places.length * OPENING_BYTES) return undefined;
  const openings = new Map(sendersOf(bySender).map((sender) => [sender, new Map<number, Uint8Array>()]));
  for (const [index, { sender, number }] of places.entries()) {
    openings.get(sender)?.set(number, encoded.subarray(index * OPENING_BYTES, (index + 1) * OPENING_BYTES));
  }
  const genuine = [...openings].every(([sender, opened]) =>
    matchesCommitments(scope, sender, { openings: opened, commitments: bySender.get(sender)! }),
  );
  return genuine ? openings : undefined;
}

/** Layout: s | o per set, in the given order, and per member of the set whose contributions count, ascending. */
function placesOf(
  { bySender }: PrssCommitments,
  sets: readonly KeySet[],
): readonly { readonly sender: PartyId; readonly number: number }[] {
  return sets.flatMap(({ members, number }) =>
    members.filter((member) => bySender.has(member)).map((sender) => ({ sender, number })),
  );
}

/** Erases the keys of all families. */
export function eraseAllKeys(keys: ReadonlyMap<FamilyName, PrssKeys>): void {
  for (const ofFamily of keys.values()) eraseKeys(ofFamily);
}

function sendersOf(bySender: PrssCommitments['bySender']): PartyId[] {
  return [...bySender.keys()].sort((left, right) => left - right);
}
