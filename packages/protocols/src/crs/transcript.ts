/**
 * The transcript of a ceremony: what was agreed, every accepted head with the signature of its author, and COMPLETE of
 * a quorum. With the file it shows who contributed, and that the file is what came out, to anybody with the roster
 * (docs/protocols/crs.md, "Nothing is erased or added"). 326 bytes per contribution, and the certificate.
 */
import { decode, encode } from '@keyquorum/codec/codec';
import { bytes, fixedBytes, mapped, struct, text, vector } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import { type CurveTools, decodeHead, encodeHead, HEAD_BYTES, headDigest } from '@keyquorum/crs/contribution';
import { CrsError, CrsFileError } from '@keyquorum/crs/crs-error';
import { type CrsFile, crsDigest, decodeCrsFile } from '@keyquorum/crs/crs-file';
import { type CrsPosition, type CrsSubject, startPosition } from '@keyquorum/crs/state';
import { verifyHead, verifyLists } from '@keyquorum/crs/verification';
import type { Bls446 } from '@keyquorum/kernel/bls446';
import { CERTIFICATE_BYTES_MAX, decodeCertificate, verifyCertificate } from '@keyquorum/mpc/agreement/certificate';
import { decisionSubject } from '@keyquorum/mpc/agreement/decision';
import { equalBytes, HASH_BYTES, toHex } from '@keyquorum/mpc/bytes';
import { quorumOf, type Roster } from '@keyquorum/mpc/roster';
import { rosterDigest, SIGNATURE_BYTES, verifyStatement } from '@keyquorum/mpc/runtime/statement';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import {
  ANNOUNCEMENT_BYTES_MAX,
  type Announcement,
  announcedSession,
  decodeAnnouncement,
} from '../ceremony/starting.ts';
import { digestOf } from '../digest.ts';
import { labels } from '../labels.ts';
import { type CrsContent, type CrsFormat, decodeCrsContent, TFHE_FORMAT } from './content.ts';
import { headSubject, type SignedHead } from './judge.ts';

export const CONTRIBUTIONS_MAX = 15;
const LABEL_BYTES_MAX = 64;

export interface Transcript {
  /** Digest of the roster. */
  readonly network: Uint8Array;
  /** Encoded. */
  readonly announcement: Uint8Array;
  /** Accepted contributions in the order of turns. */
  readonly contributions: readonly SignedHead[];
  /** Digest of the file: SHAKE-256 under the label of reference strings. */
  readonly file: Uint8Array;
  /** COMPLETE of a quorum, encoded. */
  readonly certificate: Uint8Array;
}

/** What a transcript shows. */
export interface VerifiedTranscript {
  readonly announcement: Announcement;
  readonly content: CrsContent;
  readonly session: SessionId;
  readonly subject: CrsSubject;
  readonly contributors: readonly PartyId[];
  /** Parties that signed the end. */
  readonly signers: readonly PartyId[];
  /** After the last contribution. */
  readonly position: CrsPosition;
  readonly last: SignedHead;
  readonly file: Uint8Array;
}

export type TranscriptErrorCode =
  | 'CRS_TRANSCRIPT_MALFORMED' //   not the one spelling of a transcript of this version
  | 'CRS_TRANSCRIPT_NETWORK' //     of parties of another network, or another roster of it
  | 'CRS_TRANSCRIPT_SIGNATURE' //   a contribution is not signed by its party
  | 'CRS_TRANSCRIPT_TOO_FEW' //     so few contributions that no honest party may be among them
  | 'CRS_TRANSCRIPT_CERTIFICATE' // no quorum signed this end
  | 'CRS_TRANSCRIPT_FILE'; //       the file is another one

export class TranscriptError extends Error {
  override readonly name = 'TranscriptError';
  readonly code: TranscriptErrorCode;
  constructor(code: TranscriptErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

const transcriptCodec = struct({
  label: mapped(text(LABEL_BYTES_MAX), {
    to: (label) => (label === labels.crsTranscript ? label : undefined),
    from: (label: typeof labels.crsTranscript) => label,
    want: labels.crsTranscript,
  }),
  network: fixedBytes(HASH_BYTES),
  announcement: bytes(ANNOUNCEMENT_BYTES_MAX),
  contributions: vector(
    struct({ head: fixedBytes(HEAD_BYTES), signature: fixedBytes(SIGNATURE_BYTES) }),
    CONTRIBUTIONS_MAX,
  ),
  file: fixedBytes(HASH_BYTES),
  certificate: bytes(CERTIFICATE_BYTES_MAX),
});
/** With the largest announcement; a real one is a tenth of it. */
export const TRANSCRIPT_BYTES_MAX = 2 ** 14;

export function encodeTranscript({ contributions, ...transcript }: Transcript): Uint8Array {
  const signed = contributions.map(({ head, signature }) => ({ head: encodeHead(head), signature }));
  return encode(transcriptCodec, { label: labels.crsTranscript, ...transcript, contributions: signed });
}

/** Checks the spelling only. @throws TranscriptError CRS_TRANSCRIPT_MALFORMED */
export function decodeTranscript(encoded: Uint8Array): Transcript {
  try {
    const { network, announcement, contributions, file, certificate } = decode(transcriptCodec, encoded);
    return {
      ...{ network, announcement, file, certificate },
      contributions: contributions.map(({ head, signature }) => ({ head: decodeHead(head, head[1]!), signature })),
    };
  } catch (error) {
    if (!(error instanceof CodecError || error instanceof CrsError)) throw error;
    throw new TranscriptError('CRS_TRANSCRIPT_MALFORMED', error.message, { cause: error });
  }
}

/** What a quorum signs at the end (T4): the chain of contributions, by its last head, and the file. */
export function completeDigest(lastHead: Uint8Array, file: Uint8Array): Uint8Array {
  return digestOf(labels.crsComplete, lastHead, file);
}

/**
 * Checks everything but the file: signatures, every proof of knowledge, the certificate. Milliseconds per contribution.
 * @throws TranscriptError, or CrsError that names check and party
 */
export function verifyTranscript(
  curve: Bls446,
  roster: Roster,
  encoded: Uint8Array,
  format: CrsFormat = TFHE_FORMAT,
): VerifiedTranscript {
  const { network, announcement: start, contributions, file, certificate } = decodeTranscript(encoded);
  if (!equalBytes(network, rosterDigest(roster))) {
    const [got, want] = [network, rosterDigest(roster)].map((digest) => toHex(digest).slice(0, 8));
    throw new TranscriptError('CRS_TRANSCRIPT_NETWORK', `about the network ${got}, this roster is ${want}`);
  }
  const { announcement, content, subject } = agreed(start, format);
  const session = announcedSession(roster, announcement);
  const position = verifyHeads({ curve, roster, session, subject }, contributions);
  const last = contributions.at(-1);
  if (last === undefined || contributions.length <= roster.t) {
    const problem = `${contributions.length} contributions, want ${roster.t + 1}: one of them honest`;
    throw new TranscriptError('CRS_TRANSCRIPT_TOO_FEW', problem);
  }
  const signers = requireComplete(roster, session, completeDigest(headDigest(last.head), file), certificate);
  const contributors = contributions.map(({ head }) => head.round);
  return { announcement, content, session, subject, contributors, signers, position, last, file };
}

/**
 * Checks that the file is what the transcript ends with: seconds for small ones, a minute on one core for the largest.
 * @throws TranscriptError CRS_TRANSCRIPT_FILE, CrsFileError, CrsError
 */
export async function verifyFile(tools: CurveTools, verified: VerifiedTranscript, file: Uint8Array): Promise<CrsFile> {
  const { subject, last } = verified;
  if (!equalBytes(crsDigest(file), verified.file)) {
    throw new TranscriptError('CRS_TRANSCRIPT_FILE', 'the file has another digest than the transcript names');
  }
  const crs = decodeCrsFile(file);
  const { dimension, blocks, noiseBound, plaintextModulus } = subject.parameters;
  const want = { dimension, blocks, noiseBound, plaintextModulus };
  for (const field of Object.keys(want) as (keyof typeof want)[]) {
    if (crs.shape[field] === want[field]) continue;
    throw new CrsFileError('CRS_FILE_PARAMETERS', `${field}: got ${crs.shape[field]}, want ${want[field]}`);
  }
  if (crs.number !== subject.number) {
    throw new TranscriptError('CRS_TRANSCRIPT_FILE', 'the file is numbered as that of another ceremony');
  }
  await verifyLists(tools, subject, { head: last.head, g1: crs.g1, g2: crs.g2 });
  return crs;
}

/**
 * Every contribution is signed by its party for this ceremony, and shown to build on the one before.
 * @throws TranscriptError CRS_TRANSCRIPT_SIGNATURE, CrsError
 */
export function verifyHeads(
  { curve, roster, session, subject }: { curve: Bls446; roster: Roster; session: SessionId; subject: CrsSubject },
  contributions: readonly SignedHead[],
): CrsPosition {
  let position = startPosition(subject);
  for (const signed of contributions) {
    requireSignature(roster, session, signed);
    position = verifyHead(curve, subject, position, signed.head);
  }
  return position;
}

function agreed(
  start: Uint8Array,
  format: CrsFormat,
): Pick<VerifiedTranscript, 'announcement' | 'content' | 'subject'> {
  try {
    const announcement = decodeAnnouncement(start);
    if (announcement.kind !== 'crs') throw new RangeError(`got a ceremony of kind ${announcement.kind}, want crs`);
    const content = decodeCrsContent(announcement.content);
    return { announcement, content, subject: format.subject(announcement.id, content) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new TranscriptError('CRS_TRANSCRIPT_MALFORMED', `names no ceremony: ${error.message}`, { cause: error });
  }
}

function requireSignature(roster: Roster, session: SessionId, { head, signature }: SignedHead): void {
  const { round } = head;
  const known = round >= 1 && round <= roster.n;
  if (known && verifyStatement(roster, round, headSubject(session, round, encodeHead(head)), signature)) return;
  throw new TranscriptError('CRS_TRANSCRIPT_SIGNATURE', `the contribution of party ${round} is not signed by it`);
}

function requireComplete(
  roster: Roster,
  session: SessionId,
  digest: Uint8Array,
  encoded: Uint8Array,
): readonly PartyId[] {
  const quorum = quorumOf(roster);
  try {
    const certificate = decodeCertificate(encoded);
    const subject = decisionSubject(session, 'complete', digest);
    if (verifyCertificate(roster, subject, certificate, quorum)) return [...certificate.signatures.keys()];
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
  }
  throw new TranscriptError('CRS_TRANSCRIPT_CERTIFICATE', `${quorum} parties have not signed this end`);
}
