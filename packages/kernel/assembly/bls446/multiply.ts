// Multiplication of points by secret scalars. k is written in base L, L the factor of the endomorphism, so that
// [k] P = sum_i [k_i] P_i with P_(i+1) = endomorphism(P_i): 2 parts of 150 bits in G1 (GLV), 4 of 75 in G2 (GLS).
// Every part runs through the same windows of 4 bits, for all points at once, since sums of affine points are cheap in
// numbers; a digit selects its multiple by reading the whole table, its sign by a mask, and digit zero is infinity.
// Time and addresses depend on the number of points only.
import { X_ABSOLUTE, X_SQUARED } from "../../build/bls446-field";
import {
  addPairs, ADDRESS, affineBytes, doubleAll, listAddresses, packPoints, pairBytes, storedBytes, unpackPoints,
} from "./affine";
import { negate, select, size, Fp } from "./coordinate";
import { divide, SCALAR_BYTES, scalarPowers, signedDigit } from "./scalar";
import { MULTIPLY_SCRATCH as SCRATCH } from "./scratch";
import { endomorphism } from "./subgroup";

const WIDTH: usize = 4;
const MULTIPLES: usize = 8; // 1 .. 2^(WIDTH-1)
const PART_BYTES: usize = 32; // 24, and what signedDigit may read past them

const QUOTIENT: usize = SCRATCH;
const NEGATIVE: usize = QUOTIENT + 64;

// @ts-ignore: decorator
@inline
function parts<F>(): usize {
  return size<F>() == size<Fp>() ? 2 : 4;
}
/** Windows of a part: 4 * 38 and 4 * 19 bits hold 150 and 75 bits and a zero for the sign. */
// @ts-ignore: decorator
@inline
function windows<F>(): usize {
  return size<F>() == size<Fp>() ? 38 : 19;
}
/** Bytes of the multiples 1..8 of one point. */
// @ts-ignore: decorator
@inline
function tableBytes<F>(): usize {
  return MULTIPLES * affineBytes<F>();
}

/** Working memory of `multiplyPoints` per point: per part its multiples and digits; sum, entry, and their pair. */
export function multiplyBytes<F>(): usize {
  return parts<F>() * (tableBytes<F>() + PART_BYTES) + 2 * affineBytes<F>() + pairBytes<F>() + 2 * ADDRESS;
}

/** out[i] = [scalars[i]] points[i] in stored bytes. */
export function multiplyPoints<F>(out: usize, points: usize, scalars: usize, count: usize, work: usize): void {
  const P = parts<F>(), tables = work, digits = tables + count * P * tableBytes<F>();
  const sums = digits + count * P * PART_BYTES, entries = sums + count * affineBytes<F>();
  const pairs = entries + count * affineBytes<F>();
  const lefts = pairs + count * pairBytes<F>(), rights = lefts + count * ADDRESS;
  listMultiples<F>(tables, points, count, pairs);
  for (let part: usize = 1; part < P; part++) mapTables<F>(tables + part * count * tableBytes<F>(), count);
  for (let i: usize = 0; i < count; i++) split<F>(digits + i * P * PART_BYTES, scalars + i * SCALAR_BYTES);
  memory.fill(sums, 0, count * affineBytes<F>()); // infinity
  listAddresses(lefts, sums, affineBytes<F>(), count);
  listAddresses(rights, entries, affineBytes<F>(), count);
  for (let window = windows<F>(); window-- > 0; ) {
    if (window != windows<F>() - 1) {
      for (let i: usize = 0; i < WIDTH; i++) doubleAll<F>(sums, count, pairs);
    }
    for (let part: usize = 0; part < P; part++) {
      for (let i: usize = 0; i < count; i++) {
        const digit = signedDigit(digits + (i * P + part) * PART_BYTES, window * WIDTH, WIDTH);
        selectMultiple<F>(entries + i * affineBytes<F>(), tables + (part * count + i) * tableBytes<F>(), digit);
      }
      addPairs<F>(lefts, rights, count, pairs, true);
    }
  }
  packPoints<F>(out, sums, count);
}

/** out[i] = [base^(first + i)] points[i]; `powers` has room for `count` scalars. */
export function multiplyPointsByPowers<F>(
  out: usize, points: usize, base: usize, first: u32, powers: usize, count: usize, work: usize,
): void {
  scalarPowers(powers, base, first, count);
  multiplyPoints<F>(out, points, powers, count, work);
}

/** A table for each point: p, 2p, ..., 8p. `pairs` has room for the sums and the addresses. */
function listMultiples<F>(tables: usize, points: usize, count: usize, pairs: usize): void {
  const step = tableBytes<F>(), lefts = pairs + count * pairBytes<F>(), rights = lefts + count * ADDRESS;
  for (let i: usize = 0; i < count; i++) unpackPoints<F>(tables + i * step, points + i * storedBytes<F>(), 1);
  listAddresses(rights, tables, step, count);
  for (let multiple: usize = 1; multiple < MULTIPLES; multiple++) {
    const last = tables + (multiple - 1) * affineBytes<F>(), next = last + affineBytes<F>();
    for (let i: usize = 0; i < count; i++) memory.copy(next + i * step, last + i * step, affineBytes<F>());
    listAddresses(lefts, next, step, count);
    addPairs<F>(lefts, rights, count, pairs, true);
  }
}

/** The digits of a scalar in base L, one part after the other. */
function split<F>(digits: usize, scalar: usize): void {
  memory.copy(QUOTIENT, scalar, SCALAR_BYTES);
  for (let part: usize = 0; part < parts<F>(); part++) {
    divide(QUOTIENT, size<F>() == size<Fp>() ? X_SQUARED : X_ABSOLUTE, digits + part * PART_BYTES);
  }
}

/** The tables at `out` become the images of as many before them. */
function mapTables<F>(out: usize, count: usize): void {
  const bytes = count * tableBytes<F>();
  for (let at = out; at < out + bytes; at += affineBytes<F>()) {
    endomorphism<F>(at, at + size<F>(), at - bytes, at - bytes + size<F>());
  }
}

/** o = [digit] p from its multiples, infinity for 0. Reads the whole table. */
function selectMultiple<F>(o: usize, table: usize, digit: i32): void {
  const sign = digit >> 31, magnitude = (digit ^ sign) - sign, step = affineBytes<F>();
  const is1 = equalMask(magnitude, 1), is2 = equalMask(magnitude, 2), is3 = equalMask(magnitude, 3);
  const is4 = equalMask(magnitude, 4), is5 = equalMask(magnitude, 5), is6 = equalMask(magnitude, 6);
  const is7 = equalMask(magnitude, 7), is8 = equalMask(magnitude, 8);
  for (let at = table; at < table + step; at += 16) {
    let chosen = v128.and(v128.load(at), is1);
    chosen = v128.or(chosen, v128.and(v128.load(at + step), is2));
    chosen = v128.or(chosen, v128.and(v128.load(at + 2 * step), is3));
    chosen = v128.or(chosen, v128.and(v128.load(at + 3 * step), is4));
    chosen = v128.or(chosen, v128.and(v128.load(at + 4 * step), is5));
    chosen = v128.or(chosen, v128.and(v128.load(at + 5 * step), is6));
    chosen = v128.or(chosen, v128.and(v128.load(at + 6 * step), is7));
    chosen = v128.or(chosen, v128.and(v128.load(at + 7 * step), is8));
    v128.store(o + at - table, chosen);
  }
  negate<F>(NEGATIVE, o + size<F>());
  select(o + size<F>(), <u64><i64>sign, NEGATIVE, o + size<F>(), size<F>());
}

// @ts-ignore: decorator
@inline
function equalMask(a: i32, b: i32): v128 {
  return i32x4.eq(i32x4.splat(a), i32x4.splat(b));
}
