// Integers mod r, 40 bytes little-endian. No branch and no address depends on a value.
// Products are reduced by Montgomery's method, one 32-bit word a step; n steps divide by 2^(32n) mod r.
import { FR_NEGATIVE_INVERSE, FR_ORDER, FR_SQUARE } from "../../build/bls446-field";
import { SCALAR_SCRATCH as SCRATCH } from "./scratch";

const WORDS: usize = 10;
export const SCALAR_BYTES: usize = 4 * WORDS;
const WIDE_BYTES: usize = 56;
const WIDE_TOP_MASK: u32 = 0x3ff; // the top word of 426 bits
const WORK_BYTES: usize = 4 * 26; // 14 low words, 10 more, one for carries; even

const PRODUCT: usize = SCRATCH;
const DIFFERENCE: usize = SCRATCH + 128;
const BASE: usize = SCRATCH + 256;
const POWER: usize = SCRATCH + 320;

/** o = the integer in PRODUCT / 2^(32 steps) mod r, which must be below 2r. PRODUCT is used up. */
function reduce(o: usize, steps: usize): void {
  for (let step: usize = 0; step < steps; step++) {
    const at = PRODUCT + 4 * step;
    const factor: u32 = load<u32>(at) * FR_NEGATIVE_INVERSE;
    let carry: u64 = 0;
    for (let i: usize = 0; i < SCALAR_BYTES; i += 4) {
      carry += load<u32>(at + i) + <u64>factor * load<u32>(FR_ORDER + i);
      store<u32>(at + i, u32(carry));
      carry >>= 32;
    }
    for (let p = at + SCALAR_BYTES; p < PRODUCT + WORK_BYTES; p += 4) {
      carry += load<u32>(p);
      store<u32>(p, u32(carry));
      carry >>= 32;
    }
  }
  subtractOrder(o, PRODUCT + 4 * steps);
}

/** o = a mod r for a below 2r. */
function subtractOrder(o: usize, a: usize): void {
  let borrow: i64 = 0;
  for (let i: usize = 0; i < SCALAR_BYTES; i += 4) {
    borrow += <i64>load<u32>(a + i) - <i64>load<u32>(FR_ORDER + i);
    store<u32>(DIFFERENCE + i, u32(borrow));
    borrow >>= 32;
  }
  const keep = u32(borrow); // all ones when a < r
  for (let i: usize = 0; i < SCALAR_BYTES; i += 4) {
    store<u32>(o + i, (load<u32>(a + i) & keep) | (load<u32>(DIFFERENCE + i) & ~keep));
  }
}

/** o = a * b / 2^320 mod r */
function multiply(o: usize, a: usize, b: usize): void {
  memory.fill(PRODUCT, 0, WORK_BYTES);
  for (let i: usize = 0; i < SCALAR_BYTES; i += 4) {
    const factor = <u64>load<u32>(a + i);
    let carry: u64 = 0;
    for (let j: usize = 0; j < SCALAR_BYTES; j += 4) {
      carry += load<u32>(PRODUCT + i + j) + factor * load<u32>(b + j);
      store<u32>(PRODUCT + i + j, u32(carry));
      carry >>= 32;
    }
    store<u32>(PRODUCT + i + SCALAR_BYTES, u32(carry));
  }
  reduce(o, WORDS);
}

/** out[i] = a[i] * b[i] + c[i] */
export function scalarMultiplyAdd(out: usize, a: usize, b: usize, c: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) {
    multiply(POWER, a, b);
    multiply(POWER, POWER, FR_SQUARE);
    let carry: u64 = 0;
    for (let k: usize = 0; k < SCALAR_BYTES; k += 4) {
      carry += <u64>load<u32>(POWER + k) + load<u32>(c + k);
      store<u32>(POWER + k, u32(carry));
      carry >>= 32;
    }
    subtractOrder(out, POWER);
    a += SCALAR_BYTES; b += SCALAR_BYTES; c += SCALAR_BYTES; out += SCALAR_BYTES;
  }
}

/** out[i] = v / 2^448 mod r, v = the low 426 bits of 56 bytes. The quotient is below r + 1. */
export function scalarFromWide(out: usize, wide: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) {
    memory.fill(PRODUCT, 0, WORK_BYTES);
    memory.copy(PRODUCT, wide, WIDE_BYTES);
    store<u32>(PRODUCT + WIDE_BYTES - 4, load<u32>(PRODUCT + WIDE_BYTES - 4) & WIDE_TOP_MASK);
    reduce(out, WIDE_BYTES / 4);
    wide += WIDE_BYTES; out += SCALAR_BYTES;
  }
}

/** out[i] = base^(first + i). Exponents are public, the base is not. */
export function scalarPowers(out: usize, base: usize, first: u32, count: usize): void {
  memory.fill(POWER, 0, SCALAR_BYTES);
  store<u32>(POWER, 1);
  multiply(BASE, base, FR_SQUARE); // base * 2^320: products with it are plain again
  for (let bit = 31; bit >= 0; bit--) {
    multiply(POWER, POWER, POWER);
    multiply(POWER, POWER, FR_SQUARE);
    if ((first >> bit) & 1) multiply(POWER, POWER, BASE);
  }
  for (let i: usize = 0; i < count; i++) {
    memory.copy(out, POWER, SCALAR_BYTES);
    multiply(POWER, POWER, BASE);
    out += SCALAR_BYTES;
  }
}

/**
 * Long division by a divisor of at most 191 bits, one bit a step: `remainder` (24 bytes) = scalar mod divisor, and the
 * scalar becomes the quotient.
 */
export function divide(scalar: usize, divisor: usize, remainder: usize): void {
  const d0 = load<u64>(divisor), d1 = load<u64>(divisor, 8), d2 = load<u64>(divisor, 16);
  let r0: u64 = 0, r1: u64 = 0, r2: u64 = 0;
  let s0 = load<u64>(scalar), s1 = load<u64>(scalar, 8), s2 = load<u64>(scalar, 16), s3 = load<u64>(scalar, 24);
  let s4 = load<u64>(scalar, 32);
  for (let bit = 0; bit < 320; bit++) {
    r2 = (r2 << 1) | (r1 >> 63); r1 = (r1 << 1) | (r0 >> 63); r0 = (r0 << 1) | (s4 >> 63);
    const e0 = r0 - d0, b0 = u64(r0 < d0);
    const f1 = r1 - d1, e1 = f1 - b0, b1 = u64(r1 < d1) | u64(f1 < b0);
    const e2 = r2 - d2 - b1; // below 2^63 unless it is negative
    const keep: u64 = <u64>(<i64>e2 >> 63);
    r0 = (r0 & keep) | (e0 & ~keep); r1 = (r1 & keep) | (e1 & ~keep); r2 = (r2 & keep) | (e2 & ~keep);
    s4 = (s4 << 1) | (s3 >> 63); s3 = (s3 << 1) | (s2 >> 63); s2 = (s2 << 1) | (s1 >> 63);
    s1 = (s1 << 1) | (s0 >> 63); s0 = (s0 << 1) | (~keep & 1);
  }
  store<u64>(remainder, r0); store<u64>(remainder, r1, 8); store<u64>(remainder, r2, 16);
  store<u64>(scalar, s0); store<u64>(scalar, s1, 8); store<u64>(scalar, s2, 16); store<u64>(scalar, s3, 24);
  store<u64>(scalar, s4, 32);
}

/**
 * Digit of weight 2^bit in the signed base 2^width (Booth): -2^(width-1) .. 2^(width-1). A digit depends on width + 1
 * bits only, so no carry runs; the top one must begin with a zero. width <= 24; 8 bytes from the digit on are read.
 */
// @ts-ignore: decorator
@inline
export function signedDigit(scalar: usize, bit: usize, width: usize): i32 {
  const below: usize = bit == 0 ? 0 : bit - 1;
  const word = load<u64>(scalar + (below >> 3)) >> (below & 7);
  const window = (bit == 0 ? u32(word) << 1 : u32(word)) & ((2 << u32(width)) - 1);
  return i32((window >> 1) + (window & 1)) - i32((window >> u32(width)) << u32(width));
}
