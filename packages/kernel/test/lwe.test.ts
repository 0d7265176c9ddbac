/** LWE products against BigInt, the integer oracle and the worst inputs of the floating-point transform. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asGr64, asGr128 } from '../src/batch.ts';
import { KernelError } from '../src/errors.ts';
import { decodeGr64, decodeGr128, type GrBits, type GrElement } from '../src/gr.ts';
import { createKernel } from '../src/kernel.ts';
import { edgeBytes, gr64Batch, gr128Batch, seededBytes } from './arbitraries.ts';

const kernel = createKernel();
const { lwe, gr64 } = kernel;

const words = (bytes: Uint8Array): bigint[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(8 * i, true));
};

const wideWords = (bytes: Uint8Array): bigint[] => {
  const halves = words(bytes);
  return Array.from({ length: halves.length / 2 }, (_, i) => halves[2 * i]! | (halves[2 * i + 1]! << 64n));
};

function negacyclic(a: readonly bigint[], b: readonly bigint[]): bigint[] {
  const out = new Array<bigint>(a.length).fill(0n);
  a.forEach((x, i) => {
    b.forEach((y, j) => {
      const k = i + j;
      if (k < a.length) out[k]! += x * y;
      else out[k - a.length]! -= x * y;
    });
  });
  return out.map((c) => BigInt.asUintN(64, c));
}

/** The textbook: sum_j masks[r][j] * key[j] in each coordinate. */
function products(masks: readonly bigint[], key: readonly GrElement[], bits: GrBits): bigint[][] {
  return Array.from({ length: masks.length / key.length }, (_, r) =>
    [0, 1, 2, 3].map((c) =>
      BigInt.asUintN(
        bits,
        key.reduce((sum, element, j) => sum + masks[r * key.length + j]! * element[c]!, 0n),
      ),
    ),
  );
}

describe('inner products equal BigInt sums for any dimension and number of rows', () => {
  const size = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 5 }));

  test('of 64-bit words', () => {
    const input = size.chain(([dimension, rows]) => fc.tuple(edgeBytes(8 * dimension * rows, 8), gr64Batch(dimension)));
    fc.assert(
      fc.property(input, ([masks, key]) => {
        expect(decodeGr64(lwe.innerProducts(masks, key))).toEqual(products(words(masks), decodeGr64(key), 64));
      }),
    );
  });

  test('of 128-bit words', () => {
    const input = size.chain(([dimension, rows]) =>
      fc.tuple(edgeBytes(16 * dimension * rows, 16), gr128Batch(dimension)),
    );
    fc.assert(
      fc.property(input, ([masks, key]) => {
        const want = products(wideWords(masks), decodeGr128(key), 128);
        expect(decodeGr128(lwe.innerProducts128(masks, key))).toEqual(want);
      }),
    );
  });

  test('of 128-bit words in the longest rows, where the sums are largest', () => {
    const [rows, dimension] = [3, 6144];
    const masks = new Uint8Array(16 * rows * dimension).fill(0xff);
    masks.set(seededBytes(4, 16 * dimension), 16 * dimension);
    const key = asGr128(new Uint8Array(64 * dimension).fill(0xff));
    const want = products(wideWords(masks), decodeGr128(key), 128);
    expect(decodeGr128(lwe.innerProducts128(masks, key))).toEqual(want);
  });
});

test('many long rows are streamed', () => {
  const [rows, dimension] = [70, 2048];
  const masks = seededBytes(1, 8 * rows * dimension);
  const key = asGr64(seededBytes(2, 32 * dimension));
  const all = lwe.innerProducts(masks, key);
  for (const r of [0, 16, 33, 69]) {
    expect(lwe.innerProducts(masks.slice(r * 8 * dimension, (r + 1) * 8 * dimension), key)).toEqual(
      all.slice(32 * r, 32 * r + 32),
    );
  }
});

test('compact masks are the chunk times powers of X', () => {
  const chunk = seededBytes(3, 8 * 16);
  const power = (i: number) => Array.from({ length: 16 }, (_, j) => BigInt(j === i));
  const got = words(lwe.compactMasks(chunk, 3, 13));
  for (let i = 3; i < 16; i++)
    expect(got.slice(16 * (i - 3), 16 * (i - 2))).toEqual(negacyclic(words(chunk), power(i)));
  expect(lwe.compactMasks(seededBytes(3, 8 * 2048), 5, 60).slice(8 * 2048 * 59)).toEqual(
    lwe.compactMasks(seededBytes(3, 8 * 2048), 64, 1),
  );
  expect(() => lwe.compactMasks(chunk, 3, 14)).toThrow(KernelError);
});

test.each([4, 8, 16, 32, 64, 128])('Karatsuba and the transform equal BigInt at degree %i', (degree) => {
  fc.assert(
    fc.property(edgeBytes(8 * degree, 8), gr64Batch(degree), (a, key) => {
      const components = [0, 1, 2, 3].map((k) => decodeGr64(key).map((element) => element[k]!));
      const want = components.map((component) => negacyclic(words(a), component));
      const got = decodeGr64(lwe.negacyclicProduct(a, key));
      expect([0, 1, 2, 3].map((k) => got.map((element) => element[k]!))).toEqual(want);
      expect(words(lwe.negacyclicProductKaratsuba(a, gr64.coordinate(key, 1)))).toEqual(want[1]);
    }),
    { numRuns: degree > 32 ? 10 : 50 },
  );
});

function expectExact(a: Uint8Array, key: Uint8Array): void {
  const product = lwe.negacyclicProduct(a, asGr64(key));
  for (const k of [0, 1, 2, 3] as const) {
    const want = lwe.negacyclicProductKaratsuba(a, gr64.coordinate(asGr64(key), k));
    expect(Buffer.compare(gr64.coordinate(product, k), want)).toBe(0);
  }
}

test.each([256, 512, 1024, 2048])('the transform equals Karatsuba at degree %i on random input', (degree) => {
  for (let seed = 0; seed < 20; seed++)
    expectExact(seededBytes(seed, 8 * degree), seededBytes(100 + seed, 32 * degree));
});

test.each([256, 512, 1024, 2048])('and on the worst limbs: all -2^15, all 2^15-1, alternating signs', (degree) => {
  const fill = (length: number, word: readonly number[]) =>
    Uint8Array.from({ length }, (_, i) => word[i % word.length]!);
  const patterns = [
    [0x00, 0x80, 0x00, 0x80, 0x00, 0x80, 0x00, 0x80],
    [0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f],
    [0x00, 0x80, 0xff, 0x7f, 0x00, 0x80, 0xff, 0x7f],
    [0x00, 0x80, 0x00, 0x80, 0x00, 0x80, 0x00, 0x80, 0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f],
    [0xff],
    [0, 0, 0, 0, 0, 0, 0, 0x80],
  ];
  for (const left of patterns)
    for (const right of patterns) expectExact(fill(8 * degree, left), fill(32 * degree, right));
});

test('degrees that are no power of two, or too large, are refused', () => {
  expect(() => lwe.negacyclicProduct(new Uint8Array(8 * 12), gr64.zeros(12))).toThrow(KernelError);
  expect(() => lwe.negacyclicProduct(new Uint8Array(8 * 4096), gr64.zeros(4096))).toThrow(KernelError);
  expect(() => lwe.negacyclicProduct(new Uint8Array(8 * 16), gr64.zeros(8))).toThrow(KernelError);
});
