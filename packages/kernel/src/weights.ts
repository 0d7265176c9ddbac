/**
 * Weights of pseudo-random secret sharing over a family of subsets A of the parties 1..n (docs/protocols/prss.md).
 *
 * Uniform values: g_A(alpha) = prod_{j not in A} (alpha - alpha_j) over the INTEGERS, so tiny coefficients. The shared
 * value is sum_A g_A(0) psi_A; g_A(0) is a unit, hence uniform whenever one psi_A is unknown and uniform.
 * Bounded values (noise, masks, bits): f_A = g_A / g_A(0), so that f_A(0) = 1 and the shared value is sum_A psi_A.
 */
import { type AlgebraName, asGf16, type Batches } from './batch.ts';
import { KernelError, requireRange } from './errors.ts';
import { field16Inverse, field16Mul } from './field16.ts';
import {
  encodeGr64,
  encodeGr128,
  GR_ONE,
  GR_ZERO,
  type GrBits,
  type GrElement,
  grFromPoint,
  grInverse,
  grMul,
  grSub,
} from './gr.ts';

/** Subsets as lists of 1-based members, all containing `self`, in the order of the keystreams. */
export interface SmallWeights {
  readonly count: number;
  /** 16 numbers per subset: row-major 4x4 matrix of multiplication by g_A(alpha_self). */
  readonly matrices: Int16Array;
}

type IntegerElement = readonly [number, number, number, number];

/** Sum of |weights| over one i32 lane must stay below this: each is multiplied by an i16 of magnitude up to 2^15. */
const LANE_LIMIT = 2 ** 16 - 1;
const MAX_SUBSETS = 6435; // C(15,7), the largest family of 15 parties

/** Weights of the party `self` for `Ring.prss`. Throws WEIGHTS_TOO_LARGE if a lane could overflow (never for 13/4). */
export function smallWeights(subsets: readonly (readonly number[])[], n: number, self: number): SmallWeights {
  requireRange('subsets', subsets.length, 0, MAX_SUBSETS);
  const matrices = new Int16Array(16 * subsets.length);
  subsets.forEach((subset, s) => {
    requireMember(subset, n, self);
    const weight = integerWeight(subset, n, self);
    for (let column = 0; column < 4; column++) {
      const product = integerMul(weight, [0, 1, 2, 3].map((k) => Number(k === column)) as unknown as IntegerElement);
      product.forEach((entry, row) => {
        if (Math.abs(entry) >= 2 ** 15) throw tooLarge(n);
        matrices[16 * s + 4 * row + column] = entry;
      });
    }
  });
  if (laneBound(matrices) > LANE_LIMIT) throw tooLarge(n);
  return { count: subsets.length, matrices };
}

/** The factor of psi_A in the value shared with small weights: g_A(0). For checks, and for who knows every psi_A. */
export function smallWeightAtZero(subset: readonly number[], n: number, bits: GrBits): GrElement {
  return complement(subset, n).reduce<GrElement>(
    (product, j) => grMul(product, grSub(GR_ZERO, grFromPoint(j), bits), bits),
    GR_ONE,
  );
}

/** f_A(alpha_self), one element per subset: constants of `addScaled`; over GF(16) the weights of `prss`. */
export function normalisedWeights<A extends AlgebraName>(
  subsets: readonly (readonly number[])[],
  n: number,
  self: number,
  algebra: A,
): Batches[A] {
  for (const subset of subsets) requireMember(subset, n, self);
  const weights =
    algebra === 'gf16'
      ? asGf16(Uint8Array.from(subsets, (subset) => weight16(subset, n, self)))
      : algebra === 'gr64'
        ? encodeGr64(subsets.map((subset) => weight(subset, n, self, 64)))
        : encodeGr128(subsets.map((subset) => weight(subset, n, self, 128)));
  return weights as Batches[A];
}

function weight(subset: readonly number[], n: number, self: number, bits: GrBits): GrElement {
  const own = grFromPoint(self);
  const atSelf = complement(subset, n).reduce<GrElement>(
    (product, j) => grMul(product, grSub(own, grFromPoint(j), bits), bits),
    GR_ONE,
  );
  return grMul(atSelf, grInverse(smallWeightAtZero(subset, n, bits), bits), bits);
}

function weight16(subset: readonly number[], n: number, self: number): number {
  return complement(subset, n).reduce((product, j) => field16Mul(product, field16Mul(self ^ j, field16Inverse(j))), 1);
}

function integerWeight(subset: readonly number[], n: number, self: number): IntegerElement {
  return complement(subset, n).reduce<IntegerElement>(
    (product, j) => {
      const difference = [0, 1, 2, 3].map((k) => ((self >> k) & 1) - ((j >> k) & 1)) as unknown as IntegerElement;
      return integerMul(product, difference);
    },
    [1, 0, 0, 0],
  );
}

function integerMul(a: IntegerElement, b: IntegerElement): IntegerElement {
  const d4 = a[1] * b[3] + a[2] * b[2] + a[3] * b[1];
  const d5 = a[2] * b[3] + a[3] * b[2];
  const d6 = a[3] * b[3];
  return [
    a[0] * b[0] - d4,
    a[0] * b[1] + a[1] * b[0] - d4 - d5,
    a[0] * b[2] + a[1] * b[1] + a[2] * b[0] - d5 - d6,
    a[0] * b[3] + a[1] * b[2] + a[2] * b[1] + a[3] * b[0] - d6,
  ];
}

/** Largest sum of |m| over subsets and the two weights that meet in one lane. */
function laneBound(matrices: Int16Array): number {
  const lanes = new Array<number>(8).fill(0);
  matrices.forEach((entry, i) => {
    lanes[(i % 16) >> 1]! += Math.abs(entry);
  });
  return Math.max(...lanes);
}

function complement(subset: readonly number[], n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1).filter((party) => !subset.includes(party));
}

function requireMember(subset: readonly number[], n: number, self: number): void {
  requireRange('parties', n, 1, 15);
  for (const party of subset) requireRange('subset member', party, 1, n);
  if (!subset.includes(self))
    throw new KernelError('RANGE', `subset ${subset.join(',')} does not contain party ${self}`);
}

function tooLarge(n: number): KernelError {
  return new KernelError(
    'WEIGHTS_TOO_LARGE',
    `small weights of this family of ${n} parties overflow; use normalised weights`,
  );
}
