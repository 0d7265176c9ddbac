// Sums over many points with public scalars: branches and addresses depend on the data. Points are collected in buckets
// by a digit of their scalar: all buckets grow at once, in pairs of affine points, and are combined one by one.
import { addPairs, ADDRESS, affineBytes, infinityMask, packPoints, pairBytes } from "./affine";
import { negate, size } from "./coordinate";
import { addAffine, addPoints, double, projectiveBytes, setInfinity, toAffine, toProjective } from "./point";
import { SCALAR_BYTES, signedDigit } from "./scalar";
import { MULTIPLY_SCRATCH as SCRATCH } from "./scratch";

const SCALAR_BITS: usize = 299;
const SUBSETS: usize = 8; // of one call: one byte chooses for a point
const WORD: usize = 4; // of digits, counts and places

/** Working memory of a sum per point: its digit, a copy of it, and half of a pair of such copies. */
export function collectBytes<F>(): usize {
  return WORD + affineBytes<F>() + pairBytes<F>() / 2 + ADDRESS;
}
/** And per bucket, of which there is one for zero: how many points, where they begin, and their sum. */
export function bucketBytes<F>(): usize {
  return 2 * WORD + projectiveBytes<F>();
}

/**
 * out = sum_i [scalars[i]] points[i] in stored bytes (Pippenger): per window, points are collected by the size of their
 * digit. `points` are affine limbs; `work` has room for `count` points and 2^(width-1) + 1 buckets.
 */
export function multiScalar<F>(
  out: usize, points: usize, scalars: usize, count: usize, width: usize, work: usize,
): void {
  const total = SCRATCH, sum = total + projectiveBytes<F>(), running = sum + projectiveBytes<F>();
  const digits = work, buckets = digits + count * WORD, last: usize = 1 << (width - 1);
  setInfinity<F>(total);
  for (let window = SCALAR_BITS / width + 1; window-- > 0; ) {
    for (let i: usize = 0; i < width; i++) double<F>(total, total);
    for (let i: usize = 0; i < count; i++) {
      store<i32>(digits + i * WORD, signedDigit(scalars + i * SCALAR_BYTES, window * width, width));
    }
    collect<F>(buckets, last, points, digits, count);
    setInfinity<F>(sum);
    setInfinity<F>(running);
    for (let bucket = last; bucket > 0; bucket--) { // counts `bucket` times
      const collected = collectedAt<F>(buckets, last, bucket);
      if (collected) addAffine<F>(running, running, collected);
      addPoints<F>(sum, sum, running);
    }
    addPoints<F>(total, total, sum);
  }
  toAffine<F>(sum, total);
  packPoints<F>(out, sum, 1);
}

/**
 * sums[j] = the sum of the points whose byte in `choices` has bit j, j < 8, projective. `points` are anything on the
 * curve; `work` has room for `count` points and 256 buckets.
 */
export function subsetSums<F>(sums: usize, points: usize, choices: usize, count: usize, work: usize): void {
  const P = projectiveBytes<F>(), last: usize = (1 << SUBSETS) - 1;
  const totals = work, digits = totals + (last + 1) * P, buckets = digits + count * WORD;
  for (let i: usize = 0; i < count; i++) store<i32>(digits + i * WORD, load<u8>(choices + i));
  collect<F>(buckets, last, points, digits, count);
  setInfinity<F>(totals);
  for (let bucket: usize = 1; bucket <= last; bucket++) {
    const collected = collectedAt<F>(buckets, last, bucket);
    if (collected) toProjective<F>(totals + bucket * P, collected);
    else setInfinity<F>(totals + bucket * P);
  }
  for (let j = SUBSETS; j-- > 0; ) { // the upper half has bit j; then it joins the lower one
    const half: usize = 1 << j, sum = sums + j * P;
    setInfinity<F>(sum);
    for (let i: usize = 0; i < half; i++) {
      addPoints<F>(sum, sum, totals + (half + i) * P);
      addPoints<F>(totals + i * P, totals + i * P, totals + (half + i) * P);
    }
  }
}

/**
 * Adds up the points of equal digits, 1 .. last; negative digits collect negated points, digit 0 nothing. At `buckets`:
 * how many points each has left, the place where they begin, the points in the order of buckets, and their pairs.
 */
function collect<F>(buckets: usize, last: usize, points: usize, digits: usize, count: usize): void {
  const counts = buckets, places = placesOf(buckets, last), sorted = sortedOf(buckets, last);
  const pairs = sorted + count * affineBytes<F>();
  const lefts = pairs + count / 2 * pairBytes<F>(), rights = lefts + count / 2 * ADDRESS;
  sortPoints<F>(buckets, last, points, digits, count);
  for (;;) { // every bucket folds its second half onto the first, until one point is left
    let found: usize = 0;
    for (let bucket: usize = 1; bucket <= last; bucket++) {
      const all: usize = load<u32>(counts + bucket * WORD), kept = all - all / 2;
      const first = sorted + <usize>load<u32>(places + bucket * WORD) * affineBytes<F>();
      for (let i: usize = kept; i < all; i++, found++) {
        store<u32>(lefts + found * ADDRESS, u32(first + (i - kept) * affineBytes<F>()));
        store<u32>(rights + found * ADDRESS, u32(first + i * affineBytes<F>()));
      }
      store<u32>(counts + bucket * WORD, u32(kept));
    }
    if (found == 0) return;
    addPairs<F>(lefts, rights, found, pairs, false);
  }
}

/** Counting sort of the points, or their negatives, by the size of their digits. */
function sortPoints<F>(buckets: usize, last: usize, points: usize, digits: usize, count: usize): void {
  const counts = buckets, places = placesOf(buckets, last), sorted = sortedOf(buckets, last);
  memory.fill(counts, 0, (last + 1) * WORD);
  for (let i: usize = 0; i < count; i++) increment(counts + <usize>abs(load<i32>(digits + i * WORD)) * WORD);
  let place: u32 = 0;
  for (let bucket: usize = 1; bucket <= last; bucket++) {
    store<u32>(places + bucket * WORD, place);
    place += load<u32>(counts + bucket * WORD);
  }
  for (let i: usize = 0; i < count; i++) {
    const digit = load<i32>(digits + i * WORD);
    if (digit == 0) continue;
    const o = sorted + <usize>increment(places + <usize>abs(digit) * WORD) * affineBytes<F>();
    memory.copy(o, points + i * affineBytes<F>(), affineBytes<F>());
    if (digit < 0) negate<F>(o + size<F>(), o + size<F>());
  }
  for (let bucket: usize = 1; bucket <= last; bucket++) { // from their ends back to their beginnings
    const at = places + bucket * WORD;
    store<u32>(at, load<u32>(at) - load<u32>(counts + bucket * WORD));
  }
}

/** The affine sum of a collected bucket, or 0 when it is infinity. */
function collectedAt<F>(buckets: usize, last: usize, bucket: usize): usize {
  if (load<u32>(buckets + bucket * WORD) == 0) return 0;
  const place: usize = load<u32>(placesOf(buckets, last) + bucket * WORD);
  const sum = sortedOf(buckets, last) + place * affineBytes<F>();
  return infinityMask<F>(sum) ? 0 : sum;
}

// @ts-ignore: decorator
@inline
function placesOf(buckets: usize, last: usize): usize {
  return buckets + (last + 1) * WORD;
}
// @ts-ignore: decorator
@inline
function sortedOf(buckets: usize, last: usize): usize {
  return buckets + 2 * (last + 1) * WORD;
}

/** The number at this address, which becomes one more. */
function increment(at: usize): u32 {
  const before = load<u32>(at);
  store<u32>(at, before + 1);
  return before;
}
