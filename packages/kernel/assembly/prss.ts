// Pseudo-random secret sharing: folds keystream into shares with small signed integer weights, and cuts keystream
// into bounded noise samples (docs/protocols/prss.md).
//
// Keystream of one element is read as signed 16-bit limbs with index limb*4 + coefficient: a bijection of uniform data
// onto uniform data, chosen so that i32x4.dot_i16x8_s adds two coefficients times two weights per lane.
// Sums stay in i32 lanes over all subsets; the facade checks that they cannot overflow.

/**
 * acc[v][row] += weights(row) . keystream[v] for two keystreams at once. One vector v holds 8 limbs; an element has 2
 * (64-bit ring) or 4 (128-bit ring). Weights of a keystream: 4 rows of (m0, m1, m2, m3, m0, m1, m2, m3) i16.
 */
export function prssAccumulate(acc: usize, first: usize, second: usize, weights: usize, vectors: u32): void {
  const w0 = v128.load(weights), w1 = v128.load(weights, 16);
  const w2 = v128.load(weights, 32), w3 = v128.load(weights, 48);
  const x0 = v128.load(weights, 64), x1 = v128.load(weights, 80);
  const x2 = v128.load(weights, 96), x3 = v128.load(weights, 112);
  for (let i: u32 = 0; i < vectors; i++) {
    const u = v128.load(first), v = v128.load(second);
    v128.store(acc, i32x4.add(v128.load(acc), i32x4.add(i32x4.dot_i16x8_s(u, w0), i32x4.dot_i16x8_s(v, x0))));
    v128.store(acc, i32x4.add(v128.load(acc, 16), i32x4.add(i32x4.dot_i16x8_s(u, w1), i32x4.dot_i16x8_s(v, x1))), 16);
    v128.store(acc, i32x4.add(v128.load(acc, 32), i32x4.add(i32x4.dot_i16x8_s(u, w2), i32x4.dot_i16x8_s(v, x2))), 32);
    v128.store(acc, i32x4.add(v128.load(acc, 48), i32x4.add(i32x4.dot_i16x8_s(u, w3), i32x4.dot_i16x8_s(v, x3))), 48);
    first += 16; second += 16; acc += 64;
  }
}

/** Lanes 2h and 2h+1 of an accumulator vector belong to one limb: their sum. */
// @ts-ignore: decorator
@inline
function limb(p: usize): i64 {
  return <i64>load<i32>(p) + <i64>load<i32>(p, 4);
}

/** out[i] coefficient = sum_limb acc << 16*limb */
export function gr64Fold(out: usize, acc: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    for (let row: usize = 0; row < 4; row++) {
      const p = acc + (row << 4);
      store<i64>(out + (row << 3), limb(p) + (limb(p + 8) << 16) + (limb(p + 64) << 32) + (limb(p + 72) << 48));
    }
    out += 32; acc += 128;
  }
}

export function gr128Fold(out: usize, acc: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    for (let row: usize = 0; row < 4; row++) {
      const p = acc + (row << 4);
      // limbs 0..3 as (low, high): each is a signed 33-bit number shifted by less than 64
      const l1 = limb(p + 8), l2 = limb(p + 64), l3 = limb(p + 72);
      let low = <u64>limb(p), high = <u64>(<i64>low >> 63);
      let part = <u64>(l1 << 16);
      low += part; high += <u64>(l1 >> 48) + u64(low < part);
      part = <u64>(l2 << 32);
      low += part; high += <u64>(l2 >> 32) + u64(low < part);
      part = <u64>(l3 << 48);
      low += part; high += <u64>(l3 >> 16) + u64(low < part);
      high += <u64>(limb(p + 128) + (limb(p + 136) << 16) + (limb(p + 192) << 32) + (limb(p + 200) << 48));
      store<u64>(out + (row << 4), low);
      store<u64>(out + (row << 4), high, 8);
    }
    out += 64; acc += 256;
  }
}

/**
 * Word j = u + beta, u = the low `width` bits and beta = bit `width` of the j-th group of `step` keystream bytes.
 * width <= 62. Words are 8 or 16 bytes.
 */
export function noiseWords(out: usize, keystream: usize, step: u32, width: u32, wordBytes: u32, count: u32): void {
  const mask = (<u64>1 << <u64>width) - 1;
  for (let i: u32 = 0; i < count; i++) {
    const bits = load<u64>(keystream);
    store<u64>(out, (bits & mask) + ((bits >> <u64>width) & 1));
    if (wordBytes == 16) store<u64>(out, 0, 8);
    out += wordBytes; keystream += step;
  }
}

/**
 * Word j = u + u' - 2^width modulo 2^128, u and u' the low `width` bits of two groups of 16 keystream bytes each: two
 * samples of [-2^(width-1), 2^(width-1)). 64 < width < 127.
 */
export function floodWords(out: usize, keystream: usize, width: u32, count: u32): void {
  const mask = (<u64>1 << <u64>(width - 64)) - 1;
  for (let i: u32 = 0; i < count; i++) {
    const low = load<u64>(keystream), sum = low + load<u64>(keystream, 16);
    const high = (load<u64>(keystream, 8) & mask) + (load<u64>(keystream, 24) & mask) + u64(sum < low);
    store<u64>(out, sum);
    store<u64>(out, high - mask - 1, 8);
    out += 16; keystream += 32;
  }
}
