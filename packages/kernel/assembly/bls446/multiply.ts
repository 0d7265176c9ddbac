// Multiplication of points by secret scalars. k is written in base L, L the factor of the endomorphism, so that
// [k] P = sum_i [k_i] P_i with P_(i+1) = endomorphism(P_i): 2 parts of 150 bits in G1 (GLV), 4 of 75 in G2 (GLS).
// Every part runs through the same windows of 4 bits; a digit selects its multiple by reading the whole table, its sign
// by a mask, and digit zero by discarding the sum. Time and addresses depend on the number of points only.
import { X_ABSOLUTE, X_SQUARED } from "../../build/bls446-field";
import { isZeroWord, negate, select, size, Fp, Fp2 } from "./coordinate";
import {
  addAffine, affineBytes, double, normalise, packPoints, projectiveBytes, setInfinity, toProjective, unpackPoints,
} from "./point";
import { divide, SCALAR_BYTES, scalarPowers, signedDigit } from "./scalar";
import { MULTIPLY_SCRATCH as SCRATCH } from "./scratch";
import { endomorphism } from "./subgroup";

const WIDTH: usize = 4;
const MULTIPLES: usize = 8; // 1 .. 2^(WIDTH-1)
const PART_BYTES: usize = 32; // 24, and what signedDigit may read past them

const QUOTIENT: usize = SCRATCH;
const DIGITS: usize = QUOTIENT + 64;
const ENTRY: usize = DIGITS + 4 * PART_BYTES;
const SUM: usize = ENTRY + affineBytes<Fp2>();
const TABLES: usize = SUM + projectiveBytes<Fp2>();

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
/** Bytes of the multiples 1..8 of one point, affine. */
// @ts-ignore: decorator
@inline
function tableBytes<F>(): usize {
  return MULTIPLES * affineBytes<F>();
}

/** Working memory of `multiplyPoints` per point: multiples, projective and affine, products and two points. */
export function multiplyBytes<F>(): usize {
  return MULTIPLES * (projectiveBytes<F>() + affineBytes<F>() + size<F>()) + projectiveBytes<F>() + affineBytes<F>();
}

/**
 * out[i] = [scalars[i]] points[i] in stored bytes. Infinity needs no case of its own: adding (0, 0) as if it were a
 * point gives (0 : 0 : 0), and what has Z = 0 is stored as infinity.
 */
export function multiplyPoints<F>(out: usize, points: usize, scalars: usize, count: usize, work: usize): void {
  const affine = work, projective = affine + count * affineBytes<F>();
  const tables = projective + count * projectiveBytes<F>(), multiples = tables + count * tableBytes<F>();
  const products = multiples + count * MULTIPLES * projectiveBytes<F>();
  unpackPoints<F>(affine, points, count);
  for (let i: usize = 0; i < count; i++) {
    listMultiples<F>(multiples + i * MULTIPLES * projectiveBytes<F>(), affine + i * affineBytes<F>());
  }
  normalise<F>(tables, multiples, count * MULTIPLES, products);
  for (let i: usize = 0; i < count; i++) {
    const result = projective + i * projectiveBytes<F>();
    multiplyOne<F>(result, tables + i * tableBytes<F>(), scalars + i * SCALAR_BYTES);
  }
  normalise<F>(affine, projective, count, products);
  packPoints<F>(out, affine, count);
}

/** out[i] = [base^(first + i)] points[i]; `powers` has room for `count` scalars. */
export function multiplyPointsByPowers<F>(
  out: usize, points: usize, base: usize, first: u32, powers: usize, count: usize, work: usize,
): void {
  scalarPowers(powers, base, first, count);
  multiplyPoints<F>(out, points, powers, count, work);
}

/** out = p, 2p, ..., 8p, projective. */
function listMultiples<F>(out: usize, p: usize): void {
  toProjective<F>(out, p);
  for (let i: usize = 1; i < MULTIPLES; i++) {
    addAffine<F>(out + i * projectiveBytes<F>(), out + (i - 1) * projectiveBytes<F>(), p);
  }
}

/** o = [scalar] p, projective, from the affine multiples of p. */
function multiplyOne<F>(o: usize, multiples: usize, scalar: usize): void {
  memory.copy(QUOTIENT, scalar, SCALAR_BYTES);
  memory.copy(TABLES, multiples, tableBytes<F>());
  for (let part: usize = 0; part < parts<F>(); part++) {
    divide(QUOTIENT, size<F>() == size<Fp>() ? X_SQUARED : X_ABSOLUTE, DIGITS + part * PART_BYTES);
    if (part > 0) mapTable<F>(TABLES + part * tableBytes<F>());
  }
  setInfinity<F>(o);
  for (let window = windows<F>(); window-- > 0; ) {
    for (let i: usize = 0; i < WIDTH; i++) double<F>(o, o);
    for (let part: usize = 0; part < parts<F>(); part++) {
      const digit = signedDigit(DIGITS + part * PART_BYTES, window * WIDTH, WIDTH);
      selectMultiple<F>(ENTRY, TABLES + part * tableBytes<F>(), digit);
      addAffine<F>(SUM, o, ENTRY);
      select(o, isZeroWord(<u64>digit), o, SUM, projectiveBytes<F>());
    }
  }
}

/** The table at `out` becomes the image of the one before it. */
function mapTable<F>(out: usize): void {
  for (let at = out; at < out + tableBytes<F>(); at += affineBytes<F>()) {
    const from = at - tableBytes<F>();
    endomorphism<F>(at, at + size<F>(), from, from + size<F>());
  }
}

/** o = [digit] p from its multiples, (0, 0) for 0. Reads the whole table. */
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
  negate<F>(SUM, o + size<F>());
  select(o + size<F>(), <u64><i64>sign, SUM, o + size<F>(), size<F>());
}

// @ts-ignore: decorator
@inline
function equalMask(a: i32, b: i32): v128 {
  return i32x4.eq(i32x4.splat(a), i32x4.splat(b));
}
