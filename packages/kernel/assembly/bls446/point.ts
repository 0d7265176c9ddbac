// Projective points over F (see coordinate.ts), for sums of which each waits for the one before: X | Y | Z with
// x = X/Z, y = Y/Z, infinity is (0 : 1 : 0). Many independent sums are cheaper in affine.ts.
// The formulas are those of Renes, Costello and Batina (EUROCRYPT 2016, algorithms 7 to 9) for y^2 = x^3 + b. They have
// no exceptional case unless the two points differ by a point of order 2, where they yield (0 : 0 : 0), which is no
// point and stays so in further sums. In the groups of prime order that cannot happen: there they are complete, and no
// branch depends on a value.
import { ONE, ZERO } from "../../build/bls446-field";
import { affineBytes, infinityMask } from "./affine";
import {
  add, clear, copy, invert, multiply, multiplyBy3B, negate, nonZero, select, size, square, subtract, sumOfProducts,
  zeroMask,
} from "./coordinate";
import { POINT_SCRATCH as SCRATCH } from "./scratch";

/** Bytes of a projective point. */
// @ts-ignore: decorator
@inline
export function projectiveBytes<F>(): usize {
  return 3 * size<F>();
}

export function setInfinity<F>(o: usize): void {
  memory.fill(o, 0, projectiveBytes<F>());
  copy<F>(o + size<F>(), ONE);
}

/** o = the affine point a. */
export function toProjective<F>(o: usize, a: usize): void {
  const z = o + 2 * size<F>();
  memory.copy(o, a, affineBytes<F>());
  memory.fill(z, 0, size<F>());
  const infinity = infinityMask<F>(a);
  select(o + size<F>(), infinity, ONE, o + size<F>(), 64);
  select(z, infinity, ZERO, ONE, 64);
}

/** o = p + q, all projective. */
export function addPoints<F>(o: usize, p: usize, q: usize): void {
  const S = size<F>(), xx = SCRATCH, yy = xx + S, zz = yy + S, xy = zz + S, yz = xy + S, xz = yz + S;
  multiply<F>(xx, p, q);
  multiply<F>(yy, p + S, q + S);
  multiply<F>(zz, p + 2 * S, q + 2 * S);
  sumOfProducts<F>(xy, p, q + S, p + S, q);
  sumOfProducts<F>(yz, p + S, q + 2 * S, p + 2 * S, q + S);
  sumOfProducts<F>(xz, p, q + 2 * S, p + 2 * S, q);
  combine<F>(o);
}

/** o = p + q for an affine q, which must not be infinity. */
export function addAffine<F>(o: usize, p: usize, q: usize): void {
  const S = size<F>(), xx = SCRATCH, yy = xx + S, zz = yy + S, xy = zz + S, yz = xy + S, xz = yz + S, z = p + 2 * S;
  multiply<F>(xx, p, q);
  multiply<F>(yy, p + S, q + S);
  copy<F>(zz, z);
  sumOfProducts<F>(xy, p, q + S, p + S, q);
  multiply<F>(yz, z, q + S);
  add<F>(yz, yz, p + S);
  multiply<F>(xz, z, q);
  add<F>(xz, xz, p);
  combine<F>(o);
}

/**
 * The sum from the products of coordinates xx = X1 X2, yy, zz and xy = X1 Y2 + X2 Y1, yz, xz at SCRATCH:
 * X = xy (yy - 3b zz) - yz 3b xz, Y = (yy + 3b zz)(yy - 3b zz) + 3 xx 3b xz, Z = (yy + 3b zz) yz + 3 xx xy.
 */
function combine<F>(o: usize): void {
  const S = size<F>(), xx = SCRATCH, yy = xx + S, zz = yy + S, xy = zz + S, yz = xy + S, xz = yz + S, t = xz + S;
  multiplyBy3B<F>(zz, zz);
  multiplyBy3B<F>(xz, xz);
  add<F>(t, xx, xx);
  add<F>(xx, t, xx);
  add<F>(t, yy, zz);
  subtract<F>(yy, yy, zz);
  negate<F>(zz, yz);
  sumOfProducts<F>(o, xy, yy, zz, xz);
  sumOfProducts<F>(o + S, t, yy, xx, xz);
  sumOfProducts<F>(o + 2 * S, t, yz, xx, xy);
}

/** o = 2p: X = 2XY(YY - 9b ZZ), Y = (YY - 9b ZZ)(YY + 3b ZZ) + 24b YY ZZ, Z = 8 YY YZ. */
export function double<F>(o: usize, p: usize): void {
  const S = size<F>(), yy = SCRATCH, zz = yy + S, yz = zz + S, xy = yz + S, yy8 = xy + S, t = yy8 + S;
  square<F>(yy, p + S);
  square<F>(zz, p + 2 * S);
  multiply<F>(yz, p + S, p + 2 * S);
  multiply<F>(xy, p, p + S);
  multiplyBy3B<F>(zz, zz);
  add<F>(yy8, yy, yy);
  add<F>(yy8, yy8, yy8);
  add<F>(yy8, yy8, yy8);
  multiply<F>(o + 2 * S, yz, yy8);
  add<F>(t, yy, zz);
  subtract<F>(yy, yy, zz);
  subtract<F>(yy, yy, zz);
  subtract<F>(yy, yy, zz);
  sumOfProducts<F>(o + S, yy, t, zz, yy8);
  add<F>(xy, xy, xy);
  multiply<F>(o, xy, yy);
}

/** o = the affine form of a projective point; what has Z = 0 becomes (0, 0). */
export function toAffine<F>(o: usize, p: usize): void {
  const S = size<F>(), inverse = SCRATCH, infinity = zeroMask<F>(p + 2 * S);
  nonZero<F>(inverse, p + 2 * S);
  invert<F>(inverse, inverse);
  multiply<F>(o, p, inverse);
  multiply<F>(o + S, p + S, inverse);
  clear(o, infinity, affineBytes<F>());
}
