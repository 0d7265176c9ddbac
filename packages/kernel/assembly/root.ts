// Square-root bits: from the opened v = a^2 + a and the own share of a to the own share of one random bit (SPEC R9).
// r is the root of r^2 + r = v whose residue has coordinate 0 equal to 0; the bit is (a - r) / -(1 + 2r).
// v is public: only the last product touches a secret, so a data-dependent number of steps would still be safe.
import { product0, product1, product2, product3, gr64Mul, gr64Sub } from "./gr64";
import { gr128Add, gr128Mul, gr128Sub } from "./gr128";

const SCRATCH_BYTES: usize = 384;
const SCRATCH: usize = memory.data(384, 16);
const ROOT64: usize = SCRATCH;
const INVERSE64: usize = SCRATCH + 32;
const NUMERATOR: usize = SCRATCH + 64;
const ROOT: usize = SCRATCH + 128;
const INVERSE: usize = SCRATCH + 192;
const VALUE: usize = SCRATCH + 256;
const PRODUCT: usize = SCRATCH + 320;

/** Wipes the static scratch, in particular r - a of the last element. */
export function wipeRootScratch(): void {
  memory.fill(SCRATCH, 0, SCRATCH_BYTES);
}

/**
 * Stores the canonical root r of r^2 + r = v and (1 + 2r)^-1, both exact mod 2^(2^steps).
 * Residue by linear algebra: v0 = r2, v1 = r1 + r2, v2 = r1 + r2 + r3 over GF(2), solvable iff v3 (the trace) is even.
 */
function solve(v0: u64, v1: u64, v2: u64, v3: u64, steps: u32): void {
  let r0: u64 = 0, r1 = (v0 ^ v1) & 1, r2 = v0 & 1, r3 = (v1 ^ v2) & 1;
  let u0: u64 = 1, u1: u64 = 0, u2: u64 = 0, u3: u64 = 0;
  for (let k: u32 = 0; k < steps; k++) {
    const f0 = product0(r0, r1, r2, r3, r0, r1, r2, r3) + r0 - v0;
    const f1 = product1(r0, r1, r2, r3, r0, r1, r2, r3) + r1 - v1;
    const f2 = product2(r0, r1, r2, r3, r0, r1, r2, r3) + r2 - v2;
    const f3 = product3(r0, r1, r2, r3, r0, r1, r2, r3) + r3 - v3;
    r0 -= product0(f0, f1, f2, f3, u0, u1, u2, u3);
    r1 -= product1(f0, f1, f2, f3, u0, u1, u2, u3);
    r2 -= product2(f0, f1, f2, f3, u0, u1, u2, u3);
    r3 -= product3(f0, f1, f2, f3, u0, u1, u2, u3);
    const d0 = 1 + 2 * r0, d1 = 2 * r1, d2 = 2 * r2, d3 = 2 * r3;
    const w0 = 2 - product0(d0, d1, d2, d3, u0, u1, u2, u3), w1 = 0 - product1(d0, d1, d2, d3, u0, u1, u2, u3);
    const w2 = 0 - product2(d0, d1, d2, d3, u0, u1, u2, u3), w3 = 0 - product3(d0, d1, d2, d3, u0, u1, u2, u3);
    const n0 = product0(u0, u1, u2, u3, w0, w1, w2, w3), n1 = product1(u0, u1, u2, u3, w0, w1, w2, w3);
    const n2 = product2(u0, u1, u2, u3, w0, w1, w2, w3), n3 = product3(u0, u1, u2, u3, w0, w1, w2, w3);
    u0 = n0; u1 = n1; u2 = n2; u3 = n3;
  }
  store<u64>(ROOT64, r0); store<u64>(ROOT64, r1, 8); store<u64>(ROOT64, r2, 16); store<u64>(ROOT64, r3, 24);
  store<u64>(INVERSE64, u0); store<u64>(INVERSE64, u1, 8); store<u64>(INVERSE64, u2, 16); store<u64>(INVERSE64, u3, 24);
}

/** out[i] = (a[i] - r) * -(1+2r)^-1, exact mod 2^(2^steps), steps <= 6. The caller has checked the traces. */
export function gr64BitShares(out: usize, a: usize, v: usize, steps: u32, count: u32): void {
  const end = out + (<usize>count << 5);
  while (out < end) {
    solve(load<u64>(v), load<u64>(v, 8), load<u64>(v, 16), load<u64>(v, 24), steps);
    gr64Sub(NUMERATOR, ROOT64, a, 1);
    gr64Mul(out, NUMERATOR, INVERSE64, 1);
    out += 32; a += 32; v += 32;
  }
}

/** p += small, a u128 at p and a small constant. */
// @ts-ignore: decorator
@inline
function addSmall(p: usize, small: u64): void {
  const sum = load<u64>(p) + small;
  store<u64>(p, load<u64>(p, 8) + u64(sum < small), 8);
  store<u64>(p, sum);
}

/** One Newton step from 2^64 to 2^128 for both the root and the inverse. */
function lift128(v: usize): void {
  gr128Mul(VALUE, ROOT, ROOT, 1);
  gr128Add(VALUE, VALUE, ROOT, 1);
  gr128Sub(VALUE, VALUE, v, 1);
  gr128Mul(PRODUCT, VALUE, INVERSE, 1);
  gr128Sub(ROOT, ROOT, PRODUCT, 1);
  // inverse *= 2 - (1 + 2r) inverse
  gr128Add(VALUE, ROOT, ROOT, 1);
  addSmall(VALUE, 1);
  gr128Mul(PRODUCT, VALUE, INVERSE, 1);
  memory.fill(VALUE, 0, 64);
  store<u64>(VALUE, 2);
  gr128Sub(PRODUCT, VALUE, PRODUCT, 1);
  gr128Mul(VALUE, PRODUCT, INVERSE, 1);
  memory.copy(INVERSE, VALUE, 64);
}

/** As gr64BitShares; up to 6 steps run in 64-bit words, the seventh in 128-bit words. */
export function gr128BitShares(out: usize, a: usize, v: usize, steps: u32, count: u32): void {
  const end = out + (<usize>count << 6);
  while (out < end) {
    solve(load<u64>(v), load<u64>(v, 16), load<u64>(v, 32), load<u64>(v, 48), min<u32>(steps, 6));
    for (let k: usize = 0; k < 4; k++) {
      store<u64>(ROOT + (k << 4), load<u64>(ROOT64 + (k << 3)));
      store<u64>(ROOT + (k << 4), 0, 8);
      store<u64>(INVERSE + (k << 4), load<u64>(INVERSE64 + (k << 3)));
      store<u64>(INVERSE + (k << 4), 0, 8);
    }
    if (steps > 6) lift128(v);
    gr128Sub(NUMERATOR, ROOT, a, 1);
    gr128Mul(out, NUMERATOR, INVERSE, 1);
    out += 64; a += 64; v += 64;
  }
}
