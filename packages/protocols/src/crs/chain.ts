/**
 * The contributions that were accepted so far, with the certificate of the last: what a party keeps of a ceremony that
 * is under way, and hands to others. A quorum has voted for the last message as a whole, which names all before it by
 * hashes, so no list has to be checked again. Whoever has one can go on from there.
 */
import { decode, encode } from '@keyquorum/codec/codec';
import { bytes, fixedBytes, mapped, struct, text, vector } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import { decodeContribution, decodeHead, encodeHead, HEAD_BYTES } from '@keyquorum/crs/contribution';
import { CrsError } from '@keyquorum/crs/crs-error';
import { type CrsState, startState } from '@keyquorum/crs/state';
import { stateAfter } from '@keyquorum/crs/verification';
import type { Bls446 } from '@keyquorum/kernel/bls446';
import {
  CERTIFICATE_BYTES_MAX,
  type Certificate,
  decodeCertificate,
  encodeCertificate,
  verifyCertificate,
} from '@keyquorum/mpc/agreement/certificate';
import { sha256 } from '@keyquorum/mpc/bytes';
import { quorumOf, type Roster } from '@keyquorum/mpc/roster';
import { SIGNATURE_BYTES } from '@keyquorum/mpc/runtime/statement';
import { ENVELOPE_BODY_BYTES_MAX } from '@keyquorum/mpc/transport';
import {
  ANNOUNCEMENT_BYTES_MAX,
  type Announcement,
  announcedSession,
  decodeAnnouncement,
  encodeAnnouncement,
} from '../ceremony/starting.ts';
import { labels } from '../labels.ts';
import { type CrsCeremony, isAttemptOf } from './attempt.ts';
import { voteSubject } from './ballot.ts';
import { type SignedHead, turnMessageBytes, turnTag } from './judge.ts';
import { CONTRIBUTIONS_MAX, TranscriptError, verifyHeads } from './transcript.ts';

/** Where a ceremony stands at a party. */
export interface Chain {
  /** Accepted contributions in the order of turns. */
  readonly contributions: readonly SignedHead[];
  /** After the last of them. */
  readonly state: CrsState;
}

/** The last contribution of a chain as its author sent it, and who accepted it in which attempt. */
export interface Certified {
  readonly attempt: Announcement;
  readonly message: Uint8Array;
  readonly certificate: Certificate;
}

/** What says of a kept chain that it is none of this ceremony. */
export class ChainError extends Error {
  override readonly name = 'ChainError';
}

const LABEL_BYTES_MAX = 64;
const chainCodec = struct({
  label: mapped(text(LABEL_BYTES_MAX), {
    to: (label) => (label === labels.crsChain ? label : undefined),
    from: (label: typeof labels.crsChain) => label,
    want: labels.crsChain,
  }),
  attempt: bytes(ANNOUNCEMENT_BYTES_MAX),
  earlier: vector(
    struct({ head: fixedBytes(HEAD_BYTES), signature: fixedBytes(SIGNATURE_BYTES) }),
    CONTRIBUTIONS_MAX - 1,
  ),
  certificate: bytes(CERTIFICATE_BYTES_MAX),
  message: bytes(ENVELOPE_BODY_BYTES_MAX),
});
/** Of the largest lists, with room for everything else. */
export const CHAIN_BYTES_MAX = ENVELOPE_BODY_BYTES_MAX;

export function startOfChain({ subject }: CrsCeremony): Chain {
  return { contributions: [], state: startState(subject) };
}

/** @param earlier what `message` was accepted on top of */
export function encodeChain(earlier: readonly SignedHead[], { attempt, message, certificate }: Certified): Uint8Array {
  return encode(chainCodec, {
    ...{ label: labels.crsChain, message },
    attempt: encodeAnnouncement(attempt),
    earlier: earlier.map(({ head, signature }) => ({ head: encodeHead(head), signature })),
    certificate: encodeCertificate(certificate),
  });
}

/**
 * Checks who accepted it, every signature and every link.
 * @throws ChainError
 */
export function readChain(curve: Bls446, roster: Roster, ceremony: CrsCeremony, encoded: Uint8Array): Chain {
  try {
    const { attempt: announced, earlier, certificate, message } = decode(chainCodec, encoded);
    const attempt = decodeAnnouncement(announced);
    if (!isAttemptOf(ceremony, attempt)) throw new ChainError('it is of another ceremony');
    const { subject } = ceremony;
    if (message.length !== turnMessageBytes(subject)) throw new ChainError(`a message of ${message.length} bytes`);
    const signature = Uint8Array.from(message.subarray(0, SIGNATURE_BYTES));
    const last = decodeContribution(Uint8Array.from(message.subarray(SIGNATURE_BYTES)), subject.parameters.size, 0);
    const { round } = last.head;
    const accepted = voteSubject(announcedSession(roster, attempt), turnTag(round), sha256(message));
    if (!verifyCertificate(roster, accepted, decodeCertificate(certificate), quorumOf(roster))) {
      throw new ChainError('no quorum accepted it');
    }
    const before = earlier.map(({ head, signature }) => ({ head: decodeHead(head, head[1]!), signature }));
    const contributions = [...before, { head: last.head, signature }];
    verifyHeads({ curve, roster, ...ceremony }, contributions);
    return { contributions, state: stateAfter(last) };
  } catch (error) {
    if (error instanceof ChainError || !(error instanceof Error)) throw error;
    const isOurs = [CodecError, CrsError, TranscriptError, RangeError].some((kind) => error instanceof kind);
    if (!isOurs) throw error;
    throw new ChainError(error.message, { cause: error });
  }
}
