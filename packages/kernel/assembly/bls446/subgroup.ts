// Membership: curve equation, and the subgroup of order r by an endomorphism that multiplies by a known number there.
// Public data: branches depend on it. Points are arbitrary; see point.ts for what sums may become then.
import { BETA, ONE, PSI_X, PSI_Y, X_ABSOLUTE } from "../../build/bls446-field";
import { affineBytes, infinityMask } from "./affine";
import {
  add, conjugate, copy, multiply, multiplyByB, negate, size, square, subtract, zeroMask, Fp,
} from "./coordinate";
import { addPoints, double, projectiveBytes, toProjective } from "./point";
import { SUBGROUP_SCRATCH as SCRATCH } from "./scratch";

const X_BITS: i32 = 75;

/**
 * (ox, oy) = the image of (x, y) under the endomorphism that multiplies by L on the group of order r.
 * G1: (BETA x, -y) with L = x^2. G2: minus the untwisted Frobenius, (PSI_X conj x, -PSI_Y conj y), with L = |x|.
 */
export function endomorphism<F>(ox: usize, oy: usize, x: usize, y: usize): void {
  if (size<F>() == size<Fp>()) {
    multiply<F>(ox, x, BETA);
    negate<F>(oy, y);
  } else {
    conjugate<F>(ox, x);
    multiply<F>(ox, ox, PSI_X);
    conjugate<F>(oy, y);
    multiply<F>(oy, oy, PSI_Y);
    negate<F>(oy, oy);
  }
}

/** How often |x| must be multiplied to give the factor of the endomorphism. */
// @ts-ignore: decorator
@inline
function factorDegree<F>(): i32 {
  return size<F>() == size<Fp>() ? 2 : 1;
}

/** o = [|x|] p, both projective and distinct. */
function multiplyByParameter<F>(o: usize, p: usize): void {
  memory.copy(o, p, projectiveBytes<F>());
  for (let bit = X_BITS - 2; bit >= 0; bit--) {
    double<F>(o, o);
    if ((load<u32>(X_ABSOLUTE + ((bit >> 5) << 2)) >> (bit & 31)) & 1) addPoints<F>(o, o, p);
  }
}

/**
 * Whether a projective point of the curve has order r or 1. Exact: phi^2 + phi + 1 = 0 in G1 and psi^4 - psi^2 + 1 = 0
 * in G2 turn phi = -x^2 and psi = x into x^4 - x^2 + 1 = r = 0. (0 : 0 : 0) is not in the group.
 */
function inGroup<F>(p: usize): bool {
  const S = size<F>(), multiple = SCRATCH, step = multiple + projectiveBytes<F>(), image = step + projectiveBytes<F>();
  const left = image + affineBytes<F>(), right = left + S, z = right + S;
  if (zeroMask<F>(p + 2 * S)) return !zeroMask<F>(p + S);
  memory.copy(step, p, projectiveBytes<F>());
  for (let i = 0; i < factorDegree<F>(); i++) {
    multiplyByParameter<F>(multiple, step);
    memory.copy(step, multiple, projectiveBytes<F>());
  }
  if (zeroMask<F>(multiple + 2 * S)) return false;
  endomorphism<F>(image, image + S, p, p + S);
  if (factorDegree<F>() == 1) conjugate<F>(z, p + 2 * S);
  else copy<F>(z, p + 2 * S);
  for (let coordinate: usize = 0; coordinate < 2 * S; coordinate += S) {
    multiply<F>(left, multiple + coordinate, z);
    multiply<F>(right, image + coordinate, multiple + 2 * S);
    subtract<F>(left, left, right);
    if (!zeroMask<F>(left)) return false;
  }
  return true;
}

/** Whether y^2 = x^3 + b, or infinity. */
function onCurve<F>(affine: usize): bool {
  const S = size<F>(), left = SCRATCH, right = left + S, b = right + S;
  if (infinityMask<F>(affine)) return true;
  square<F>(left, affine + S);
  square<F>(right, affine);
  multiply<F>(right, right, affine);
  multiplyByB<F>(b, ONE);
  add<F>(right, right, b);
  subtract<F>(left, left, right);
  return !!zeroMask<F>(left);
}

/** Index of the first affine point that is not on the curve, or -1. */
export function firstOffCurve<F>(points: usize, count: usize): i32 {
  for (let i: usize = 0; i < count; i++) {
    if (!onCurve<F>(points + i * affineBytes<F>())) return i32(i);
  }
  return -1;
}

/** Index of the first affine point that is not on the curve or not in the group, or -1. */
export function firstOutsideSubgroup<F>(points: usize, count: usize): i32 {
  const p = SCRATCH + 12 * size<F>(); // after the parts of inGroup
  for (let i: usize = 0; i < count; i++) {
    const affine = points + i * affineBytes<F>();
    toProjective<F>(p, affine);
    if (!onCurve<F>(affine) || !inGroup<F>(p)) return i32(i);
  }
  return -1;
}

/** Index of the first projective point that is not in the group, or -1. All are sums of points of the curve. */
export function firstSumOutside<F>(sums: usize, count: usize): i32 {
  for (let i: usize = 0; i < count; i++) {
    if (!inGroup<F>(sums + i * projectiveBytes<F>())) return i32(i);
  }
  return -1;
}
