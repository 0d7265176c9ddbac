// Bodies of GLWE rows under a shared key: sum over polynomials of mask(X) * key(X), packed four coefficients to an
// element, because packed is how bodies are opened (docs/protocols/key-generation.md).
//
// Packing maps X^{4i+k} to theta^k Y^i with Y = X^4 and theta the ring's generator. It is linear over Y, so with the
// mask cut by residues of the exponent, A = sum_r X^r A_r(Y), the packed product is sum_r A_r(Y) * L_r(Y), where
// L_r = packed(X^r key) depends on the key alone and is transformed once. Against packing afterwards this needs one
// inverse transform instead of four. Inputs are the 4 A_r of every mask polynomial, all of degree N/4.
//
// Limbs as in fft.ts, `planes` pairs of them. Lanes of the mask hold limbs (2j, 2j+1), and once more shifted by one,
// (2j-1, 2j); a key limb fills both lanes. So column pair j is sum_t key_2t * pair_{j-t} + key_{2t+1} * shifted_{j-t}.
//
// Exactness for every input: let one call sum W <= 4096 mask words. Columns are below S = 2 planes * W * 2^30 <= 2^45.
// With u = 2^-53, twiddles within 2u, a complex product within sqrt(5) u (Brent, Percival, Zimmermann 2007) and M = N/8
// points, each of the 3 transforms adds at most ceil(log4 M) (sqrt(5) + 2) u + log2 M u <= 25 u in relative 2-norm, the
// point product sqrt(5) u, and the two sums over at most 64 terms each 33 u: together below 112 u, so the error stays
// below 112 * 2^-53 * 2^45 = 0.44 < 0.5 and rounding is exact.
import { im, inverse, re, rounded, transform } from "./fft";

/** Mask table entry of one input: `planes` times (pair, shifted pair), real and imaginary parts, 64 bytes each. */
function spreadMask(table: usize, stride: usize, transformed: usize, points: u32, planes: u32): void {
  const plane = <usize>points << 5;
  for (const end = transformed + plane; transformed < end; transformed += 32) {
    let lastRe = f64x2.splat(0), lastIm = lastRe;
    for (let j: usize = 0; j < <usize>planes; j++) {
      const p = transformed + j * plane, t = table + (j << 6);
      const pairRe = v128.load(p), pairIm = v128.load(p, 16);
      v128.store(t, pairRe); v128.store(t, pairIm, 16);
      v128.store(t, i64x2.shuffle(lastRe, pairRe, 1, 2), 32);
      v128.store(t, i64x2.shuffle(lastIm, pairIm, 1, 2), 48);
      lastRe = pairRe; lastIm = pairIm;
    }
    table += stride;
  }
}

/** Key table entry of one component and input: 2 planes limbs of (re, im), 16 bytes each. */
export function spreadKey(table: usize, stride: usize, transformed: usize, points: u32, planes: u32): void {
  const plane = <usize>points << 5;
  for (const end = transformed + plane; transformed < end; transformed += 32) {
    for (let j: usize = 0; j < <usize>planes; j++) {
      const p = transformed + j * plane, t = table + (j << 5);
      const pairRe = v128.load(p), pairIm = v128.load(p, 16);
      v128.store(t, i64x2.shuffle(pairRe, pairIm, 0, 2));
      v128.store(t, i64x2.shuffle(pairRe, pairIm, 1, 3), 16);
    }
    table += stride;
  }
}

/** Column pair j at one point, summed over all inputs. */
// @ts-ignore: decorator
@inline
function columnPair(out: usize, mask: usize, key: usize, inputs: u32, planes: u32, j: u32): void {
  let evenRe = f64x2.splat(0), evenIm = evenRe, oddRe = evenRe, oddIm = evenRe;
  mask += <usize>j << 6;
  for (let i: u32 = 0; i < inputs; i++) {
    let m = mask;
    for (let k = key, end = key + (<usize>(j + 1) << 5); k < end; k += 32) {
      const er = v128.load64_splat(k), ei = v128.load64_splat(k, 8);
      const pr = v128.load(m), pi = v128.load(m, 16);
      evenRe = f64x2.add(evenRe, re(er, ei, pr, pi));
      evenIm = f64x2.add(evenIm, im(er, ei, pr, pi));
      const or = v128.load64_splat(k, 16), oi = v128.load64_splat(k, 24);
      const sr = v128.load(m, 32), si = v128.load(m, 48);
      oddRe = f64x2.add(oddRe, re(or, oi, sr, si));
      oddIm = f64x2.add(oddIm, im(or, oi, sr, si));
      m -= 64;
    }
    mask += <usize>planes << 6;
    key += <usize>planes << 5;
  }
  v128.store(out, f64x2.add(evenRe, oddRe));
  v128.store(out, f64x2.add(evenIm, oddIm), 16);
}

/** The word of plane pairs at p, added to the word at out. */
// @ts-ignore: decorator
@inline
function addWord(out: usize, p: usize, plane: usize, planes: u32, scale: v128): void {
  const q0 = rounded(v128.load(p), scale), q1 = rounded(v128.load(p + plane), scale);
  const low = i64x2.extract_lane(q0, 0) + (i64x2.extract_lane(q0, 1) << 16); // below 2^62 in size
  const next = i64x2.extract_lane(q1, 0) + (i64x2.extract_lane(q1, 1) << 16);
  const old = load<u64>(out), sum = old + <u64>low, total = sum + <u64>(next << 32);
  store<u64>(out, total);
  if (planes == 2) return;
  const q2 = rounded(v128.load(p + 2 * plane), scale), q3 = rounded(v128.load(p + 3 * plane), scale);
  const third = i64x2.extract_lane(q2, 0) + (i64x2.extract_lane(q2, 1) << 16);
  const last = i64x2.extract_lane(q3, 0) + (i64x2.extract_lane(q3, 1) << 16);
  const carried = <u64>(low >> 63) + u64(sum < old) + <u64>(next >> 32) + u64(total < sum);
  store<u64>(out, load<u64>(out, 8) + carried + <u64>third + <u64>(last << 32), 8);
}

/** Bytes of scratch that glweRow needs. */
export function glweScratchBytes(polynomials: u32, degree: u32, planes: u32): usize {
  const points = <usize>degree >> 3;
  return points * planes * ((<usize>polynomials << 8) + 128);
}

/**
 * Adds one row's packed body to out: degree/4 elements of 4 words. `masks`: polynomials * degree words. `key`: the
 * table of spreadKey, by point, component, input (4 per polynomial). degree >= 16.
 */
export function glweRow(
  out: usize, masks: usize, key: usize, polynomials: u32, degree: u32, planes: u32, scratch: usize,
): void {
  const wordBytes = <usize>planes << 2, part = degree >> 2, points = part >> 1, plane = <usize>points << 5;
  const inputs = polynomials << 2, entry = <usize>planes << 6, stride = entry * inputs;
  const product = scratch + stride * points; // 4 components; until then, the transform of one input
  for (let i: u32 = 0; i < inputs; i++) {
    const first = masks + (<usize>(i >> 2) * degree + (i & 3)) * wordBytes;
    transform(product, first, 4 * wordBytes, part, planes);
    spreadMask(scratch + entry * i, stride, product, points, planes);
  }
  for (let k: usize = 0; k < <usize>points; k++) {
    for (let column: usize = 0; column < <usize>planes << 2; column += planes) {
      for (let j: u32 = 0; j < planes; j++) {
        columnPair(product + (column + j) * plane + (k << 5), scratch + k * stride, key, inputs, planes, j);
      }
      key += stride >> 1;
    }
  }
  const scale = f64x2.splat(1.0 / <f64>points);
  for (let c: usize = 0; c < 4; c++) {
    const planesOfC = product + c * planes * plane;
    for (let j: u32 = 0; j < planes; j++) inverse(planesOfC + plane * j, points);
    const words = out + c * wordBytes, half = (<usize>points * wordBytes) << 2;
    for (let k: usize = 0; k < <usize>points; k++) {
      const p = planesOfC + (k << 5), word = words + ((k * wordBytes) << 2);
      addWord(word, p, plane, planes, scale);
      addWord(word + half, p + 16, plane, planes, scale);
    }
  }
}
