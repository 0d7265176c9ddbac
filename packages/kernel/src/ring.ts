/**
 * Galois rings over whole batches, one implementation for 64-bit and 128-bit words. Every function takes batches that
 * it only reads and returns fresh ones; all work on secrets is constant-time (integer add, multiply, shift, mask).
 * Layout and measured cost per element: README.md. Mathematics: docs/protocols/sharing.md.
 */
import * as arithmetic from './arithmetic.ts';
import type { Gf16, Gr64, Gr128, Matrix } from './batch.ts';
import * as bits from './bits.ts';
import { elementCount, type RingContext, zeros } from './context.ts';
import { requireRange } from './errors.ts';
import type { Keystream } from './keystream.ts';
import * as layout from './layout.ts';
import * as randomness from './randomness.ts';
import type { SmallWeights } from './weights.ts';

const MAX_COUNT = 2 ** 26;

export interface Opening<E> {
  readonly values: E;
  /** Index of the first element whose shares are not on one polynomial of the matrix's degree; -1 when all agree. */
  readonly firstInconsistent: number;
}

/** Everything throws BATCH_LENGTH when batches of one call differ in length, RANGE for a number out of its range. */
export interface Ring<E> {
  readonly bytesPerElement: number;
  zeros(count: number): E;
  /** Number of elements. Throws BATCH_LENGTH unless the bytes are whole elements. */
  count(batch: E): number;

  /** Element by element. */
  add(a: E, b: E): E;
  sub(a: E, b: E): E;
  mul(a: E, b: E): E;
  /** constant * a[i]; `constant` is one element. */
  scale(constant: E, a: E): E;
  /** acc[i] + constant * a[i]; `constant` is one element. */
  addScaled(acc: E, constant: E, a: E): E;
  /** sum_k coefficients[k][i] * alpha^k at the exceptional point of index 0..15. No multiplications. */
  evaluate(coefficients: readonly E[], point: number): E;
  /** Matrix times the vector of batches: `cols` inputs, `rows` outputs. */
  multiply(matrix: Matrix<E>, columns: readonly E[]): E[];
  /** Opens `shares` with the matrix of `openingMatrix` for their points: cols + rows - 1 of them, in that order. */
  open(matrix: Matrix<E>, shares: readonly E[]): Opening<E>;

  /** Base-ring integers (8 or 16 bytes little-endian each) as elements with coordinates 1..3 zero. */
  embed(words: Uint8Array): E;
  /** The words of one coordinate. */
  coordinate(batch: E, k: 0 | 1 | 2 | 3): Uint8Array;
  /** True iff coordinates 1..3 of all elements are zero. */
  isBaseRing(batch: E): boolean;
  /** out[i] = sum_k X^k * batch[4i+k]: linear, so it packs shares of base-ring values. */
  pack4(batch: E): E;
  /** Coordinate k of element i as base-ring element 4i+k: the inverse of pack4 on base-ring elements. */
  unpack4(batch: E): E;
  /** The elements mod 2; shares of a bit become GF(16) shares of the same bit. */
  residue(batch: E): Gf16;

  /**
   * Shares of `count` fresh uniform elements: sum over subsets of weight * keystream. Reads `count` elements of every
   * stream.
   */
  prss(streams: readonly Keystream[], weights: SmallWeights, count: number): E;
  /**
   * `count` elements of 4 samples: each coefficient is u + beta, u uniform in [0, 2^width), beta one more uniform bit,
   * from ceil((width+1)/8) keystream bytes. TUniform(b) = noise(width b+1) - 2^b. width 1..62.
   */
  noise(stream: Keystream, width: number, count: number): E;

  /** The low `coefficientBytes` bytes of every coefficient, 4*coefficientBytes per element. */
  toWire(batch: E, coefficientBytes: number): Uint8Array;
  /** Inverse up to scaling: the bytes become the HIGH bytes, so that `open` is exact mod 2^(8*coefficientBytes). */
  fromWire(bytes: Uint8Array, coefficientBytes: number): E;
  /** Undoes the scaling of fromWire on opened values. */
  lowBits(batch: E, coefficientBytes: number): E;

  /**
   * Shares of random bits: `a` own share, `opened` the value v = a^2 + a mod 2^(8*coefficientBytes), full width by
   * default. Exact mod that power; higher bits are meaningless. Uses the canonical root (SPEC R9). Throws ROOT_MISSING
   * if v has none: stop the session.
   */
  bitShares(a: E, opened: E, coefficientBytes?: number): E;
  /** out[i] = sum_j 2^j * bits[i*width + j]. */
  combineBits(bits: E, width: number): E;
}

export function createRing<E extends Gr64 | Gr128>(context: RingContext): Ring<E> {
  const { ring } = context;
  return {
    bytesPerElement: context.bytesPerElement,
    zeros(count) {
      requireRange('count', count, 0, MAX_COUNT);
      return zeros(context, count);
    },
    count: (batch) => elementCount(context, batch),
    add: (a, b) => arithmetic.elementwise(context, ring.add, a, b),
    sub: (a, b) => arithmetic.elementwise(context, ring.sub, a, b),
    mul: (a, b) => arithmetic.elementwise(context, ring.mul, a, b),
    scale: (constant, a) => arithmetic.addScaled(context, undefined, constant, a),
    addScaled: (acc, constant, a) => arithmetic.addScaled(context, acc, constant, a),
    evaluate: (coefficients, point) => arithmetic.evaluate(context, coefficients, point),
    multiply: (matrix, columns) => arithmetic.multiply(context, matrix, columns),
    open: (matrix, shares) => arithmetic.open(context, matrix, shares),
    embed: (words) => layout.embed(context, words),
    coordinate: (batch, k) => layout.coordinate(context, batch, k),
    isBaseRing: (batch) => layout.isBaseRing(context, batch),
    pack4: (batch) => layout.pack4(context, batch),
    unpack4: (batch) => layout.embed(context, batch), // the coordinates of elements in order are words in order
    residue: (batch) => layout.residue(context, batch),
    prss: (streams, weights, count) => randomness.prss(context, streams, weights, count),
    noise: (stream, width, count) => randomness.noise(context, stream, width, count),
    toWire: (batch, coefficientBytes) => layout.toWire(context, batch, coefficientBytes),
    fromWire: (bytes, coefficientBytes) => layout.fromWire(context, bytes, coefficientBytes),
    lowBits: (batch, coefficientBytes) => layout.lowBits(context, batch, coefficientBytes),
    bitShares: (a, opened, coefficientBytes) => bits.bitShares(context, a, opened, coefficientBytes),
    combineBits: (batch, width) => bits.combineBits(context, batch, width),
  };
}
