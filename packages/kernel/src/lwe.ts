/**
 * LWE and GLWE masks times shared keys, mod 2^64. Masks and ciphertext polynomials are public words (u64 little-endian);
 * key shares are GR(2^64,4) elements. Every product is exact.
 */
import type { Gr64 } from './batch.ts';
import { KernelError, requireRange } from './errors.ts';
import type { KernelMemory } from './memory.ts';
import type { KernelExports } from './wasm.ts';

const WORD_BYTES = 8;
const ELEMENT_BYTES = 32;
const MAX_DIMENSION = 16384;
const MAX_DEGREE = 2048; // the twiddle table and the exactness bound of the transform end here

export interface LweKernel {
  /** sum_j masks[i][j] * key[j]; `masks`: count rows of key-dimension words. */
  innerProducts(masks: Uint8Array, key: Gr64): Gr64;
  /** Rows chunk(X) * X^i mod X^N+1 for i = first .. first+count-1 <= N-1: the LWE masks of a compact list. Public data. */
  compactMasks(chunk: Uint8Array, first: number, count: number): Uint8Array;
  /** polynomial * key mod X^N+1, N a power of two in 4..2048, exact by a floating-point transform of 16-bit limbs. */
  negacyclicProduct(polynomial: Uint8Array, key: Gr64): Gr64;
  /** a * b mod X^N+1 on plain words, integers only, N a power of two in 4..2048: the oracle of the transform. */
  negacyclicProductKaratsuba(a: Uint8Array, b: Uint8Array): Uint8Array;
}

export function createLwe(wasm: KernelExports, memory: KernelMemory): LweKernel {
  writeTwiddles(wasm);

  function innerProducts(masks: Uint8Array, key: Gr64): Gr64 {
    const dimension = items('key', key, ELEMENT_BYTES);
    requireRange('key dimension', dimension, 1, MAX_DIMENSION);
    const step = dimension * WORD_BYTES;
    const count = items('masks', masks, step);
    const out = new Uint8Array(count * ELEMENT_BYTES);
    const plan = {
      count,
      inputs: [{ bytes: masks, step }],
      outputs: [{ bytes: out, step: ELEMENT_BYTES }],
      constants: [key],
    };
    memory.stream(plan, ({ inputs, outputs, constants }, rows) =>
      wasm.innerProducts(outputs[0]!, inputs[0]!, constants[0]!, dimension, rows),
    );
    return out as unknown as Gr64;
  }

  function compactMasks(chunk: Uint8Array, first: number, count: number): Uint8Array {
    const degree = items('chunk', chunk, WORD_BYTES);
    requireRange('chunk degree', degree, 1, MAX_DIMENSION);
    requireRange('first', first, 0, degree);
    requireRange('count', count, 0, degree - first);
    const out = new Uint8Array(count * chunk.length);
    const plan = { count, inputs: [], outputs: [{ bytes: out, step: chunk.length }], constants: [chunk] };
    memory.stream(plan, ({ outputs, constants }, rows, offset) =>
      wasm.rotations(outputs[0]!, constants[0]!, degree, first + offset, rows),
    );
    return out;
  }

  function negacyclicProduct(polynomial: Uint8Array, key: Gr64): Gr64 {
    const degree = requireDegree(items('polynomial', polynomial, WORD_BYTES));
    if (key.length !== degree * ELEMENT_BYTES) {
      throw new KernelError(
        'BATCH_LENGTH',
        `key: ${key.length} bytes for degree ${degree}, want ${degree * ELEMENT_BYTES}`,
      );
    }
    const out = new Uint8Array(key.length);
    memory.use((scratch) => {
      const transformBytes = degree * 32;
      const [words, shares, result] = [polynomial.length, key.length, key.length].map(scratch.reserve) as [
        number,
        number,
        number,
      ];
      const [left, right, product] = [transformBytes, transformBytes, transformBytes].map(scratch.reserve) as [
        number,
        number,
        number,
      ];
      scratch.write(words, polynomial);
      scratch.write(shares, key);
      wasm.transform(left, words, WORD_BYTES, degree);
      for (let offset = 0; offset < ELEMENT_BYTES; offset += WORD_BYTES) {
        wasm.transform(right, shares + offset, ELEMENT_BYTES, degree);
        wasm.multiplyTransforms(result + offset, ELEMENT_BYTES, left, right, degree, product);
      }
      scratch.read(result, out);
    });
    return out as unknown as Gr64;
  }

  function negacyclicProductKaratsuba(a: Uint8Array, b: Uint8Array): Uint8Array {
    const degree = requireDegree(items('polynomial', a, WORD_BYTES));
    if (b.length !== a.length)
      throw new KernelError('BATCH_LENGTH', `polynomials of ${a.length} and ${b.length} bytes`);
    const out = new Uint8Array(a.length);
    memory.use((scratch) => {
      const [left, right, result] = [a.length, a.length, a.length].map(scratch.reserve) as [number, number, number];
      scratch.write(left, a);
      scratch.write(right, b);
      wasm.karatsuba(result, left, right, degree, scratch.reserve(6 * a.length));
      scratch.read(result, out);
    });
    return out;
  }

  return { innerProducts, compactMasks, negacyclicProduct, negacyclicProductKaratsuba };
}

function items(what: string, bytes: Uint8Array, step: number): number {
  if (bytes.length % step !== 0) {
    throw new KernelError('BATCH_LENGTH', `${what}: ${bytes.length} bytes, want a multiple of ${step}`);
  }
  return bytes.length / step;
}

function requireDegree(degree: number): number {
  requireRange('polynomial degree', degree, 4, MAX_DEGREE);
  if ((degree & (degree - 1)) !== 0)
    throw new KernelError('RANGE', `polynomial degree ${degree} is not a power of two`);
  return degree;
}

/** Fills the static table of assembly/fft.ts, breadth first from the root angle pi/2 (the fold is mod Y^M - i). */
function writeTwiddles(wasm: KernelExports): void {
  const table = new Float64Array(wasm.memory.buffer, wasm.twiddleTable(), 6 * wasm.twiddleNodes());
  const angles = [Math.PI / 2];
  for (let node = 0; node < wasm.twiddleNodes(); node++) {
    const quarter = angles[node]! / 4;
    for (let k = 1; k <= 3; k++) {
      table[6 * node + 2 * (k - 1)] = Math.cos(k * quarter);
      table[6 * node + 2 * (k - 1) + 1] = Math.sin(k * quarter);
    }
    angles.push(quarter, quarter + Math.PI, quarter + Math.PI / 2, quarter + (3 * Math.PI) / 2);
  }
}
