// Entry of the BLS12-446 module: the functions of its files for G1 (over Fp) and G2 (over Fp2). As in the other module,
// arguments are addresses and counts that the TypeScript facade (src/) has checked; no heap, no runtime, no import.
import { addBytes, addStored, negateStored, unpackPoints } from "./affine";
import { Fp, Fp2 } from "./coordinate";
import { multiplyBytes, multiplyPoints, multiplyPointsByPowers } from "./multiply";
import { bucketBytes, collectBytes, multiScalar, subsetSums } from "./multiscalar";
import { firstOffCurve, firstOutsideSubgroup, firstSumOutside } from "./subgroup";

// The field for its own tests: only they reach every edge of its values.
export {
  fp2Multiply, fpAdd, fpMultiply, fpReduce, fpSquare, fpSubtract, fpSumOfProducts,
} from "../../build/bls446-field";
export { fpInvert } from "./inversion";
export { scalarFromWide, scalarMultiplyAdd, scalarPowers } from "./scalar";
export { wipe } from "./scratch";

/** First address the facade may use. */
export function heapBase(): usize {
  return __heap_base;
}

export function g1Multiply(out: usize, points: usize, scalars: usize, count: usize, work: usize): void {
  multiplyPoints<Fp>(out, points, scalars, count, work);
}
export function g2Multiply(out: usize, points: usize, scalars: usize, count: usize, work: usize): void {
  multiplyPoints<Fp2>(out, points, scalars, count, work);
}

export function g1MultiplyByPowers(
  out: usize, points: usize, base: usize, first: u32, powers: usize, count: usize, work: usize,
): void {
  multiplyPointsByPowers<Fp>(out, points, base, first, powers, count, work);
}
export function g2MultiplyByPowers(
  out: usize, points: usize, base: usize, first: u32, powers: usize, count: usize, work: usize,
): void {
  multiplyPointsByPowers<Fp2>(out, points, base, first, powers, count, work);
}

/** Bytes of `work` per point. */
export function g1MultiplyBytes(): usize {
  return multiplyBytes<Fp>();
}
export function g2MultiplyBytes(): usize {
  return multiplyBytes<Fp2>();
}
export function g1AddBytes(): usize {
  return addBytes<Fp>();
}
export function g2AddBytes(): usize {
  return addBytes<Fp2>();
}
/** Bytes of `work` of sums per point, and per bucket. */
export function g1CollectBytes(): usize {
  return collectBytes<Fp>();
}
export function g2CollectBytes(): usize {
  return collectBytes<Fp2>();
}
export function g1BucketBytes(): usize {
  return bucketBytes<Fp>();
}
export function g2BucketBytes(): usize {
  return bucketBytes<Fp2>();
}

export function g1Unpack(out: usize, points: usize, count: usize): void {
  unpackPoints<Fp>(out, points, count);
}
export function g2Unpack(out: usize, points: usize, count: usize): void {
  unpackPoints<Fp2>(out, points, count);
}

export function g1MultiScalar(
  out: usize, points: usize, scalars: usize, count: usize, width: usize, work: usize,
): void {
  multiScalar<Fp>(out, points, scalars, count, width, work);
}
export function g2MultiScalar(
  out: usize, points: usize, scalars: usize, count: usize, width: usize, work: usize,
): void {
  multiScalar<Fp2>(out, points, scalars, count, width, work);
}

export function g1SubsetSums(sums: usize, points: usize, choices: usize, count: usize, work: usize): void {
  subsetSums<Fp>(sums, points, choices, count, work);
}
export function g2SubsetSums(sums: usize, points: usize, choices: usize, count: usize, work: usize): void {
  subsetSums<Fp2>(sums, points, choices, count, work);
}

export function g1FirstOffCurve(points: usize, count: usize): i32 {
  return firstOffCurve<Fp>(points, count);
}
export function g2FirstOffCurve(points: usize, count: usize): i32 {
  return firstOffCurve<Fp2>(points, count);
}

export function g1FirstOutsideSubgroup(points: usize, count: usize): i32 {
  return firstOutsideSubgroup<Fp>(points, count);
}
export function g2FirstOutsideSubgroup(points: usize, count: usize): i32 {
  return firstOutsideSubgroup<Fp2>(points, count);
}

export function g1FirstSumOutside(sums: usize, count: usize): i32 {
  return firstSumOutside<Fp>(sums, count);
}
export function g2FirstSumOutside(sums: usize, count: usize): i32 {
  return firstSumOutside<Fp2>(sums, count);
}

export function g1Add(out: usize, a: usize, b: usize, count: usize, work: usize): void {
  addStored<Fp>(out, a, b, count, work);
}
export function g2Add(out: usize, a: usize, b: usize, count: usize, work: usize): void {
  addStored<Fp2>(out, a, b, count, work);
}

export function g1Negate(out: usize, a: usize, count: usize): void {
  negateStored<Fp>(out, a, count);
}
export function g2Negate(out: usize, a: usize, count: usize): void {
  negateStored<Fp2>(out, a, count);
}
