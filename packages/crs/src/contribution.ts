/**
 * One contribution: the lists raised by a fresh secret tau, and a head that says what it builds on and proves knowledge
 * of tau (Schnorr, made non-interactive). docs/protocols/crs.md, T1. 448 n + 262 bytes.
 */
import { createHash } from 'node:crypto';
import { decode, encode, u8, u32 } from '@keyquorum/codec/codec';
import { fixedBytes, struct } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import type { Bls446, RandomBytes } from '@keyquorum/kernel/bls446';
import {
  asG1Points,
  asG2Points,
  asScalars,
  G1_BYTES,
  type G1Points,
  G2_BYTES,
  SCALAR_BYTES,
  type Scalars,
  WIDE_BYTES,
} from '@keyquorum/kernel/bls446-encoding';
import { KernelError } from '@keyquorum/kernel/errors';
import { multiplyByPowers, type OnPointsDone } from './bulk.ts';
import { proofChallenge } from './challenge.ts';
import { CrsError } from './crs-error.ts';
import { type CrsPoints, type CrsState, type CrsSubject, g1At } from './state.ts';
import type { CurveWorkers } from './workers.ts';

export const HASH_BYTES = 32;
const VERSION = 1;

/** Everything about a contribution but its lists, which it names: what a chain of contributions is made of. */
export interface ContributionHead {
  /** Turn, which is the number of the party. */
  readonly round: number;
  readonly maxBits: number;
  /** Names what it builds on: `CrsPosition.digest`. */
  readonly base: Uint8Array;
  /** [alpha] of G1, after it. */
  readonly first: G1Points;
  /** Schnorr proof of knowledge of tau with first = [tau] of the first before: one scalar each. */
  readonly challenge: Scalars;
  readonly response: Scalars;
  /** SHA-256 of both lists. */
  readonly lists: Uint8Array;
}

export interface Contribution extends CrsPoints {
  readonly head: ContributionHead;
}

/** Layout of a head: version u8 = 1 | round u8 | maxBits u32 | base 32 | first 112 | proof 40 + 40 | lists 32. */
const headCodec = struct({
  version: u8,
  round: u8,
  maxBits: u32,
  base: fixedBytes(HASH_BYTES),
  first: fixedBytes(G1_BYTES),
  challenge: fixedBytes(SCALAR_BYTES),
  response: fixedBytes(SCALAR_BYTES),
  lists: fixedBytes(HASH_BYTES),
});
export const HEAD_BYTES = headCodec.minBytes;

export function contributionBytes(size: number): number {
  return HEAD_BYTES + size * (2 * G1_BYTES + G2_BYTES);
}

export function encodeHead(head: ContributionHead): Uint8Array {
  return encode(headCodec, { version: VERSION, ...head });
}

/** @throws CrsError CRS_MALFORMED for party `party` */
export function decodeHead(bytes: Uint8Array, party: number): ContributionHead {
  return wellFormed(party, () => {
    const { version, ...head } = decode(headCodec, bytes);
    if (version !== VERSION) throw new CrsError('CRS_MALFORMED', party, `version ${version}, want ${VERSION}`);
    return {
      ...{ round: head.round, maxBits: head.maxBits, base: Uint8Array.from(head.base) },
      first: asG1Points(Uint8Array.from(head.first)),
      challenge: asScalars(Uint8Array.from(head.challenge)),
      response: asScalars(Uint8Array.from(head.response)),
      lists: Uint8Array.from(head.lists),
    };
  });
}

/** Head | 2n points of G1 | n points of G2. */
export function encodeContribution({ head, g1, g2 }: Contribution): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + g1.length + g2.length);
  bytes.set(encodeHead(head));
  bytes.set(g1, HEAD_BYTES);
  bytes.set(g2, HEAD_BYTES + g1.length);
  return bytes;
}

/**
 * Reads a contribution of exactly this size; points are views. Coordinates are below p, nothing else is checked.
 * @throws CrsError CRS_MALFORMED for party `party`
 */
export function decodeContribution(bytes: Uint8Array, size: number, party: number): Contribution {
  const want = contributionBytes(size);
  if (bytes.length !== want) throw new CrsError('CRS_MALFORMED', party, `${bytes.length} bytes, want ${want}`);
  const head = decodeHead(bytes.subarray(0, HEAD_BYTES), party);
  const g2At = HEAD_BYTES + 2 * size * G1_BYTES;
  return wellFormed(party, () => {
    return { head, g1: asG1Points(bytes.subarray(HEAD_BYTES, g2At)), g2: asG2Points(bytes.subarray(g2At)) };
  });
}

function wellFormed<T>(party: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CodecError || error instanceof KernelError)) throw error;
    throw new CrsError('CRS_MALFORMED', party, error.message, { cause: error });
  }
}

/** SHA-256 of a head: what the next contribution builds on. */
export function headDigest(head: ContributionHead): Uint8Array {
  return new Uint8Array(createHash('sha256').update(encodeHead(head)).digest());
}

export function listsDigest({ g1, g2 }: CrsPoints): Uint8Array {
  return new Uint8Array(createHash('sha256').update(g1).update(g2).digest());
}

export interface CurveTools {
  /** For single points and scalars, here and now. */
  readonly curve: Bls446;
  /** For whole lists. */
  readonly workers: CurveWorkers;
}

/**
 * Raises all points by powers of a fresh secret, which exists in this call only.
 * @param options.random fresh secret bytes in arrays of their own; they are erased here
 * @param options.onDone told how many of the 3n points are done
 */
export async function contribute(
  { curve, workers }: CurveTools,
  subject: CrsSubject,
  state: CrsState,
  options: { readonly round: number; readonly random: RandomBytes; readonly onDone?: OnPointsDone },
): Promise<Contribution> {
  const { round, random, onDone = () => undefined } = options;
  const tau = secretScalar(curve, random);
  try {
    const lists = await Promise.all([
      multiplyByPowers(workers, { group: 'g1', points: state.g1 }, tau, onDone),
      multiplyByPowers(workers, { group: 'g2', points: state.g2 }, tau, onDone),
    ]);
    const points = { g1: asG1Points(lists[0]), g2: asG2Points(lists[1]) };
    const first = g1At(points.g1, 0).slice() as G1Points; // one whole point
    const proof = proveFactor(curve, subject, { tau, round, before: state.first, after: first, random });
    const { maxBits } = subject.parameters;
    return { head: { round, maxBits, base: state.digest, first, ...proof, lists: listsDigest(points) }, ...points };
  } finally {
    tau.fill(0);
  }
}

/** Schnorr's proof that `after` = [tau] `before`, bound to ceremony and turn. */
function proveFactor(
  { g1, scalars }: Bls446,
  subject: CrsSubject,
  statement: { tau: Scalars; round: number; before: G1Points; after: G1Points; random: RandomBytes },
): Pick<ContributionHead, 'challenge' | 'response'> {
  const { tau, round, before, after, random } = statement;
  const nonce = secretScalar({ scalars }, random);
  try {
    const commitment = g1.multiply(before, nonce);
    const challenge = proofChallenge(scalars, subject, { round, after, before, commitment });
    return { challenge, response: scalars.multiplyAdd(challenge, tau, nonce) };
  } finally {
    nonce.fill(0);
  }
}

/** Uniform but for 2^-120, and not zero: that would be the end of every later contribution. */
function secretScalar({ scalars }: Pick<Bls446, 'scalars'>, random: RandomBytes): Scalars {
  for (;;) {
    const bytes = random(WIDE_BYTES);
    const scalar = scalars.fromWideBytes(bytes);
    bytes.fill(0);
    if (scalar.some((byte) => byte !== 0)) return scalar;
  }
}
