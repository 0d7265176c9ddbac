/**
 * Certificates: signatures of a quorum on one subject (SPEC R4, R5). Two certificates of `quorumOf(roster)` signatures
 * share an honest signer, so claims that an honest party makes at most once are unique in any network; a certificate of
 * t+1 signatures proves that one honest party made the claim. Cost: one signature, n-1 messages of 96 bytes, and one
 * verification per message until the quorum is full.
 */
import { CodecError } from '@keyquorum/codec/error';
import { Reader } from '@keyquorum/codec/reader';
import { Writer } from '@keyquorum/codec/writer';
import { equalBytes, HASH_BYTES, toHex } from '../bytes.ts';
import type { Roster } from '../roster.ts';
import {
  DOMAIN_LENGTH_MAX,
  EVERYONE,
  SIGNATURE_BYTES,
  type Speaker,
  type Subject,
  signStatement,
  verifyStatement,
} from '../runtime/statement.ts';
import type { Session } from '../session.ts';
import { type PartyId, type SessionId, TAG_LENGTH_MAX } from '../transport.ts';
import { AgreementError } from './agreement-error.ts';
import { readSignatureSet, SIGNATURE_SET_BYTES_MAX, type SignatureSet, writeSignatureSet } from './signature-set.ts';
import { equalSubjects, readClaim, readScope, writeClaim, writeScope } from './subject-codec.ts';

export interface Certificate {
  readonly subject: Subject;
  readonly signatures: SignatureSet;
}

/** Largest encoding: texts with their lengths, session, receiver, length and digest, 15 signatures. */
export const CERTIFICATE_BYTES_MAX =
  1 + DOMAIN_LENGTH_MAX + HASH_BYTES + 1 + TAG_LENGTH_MAX + 1 + 8 + HASH_BYTES + SIGNATURE_SET_BYTES_MAX;

/** The subject "the parties agree on this digest": to everyone, its length field is that of the digest itself. */
export function digestSubject(domain: string, session: SessionId, tag: string, digest: Uint8Array): Subject {
  return { domain, session, tag, receiver: EVERYONE, length: HASH_BYTES, digest };
}

export function encodeCertificate({ subject, signatures }: Certificate): Uint8Array {
  const writer = new Writer();
  writeScope(writer, subject);
  writeClaim(writer, subject);
  writeSignatureSet(writer, signatures);
  return writer.finish();
}

/** Checks the spelling only; `verifyCertificate` checks the signatures. @throws CodecError */
export function decodeCertificate(bytes: Uint8Array): Certificate {
  const reader = new Reader(bytes);
  const scope = readScope(reader);
  const claim = readClaim(reader);
  const signatures = readSignatureSet(reader);
  reader.end();
  return { subject: { ...scope, ...claim }, signatures };
}

/** True when the certificate is about `subject` and at least `quorum` parties of the roster signed it, all validly. */
export function verifyCertificate(roster: Roster, subject: Subject, certificate: Certificate, quorum: number): boolean {
  const { signatures } = certificate;
  if (signatures.size < quorum || !equalSubjects(subject, certificate.subject)) return false;
  for (const [signer, signature] of signatures) if (!verifyStatement(roster, signer, subject, signature)) return false;
  return true;
}

/**
 * Gathers signatures on subjects of one scope that may differ in their digest, without any network: what
 * `collectDigest` does for a session, and what services do that get votes from elsewhere. The first signature of a
 * party counts.
 */
export class SignatureTally {
  readonly #roster: Roster;
  readonly #quorum: number;
  readonly #counts = new Map<string, { subject: Subject; signatures: Map<PartyId, Uint8Array> }>();
  readonly #signers = new Set<PartyId>();

  constructor(roster: Roster, quorum: number) {
    this.#roster = roster;
    this.#quorum = quorum;
  }

  /** Adds one vote; false when its signature is wrong or the party has voted. */
  add(signer: PartyId, subject: Subject, signature: Uint8Array): boolean {
    if (this.#signers.has(signer) || !verifyStatement(this.#roster, signer, subject, signature)) return false;
    this.#signers.add(signer);
    const key = `${subject.length}/${toHex(subject.digest)}`;
    const count = this.#counts.get(key) ?? { subject, signatures: new Map<PartyId, Uint8Array>() };
    this.#counts.set(key, count);
    count.signatures.set(signer, signature);
    return true;
  }

  /** The certificate, once `quorum` parties signed the same digest. */
  certificate(): Certificate | undefined {
    for (const { subject, signatures } of this.#counts.values()) {
      if (signatures.size < this.#quorum) continue;
      return { subject, signatures: new Map([...signatures].sort(([left], [right]) => left - right)) };
    }
    return undefined;
  }

  /** Parties whose signature was counted. */
  get signers(): ReadonlySet<PartyId> {
    return this.#signers;
  }
}

export interface CollectOptions {
  readonly deadlineMs?: number;
}

/** Layout of a vote: digest 32 | signature 64. */
const VOTE_BYTES = HASH_BYTES + SIGNATURE_BYTES;

/**
 * Signs `digest`, tells all, and resolves with a certificate once `quorum` parties (this one included) signed the same
 * digest. Votes for other digests are ignored: they are not a fault here.
 * @throws AgreementError QUORUM_MISSED when the deadline passes, or all parties were heard, without it
 */
export async function collectSignatures(
  session: Session,
  tag: string,
  domain: string,
  digest: Uint8Array,
  quorum: number,
  options: CollectOptions = {},
): Promise<Certificate> {
  const tally = new SignatureTally(session.roster, quorum);
  return collect(session, { tag, domain, own: digest, only: digest }, tally, options);
}

/**
 * Votes for `digest`, or only listens when that is undefined, and resolves with the certificate of whichever digest
 * reaches `quorum` signatures first. With quorum t+1 the digest is one that an honest party vouches for (SPEC R5.3).
 * @throws AgreementError QUORUM_MISSED
 */
export async function collectDigest(
  session: Session,
  tag: string,
  domain: string,
  digest: Uint8Array | undefined,
  quorum: number,
  options: CollectOptions = {},
): Promise<{ digest: Uint8Array; certificate: Certificate }> {
  const tally = new SignatureTally(session.roster, quorum);
  const certificate = await collect(session, { tag, domain, own: digest, only: undefined }, tally, options);
  return { digest: certificate.subject.digest, certificate };
}

interface Ballot {
  readonly tag: string;
  readonly domain: string;
  readonly own: Uint8Array | undefined;
  /** Count only votes for this digest. */
  readonly only: Uint8Array | undefined;
}

async function collect(session: Session, ballot: Ballot, tally: SignatureTally, { deadlineMs }: CollectOptions) {
  const { tag, domain, own, only } = ballot;
  const subjectFor = (digest: Uint8Array) => digestSubject(domain, session.id, tag, digest);
  if (own) {
    const signature = signStatement(session, subjectFor(own));
    session.sendAll(tag, vote(own, signature));
    tally.add(session.self, subjectFor(own), signature);
  }
  let certificate = tally.certificate();
  if (certificate) return certificate;
  const limits = { bytesMax: VOTE_BYTES, ...(deadlineMs !== undefined && { deadlineMs }) };
  for await (const { from, body } of session.receive(tag, limits)) {
    const digest = body.subarray(0, HASH_BYTES);
    if (body.length !== VOTE_BYTES)
      session.report({ party: from, kind: 'malformed', detail: `${tag}: vote of ${body.length} bytes` });
    else if (only && !equalBytes(only, digest)) continue;
    else if (!tally.add(from, subjectFor(digest), body.subarray(HASH_BYTES))) {
      session.report({ party: from, kind: 'malformed', detail: `${tag}: wrong signature` });
    }
    certificate = tally.certificate();
    if (certificate) return certificate;
  }
  throw new AgreementError(
    'QUORUM_MISSED',
    `${tag}: no digest was signed by enough parties; ${tally.signers.size} were heard`,
  );
}

function vote(digest: Uint8Array, signature: Uint8Array): Uint8Array {
  const body = new Uint8Array(VOTE_BYTES);
  body.set(digest);
  body.set(signature, HASH_BYTES);
  return body;
}

/** A certificate of this party alone, to be merged by whoever collects. */
export function soloCertificate(speaker: Speaker, subject: Subject): Certificate {
  return { subject, signatures: new Map([[speaker.self, signStatement(speaker, subject)]]) };
}

/**
 * Waits for any party to forward a certificate with `quorum` signatures in the given scope; its digest is the caller's
 * to judge. For parties that came late, restarted, or could not vote.
 * @throws AgreementError QUORUM_MISSED
 */
export async function receiveCertificate(
  session: Session,
  tag: string,
  { domain, votedTag, quorum, deadlineMs }: { domain: string; votedTag: string; quorum: number; deadlineMs?: number },
): Promise<Certificate> {
  const limits = { bytesMax: CERTIFICATE_BYTES_MAX, ...(deadlineMs !== undefined && { deadlineMs }) };
  for await (const { from, body } of session.receive(tag, limits)) {
    const certificate = tryDecode(body);
    const subject = certificate && digestSubject(domain, session.id, votedTag, certificate.subject.digest);
    if (subject && verifyCertificate(session.roster, subject, certificate, quorum)) return certificate;
    session.report({ party: from, kind: 'malformed', detail: `${tag}: not a certificate of ${quorum} signatures` });
  }
  throw new AgreementError('QUORUM_MISSED', `${tag}: no party forwarded a valid certificate`);
}

function tryDecode(bytes: Uint8Array): Certificate | undefined {
  try {
    return decodeCertificate(bytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return undefined;
  }
}
