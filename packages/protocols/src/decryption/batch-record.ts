/** The public record of a released batch: enough for any party to verify it and to recompute its own shares. */
import { decode, encode, u8, u32 } from '@keyquorum/codec/codec';
import { bytes, fixedBytes, struct, vector } from '@keyquorum/codec/composites';
import type { Roster } from '@keyquorum/mpc/roster';
import { rosterDigest } from '@keyquorum/mpc/runtime/statement';
import type { SessionId } from '@keyquorum/mpc/transport';
import { sessionIdOf } from '../digest.ts';
import { labels } from '../labels.ts';

const PARTIES_MAX = 15;
/** Bundles of one batch: the SHARE message stays below 4 MiB. */
export const BATCH_BUNDLES_MAX = 2048;
const VALUES_BYTES_MAX = 4 * 2 ** 20;
const CERTIFICATE_BYTES_MAX = 2048;
export const START_BYTES_MAX = 4 + 4 + 1 + 8 + PARTIES_MAX * 97;
export const RECORD_BYTES_MAX = 24 + START_BYTES_MAX + CERTIFICATE_BYTES_MAX + VALUES_BYTES_MAX;

const startCodec = struct({
  epoch: u32,
  bundles: u32,
  leader: u8,
  nonces: vector(struct({ party: u8, nonce: fixedBytes(32), signature: fixedBytes(64) }), PARTIES_MAX),
});
const recordCodec = struct({
  start: bytes(START_BYTES_MAX),
  certificate: bytes(CERTIFICATE_BYTES_MAX),
  values: bytes(VALUES_BYTES_MAX),
});

/** Of one party, for one batch. */
export interface SignedNonce {
  readonly party: number;
  readonly nonce: Uint8Array;
  readonly signature: Uint8Array;
}

/** START of SPEC O2: who takes part, each with a nonce that it used for nothing else. */
export interface BatchStart {
  readonly epoch: number;
  readonly bundles: number;
  readonly leader: number;
  readonly nonces: readonly SignedNonce[];
}

export interface BatchRecord {
  readonly start: Uint8Array;
  /** COMPLETE signatures of a quorum on the digest of the opened values. */
  readonly certificate: Uint8Array;
  readonly values: Uint8Array;
}

export const encodeStart = (start: BatchStart): Uint8Array => encode(startCodec, start);
/** @throws CodecError */
export const decodeStart = (encoded: Uint8Array): BatchStart => decode(startCodec, encoded);
export const encodeRecord = (record: BatchRecord): Uint8Array => encode(recordCodec, record);
/** @throws CodecError */
export const decodeRecord = (encoded: Uint8Array): BatchRecord => decode(recordCodec, encoded);

/** The session of the batch; also its name. Fresh, because it hashes a fresh nonce of every party. */
export function batchId(roster: Roster, start: Uint8Array): SessionId {
  return sessionIdOf(labels.poolSession, rosterDigest(roster), start);
}
