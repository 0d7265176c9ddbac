/**
 * A certificate that all honest parties follow, or none of them: for steps that end when a certificate exists, while
 * the corrupt may complete one for some parties only, or late (docs/protocols/broadcast.md).
 *
 * Whoever completes one before `closesMs` follows it: endorses it by a signature, tells all, and is done. A certificate
 * that is told counts with k endorsements until closesMs + k rounds. That is the broadcast of Dolev and Strong (SIAM J.
 * Computing 1983) with a certificate in place of the sender's signature. Nobody waits for rounds when all is well.
 */
import { decode, encode } from '@keyquorum/codec/codec';
import { bytes, struct } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import { Reader } from '@keyquorum/codec/reader';
import { Writer } from '@keyquorum/codec/writer';
import { type Subject, signStatement, verifyStatement } from '../runtime/statement.ts';
import type { Received, Session } from '../session.ts';
import {
  CERTIFICATE_BYTES_MAX,
  type Certificate,
  decodeCertificate,
  digestSubject,
  encodeCertificate,
  verifyCertificate,
} from './certificate.ts';
import { readSignatureSet, SIGNATURE_SET_BYTES_MAX, type SignatureSet, writeSignatureSet } from './signature-set.ts';

export interface EndorsementRules {
  /** Names the step within the session; messages are told under `tag`/told. */
  readonly tag: string;
  /** Domain label of endorsements. */
  readonly domain: string;
  /** What the signatures of a certificate sign. Two certificates for different digests must be impossible. */
  readonly subjectOf: (digest: Uint8Array) => Subject;
  /** Signatures that make a certificate. */
  readonly quorum: number;
  /** Until then a certificate needs no endorsement, wall clock. */
  readonly closesMs: number;
  /** Above any delay of a message between honest parties, and the difference of clocks. */
  readonly roundMs: number;
}

export interface Endorsement {
  /** Follows a certificate that this party completed itself, unless it is too late for that. */
  follow(certificate: Certificate): void;
  /** What all honest parties follow; undefined, at closesMs + t+1 rounds, when none does. Rejects with the session. */
  readonly end: Promise<Certificate | undefined>;
}

/** What a party tells that follows a certificate. */
export interface Told {
  readonly certificate: Certificate;
  readonly endorsements: SignatureSet;
}

const toldCodec = struct({ certificate: bytes(CERTIFICATE_BYTES_MAX), endorsements: bytes(SIGNATURE_SET_BYTES_MAX) });
const TOLD_BYTES_MAX = 8 + CERTIFICATE_BYTES_MAX + 8 + SIGNATURE_SET_BYTES_MAX;

/** Opens the step at this party, for certificates of its own and those that others tell. */
export function openEndorsement(session: Session, rules: EndorsementRules): Endorsement {
  const { clock, t, signal } = session;
  const { tag, closesMs, roundMs } = rules;
  const { promise: end, resolve, reject } = Promise.withResolvers<Certificate | undefined>();
  const ended = new AbortController();

  /** Once. */
  function follow({ certificate, endorsements }: Told): void {
    if (ended.signal.aborted || clock.now() > closesMs + endorsements.size * roundMs) return;
    const own = signStatement(session, endorsementSubject(session, rules, certificate));
    const told = { certificate, endorsements: new Map([...endorsements, [session.self, own]]) };
    session.sendAll(toldTag(tag), encodeTold(told));
    resolve(certificate);
    ended.abort();
  }

  async function listen(): Promise<void> {
    for await (const message of session.receive(toldTag(tag), { bytesMax: TOLD_BYTES_MAX })) {
      if (ended.signal.aborted) return;
      const told = readTold(session, rules, message);
      if (told !== undefined) follow(told);
    }
  }

  async function giveUp(): Promise<void> {
    await clock.until(closesMs + (t + 1) * roundMs, AbortSignal.any([signal, ended.signal]));
    resolve(undefined);
    ended.abort();
  }

  for (const task of [listen(), giveUp()]) task.catch(reject); // after the end, or with the session
  end.catch(() => undefined); // whoever waits sees it
  return { follow: (certificate) => follow({ certificate, endorsements: new Map() }), end };
}

/** Tag of `Told`. */
export function toldTag(tag: string): string {
  return `${tag}/told`;
}

function endorsementSubject(session: Session, { domain, tag }: EndorsementRules, { subject }: Certificate): Subject {
  return digestSubject(domain, session.id, tag, subject.digest);
}

export function encodeTold({ certificate, endorsements }: Told): Uint8Array {
  const writer = new Writer(SIGNATURE_SET_BYTES_MAX);
  writeSignatureSet(writer, endorsements);
  return encode(toldCodec, { certificate: encodeCertificate(certificate), endorsements: writer.finish() });
}

/** A certificate with valid endorsements, that of who tells it among them; else a report. */
function readTold(session: Session, rules: EndorsementRules, { from, body }: Received): Told | undefined {
  const told = decodeTold(body);
  if (told?.endorsements.has(from) && isValid(session, rules, told)) return told;
  session.report({ party: from, kind: 'malformed', detail: `${rules.tag}: not an endorsed certificate` });
  return undefined;
}

function isValid(session: Session, rules: EndorsementRules, { certificate, endorsements }: Told): boolean {
  const { roster } = session;
  if (!verifyCertificate(roster, rules.subjectOf(certificate.subject.digest), certificate, rules.quorum)) return false;
  const subject = endorsementSubject(session, rules, certificate);
  return [...endorsements].every(([signer, signature]) => verifyStatement(roster, signer, subject, signature));
}

function decodeTold(body: Uint8Array): Told | undefined {
  try {
    const { certificate, endorsements } = decode(toldCodec, body);
    const reader = new Reader(endorsements);
    const signatures = readSignatureSet(reader);
    reader.end();
    return { certificate: decodeCertificate(certificate), endorsements: signatures };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return undefined;
  }
}
