/**
 * LWE and GLWE masks times shared keys, mod 2^64, and LWE masks mod 2^128. Masks and ciphertext polynomials are public
 * little-endian words, key shares are elements of the Galois ring of the same width. Every product is exact.
 */
import type { Gr64, Gr128 } from './batch.ts';
import { wholeItems } from './context.ts';
import { KernelError, requireRange } from './errors.ts';
import type { KernelMemory } from './memory.ts';
import type { KernelExports } from './wasm.ts';

const WORD_BYTES = 8;
const ELEMENT_BYTES = 32;
const COORDINATES = 4;
const TRANSFORM_BYTES = 32; // per coefficient: 4 limbs, half a complex f64 each
const PLANES = 2; // pairs of limbs
const MAX_DIMENSION = 16384;
const MAX_DEGREE = 2048; // the twiddle table and the exactness bound of the transform end here

export interface LweKernel {
  /** sum_j masks[i][j] * key[j]; `masks`: count rows of key-dimension words. */
  innerProducts(masks: Uint8Array, key: Gr64): Gr64;
  /** The same in 128-bit words. */
  innerProducts128(masks: Uint8Array, key: Gr128): Gr128;
  /** Rows chunk(X) * X^i mod X^N+1, i = first .. first+count-1 < N: the LWE masks of a compact list. Public data. */
  compactMasks(chunk: Uint8Array, first: number, count: number): Uint8Array;
  /** polynomial * key mod X^N+1, N a power of two in 4..2048, exact by a floating-point transform of 16-bit limbs. */
  negacyclicProduct(polynomial: Uint8Array, key: Gr64): Gr64;
  /** a * b mod X^N+1 on plain words, integers only, N a power of two in 4..2048: the oracle of the transform. */
  negacyclicProductKaratsuba(a: Uint8Array, b: Uint8Array): Uint8Array;
}

interface Context {
  readonly wasm: KernelExports;
  readonly memory: KernelMemory;
}

export function createLwe(wasm: KernelExports, memory: KernelMemory): LweKernel {
  const context = { wasm, memory };
  return {
    innerProducts: (masks, key) => innerProducts(memory, wasm.innerProducts, { masks, key, wordBytes: 8 }),
    innerProducts128: (masks, key) => innerProducts(memory, wasm.gr128InnerProducts, { masks, key, wordBytes: 16 }),
    compactMasks: (chunk, first, count) => compactMasks(context, chunk, { first, count }),
    negacyclicProduct: (polynomial, key) => negacyclicProduct(context, polynomial, key),
    negacyclicProductKaratsuba: (a, b) => karatsuba(context, a, b),
  };
}

function innerProducts<E extends Gr64 | Gr128>(
  memory: KernelMemory,
  kernel: KernelExports['innerProducts'],
  { masks, key, wordBytes }: { masks: Uint8Array; key: E; wordBytes: 8 | 16 },
): E {
  const elementBytes = COORDINATES * wordBytes;
  const dimension = wholeItems('key', key, elementBytes);
  requireRange('key dimension', dimension, 1, MAX_DIMENSION);
  const step = dimension * wordBytes;
  const count = wholeItems('masks', masks, step);
  const out = new Uint8Array(count * elementBytes);
  const outputs = [{ bytes: out, step: elementBytes }];
  memory.stream({ count, inputs: [{ bytes: masks, step }], outputs, constants: [key] }, (at, rows) =>
    kernel(at.outputs[0]!, at.inputs[0]!, at.constants[0]!, dimension, rows),
  );
  return out as unknown as E;
}

function compactMasks(
  { wasm, memory }: Context,
  chunk: Uint8Array,
  { first, count }: { first: number; count: number },
): Uint8Array {
  const degree = wholeItems('chunk', chunk, WORD_BYTES);
  requireRange('chunk degree', degree, 1, MAX_DIMENSION);
  requireRange('first', first, 0, degree);
  requireRange('count', count, 0, degree - first);
  const out = new Uint8Array(count * chunk.length);
  const outputs = [{ bytes: out, step: chunk.length }];
  memory.stream({ count, inputs: [], outputs, constants: [chunk] }, (at, rows, offset) =>
    wasm.rotations(at.outputs[0]!, at.constants[0]!, degree, first + offset, rows),
  );
  return out;
}

/** One transform of the polynomial, then per key coordinate a transform, a pointwise product and an inverse. */
function negacyclicProduct({ wasm, memory }: Context, polynomial: Uint8Array, key: Gr64): Gr64 {
  const degree = requireDegree(wholeItems('polynomial', polynomial, WORD_BYTES));
  const keyBytes = degree * ELEMENT_BYTES;
  if (key.length !== keyBytes) {
    throw new KernelError('BATCH_LENGTH', `key: ${key.length} bytes for degree ${degree}, want ${keyBytes}`);
  }
  const out = new Uint8Array(keyBytes);
  memory.use((scratch) => {
    const [words, shares, result] = [
      scratch.reserve(polynomial.length),
      scratch.reserve(keyBytes),
      scratch.reserve(keyBytes),
    ];
    const transformBytes = degree * TRANSFORM_BYTES;
    const [left, right] = [scratch.reserve(transformBytes), scratch.reserve(transformBytes)];
    const product = scratch.reserve(transformBytes);
    scratch.write(words, polynomial);
    scratch.write(shares, key);
    wasm.transform(left, words, WORD_BYTES, degree, PLANES);
    for (let offset = 0; offset < ELEMENT_BYTES; offset += WORD_BYTES) {
      wasm.transform(right, shares + offset, ELEMENT_BYTES, degree, PLANES);
      wasm.multiplyTransforms(result + offset, ELEMENT_BYTES, left, right, degree, product);
    }
    scratch.read(result, out);
  });
  return out as unknown as Gr64;
}

function karatsuba({ wasm, memory }: Context, a: Uint8Array, b: Uint8Array): Uint8Array {
  const degree = requireDegree(wholeItems('polynomial', a, WORD_BYTES));
  if (b.length !== a.length) throw new KernelError('BATCH_LENGTH', `polynomials of ${a.length} and ${b.length} bytes`);
  const out = new Uint8Array(a.length);
  memory.use((scratch) => {
    const [left, right, result] = [scratch.reserve(a.length), scratch.reserve(a.length), scratch.reserve(a.length)];
    scratch.write(left, a);
    scratch.write(right, b);
    wasm.karatsuba(result, left, right, degree, scratch.reserve(6 * a.length));
    scratch.read(result, out);
  });
  return out;
}

function requireDegree(degree: number): number {
  requireRange('polynomial degree', degree, 4, MAX_DEGREE);
  if ((degree & (degree - 1)) !== 0)
    throw new KernelError('RANGE', `polynomial degree ${degree} is not a power of two`);
  return degree;
}
