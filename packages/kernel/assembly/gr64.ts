// GR(2^64,4) = (Z/2^64)[X]/(X^4+X+1). One element: 4 x u64 little-endian, 32 bytes, low degree first.
// X^4 = -X-1, X^5 = -X^2-X, X^6 = -X^3-X^2; with columns d_k = sum_{i+j=k} a_i b_j the product is
// (d0-d4, d1-d4-d5, d2-d5-d6, d3-d6). Schoolbook beats Karatsuba here: 9-multiplication code spills registers.
// An output may be the same address as an input of equal step; no other overlap is allowed.

// One coefficient of a product each. Written as expressions because AssemblyScript has no multi-value return;
// the engine's value numbering shares the common column sums.
// @ts-ignore: decorator
@inline
export function product0(a0: u64, a1: u64, a2: u64, a3: u64, b0: u64, b1: u64, b2: u64, b3: u64): u64 {
  return a0 * b0 - (a1 * b3 + a2 * b2 + a3 * b1);
}
// @ts-ignore: decorator
@inline
export function product1(a0: u64, a1: u64, a2: u64, a3: u64, b0: u64, b1: u64, b2: u64, b3: u64): u64 {
  return a0 * b1 + a1 * b0 - (a1 * b3 + a2 * b2 + a3 * b1) - (a2 * b3 + a3 * b2);
}
// @ts-ignore: decorator
@inline
export function product2(a0: u64, a1: u64, a2: u64, a3: u64, b0: u64, b1: u64, b2: u64, b3: u64): u64 {
  return a0 * b2 + a1 * b1 + a2 * b0 - (a2 * b3 + a3 * b2) - a3 * b3;
}
// @ts-ignore: decorator
@inline
export function product3(a0: u64, a1: u64, a2: u64, a3: u64, b0: u64, b1: u64, b2: u64, b3: u64): u64 {
  return a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 - a3 * b3;
}

/** out[i] = a[i] + b[i] */
export function gr64Add(out: usize, a: usize, b: usize, count: u32): void {
  const end = out + (<usize>count << 5);
  while (out < end) {
    v128.store(out, i64x2.add(v128.load(a), v128.load(b)));
    v128.store(out, i64x2.add(v128.load(a, 16), v128.load(b, 16)), 16);
    out += 32; a += 32; b += 32;
  }
}

/** out[i] = a[i] - b[i] */
export function gr64Sub(out: usize, a: usize, b: usize, count: u32): void {
  const end = out + (<usize>count << 5);
  while (out < end) {
    v128.store(out, i64x2.sub(v128.load(a), v128.load(b)));
    v128.store(out, i64x2.sub(v128.load(a, 16), v128.load(b, 16)), 16);
    out += 32; a += 32; b += 32;
  }
}

/** out[i] = a[i] * b[i] */
export function gr64Mul(out: usize, a: usize, b: usize, count: u32): void {
  const end = out + (<usize>count << 5);
  while (out < end) {
    const a0 = load<u64>(a), a1 = load<u64>(a, 8), a2 = load<u64>(a, 16), a3 = load<u64>(a, 24);
    const b0 = load<u64>(b), b1 = load<u64>(b, 8), b2 = load<u64>(b, 16), b3 = load<u64>(b, 24);
    store<u64>(out, product0(a0, a1, a2, a3, b0, b1, b2, b3));
    store<u64>(out, product1(a0, a1, a2, a3, b0, b1, b2, b3), 8);
    store<u64>(out, product2(a0, a1, a2, a3, b0, b1, b2, b3), 16);
    store<u64>(out, product3(a0, a1, a2, a3, b0, b1, b2, b3), 24);
    out += 32; a += 32; b += 32;
  }
}

/** One matrix row: out[i] = sum_j constants[j] * inputs[j][i]; input batch j starts at inputs + j*stride. */
export function gr64Row(out: usize, constants: usize, inputs: usize, stride: usize, columns: u32, count: u32): void {
  const end = out + (<usize>count << 5);
  while (out < end) {
    let d0: u64 = 0, d1: u64 = 0, d2: u64 = 0, d3: u64 = 0, d4: u64 = 0, d5: u64 = 0, d6: u64 = 0;
    let a = inputs, b = constants;
    for (let j: u32 = 0; j < columns; j++) {
      const a0 = load<u64>(a), a1 = load<u64>(a, 8), a2 = load<u64>(a, 16), a3 = load<u64>(a, 24);
      const b0 = load<u64>(b), b1 = load<u64>(b, 8), b2 = load<u64>(b, 16), b3 = load<u64>(b, 24);
      d0 += a0 * b0;
      d1 += a0 * b1 + a1 * b0;
      d2 += a0 * b2 + a1 * b1 + a2 * b0;
      d3 += a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0;
      d4 += a1 * b3 + a2 * b2 + a3 * b1;
      d5 += a2 * b3 + a3 * b2;
      d6 += a3 * b3;
      a += stride; b += 32;
    }
    store<u64>(out, d0 - d4);
    store<u64>(out, d1 - d4 - d5, 8);
    store<u64>(out, d2 - d5 - d6, 16);
    store<u64>(out, d3 - d6, 24);
    out += 32; inputs += 32;
  }
}

/** Horner step: out[i] = c[i] * alpha + a[i], alpha = the point whose bits are coefficients. Adds and masks only. */
export function gr64Horner(out: usize, c: usize, a: usize, point: u32, count: u32): void {
  const end = out + (<usize>count << 5);
  const m0: u64 = 0 - <u64>(point & 1), m1: u64 = 0 - <u64>((point >> 1) & 1);
  const m2: u64 = 0 - <u64>((point >> 2) & 1), m3: u64 = 0 - <u64>((point >> 3) & 1);
  while (out < end) {
    const c0 = load<u64>(c), c1 = load<u64>(c, 8), c2 = load<u64>(c, 16), c3 = load<u64>(c, 24);
    // X c = (-c3, x, c1, c2), X^2 c = (-c2, -y, x, c1), X^3 c = (-c1, -z, -y, x)
    const x = c0 - c3, y = c3 + c2, z = c2 + c1;
    store<u64>(out, load<u64>(a) + (c0 & m0) - (c3 & m1) - (c2 & m2) - (c1 & m3));
    store<u64>(out, load<u64>(a, 8) + (c1 & m0) + (x & m1) - (y & m2) - (z & m3), 8);
    store<u64>(out, load<u64>(a, 16) + (c2 & m0) + (c1 & m1) + (x & m2) - (y & m3), 16);
    store<u64>(out, load<u64>(a, 24) + (c3 & m0) + (c2 & m1) + (c1 & m2) + (x & m3), 24);
    out += 32; c += 32; a += 32;
  }
}

/** out[i] = a[4i] + X a[4i+1] + X^2 a[4i+2] + X^3 a[4i+3], for any elements a. */
export function gr64Pack4(out: usize, a: usize, count: u32): void {
  const end = out + (<usize>count << 5);
  while (out < end) {
    const p0 = load<u64>(a), p1 = load<u64>(a, 8), p2 = load<u64>(a, 16), p3 = load<u64>(a, 24);
    const q0 = load<u64>(a, 32), q1 = load<u64>(a, 40), q2 = load<u64>(a, 48), q3 = load<u64>(a, 56);
    const r0 = load<u64>(a, 64), r1 = load<u64>(a, 72), r2 = load<u64>(a, 80), r3 = load<u64>(a, 88);
    const s0 = load<u64>(a, 96), s1 = load<u64>(a, 104), s2 = load<u64>(a, 112), s3 = load<u64>(a, 120);
    const d4 = q3 + r2 + s1, d5 = r3 + s2;
    store<u64>(out, p0 - d4);
    store<u64>(out, p1 + q0 - d4 - d5, 8);
    store<u64>(out, p2 + q1 + r0 - d5 - s3, 16);
    store<u64>(out, p3 + q2 + r1 + s0 - s3, 24);
    out += 32; a += 128;
  }
}

/** out[i] = sum_j 2^j bits[i*width + j] */
export function gr64CombineBits(out: usize, bits: usize, width: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    let low = i64x2.splat(0), high = i64x2.splat(0);
    for (let p = bits + (<usize>width << 5); p > bits; ) {
      p -= 32;
      low = i64x2.add(i64x2.add(low, low), v128.load(p));
      high = i64x2.add(i64x2.add(high, high), v128.load(p, 16));
    }
    v128.store(out, low);
    v128.store(out, high, 16);
    out += 32; bits += <usize>width << 5;
  }
}
