/**
 * The challenges of a ceremony, as the KMS core makes them: SHAKE-256 of a label and the statement, 56 bytes for each
 * scalar. Points are hashed as coordinates in the form of files and one byte that tells infinity.
 * Sources: "Noah's Ark" documentation of the KMS, ceremony of the CRS; tfhe-zk-pok, `Zp::hash`.
 */
import { createHash } from 'node:crypto';
import type { ScalarField } from '@keyquorum/kernel/bls446';
import { G1_BYTES, G2_BYTES, isInfinity, type Scalars, WIDE_BYTES } from '@keyquorum/kernel/bls446-encoding';
import { type CrsPoints, type CrsSubject, sizeOf } from './state.ts';

const PROOF_LABEL = 'ZKHASH__';
const POWERS_LABEL = 'ZKHASH_p';
const NUMBER_BYTES = 16;

export interface ProofStatement {
  readonly round: number;
  /** [alpha] after and before the contribution, and the prover's commitment: one point of G1 each. */
  readonly after: Uint8Array;
  readonly before: Uint8Array;
  readonly commitment: Uint8Array;
}

/** The challenge of the proof that the author of a contribution knows its factor. */
export function proofChallenge(scalars: ScalarField, { number }: CrsSubject, statement: ProofStatement): Scalars {
  const { round, after, before, commitment } = statement;
  const points = [after, before, commitment].map((point) => hashedPoints(point, G1_BYTES));
  return hashToScalars(scalars, 1, [ascii(PROOF_LABEL), u128(number), u64(round), ...points]);
}

/** Two coefficients that nobody knew when the points were fixed: one for G1, one for G2. */
export function powersChallenge(
  scalars: ScalarField,
  { number }: CrsSubject,
  { round, ...points }: CrsPoints & { readonly round: number },
): { readonly rho1: Scalars; readonly rho2: Scalars } {
  const size = sizeOf(points);
  const { g1, g2 } = points;
  const statement = [u128(number), u64(round)];
  const lower = hashedPoints(g1.subarray(0, size * G1_BYTES), G1_BYTES);
  const upper = hashedPoints(g1.subarray((size + 1) * G1_BYTES), G1_BYTES);
  const lists = [u64(2 * size - 1), lower, upper, u64(size), hashedPoints(g2, G2_BYTES)];
  const both = hashToScalars(scalars, 2, [ascii(POWERS_LABEL), ...statement, ...lists]);
  const half = both.length / 2;
  return { rho1: both.slice(0, half) as Scalars, rho2: both.slice(half) as Scalars }; // one whole scalar each
}

export function hashToScalars(scalars: ScalarField, count: number, parts: readonly Uint8Array[]): Scalars {
  const hash = createHash('shake256', { outputLength: count * WIDE_BYTES });
  for (const part of parts) hash.update(part);
  return scalars.fromWideBytes(new Uint8Array(hash.digest()));
}

/** Each point with its byte behind it: 1 for infinity. */
export function hashedPoints(points: Uint8Array, pointBytes: number): Uint8Array {
  const count = points.length / pointBytes;
  const hashed = new Uint8Array(count * (pointBytes + 1));
  for (let index = 0; index < count; index++) {
    const point = points.subarray(index * pointBytes, (index + 1) * pointBytes);
    hashed.set(point, index * (pointBytes + 1));
    hashed[index * (pointBytes + 1) + pointBytes] = isInfinity(point) ? 1 : 0;
  }
  return hashed;
}

function ascii(label: string): Uint8Array {
  return new TextEncoder().encode(label);
}

export function u64(value: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

export function u128(value: bigint): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES);
  new BigUint64Array(bytes.buffer).set([BigInt.asUintN(64, value), value >> 64n]);
  return bytes;
}
