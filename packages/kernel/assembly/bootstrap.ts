// Key switching and programmable bootstrapping with public keys, to check a key before it is signed. All data is
// public: timing is not a concern. One GLWE polynomial (k = 1) and one level, as both parameter sets have.
//
// Accumulators hold (mask, body) coefficient pairs of 16 bytes, so that rotation, decomposition and the transform treat
// both polynomials in the two lanes of a vector. A GGSW is two pair transforms: row r has lanes (mask_r, body_r).
// Working to 53 bits of the torus adds noise far below that of the key (2^37 against 2^50).
import { forward, im, inverse, re } from "./fft";

const TORUS: f64 = 1.0 / 18446744073709551616.0; // 2^-64
const MAGIC: f64 = 6755399441055744.0; // 1.5 * 2^52
const MAGIC_BITS: i64 = 0x4338000000000000;
const FRACTION_BITS: f64 = 2251799813685248.0; // 2^51: torus fractions as integers, exact in f64

/** Transforms of the two rows of one GGSW. masks and bodies: 2 * degree words each. out: 2 * degree * 16 bytes. */
export function ggswTransform(out: usize, masks: usize, bodies: usize, degree: u32): void {
  const points = degree >> 1, half = <usize>points << 3;
  for (let r = 0; r < 2; r++) {
    for (let j: usize = 0; j < half; j += 8) {
      const p = out + (j << 2);
      store<f64>(p, <f64>load<i64>(masks + j) * TORUS);
      store<f64>(p, <f64>load<i64>(bodies + j) * TORUS, 8);
      store<f64>(p, <f64>load<i64>(masks + half + j) * TORUS, 16);
      store<f64>(p, <f64>load<i64>(bodies + half + j) * TORUS, 24);
    }
    forward(out, points);
    out += <usize>points << 5; masks += half << 1; bodies += half << 1;
  }
}

/** Address of the source of coefficient j under multiplication by X^rotation, 0 <= rotation < 2 degree; sign apart. */
// @ts-ignore: decorator
@inline
function rotated(acc: usize, j: u32, rotation: u32, degree: u32): usize {
  return acc + (<usize>((j - rotation) & (degree - 1)) << 4);
}

/** 0 or -1 in both lanes: whether coefficient j of X^rotation * acc is negated. */
// @ts-ignore: decorator
@inline
function sign(j: u32, rotation: u32, degree: u32): v128 {
  return i64x2.splat(((j - rotation) & degree) != 0 ? -1 : 0);
}

/** The top baseLog bits of (X^rotation acc - acc)_j, rounded, as signed f64. */
// @ts-ignore: decorator
@inline
function digit(acc: usize, j: u32, rotation: u32, degree: u32, baseLog: u32): v128 {
  const negate = sign(j, rotation, degree);
  const turned = i64x2.sub(v128.xor(v128.load(rotated(acc, j, rotation, degree)), negate), negate);
  const difference = i64x2.sub(turned, v128.load(acc + (<usize>j << 4)));
  const rounded = i64x2.shr_s(i64x2.add(difference, i64x2.splat(<i64>1 << (63 - baseLog))), 64 - baseLog);
  return f64x2.sub(i64x2.add(rounded, i64x2.splat(MAGIC_BITS)), f64x2.splat(MAGIC));
}

/** Adds the torus value of x * scale to the coefficient pair at p. */
// @ts-ignore: decorator
@inline
function addTorus(p: usize, x: v128, scale: v128): void {
  const y = f64x2.mul(x, scale);
  const fraction = f64x2.mul(f64x2.sub(y, f64x2.nearest(y)), f64x2.splat(FRACTION_BITS));
  const words = i64x2.shl(i64x2.sub(f64x2.add(fraction, f64x2.splat(MAGIC)), i64x2.splat(MAGIC_BITS)), 13);
  v128.store(p, i64x2.add(v128.load(p), words));
}

/** acc += GGSW * (X^rotation acc - acc): multiplies acc by X^rotation if the GGSW encrypts 1. scratch: degree*16. */
export function cmux(acc: usize, ggsw: usize, rotation: u32, degree: u32, baseLog: u32, scratch: usize): void {
  const points = degree >> 1, plane = <usize>points << 5;
  for (let j: u32 = 0; j < points; j++) {
    const p = scratch + (<usize>j << 5);
    v128.store(p, digit(acc, j, rotation, degree, baseLog));
    v128.store(p, digit(acc, j + points, rotation, degree, baseLog), 16);
  }
  forward(scratch, points);
  for (let p = scratch; p < scratch + plane; p += 32) {
    const maskRe = v128.load64_splat(p), bodyRe = v128.load64_splat(p, 8);
    const maskIm = v128.load64_splat(p, 16), bodyIm = v128.load64_splat(p, 24);
    const gr = v128.load(ggsw), gi = v128.load(ggsw, 16);
    const hr = v128.load(ggsw + plane), hi = v128.load(ggsw + plane, 16);
    v128.store(p, f64x2.add(re(maskRe, maskIm, gr, gi), re(bodyRe, bodyIm, hr, hi)));
    v128.store(p, f64x2.add(im(maskRe, maskIm, gr, gi), im(bodyRe, bodyIm, hr, hi)), 16);
    ggsw += 32;
  }
  inverse(scratch, points);
  const scale = f64x2.splat(1.0 / <f64>points);
  for (let j: usize = 0; j < <usize>points; j++) {
    const p = scratch + (j << 5);
    addTorus(acc + (j << 4), v128.load(p), scale);
    addTorus(acc + ((j + points) << 4), v128.load(p, 16), scale);
  }
}

/** acc = (0, lookup) * X^rotation, 0 <= rotation < 2 degree. */
export function startAccumulator(acc: usize, lookup: usize, rotation: u32, degree: u32): void {
  for (let j: u32 = 0; j < degree; j++) {
    const word = load<i64>(lookup + (<usize>((j - rotation) & (degree - 1)) << 3));
    store<i64>(acc, 0);
    store<i64>(acc, ((j - rotation) & degree) != 0 ? -word : word, 8);
    acc += 16;
  }
}

/** The LWE ciphertext of coefficient 0: degree mask words, then the body. */
export function extractSample(out: usize, acc: usize, degree: u32): void {
  store<i64>(out, load<i64>(acc));
  for (let j: usize = 1; j < <usize>degree; j++) store<i64>(out + (j << 3), -load<i64>(acc + ((degree - j) << 4)));
  store<i64>(out + (<usize>degree << 3), load<i64>(acc, 8));
}

/**
 * Rounds an LWE ciphertext of `dimension` mask words to multiples of 2^64/2^bits, as u32. With `centred`, the body
 * first takes up half of all rounding errors, which is their mean for uniform key bits, less half a step.
 */
export function switchModulus(out: usize, lwe: usize, dimension: u32, bits: u32, centred: bool): void {
  const shift = <u64>(64 - bits), half = <u64>1 << (shift - 1);
  let errors: i64 = 0; // below 2^(63-bits) each
  for (let i: u32 = 0; i < dimension; i++) {
    const word = load<u64>(lwe), rounded = (word + half) >> shift;
    errors += <i64>((rounded << shift) - word);
    store<u32>(out, <u32>rounded);
    out += 4; lwe += 8;
  }
  const body = load<u64>(lwe) + (centred ? <u64>(errors >> 1) - half : 0);
  store<u32>(out, <u32>((body + half) >> shift));
}

/**
 * out -= sum over levels of digit * row, for the word `word` of one ciphertext. masks: `levels` rows of `dimension`
 * words, bodies: `levels` words, from the highest level (smallest weight) on. out: dimension + 1 words.
 */
export function keySwitchWord(
  out: usize, word: usize, masks: usize, bodies: usize, dimension: u32, baseLog: u32, levels: u32,
): void {
  const used = <u64>baseLog * levels, mask = (<u64>1 << <u64>baseLog) - 1;
  let state = ((load<u64>(word) >> (63 - used)) + 1) >> 1; // closest multiple; the top carry is a multiple of 2^64
  for (let level: u32 = 0; level < levels; level++) {
    let digit = state & mask;
    state >>= <u64>baseLog;
    const carry = (((digit - 1) | state) & digit) >> (<u64>baseLog - 1);
    state += carry;
    digit -= carry << <u64>baseLog;
    const end = masks + (<usize>dimension << 3);
    for (let o = out; masks < end; masks += 8) {
      store<u64>(o, load<u64>(o) - digit * load<u64>(masks));
      o += 8;
    }
    const body = out + (<usize>dimension << 3);
    store<u64>(body, load<u64>(body) - digit * load<u64>(bodies));
    bodies += 8;
  }
}
