/**
 * The groups of BLS12-446, the pairing curve of the TFHE proofs: batches of affine points and scalars in, fresh batches
 * out, computed in a WASM module of its own. Pairings are not here: a ceremony needs a handful of them.
 * An instance is synchronous and single-threaded with fixed memory; a worker creates its own. Inputs are only read, and
 * whatever a call used is zeroed in WASM memory when it ends, also when it throws.
 */

import type { G1Points, G2Points, Scalars } from './bls446-encoding.ts';
import { G1_BYTES, G1_GENERATOR, G2_BYTES, G2_GENERATOR } from './bls446-encoding.ts';
import { createGroup } from './bls446-group.ts';
import { createScalarField } from './bls446-scalars.ts';
import { groupExports, instantiateBls446 } from './bls446-wasm.ts';
import { createMemory } from './memory.ts';

/** Bytes nobody who chose the points could foresee; called with the number of bytes wanted. */
export type RandomBytes = (byteCount: number) => Uint8Array;

/**
 * One of the two groups of prime order r. Points are affine; all zero bytes are infinity and are allowed everywhere.
 * Unless said otherwise points must lie in the group: check what others sent with `firstOffCurve` and `inSubgroup`.
 */
export interface CurveGroup<P extends G1Points | G2Points> {
  readonly pointBytes: number;
  /** The standard generator: one point. */
  readonly generator: P;

  /**
   * Index of the first point that is not on the curve, or -1. Any points; infinity counts as on the curve, so callers
   * that do not allow it look for it themselves (`isInfinity`).
   */
  firstOffCurve(points: P): number;
  /**
   * Index of the first point that is not on the curve or not in the group of order r, or -1. Any points. Exact, by an
   * endomorphism: about 0.3 ms (G1) or 0.6 ms (G2) per point.
   */
  firstOutsideSubgroup(points: P): number;
  /**
   * Whether all points are on the curve and in the group of order r. Any points. A batch with a bad point passes with
   * probability at most 2^-128 over `random`: 128 sums over random subsets of the points are tested exactly.
   */
  inSubgroup(points: P, random: RandomBytes): boolean;

  /**
   * Point i becomes [scalars_i] point_i. Scalars are SECRET: time and addresses do not depend on them. Made for
   * a hundred points, which share inversions: one alone takes as long as five of these.
   * Throws BATCH_LENGTH unless there are as many scalars as points.
   */
  multiply(points: P, scalars: Scalars): P;
  /**
   * Point i becomes [base^(firstExponent + i)] point_i, i = 0, 1, ... `base` is one SECRET scalar, treated as in
   * `multiply`; its powers exist in WASM memory only. Ranges of one list can be computed by several instances.
   * Throws BATCH_LENGTH unless `base` is one scalar, RANGE unless exponents stay in 0 .. 2^31 - 1.
   */
  multiplyByPowers(points: P, base: Scalars, firstExponent: number): P;
  /**
   * The one point sum_i [scalars_i] point_i. Scalars are PUBLIC: running time depends on them.
   * Throws BATCH_LENGTH unless there are as many scalars as points.
   */
  multiScalar(points: P, scalars: Scalars): P;

  /** left_i + right_i. Throws BATCH_LENGTH when lengths differ. */
  add(left: P, right: P): P;
  negate(points: P): P;
}

/** Integers mod r. Free of branches and addresses that depend on the values, so secrets are welcome. */
export interface ScalarField {
  /**
   * One scalar per 56 bytes: v * 2^-448 mod r, where v is the little-endian integer of the low 426 bits. This is how
   * tfhe-rs turns hash output and random bytes into scalars; its bias is below 2^-120.
   * Throws BATCH_LENGTH unless there are whole 56 bytes.
   */
  fromWideBytes(bytes: Uint8Array): Scalars;
  /** a_i * b_i + c_i. Throws BATCH_LENGTH when lengths differ. */
  multiplyAdd(a: Scalars, b: Scalars, c: Scalars): Scalars;
  /**
   * base^firstExponent, base^(firstExponent + 1), ...: `count` scalars.
   * Throws BATCH_LENGTH unless `base` is one scalar, RANGE unless exponents stay in 0 .. 2^31 - 1.
   */
  powers(base: Scalars, firstExponent: number, count: number): Scalars;
}

export interface Bls446 {
  readonly g1: CurveGroup<G1Points>;
  readonly g2: CurveGroup<G2Points>;
  readonly scalars: ScalarField;
}

/** A fresh instance of a module compiled once per process. Throws NOT_BUILT before `node packages/kernel/build.mjs`. */
export function createBls446(): Bls446 {
  const wasm = instantiateBls446();
  const memory = createMemory(wasm);
  const first = { pointBytes: G1_BYTES, generator: G1_GENERATOR, wasm: groupExports(wasm, 'g1'), memory };
  const second = { pointBytes: G2_BYTES, generator: G2_GENERATOR, wasm: groupExports(wasm, 'g2'), memory };
  return {
    g1: createGroup<G1Points>(first),
    g2: createGroup<G2Points>(second),
    scalars: createScalarField(wasm, memory),
  };
}
