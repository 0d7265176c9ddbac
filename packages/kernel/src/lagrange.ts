/**
 * Public matrices of openings. A degree-d sharing is determined by its first d+1 shares: row 0 of an opening matrix
 * gives the secret (the value at 0), every further row predicts one further share. A share vector is a codeword iff all
 * predictions hold (docs/protocols/sharing.md). Party i has the exceptional point of index i, the secret is at 0.
 */
import { type AlgebraName, asGf16, type Batches, type Matrix } from './batch.ts';
import { requireRange } from './errors.ts';
import { field16Inverse, field16Mul } from './field16.ts';
import {
  encodeGr64,
  encodeGr128,
  GR_ONE,
  type GrBits,
  type GrElement,
  grFromPoint,
  grInverse,
  grMul,
  grSub,
  requireDistinctPoints,
} from './gr.ts';

const MAX_CACHED = 1024; // 15 points give few sets in practice; the bound only guards against a misuse
const cache = new Map<string, Matrix<Batches[AlgebraName]>>();

/**
 * Matrix of `points.length - degree` rows over the first degree+1 points, for `open`. `points`: distinct indices 1..15
 * in the order of the shares, at least degree+1 of them. Memoised: treat the elements as constants.
 */
export function openingMatrix<A extends AlgebraName>(
  points: readonly number[],
  degree: number,
  algebra: A,
): Matrix<Batches[A]> {
  const key = `${algebra}/${degree}/${points.join(',')}`;
  const known = cache.get(key);
  if (known) return known as Matrix<Batches[A]>;
  requireRange('degree', degree, 0, points.length - 1);
  requireDistinctPoints(points);
  const matrix = interpolationMatrix(points.slice(0, degree + 1), [0, ...points.slice(degree + 1)], algebra);
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(key, matrix);
  return matrix;
}

/** Row per target point: the Lagrange coefficients that evaluate there from the values at `points`. Not memoised. */
export function interpolationMatrix<A extends AlgebraName>(
  points: readonly number[],
  targets: readonly number[],
  algebra: A,
): Matrix<Batches[A]> {
  requireDistinctPoints(points);
  const elements =
    algebra === 'gf16'
      ? asGf16(Uint8Array.from(targets.flatMap((target) => lagrange16(points, target))))
      : algebra === 'gr64'
        ? encodeGr64(targets.flatMap((target) => lagrange(points, target, 64)))
        : encodeGr128(targets.flatMap((target) => lagrange(points, target, 128)));
  return { rows: targets.length, cols: points.length, elements: elements as Batches[A] };
}

/** prod_{j != i} (target - p_j) / (p_i - p_j) for every i. */
function lagrange(points: readonly number[], target: number, bits: GrBits): GrElement[] {
  const at = grFromPoint(target);
  return points.map((point, i) => {
    const own = grFromPoint(point);
    let numerator: GrElement = GR_ONE;
    let denominator: GrElement = GR_ONE;
    points.forEach((other, j) => {
      if (j === i) return;
      numerator = grMul(numerator, grSub(at, grFromPoint(other), bits), bits);
      denominator = grMul(denominator, grSub(own, grFromPoint(other), bits), bits);
    });
    return grMul(numerator, grInverse(denominator, bits), bits);
  });
}

function lagrange16(points: readonly number[], target: number): number[] {
  return points.map((point, i) =>
    points.reduce(
      (product, other, j) =>
        j === i ? product : field16Mul(product, field16Mul(target ^ other, field16Inverse(point ^ other))),
      1,
    ),
  );
}
