// Exact product of u64 polynomials mod X^N+1 and 2^64 through a complex f64 transform of 4 balanced 16-bit limbs.
//
// Fold z_j = a_j + i a_{j+N/2}, so that X^N+1 becomes Y^M - i with M = N/2 complex points; then split Y^m - w into
// Y^{m/4} - {r, -r, ir, -ir} with r^4 = w, radix 4, down to points; a last radix-2 step when log2 M is odd. No bit
// reversal: the inverse walks the same tree upwards. The tree does not depend on M, so one table serves every size.
// Two limbs travel in the two lanes of a vector, so no step ever mixes lanes.
//
// Exactness: limbs lie in [-2^15, 2^15), a column sum is below 4 * 2048 * 2^30 = 2^43, and the measured distance to the
// nearest integer is below 0.01 for the worst input (all limbs -2^15), limit 0.5; glwe.ts proves a bound for the
// general case. f64 timing is data-independent here: no denormals can occur.
//
// A pair transform, or plane: M points of (re, re', im, im'), 32 bytes each. A polynomial of 64-bit words takes two
// planes, limbs (0,1) and (2,3); one of 128-bit words takes four.

const NODES: usize = 341; // 1 + 4 + 16 + 64 + 256: all depths of the radix-4 tree for M = 1024
const TWIDDLES: usize = memory.data(341 * 48, 16); // per node: cos, sin of theta/4, 2 theta/4, 3 theta/4

/** Where the facade writes the table: nodes breadth first, the children of angle t are t/4 + {0, pi, pi/2, 3pi/2}. */
export function twiddleTable(): usize {
  return TWIDDLES;
}
export function twiddleNodes(): usize {
  return NODES;
}

function forwardQuarter(p: usize, quarter: usize, twiddle: usize): void {
  const c1 = v128.load64_splat(twiddle), s1 = v128.load64_splat(twiddle, 8), c2 = v128.load64_splat(twiddle, 16);
  const s2 = v128.load64_splat(twiddle, 24), c3 = v128.load64_splat(twiddle, 32), s3 = v128.load64_splat(twiddle, 40);
  for (const end = p + quarter; p < end; p += 32) {
    const y = p + quarter, z = y + quarter, w = z + quarter;
    const r0 = v128.load(p), i0 = v128.load(p, 16), r1 = v128.load(y), i1 = v128.load(y, 16);
    const r2 = v128.load(z), i2 = v128.load(z, 16), r3 = v128.load(w), i3 = v128.load(w, 16);
    const t1r = f64x2.sub(f64x2.mul(r1, c1), f64x2.mul(i1, s1)), t1i = f64x2.add(f64x2.mul(r1, s1), f64x2.mul(i1, c1));
    const t2r = f64x2.sub(f64x2.mul(r2, c2), f64x2.mul(i2, s2)), t2i = f64x2.add(f64x2.mul(r2, s2), f64x2.mul(i2, c2));
    const t3r = f64x2.sub(f64x2.mul(r3, c3), f64x2.mul(i3, s3)), t3i = f64x2.add(f64x2.mul(r3, s3), f64x2.mul(i3, c3));
    const ar = f64x2.add(r0, t2r), ai = f64x2.add(i0, t2i), cr = f64x2.sub(r0, t2r), ci = f64x2.sub(i0, t2i);
    const br = f64x2.add(t1r, t3r), bi = f64x2.add(t1i, t3i), dr = f64x2.sub(t1r, t3r), di = f64x2.sub(t1i, t3i);
    v128.store(p, f64x2.add(ar, br)); v128.store(p, f64x2.add(ai, bi), 16);
    v128.store(y, f64x2.sub(ar, br)); v128.store(y, f64x2.sub(ai, bi), 16);
    v128.store(z, f64x2.sub(cr, di)); v128.store(z, f64x2.add(ci, dr), 16);
    v128.store(w, f64x2.add(cr, di)); v128.store(w, f64x2.sub(ci, dr), 16);
  }
}

/** Stores (r + i*im) * (c - i*s). */
// @ts-ignore: decorator
@inline
function storeTurnedBack(p: usize, r: v128, i: v128, c: v128, s: v128): void {
  v128.store(p, f64x2.add(f64x2.mul(r, c), f64x2.mul(i, s)));
  v128.store(p, f64x2.sub(f64x2.mul(i, c), f64x2.mul(r, s)), 16);
}

function inverseQuarter(p: usize, quarter: usize, twiddle: usize): void {
  const c1 = v128.load64_splat(twiddle), s1 = v128.load64_splat(twiddle, 8), c2 = v128.load64_splat(twiddle, 16);
  const s2 = v128.load64_splat(twiddle, 24), c3 = v128.load64_splat(twiddle, 32), s3 = v128.load64_splat(twiddle, 40);
  for (const end = p + quarter; p < end; p += 32) {
    const y = p + quarter, z = y + quarter, w = z + quarter;
    const r0 = v128.load(p), i0 = v128.load(p, 16), r1 = v128.load(y), i1 = v128.load(y, 16);
    const r2 = v128.load(z), i2 = v128.load(z, 16), r3 = v128.load(w), i3 = v128.load(w, 16);
    const ar = f64x2.add(r0, r1), ai = f64x2.add(i0, i1), br = f64x2.sub(r0, r1), bi = f64x2.sub(i0, i1);
    const cr = f64x2.add(r2, r3), ci = f64x2.add(i2, i3), dr = f64x2.sub(i2, i3), di = f64x2.sub(r3, r2);
    const t1r = f64x2.add(br, dr), t1i = f64x2.add(bi, di), t2r = f64x2.sub(ar, cr), t2i = f64x2.sub(ai, ci);
    const t3r = f64x2.sub(br, dr), t3i = f64x2.sub(bi, di);
    v128.store(p, f64x2.add(ar, cr)); v128.store(p, f64x2.add(ai, ci), 16);
    storeTurnedBack(y, t1r, t1i, c1, s1);
    storeTurnedBack(z, t2r, t2i, c2, s2);
    storeTurnedBack(w, t3r, t3i, c3, s3);
  }
}

/** Y^2 - w at adjacent points: the square root of w is the second twiddle of the node. */
function halves(p: usize, points: u32, twiddle: usize, inverse: bool): void {
  for (let k: u32 = 0; k < points; k += 2) {
    const c = v128.load64_splat(twiddle, 16), s = v128.load64_splat(twiddle, 24);
    const r0 = v128.load(p), i0 = v128.load(p, 16), r1 = v128.load(p, 32), i1 = v128.load(p, 48);
    if (inverse) {
      const dr = f64x2.sub(r0, r1), di = f64x2.sub(i0, i1);
      v128.store(p, f64x2.add(r0, r1)); v128.store(p, f64x2.add(i0, i1), 16);
      storeTurnedBack(p + 32, dr, di, c, s);
    } else {
      const tr = f64x2.sub(f64x2.mul(r1, c), f64x2.mul(i1, s)), ti = f64x2.add(f64x2.mul(r1, s), f64x2.mul(i1, c));
      v128.store(p, f64x2.add(r0, tr)); v128.store(p, f64x2.add(i0, ti), 16);
      v128.store(p, f64x2.sub(r0, tr), 32); v128.store(p, f64x2.sub(i0, ti), 48);
    }
    p += 64; twiddle += 48;
  }
}

export function forward(p: usize, points: u32): void {
  let twiddle = TWIDDLES, size = points, nodes: u32 = 1;
  for (; size >= 4; size >>= 2) {
    const quarter = <usize>size << 3; // a quarter of size points, 32 bytes each
    for (let k: u32 = 0; k < nodes; k++) {
      forwardQuarter(p + <usize>k * (quarter << 2), quarter, twiddle);
      twiddle += 48;
    }
    nodes <<= 2;
  }
  if (size == 2) halves(p, points, twiddle, false);
}

/** Without the factor 1/points. */
export function inverse(p: usize, points: u32): void {
  let nodes: u32 = 1, first: usize = 0, size = points;
  for (; size >= 4; size >>= 2) {
    first += nodes;
    nodes <<= 2;
  }
  if (size == 2) halves(p, points, TWIDDLES + first * 48, true);
  for (let quarter: usize = <usize>size << 5; nodes > 1; quarter <<= 2) {
    nodes >>= 2;
    first -= nodes;
    for (let k: u32 = 0; k < nodes; k++) {
      inverseQuarter(p + <usize>k * (quarter << 2), quarter, TWIDDLES + (first + k) * 48);
    }
  }
}

const BIAS: u64 = 0x8000800080008000; // makes balanced digits unsigned ones: digit + 2^15

/** The low 16 bits of both lanes as f64, less 2^15: through the mantissa, because WASM cannot convert vectors. */
// @ts-ignore: decorator
@inline
function digits(biased: v128): v128 {
  const mantissa = v128.or(v128.and(biased, i64x2.splat(0xffff)), i64x2.splat(0x4330000000000000)); // 2^52 + digit
  return f64x2.sub(mantissa, f64x2.splat(4503599627370496.0 + 32768.0));
}

/** Writes limbs (0,1) and (2,3) of a biased word at p and p + plane. */
// @ts-ignore: decorator
@inline
function storePairs(p: usize, plane: usize, biased: u64): void {
  const both = i64x2.replace_lane(i64x2.splat(biased), 1, biased >> 16);
  v128.store(p, digits(both));
  v128.store(p + plane, digits(i64x2.shr_u(both, 32)));
}

/** Writes the balanced base-2^16 digits of the word, as lane pairs `plane` bytes apart. */
// @ts-ignore: decorator
@inline
function storeLimbs(p: usize, plane: usize, word: usize, planes: u32): void {
  const low = load<u64>(word) + BIAS;
  storePairs(p, plane, low);
  if (planes == 4) storePairs(p + 2 * plane, plane, load<u64>(word, 8) + BIAS + u64(low < BIAS));
}

/**
 * Transform of a polynomial whose coefficients are `step` bytes apart: `planes` pair transforms of degree*16 bytes, 2
 * for words of 8 bytes, 4 for 16.
 */
export function transform(out: usize, polynomial: usize, step: usize, degree: u32, planes: u32): void {
  const points = degree >> 1, plane = <usize>points << 5;
  for (let j: usize = 0; j < <usize>points; j++) {
    storeLimbs(out + (j << 5), plane, polynomial + j * step, planes);
    storeLimbs(out + (j << 5) + 16, plane, polynomial + (j + <usize>points) * step, planes);
  }
  for (let k: u32 = 0; k < planes; k++) forward(out + plane * k, points);
}

/** Real and imaginary part of the complex product x * y, lane by lane. */
// @ts-ignore: decorator
@inline
export function re(xr: v128, xi: v128, yr: v128, yi: v128): v128 {
  return f64x2.sub(f64x2.mul(xr, yr), f64x2.mul(xi, yi));
}
// @ts-ignore: decorator
@inline
export function im(xr: v128, xi: v128, yr: v128, yi: v128): v128 {
  return f64x2.add(f64x2.mul(xr, yi), f64x2.mul(xi, yr));
}

/** Limb products of weight below 2^64: c0 = a0b0, c1 = a0b1+a1b0, c2 = a0b2+a1b1+a2b0, c3 = a0b3+a1b2+a2b1+a3b0. */
function multiplyPoints(out: usize, a: usize, b: usize, points: u32): void {
  const plane = <usize>points << 5, zero = f64x2.splat(0);
  for (const end = a + plane; a < end; a += 32) {
    const high = a + plane;
    const a0r = v128.load64_splat(a), a1r = v128.load64_splat(a, 8);
    const a0i = v128.load64_splat(a, 16), a1i = v128.load64_splat(a, 24);
    const a2r = v128.load64_splat(high), a3r = v128.load64_splat(high, 8);
    const a2i = v128.load64_splat(high, 16), a3i = v128.load64_splat(high, 24);
    const b01r = v128.load(b), b01i = v128.load(b, 16), b23r = v128.load(b + plane), b23i = v128.load(b + plane, 16);
    const z0r = i64x2.shuffle(zero, b01r, 0, 2), z0i = i64x2.shuffle(zero, b01i, 0, 2); // (0, b0)
    const b12r = i64x2.shuffle(b01r, b23r, 1, 2), b12i = i64x2.shuffle(b01i, b23i, 1, 2); // (b1, b2)
    v128.store(out, f64x2.add(re(a0r, a0i, b01r, b01i), re(a1r, a1i, z0r, z0i)));
    v128.store(out, f64x2.add(im(a0r, a0i, b01r, b01i), im(a1r, a1i, z0r, z0i)), 16);
    const pr = f64x2.add(re(a0r, a0i, b23r, b23i), re(a1r, a1i, b12r, b12i));
    const pi = f64x2.add(im(a0r, a0i, b23r, b23i), im(a1r, a1i, b12r, b12i));
    const qr = f64x2.add(re(a2r, a2i, b01r, b01i), re(a3r, a3i, z0r, z0i));
    const qi = f64x2.add(im(a2r, a2i, b01r, b01i), im(a3r, a3i, z0r, z0i));
    v128.store(out + plane, f64x2.add(pr, qr));
    v128.store(out + plane, f64x2.add(pi, qi), 16);
    out += 32; b += 32;
  }
}

const MAGIC: f64 = 6755399441055744.0; // 1.5 * 2^52: adding it rounds to an integer in the low mantissa bits

/** Both lanes times scale, rounded to integers below 2^51. */
// @ts-ignore: decorator
@inline
export function rounded(lanes: v128, scale: v128): v128 {
  return i64x2.sub(f64x2.add(f64x2.mul(lanes, scale), f64x2.splat(MAGIC)), i64x2.splat(0x4338000000000000));
}

/** Lane pairs (c0, c1) and (c2, c3) to c0 + 2^16 c1 + 2^32 c2 + 2^48 c3. */
// @ts-ignore: decorator
@inline
function carry(low: v128, high: v128, scale: v128): i64 {
  const s = i64x2.add(rounded(low, scale), i64x2.shl(rounded(high, scale), 32));
  return i64x2.extract_lane(s, 0) + (i64x2.extract_lane(s, 1) << 16);
}

/** out (coefficients `step` bytes apart) = the product of two transforms; scratch: N*32 bytes. */
export function multiplyTransforms(out: usize, step: usize, a: usize, b: usize, degree: u32, scratch: usize): void {
  const points = degree >> 1, plane = <usize>points << 5;
  multiplyPoints(scratch, a, b, points);
  inverse(scratch, points);
  inverse(scratch + plane, points);
  const scale = f64x2.splat(1.0 / <f64>points); // a power of two: exact
  for (let j: usize = 0; j < <usize>points; j++) {
    const p = scratch + (j << 5);
    store<i64>(out + j * step, carry(v128.load(p), v128.load(p + plane), scale));
    store<i64>(out + (j + <usize>points) * step, carry(v128.load(p, 16), v128.load(p + plane, 16), scale));
  }
}
