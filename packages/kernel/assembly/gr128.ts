// GR(2^128,4) = (Z/2^128)[X]/(X^4+X+1). One element: 4 x u128 little-endian, 64 bytes, low degree first.
// WASM has no wide multiply, so a 128-bit product takes 6 i64.mul: the low words are cut into 32-bit halves and each
// output column keeps three u64 sums of weight 2^0, 2^32, 2^64. Carries are resolved once per column, which is exact
// for fewer than 2^30 terms (each term adds less than 3*2^32 to the middle sum).
// An output may be the same address as an input of equal step; no other overlap is allowed.

const MASK: u64 = 0xffffffff;
const COLUMNS: usize = memory.data(7 * 16, 16); // d_0..d_6 of the product in progress

/** Wipes the static scratch: column sums of the last product. */
export function wipeColumns(): void {
  memory.fill(COLUMNS, 0, 7 * 16);
}

/** d = sum over columns j and terms k of a_j[i+k] * b_j[top-k]; a_j steps by aStride, b_j by 64 bytes. */
// @ts-ignore: decorator
@inline
function column(
  d: usize, a: usize, aStride: usize, b: usize, columns: u32, first: usize, top: usize, terms: usize,
): void {
  let low: u64 = 0, middle: u64 = 0, high: u64 = 0;
  a += first << 4;
  b += top << 4;
  for (let j: u32 = 0; j < columns; j++) {
    for (let k: usize = 0; k < terms << 4; k += 16) {
      const x = load<u64>(a + k), y = load<u64>(b - k);
      const xl = x & MASK, xh = x >> 32, yl = y & MASK, yh = y >> 32;
      const p = xl * yl, q = xl * yh, r = xh * yl;
      low += p & MASK;
      middle += (p >> 32) + (q & MASK) + (r & MASK);
      high += xh * yh + (q >> 32) + (r >> 32) + x * load<u64>(b - k, 8) + load<u64>(a + k, 8) * y;
    }
    a += aStride; b += 64;
  }
  const carried = middle + (low >> 32);
  store<u64>(d, (low & MASK) | (carried << 32));
  store<u64>(d, high + (carried >> 32), 8);
}

// @ts-ignore: decorator
@inline
function columns(a: usize, aStride: usize, b: usize, count: u32): void {
  column(COLUMNS, a, aStride, b, count, 0, 0, 1);
  column(COLUMNS + 16, a, aStride, b, count, 0, 1, 2);
  column(COLUMNS + 32, a, aStride, b, count, 0, 2, 3);
  column(COLUMNS + 48, a, aStride, b, count, 0, 3, 4);
  column(COLUMNS + 64, a, aStride, b, count, 1, 3, 3);
  column(COLUMNS + 80, a, aStride, b, count, 2, 3, 2);
  column(COLUMNS + 96, a, aStride, b, count, 3, 3, 1);
}

// @ts-ignore: decorator
@inline
function addTo(p: usize, low: u64, high: u64): void {
  const sum = load<u64>(p) + low;
  store<u64>(p, load<u64>(p, 8) + high + u64(sum < low), 8);
  store<u64>(p, sum);
}

// @ts-ignore: decorator
@inline
function subtractFrom(p: usize, low: u64, high: u64): void {
  const old = load<u64>(p);
  store<u64>(p, old - low);
  store<u64>(p, load<u64>(p, 8) - high - u64(old < low), 8);
}

/** Stores (d0-d4, d1-d4-d5, d2-d5-d6, d3-d6) at out. */
// @ts-ignore: decorator
@inline
function reduce(out: usize): void {
  const l4 = load<u64>(COLUMNS, 64), h4 = load<u64>(COLUMNS, 72), l5 = load<u64>(COLUMNS, 80);
  const h5 = load<u64>(COLUMNS, 88), l6 = load<u64>(COLUMNS, 96), h6 = load<u64>(COLUMNS, 104);
  const l0 = load<u64>(COLUMNS), l1 = load<u64>(COLUMNS, 16), l2 = load<u64>(COLUMNS, 32), l3 = load<u64>(COLUMNS, 48);
  store<u64>(out, l0 - l4);
  store<u64>(out, load<u64>(COLUMNS, 8) - h4 - u64(l0 < l4), 8);
  const x = l1 - l4, y = l2 - l5;
  store<u64>(out, x - l5, 16);
  store<u64>(out, load<u64>(COLUMNS, 24) - h4 - u64(l1 < l4) - h5 - u64(x < l5), 24);
  store<u64>(out, y - l6, 32);
  store<u64>(out, load<u64>(COLUMNS, 40) - h5 - u64(l2 < l5) - h6 - u64(y < l6), 40);
  store<u64>(out, l3 - l6, 48);
  store<u64>(out, load<u64>(COLUMNS, 56) - h6 - u64(l3 < l6), 56);
}

/** out[i] = a[i] + b[i] */
export function gr128Add(out: usize, a: usize, b: usize, count: u32): void {
  const end = out + (<usize>count << 6);
  while (out < end) {
    const x = load<u64>(a), sum = x + load<u64>(b);
    store<u64>(out, load<u64>(a, 8) + load<u64>(b, 8) + u64(sum < x), 8);
    store<u64>(out, sum);
    out += 16; a += 16; b += 16;
  }
}

/** out[i] = a[i] - b[i] */
export function gr128Sub(out: usize, a: usize, b: usize, count: u32): void {
  const end = out + (<usize>count << 6);
  while (out < end) {
    const x = load<u64>(a), y = load<u64>(b);
    store<u64>(out, load<u64>(a, 8) - load<u64>(b, 8) - u64(x < y), 8);
    store<u64>(out, x - y);
    out += 16; a += 16; b += 16;
  }
}

/** out[i] = a[i] * b[i] */
export function gr128Mul(out: usize, a: usize, b: usize, count: u32): void {
  const end = out + (<usize>count << 6);
  while (out < end) {
    columns(a, 0, b, 1);
    reduce(out);
    out += 64; a += 64; b += 64;
  }
}

/** One matrix row: out[i] = sum_j constants[j] * inputs[j][i]; input batch j starts at inputs + j*stride. */
export function gr128Row(out: usize, constants: usize, inputs: usize, stride: usize, width: u32, count: u32): void {
  const end = out + (<usize>count << 6);
  while (out < end) {
    columns(inputs, stride, constants, width);
    reduce(out);
    out += 64; inputs += 64;
  }
}

/** out[r] = sum_j masks[r][j] * key[j]: rows of `dimension` public 128-bit words, key of elements. */
export function gr128InnerProducts(out: usize, masks: usize, key: usize, dimension: u32, rows: u32): void {
  for (let r: u32 = 0; r < rows; r++) {
    for (let k: usize = 0; k < 64; k += 16) column(out + k, masks, 16, key + k, dimension, 0, 0, 1);
    out += 64; masks += <usize>dimension << 4;
  }
}

/** Adds (x & mask) at p, or subtracts it. */
// @ts-ignore: decorator
@inline
function addMasked(p: usize, low: u64, high: u64, mask: u64): void {
  addTo(p, low & mask, high & mask);
}
// @ts-ignore: decorator
@inline
function subMasked(p: usize, low: u64, high: u64, mask: u64): void {
  subtractFrom(p, low & mask, high & mask);
}

/** Horner step: out[i] = c[i] * alpha + a[i], alpha = the point whose bits are coefficients. Adds and masks only. */
export function gr128Horner(out: usize, c: usize, a: usize, point: u32, count: u32): void {
  const end = out + (<usize>count << 6);
  const m0: u64 = 0 - <u64>(point & 1), m1: u64 = 0 - <u64>((point >> 1) & 1);
  const m2: u64 = 0 - <u64>((point >> 2) & 1), m3: u64 = 0 - <u64>((point >> 3) & 1);
  while (out < end) {
    const l0 = load<u64>(c), h0 = load<u64>(c, 8), l1 = load<u64>(c, 16), h1 = load<u64>(c, 24);
    const l2 = load<u64>(c, 32), h2 = load<u64>(c, 40), l3 = load<u64>(c, 48), h3 = load<u64>(c, 56);
    // X c = (-c3, x, c1, c2), X^2 c = (-c2, -y, x, c1), X^3 c = (-c1, -z, -y, x)
    const xl = l0 - l3, xh = h0 - h3 - u64(l0 < l3);
    const yl = l3 + l2, yh = h3 + h2 + u64(yl < l2);
    const zl = l2 + l1, zh = h2 + h1 + u64(zl < l1);
    memory.copy(out, a, 64);
    addMasked(out, l0, h0, m0); addMasked(out + 16, l1, h1, m0);
    addMasked(out + 32, l2, h2, m0); addMasked(out + 48, l3, h3, m0);
    subMasked(out, l3, h3, m1); addMasked(out + 16, xl, xh, m1);
    addMasked(out + 32, l1, h1, m1); addMasked(out + 48, l2, h2, m1);
    subMasked(out, l2, h2, m2); subMasked(out + 16, yl, yh, m2);
    addMasked(out + 32, xl, xh, m2); addMasked(out + 48, l1, h1, m2);
    subMasked(out, l1, h1, m3); subMasked(out + 16, zl, zh, m3);
    subMasked(out + 32, yl, yh, m3); addMasked(out + 48, xl, xh, m3);
    out += 64; c += 64; a += 64;
  }
}

/** d_column = sum of the four coefficients a[4i+k] at degree column-k. */
// @ts-ignore: decorator
@inline
function gatherColumn(a: usize, k: usize, degree: usize, d: usize): void {
  const p = a + (k << 6) + (degree << 4);
  addTo(COLUMNS + (d << 4), load<u64>(p), load<u64>(p, 8));
}

/** out[i] = a[4i] + X a[4i+1] + X^2 a[4i+2] + X^3 a[4i+3], for any elements a. */
export function gr128Pack4(out: usize, a: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    memory.fill(COLUMNS, 0, 7 * 16);
    for (let k: usize = 0; k < 4; k++) {
      for (let degree: usize = 0; degree < 4; degree++) gatherColumn(a, k, degree, k + degree);
    }
    reduce(out);
    out += 64; a += 256;
  }
}

/** out[i] = sum_j 2^j bits[i*width + j] */
export function gr128CombineBits(out: usize, bits: usize, width: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    for (let k: usize = 0; k < 64; k += 16) {
      let low: u64 = 0, high: u64 = 0;
      for (let p = bits + (<usize>width << 6); p > bits; ) {
        p -= 64;
        const bit = load<u64>(p + k), sum = (low << 1) + bit;
        high = (high << 1) + (low >> 63) + load<u64>(p + k, 8) + u64(sum < bit);
        low = sum;
      }
      store<u64>(out + k, low);
      store<u64>(out + k, high, 8);
    }
    out += 64; bits += <usize>width << 6;
  }
}
