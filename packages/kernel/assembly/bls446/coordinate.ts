// Arithmetic of point coordinates over either field: F is Fp (G1) or Fp2 = Fp[u]/(u^2+1) (G2). Elements are addresses
// of 64 bytes, or of 128 (c0, c1), with values as in field-source.mjs. Branches on F are decided by the compiler.
// Outputs may be inputs. Nothing here branches on a value.
import {
  fp2Multiply, fpAdd, fpMultiply, fpReduce, fpSquare, fpSubtract, fpSumOfProducts, ONE, PRIME, ZERO,
} from "../../build/bls446-field";
import { fpInvert } from "./inversion";
import { COORDINATE_SCRATCH as SCRATCH } from "./scratch";

const FP: usize = 64;
const LIMB: u64 = 0xfffffff;

/** Tags with the size of an element, never instances. */
@unmanaged
export class Fp {
  private l0: u64; private l1: u64; private l2: u64; private l3: u64;
  private l4: u64; private l5: u64; private l6: u64; private l7: u64;
}
@unmanaged
export class Fp2 extends Fp {
  private h0: u64; private h1: u64; private h2: u64; private h3: u64;
  private h4: u64; private h5: u64; private h6: u64; private h7: u64;
}

/** Bytes of an element. */
// @ts-ignore: decorator
@inline
export function size<F>(): usize {
  return offsetof<F>();
}
// @ts-ignore: decorator
@inline
function isFp<F>(): bool {
  return offsetof<F>() == FP;
}

// @ts-ignore: decorator
@inline
export function add<F>(o: usize, a: usize, b: usize): void {
  fpAdd(o, a, b);
  if (!isFp<F>()) fpAdd(o + FP, a + FP, b + FP);
}

// @ts-ignore: decorator
@inline
export function subtract<F>(o: usize, a: usize, b: usize): void {
  fpSubtract(o, a, b);
  if (!isFp<F>()) fpSubtract(o + FP, a + FP, b + FP);
}

// @ts-ignore: decorator
@inline
export function negate<F>(o: usize, a: usize): void {
  fpSubtract(o, ZERO, a);
  if (!isFp<F>()) fpSubtract(o + FP, ZERO, a + FP);
}

/** The conjugate; the element itself in Fp. */
// @ts-ignore: decorator
@inline
export function conjugate<F>(o: usize, a: usize): void {
  copy<Fp>(o, a);
  if (!isFp<F>()) fpSubtract(o + FP, ZERO, a + FP);
}

// @ts-ignore: decorator
@inline
export function multiply<F>(o: usize, a: usize, b: usize): void {
  if (isFp<F>()) fpMultiply(o, a, b);
  else fp2Multiply(o, a, b);
}

// @ts-ignore: decorator
@inline
export function square<F>(o: usize, a: usize): void {
  if (isFp<F>()) fpSquare(o, a);
  else fp2Square(o, a);
}

/** o = a * b + x * y */
// @ts-ignore: decorator
@inline
export function sumOfProducts<F>(o: usize, a: usize, b: usize, x: usize, y: usize): void {
  if (isFp<F>()) fpSumOfProducts(o, a, b, x, y);
  else fp2SumOfProducts(o, a, b, x, y);
}

/** ((a0 + a1)(a0 - a1), 2 a0 a1) */
function fp2Square(o: usize, a: usize): void {
  fpAdd(SCRATCH, a, a + FP);
  fpSubtract(SCRATCH + FP, a, a + FP);
  fpAdd(SCRATCH + 2 * FP, a, a);
  fpMultiply(o + FP, SCRATCH + 2 * FP, a + FP);
  fpMultiply(o, SCRATCH, SCRATCH + FP);
}

function fp2SumOfProducts(o: usize, a: usize, b: usize, x: usize, y: usize): void {
  const product = SCRATCH;
  fp2Multiply(product, a, b);
  fp2Multiply(o, x, y);
  add<Fp2>(o, o, product);
}

/** Three times the constant of the curve's equation: 3 in G1, 3 + 3u in G2. */
// @ts-ignore: decorator
@inline
export function multiplyBy3B<F>(o: usize, a: usize): void {
  multiplyByB<F>(o, a);
  add<F>(SCRATCH, o, o);
  add<F>(o, o, SCRATCH);
}

/** The constant of the curve's equation: 1 in G1, 1 + u in G2. */
// @ts-ignore: decorator
@inline
export function multiplyByB<F>(o: usize, a: usize): void {
  if (isFp<F>()) {
    copy<Fp>(o, a);
  } else {
    fpSubtract(SCRATCH, a, a + FP);
    fpAdd(o + FP, a, a + FP);
    copy<Fp>(o, SCRATCH);
  }
}

/** o = 1/a, and 0 for 0. */
export function invert<F>(o: usize, a: usize): void {
  if (isFp<F>()) {
    fpInvert(o, a);
  } else {
    const norm = SCRATCH, conjugated = SCRATCH + FP;
    fpSumOfProducts(norm, a, a, a + FP, a + FP);
    fpInvert(norm, norm);
    fpSubtract(conjugated, ZERO, a + FP);
    fpMultiply(o, a, norm);
    fpMultiply(o + FP, conjugated, norm);
  }
}

// @ts-ignore: decorator
@inline
export function copy<F>(o: usize, a: usize): void {
  for (let i: usize = 0; i < size<F>(); i += 8) store<u64>(o + i, load<u64>(a + i)); // as written: loads then forward
}

/** All ones when a = 0, else 0. */
export function zeroMask<F>(a: usize): u64 {
  let mask = fpZeroMask(a);
  if (!isFp<F>()) mask &= fpZeroMask(a + FP);
  return mask;
}

/** o = a, or 1 when a = 0. */
export function nonZero<F>(o: usize, a: usize): void {
  select(o, zeroMask<F>(a), ONE, a, size<F>());
}

/** Values are below 2p, so 0 has two spellings. */
function fpZeroMask(a: usize): u64 {
  let zero: u64 = 0, prime: u64 = 0;
  for (let i: usize = 0; i < FP; i += 8) {
    const word = load<u64>(a + i);
    zero |= word;
    prime |= word ^ load<u64>(PRIME + i);
  }
  return isZeroWord(zero) | isZeroWord(prime);
}

// @ts-ignore: decorator
@inline
export function isZeroWord(word: u64): u64 {
  return ((word | (0 - word)) >> 63) - 1;
}

/** o = a where the mask is all ones, b where it is 0. */
// @ts-ignore: decorator
@inline
export function select(o: usize, mask: u64, a: usize, b: usize, bytes: usize): void {
  const lanes = i64x2.splat(mask);
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(o + i, v128.bitselect(v128.load(a + i), v128.load(b + i), lanes));
  }
}

/** Zeroes `bytes` bytes if the mask is all ones. */
// @ts-ignore: decorator
@inline
export function clear(o: usize, mask: u64, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 8) store<u64>(o + i, load<u64>(o + i) & ~mask);
}

/** Limbs of the stored bytes: 7 bytes are two limbs of 28 bits. */
export function unpack<F>(o: usize, bytes: usize): void {
  for (let limb: usize = 0; limb < size<F>(); limb += 8) {
    const pair = load<u32>(bytes) | (<u64>load<u32>(bytes, 3) >> 8 << 32);
    store<u32>(o + limb, u32(pair & LIMB));
    store<u32>(o + limb, u32(pair >> 28), 4);
    bytes += 7;
  }
}

/** Bytes of the reduced value. */
export function pack<F>(bytes: usize, a: usize): void {
  const reduced = SCRATCH;
  fpReduce(reduced, a);
  if (!isFp<F>()) fpReduce(reduced + FP, a + FP);
  for (let limb: usize = 0; limb < size<F>(); limb += 8) {
    const pair = load<u32>(reduced + limb) | (<u64>load<u32>(reduced + limb, 4) << 28);
    store<u32>(bytes, u32(pair));
    store<u32>(bytes, u32(pair >> 24), 3);
    bytes += 7;
  }
}
