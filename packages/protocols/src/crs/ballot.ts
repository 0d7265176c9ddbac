/**
 * How all parties come to the same end of a turn (docs/protocols/crs.md, step T3): one vote each, for the hash of a
 * contribution or for nothing. A quorum is a certificate, at most one per turn. It is followed until the ballot closes,
 * and afterwards with as many endorsements as rounds have begun, so that either all honest parties follow it or none
 * (Dolev and Strong, SIAM J. Computing 1983, with a certificate in place of the sender's signature).
 */
import { decode, encode } from '@keyquorum/codec/codec';
import { bytes, struct } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import { Reader } from '@keyquorum/codec/reader';
import { Writer } from '@keyquorum/codec/writer';
import {
  CERTIFICATE_BYTES_MAX,
  type Certificate,
  decodeCertificate,
  digestSubject,
  encodeCertificate,
  verifyCertificate,
} from '@keyquorum/mpc/agreement/certificate';
import {
  readSignatureSet,
  SIGNATURE_SET_BYTES_MAX,
  type SignatureSet,
  writeSignatureSet,
} from '@keyquorum/mpc/agreement/signature-set';
import { HASH_BYTES } from '@keyquorum/mpc/bytes';
import { quorumOf } from '@keyquorum/mpc/roster';
import { type Subject, signStatement, verifyStatement } from '@keyquorum/mpc/runtime/statement';
import type { Received, Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { openVoteBox, type Tally } from '../closed/vote-box.ts';
import { labels } from '../labels.ts';

/** A vote that the turn is skipped. */
const NOTHING = new Uint8Array(HASH_BYTES);

const toldCodec = struct({ certificate: bytes(CERTIFICATE_BYTES_MAX), endorsements: bytes(SIGNATURE_SET_BYTES_MAX) });
const TOLD_BYTES_MAX = 8 + CERTIFICATE_BYTES_MAX + 8 + SIGNATURE_SET_BYTES_MAX;

interface Told {
  readonly certificate: Certificate;
  readonly endorsements: SignatureSet;
}

/** What a turn ended with: a hash and who voted for it; undefined when it is skipped. */
export type TurnEnd = Tally | undefined;

export interface Ballot {
  /** This party's vote; undefined for nothing. Only the first counts. */
  cast(digest: Uint8Array | undefined): void;
  /** The first hash that an honest party vouches for: t+1 voted for it. */
  readonly vouched: Promise<Tally>;
  readonly end: Promise<TurnEnd>;
}

/** @param times.closesMs when a certificate begins to need endorsements; @param times.roundMs above any delay */
export function openBallot(
  session: Session,
  tag: string,
  times: { readonly closesMs: number; readonly roundMs: number },
): Ballot {
  const { clock, roster, t, signal } = session;
  const subjectOf = (digest: Uint8Array) => digestSubject(labels.crsVote, session.id, tag, digest);
  const votes = openVoteBox(session, `${tag}/vote`, subjectOf);
  const quorum = quorumOf(roster);
  const { promise: end, resolve, reject } = Promise.withResolvers<TurnEnd>();
  let ended = false;

  /** Once: endorses the certificate, tells all, and ends the turn with it. */
  function follow({ certificate, endorsements }: Told): void {
    if (ended) return;
    ended = true;
    const { digest } = certificate.subject;
    const own = signStatement(session, endorsementSubject(session, tag, digest));
    session.sendAll(
      `${tag}/told`,
      encodeTold({ certificate, endorsements: new Map([...endorsements, [session.self, own]]) }),
    );
    resolve(isNothing(digest) ? undefined : { digest, voters: [...certificate.signatures.keys()] });
  }

  async function count(): Promise<void> {
    const { digest } = await votes.reached(quorum);
    if (clock.now() <= times.closesMs) follow({ certificate: votes.certificate(digest), endorsements: new Map() });
  }

  async function listen(): Promise<void> {
    for await (const message of session.receive(`${tag}/told`, { bytesMax: TOLD_BYTES_MAX })) {
      const told = readTold(session, tag, message, subjectOf);
      if (told === undefined) continue;
      if (clock.now() <= times.closesMs + told.endorsements.size * times.roundMs) follow(told);
    }
  }

  async function giveUp(): Promise<void> {
    await clock.until(times.closesMs + (t + 1) * times.roundMs, signal);
    if (!ended) resolve(undefined);
    ended = true;
  }

  for (const task of [count(), listen(), giveUp()]) task.catch(reject); // they end early only with the session
  end.catch(() => undefined); // whoever waits sees it
  const vouched = votes.reached(t + 1, (digest) => !isNothing(digest));
  vouched.catch(() => undefined); // the same
  return { cast: (digest = NOTHING) => votes.cast(digest), vouched, end };
}

function endorsementSubject(session: Session, tag: string, digest: Uint8Array): Subject {
  return digestSubject(labels.crsEndorsement, session.id, tag, digest);
}

function isNothing(digest: Uint8Array): boolean {
  return digest.every((byte) => byte === 0);
}

function encodeTold({ certificate, endorsements }: Told): Uint8Array {
  const writer = new Writer(SIGNATURE_SET_BYTES_MAX);
  writeSignatureSet(writer, endorsements);
  return encode(toldCodec, { certificate: encodeCertificate(certificate), endorsements: writer.finish() });
}

/** A certificate with valid endorsements, that of who tells it among them; else a report. */
function readTold(
  session: Session,
  tag: string,
  { from, body }: Received,
  subjectOf: (digest: Uint8Array) => Subject,
): Told | undefined {
  const told = decodeTold(body);
  if (told !== undefined && isValid(session, tag, told, { from, subjectOf })) return told;
  session.report({ party: from, kind: 'malformed', detail: `${tag}: not an endorsed certificate` });
  return undefined;
}

function isValid(
  session: Session,
  tag: string,
  { certificate, endorsements }: Told,
  { from, subjectOf }: { from: PartyId; subjectOf: (digest: Uint8Array) => Subject },
): boolean {
  const { roster } = session;
  const { digest } = certificate.subject;
  if (!endorsements.has(from)) return false;
  if (!verifyCertificate(roster, subjectOf(digest), certificate, quorumOf(roster))) return false;
  const subject = endorsementSubject(session, tag, digest);
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
