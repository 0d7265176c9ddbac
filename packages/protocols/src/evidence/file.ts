/**
 * Evidence as a file that convicts one party before anybody who has the roster (SPEC R3, R5.7;
 * docs/protocols/closed-openings.md, "Evidence"). One spelling per content, every length bounded:
 *
 *   label | network 32 | ceremony: what was agreed on before the session, from which its id follows |
 *   proof, one of
 *     double signature: two signed claims (packages/mpc/src/agreement/evidence.ts)
 *     wrong share: party, step, the claim it signed, and the secrets from which its right message follows:
 *       of a key generation: the certified PRSS-Init and the openings of its commitments
 *       of a preprocessing batch: the session keys that members of the sets showed, signed
 *     bad contribution to a reference string: party, what it builds on, signature, contribution
 *     broken PRSS-Init of a key generation or an epoch: party, and the certified PRSS-Init whose broadcasts convict it
 *
 * Everything in it is public: a burnt session's secrets are used by nobody.
 */
import { type Codec, type Decoded, decode, encode, size, u8 } from '@keyquorum/codec/codec';
import { bytes, fixedBytes, mapped, option, struct, text, variants, vector } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import { HEAD_BYTES } from '@keyquorum/crs/contribution';
import { decodeEvidence, EVIDENCE_BYTES_MAX, encodeEvidence } from '@keyquorum/mpc/agreement/evidence';
import { HASH_BYTES } from '@keyquorum/mpc/bytes';
import { certifiedInitCodec } from '@keyquorum/mpc/prss/init-transcript';
import { SIGNATURE_BYTES } from '@keyquorum/mpc/runtime/statement';
import { ENVELOPE_BODY_BYTES_MAX, TAG_LENGTH_MAX } from '@keyquorum/mpc/transport';
import { ANNOUNCEMENT_BYTES_MAX, type Announcement, encodeAnnouncement } from '../ceremony/starting.ts';
import { START_BYTES_MAX } from '../decryption/batch-record.ts';
import { labels } from '../labels.ts';
import { EvidenceError } from './evidence-error.ts';

/** The broadcasts of a PRSS-Init of 15 parties are 10.4 MB, the openings 1 MB; everything else is far smaller. */
export const EVIDENCE_FILE_BYTES_MAX = 16 * 2 ** 20;
/** Sets of 15 parties, times the members that contribute, times 64: 977 kB. */
const OPENINGS_BYTES_MAX = 2 ** 20;
/** One party's keys of family C: 1001 of 32 bytes. */
const KEYS_BYTES_MAX = 2 ** 15;
const PARTIES_MAX = 15;

/** First in the file, so that another format or version is told apart from a damaged file. */
const header: Codec<null> = mapped(text(TAG_LENGTH_MAX), {
  to: (label) => (label === labels.evidence ? null : undefined),
  from: () => labels.evidence,
  want: `${labels.evidence}, another version of this software wrote something else`,
});

const stepTag: Codec<string> = mapped(text(TAG_LENGTH_MAX), {
  to: (tag) => (/^[\x20-\x7e]+$/.test(tag) ? tag : undefined),
  from: (tag) => tag,
  want: 'printable ASCII, not empty',
});

const shownKeys = struct({ party: u8, signature: fixedBytes(SIGNATURE_BYTES), keys: bytes(KEYS_BYTES_MAX) });

const wrongShare = struct({
  party: u8,
  step: stepTag,
  length: size(ENVELOPE_BODY_BYTES_MAX),
  digest: fixedBytes(HASH_BYTES),
  signature: fixedBytes(SIGNATURE_BYTES),
  secrets: variants({
    openings: struct({ init: certifiedInitCodec, openings: bytes(OPENINGS_BYTES_MAX) }),
    keys: mapped(vector(shownKeys, PARTIES_MAX), {
      to: (shown) => (isAscending(shown.map(({ party }) => party)) ? shown : undefined),
      from: (shown) => shown,
      want: 'each party once, ascending',
    }),
  }),
});

const badContribution = struct({
  party: u8,
  /** Head that it builds on; null for the start. */
  base: option(fixedBytes(HEAD_BYTES)),
  signature: fixedBytes(SIGNATURE_BYTES),
  contribution: bytes(ENVELOPE_BODY_BYTES_MAX),
});

const brokenInit = struct({ party: u8, init: certifiedInitCodec });

const evidenceCodec = struct({
  header,
  network: fixedBytes(HASH_BYTES),
  ceremony: variants({
    keygen: bytes(ANNOUNCEMENT_BYTES_MAX),
    preprocessing: bytes(START_BYTES_MAX),
    crs: bytes(ANNOUNCEMENT_BYTES_MAX),
    epoch: bytes(ANNOUNCEMENT_BYTES_MAX),
  }),
  proof: variants({
    'double-signature': mapped(bytes(EVIDENCE_BYTES_MAX), {
      to: decodeEvidence,
      from: encodeEvidence,
      want: 'two claims',
    }),
    'wrong-share': wrongShare,
    'bad-contribution': badContribution,
    'broken-init': brokenInit,
  }),
});

/** The announcement of a key generation, a reference string or an epoch, or the START of a batch, encoded. */
export type CeremonyRoot = Decoded<typeof evidenceCodec>['ceremony'];
export type WrongShare = Decoded<typeof wrongShare>;
/** What shows which message was the right one. */
export type ShownSecrets = WrongShare['secrets'];
export type EvidenceProof = Decoded<typeof evidenceCodec>['proof'];

export interface EvidenceFile {
  /** Digest of the roster. */
  readonly network: Uint8Array;
  readonly ceremony: CeremonyRoot;
  readonly proof: EvidenceProof;
}

/** Of what parties announce to each other before it begins. */
export function announcedRoot(announcement: Announcement): CeremonyRoot {
  return { kind: announcement.kind, value: encodeAnnouncement(announcement) };
}

export function encodeEvidenceFile(file: EvidenceFile): Uint8Array {
  return encode(evidenceCodec, { header: null, ...file });
}

/** Checks the spelling only; byte fields are views. @throws EvidenceError EVIDENCE_MALFORMED */
export function decodeEvidenceFile(encoded: Uint8Array): EvidenceFile {
  if (encoded.length > EVIDENCE_FILE_BYTES_MAX) {
    throw new EvidenceError('EVIDENCE_MALFORMED', `${encoded.length} bytes, want at most ${EVIDENCE_FILE_BYTES_MAX}`);
  }
  try {
    const { network, ceremony, proof } = decode(evidenceCodec, encoded);
    return { network, ceremony, proof };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new EvidenceError('EVIDENCE_MALFORMED', error.message, { cause: error });
  }
}

/** The accused party. */
export function accusedOf({ value: { party } }: EvidenceProof): number {
  return party;
}

function isAscending(parties: readonly number[]): boolean {
  return parties.every((party, index) => index === 0 || party > parties[index - 1]!);
}
