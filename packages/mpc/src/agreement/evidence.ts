/**
 * Proofs of corruption that anybody with the roster can check, offline and for ever: two signatures of one party that
 * an honest party never makes together. Layout: kind u8 = 1 | party u8 | scope | claim | signature | claim | signature,
 * the smaller claim first, so that one offence has one spelling.
 */
import { Reader } from '@keyquorum/codec/reader';
import { Writer } from '@keyquorum/codec/writer';
import { HASH_BYTES, toHex } from '../bytes.ts';
import { LABELS } from '../labels.ts';
import type { Roster } from '../roster.ts';
import { SIGNATURE_BYTES } from '../runtime/identity.ts';
import { DOMAIN_LENGTH_MAX, type Subject, verifyStatement } from '../runtime/statement.ts';
import { type PartyId, TAG_LENGTH_MAX } from '../transport.ts';
import { equalScopes, readClaim, readScope, writeClaim, writeScope } from './subject-codec.ts';

export interface SignedSubject {
  readonly subject: Subject;
  readonly signature: Uint8Array;
}

/** `party` signed two different payloads for one (domain, session, tag, receiver). */
export interface DoubleSignature {
  readonly kind: 'double-signature';
  readonly party: PartyId;
  readonly first: SignedSubject;
  readonly second: SignedSubject;
}

export type Evidence = DoubleSignature;

/**
 * Labels under which an honest party signs at most one payload per session, tag and receiver. Evidence under any other
 * label proves nothing: relays of a broadcast, for example, are signed for every value a lying sender sends.
 */
export const EXCLUSIVE_LABELS: readonly string[] = [
  LABELS.broadcast,
  LABELS.message,
  LABELS.propose,
  LABELS.ok,
  LABELS.complete,
  LABELS.burn,
];

const DOUBLE_SIGNATURE = 1;
const CLAIM_BYTES = 8 + HASH_BYTES + SIGNATURE_BYTES;
export const EVIDENCE_BYTES_MAX = 2 + 1 + DOMAIN_LENGTH_MAX + HASH_BYTES + 1 + TAG_LENGTH_MAX + 1 + 2 * CLAIM_BYTES;

/** Puts two signatures of `party` together, in canonical order. */
export function doubleSignature(party: PartyId, one: SignedSubject, other: SignedSubject): DoubleSignature {
  const [first, second] = claimOrder(one.subject, other.subject) <= 0 ? [one, other] : [other, one];
  return { kind: 'double-signature', party, first, second };
}

/**
 * The party that is proven corrupt, or undefined when the evidence proves nothing. `exclusive` adds labels of protocols
 * built on this package.
 */
export function verifyEvidence(
  roster: Roster,
  { party, first, second }: Evidence,
  exclusive: readonly string[] = EXCLUSIVE_LABELS,
): PartyId | undefined {
  const { subject } = first;
  if (!exclusive.includes(subject.domain) || !equalScopes(subject, second.subject)) return undefined;
  if (claimOrder(subject, second.subject) >= 0) return undefined;
  if (!verifyStatement(roster, party, subject, first.signature)) return undefined;
  return verifyStatement(roster, party, second.subject, second.signature) ? party : undefined;
}

export function encodeEvidence({ party, first, second }: Evidence): Uint8Array {
  const writer = new Writer();
  writer.u8(DOUBLE_SIGNATURE);
  writer.u8(party);
  writeScope(writer, first.subject);
  for (const { subject, signature } of [first, second]) {
    writeClaim(writer, subject);
    writer.raw(signature);
  }
  return writer.finish();
}

/** Checks the spelling only. @throws CodecError */
export function decodeEvidence(bytes: Uint8Array): Evidence {
  const reader = new Reader(bytes);
  const kind = reader.u8();
  if (kind !== DOUBLE_SIGNATURE) throw reader.error('CODEC_VARIANT', `got evidence kind ${kind}, want 1`, 0);
  const party = reader.u8();
  const scope = readScope(reader);
  const readSigned = (): SignedSubject => ({
    subject: { ...scope, ...readClaim(reader) },
    signature: new Uint8Array(reader.take(SIGNATURE_BYTES)),
  });
  const evidence: Evidence = { kind: 'double-signature', party, first: readSigned(), second: readSigned() };
  reader.end();
  if (claimOrder(evidence.first.subject, evidence.second.subject) >= 0) {
    throw reader.error('CODEC_VALUE', 'want two different claims, the smaller one first');
  }
  return evidence;
}

/** Negative when `left` comes first: by digest, then by length. */
function claimOrder(left: Subject, right: Subject): number {
  const [a, b] = [toHex(left.digest), toHex(right.digest)];
  if (a !== b) return a < b ? -1 : 1;
  return left.length - right.length;
}
