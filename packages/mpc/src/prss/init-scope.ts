/**
 * What one run of PRSS-Init is about: its session, context, parties and sets. The digest of all that is part of every
 * commitment, box, view and key, so that nothing of one run means anything in another (SPEC R17).
 */
import { Writer } from '@keyquorum/codec/writer';
import { fromHex, sha256 } from '../bytes.ts';
import { LABELS } from '../labels.ts';
import type { Roster } from '../roster.ts';
import { rosterDigest } from '../runtime/statement.ts';
import type { PartyId, SessionId } from '../transport.ts';
import type { Family } from './family.ts';

/** One set of one family; its number counts over all families of the run. */
export interface KeySet {
  readonly number: number;
  readonly family: Family;
  readonly index: number;
  readonly members: readonly PartyId[];
}

/** Bytes per set, by the set's number. */
export type BySet = ReadonlyMap<number, Uint8Array>;

export interface InitScope {
  readonly digest: Uint8Array;
  readonly n: number;
  readonly t: number;
  readonly families: readonly Family[];
  readonly sets: readonly KeySet[];
  /** Sets with both parties as members, ascending; `common(i, i)` are the sets of i. */
  common(one: PartyId, other: PartyId): readonly KeySet[];
}

const CONTEXT_BYTES_MAX = 1024;

/** @throws RangeError for families of another roster, a family twice, or a context above 1 KiB */
export function createScope(
  { session, roster }: { readonly session: SessionId; readonly roster: Roster },
  families: readonly Family[],
  context: Uint8Array,
): InitScope {
  const names = new Set(families.map(({ name }) => name));
  if (names.size !== families.length || families.some((family) => family.n !== roster.n)) {
    throw new RangeError("PRSS-Init: want each family once, and of the session's number of parties");
  }
  if (context.length > CONTEXT_BYTES_MAX) throw new RangeError(`PRSS-Init context: ${context.length} bytes`);
  const sets = families.flatMap((family) => family.subsets.map((members, index) => ({ family, index, members })));
  const numbered = sets.map((set, number): KeySet => ({ number, ...set }));
  const cache = new Map<string, readonly KeySet[]>();
  return {
    digest: scopeDigest(session, roster, context, numbered),
    ...{ n: roster.n, t: roster.t, families, sets: numbered },
    common(one, other) {
      const key = `${Math.min(one, other)}/${Math.max(one, other)}`;
      const known = cache.get(key);
      if (known) return known;
      const found = numbered.filter(({ members }) => members.includes(one) && members.includes(other));
      cache.set(key, found);
      return found;
    },
  };
}

/** Cuts bytes into pieces of equal length, one per set, as views. Undefined when the length does not fit. */
export function bySet(sets: readonly KeySet[], bytes: Uint8Array, pieceBytes: number): BySet | undefined {
  if (bytes.length !== sets.length * pieceBytes) return undefined;
  return new Map(sets.map(({ number }, at) => [number, bytes.subarray(at * pieceBytes, (at + 1) * pieceBytes)]));
}

/** Layout: u8 + label | session 32 | roster 32 | u32 + context | per set: u8 + family | degree u8 | members u16 LE. */
function scopeDigest(session: SessionId, roster: Roster, context: Uint8Array, sets: readonly KeySet[]): Uint8Array {
  const writer = new Writer();
  writeText(writer, LABELS.prssScope);
  writer.raw(fromHex(session));
  writer.raw(rosterDigest(roster));
  writer.u32(context.length);
  writer.raw(context);
  for (const { family, members } of sets) {
    writeText(writer, family.name);
    writer.u8(family.degree);
    writePartyMask(writer, members);
  }
  return sha256(writer.finish());
}

export function writeText(writer: Writer, text: string): void {
  writer.u8(text.length);
  writer.raw(new TextEncoder().encode(text));
}

/** Bit i-1 stands for party i. */
export function writePartyMask(writer: Writer, parties: Iterable<PartyId>): void {
  let mask = 0;
  for (const party of parties) mask |= 1 << (party - 1);
  writer.u8(mask & 0xff);
  writer.u8(mask >> 8);
}
