/** Packed GLWE bodies against an exact integer product, in both rings, up to the worst inputs the bound allows. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { asGr64, asGr128, type Gr64, type Gr128 } from '../src/batch.ts';
import { type RingContext, ringContext } from '../src/context.ts';
import { KernelError } from '../src/errors.ts';
import { createGlwe, type GlweKernel, prepareFactors } from '../src/glwe.ts';
import { createMemory } from '../src/memory.ts';
import { createRing, type Ring } from '../src/ring.ts';
import { instantiate } from '../src/wasm.ts';
import { edgeBytes, seededBytes } from './arbitraries.ts';
import { negacyclic, wordsOf } from './kronecker.ts';

const wasm = instantiate();
const memory = createMemory(wasm);

interface Side<E extends Gr64 | Gr128> {
  readonly bits: 64 | 128;
  readonly context: RingContext;
  readonly ring: Ring<E>;
  readonly glwe: GlweKernel<E>;
  readonly as: (bytes: Uint8Array) => E;
}

function side<E extends Gr64 | Gr128>(bits: 64 | 128, as: (bytes: Uint8Array) => E): Side<E> {
  const context = ringContext(wasm, memory, bits === 64 ? 'gr64' : 'gr128');
  return { bits, context, ring: createRing<E>(context), glwe: createGlwe<E>(context), as };
}
const narrow = side(64, asGr64);
const wide = side(128, asGr128);

/** Coordinates 0..3 of the unpacked body of one row, as polynomials. */
function bodyOf<E extends Gr64 | Gr128>({ bits, ring, as }: Side<E>, masks: Uint8Array, key: E, degree: number) {
  const mask = wordsOf(masks, bits);
  return ([0, 1, 2, 3] as const).map((c) => {
    const coordinate = wordsOf(ring.coordinate(as(key), c), bits);
    const sum = new Array<bigint>(degree).fill(0n);
    for (let q = 0; q < mask.length; q += degree) {
      const product = negacyclic(mask.slice(q, q + degree), coordinate.slice(q, q + degree), bits);
      product.forEach((value, i) => {
        sum[i] = BigInt.asUintN(bits, sum[i]! + value);
      });
    }
    return sum;
  });
}

function encode<E extends Gr64 | Gr128>({ bits, as }: Side<E>, coordinates: readonly bigint[][]): E {
  const words = coordinates[0]!.flatMap((_, i) => coordinates.map((coordinate) => coordinate[i]!));
  const halves = bits === 64 ? words : words.flatMap((word) => [BigInt.asUintN(64, word), word >> 64n]);
  return as(new Uint8Array(BigUint64Array.from(halves).buffer));
}

function expectBodies<E extends Gr64 | Gr128>(s: Side<E>, masks: Uint8Array, key: E, degree: number): void {
  const bodies = s.glwe.prepareKey(key, degree).packedBodies(masks);
  const rowBytes = (key.length / 4) | 0; // one word of mask per element of the key
  for (let r = 0; r * rowBytes < masks.length; r++) {
    const want = s.ring.pack4(encode(s, bodyOf(s, masks.subarray(r * rowBytes, (r + 1) * rowBytes), key, degree)));
    expect(Buffer.compare(bodies.subarray(r * want.length, (r + 1) * want.length), want)).toBe(0);
  }
}

const wordBytes = { 64: 8, 128: 16 } as const;

function property<E extends Gr64 | Gr128>(s: Side<E>): void {
  const word = wordBytes[s.bits];
  const shape = fc.record({
    degree: fc.constantFrom(16, 32, 64),
    dimension: fc.integer({ min: 1, max: 3 }),
    rows: fc.integer({ min: 0, max: 3 }),
  });
  const input = shape.chain(({ degree, dimension, rows }) =>
    fc.record({
      degree: fc.constant(degree),
      masks: edgeBytes(rows * dimension * degree * word, word),
      key: edgeBytes(4 * dimension * degree * word, word).map(s.as),
    }),
  );
  fc.assert(
    fc.property(input, ({ degree, masks, key }) => expectBodies(s, masks, key, degree)),
    { numRuns: 60 },
  );
}

test('packed bodies over 64 bits equal the packed integer products', () => property(narrow));
test('packed bodies over 128 bits equal the packed integer products', () => property(wide));

test.each([
  [256, 4],
  [512, 1],
  [1024, 5],
  [2048, 1],
])('64 bits, N=%i k=%i, uniform', (degree, dimension) => {
  const key = asGr64(seededBytes(1, 32 * degree * dimension));
  expectBodies(narrow, seededBytes(2, 2 * 8 * degree * dimension), key, degree);
});

test.each([
  [256, 1],
  [1024, 6],
  [2048, 2],
])('128 bits, N=%i k=%i, uniform', (degree, dimension) => {
  const key = asGr128(seededBytes(3, 64 * degree * dimension));
  expectBodies(wide, seededBytes(4, 2 * 16 * degree * dimension), key, degree);
});

/** A word whose balanced 16-bit digits are all -2^15, or alternate with the largest digit. */
const extremes = (count: number, bits: 64 | 128, digits: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(count * wordBytes[bits]);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; ) {
    let carry = 0;
    for (let limb = 0; limb < bits / 16; limb++, at += 2) {
      const value = digits[(at / 2) % digits.length]! + carry;
      view.setUint16(at, value & 0xffff, true);
      carry = value >> 16;
    }
  }
  return bytes;
};
const WORST = [[-32768], [32767], [-32768, 32767], [...Array(8).fill(-32768), ...Array(8).fill(32767)]];

/** Factors are what the key tables hold: making them extreme directly is worse than any key, which only mixes them. */
function expectExtreme<E extends Gr64 | Gr128>(s: Side<E>, degree: number, dimension: number): void {
  const part = degree / 4;
  for (const left of WORST) {
    for (const right of WORST) {
      const mask = extremes(dimension * degree, s.bits, left);
      const factor = s.as(extremes(4 * part, s.bits, right));
      const key = prepareFactors(s.context, new Array<E>(4 * dimension).fill(factor), degree);
      const parts = wordsOf(mask, s.bits);
      const sum = new Array<bigint>(part).fill(0n);
      for (let i = 0; i < 4 * dimension; i++) {
        const first = (i >> 2) * degree + (i & 3);
        for (let j = 0; j < part; j++) sum[j] = BigInt.asUintN(s.bits, sum[j]! + parts[first + 4 * j]!);
      }
      const coordinate = (c: 0 | 1 | 2 | 3) => negacyclic(sum, wordsOf(s.ring.coordinate(factor, c), s.bits), s.bits);
      const want = encode(s, [coordinate(0), coordinate(1), coordinate(2), coordinate(3)]);
      expect(Buffer.compare(key.packedBodies(mask), want)).toBe(0);
    }
  }
}

test.each([
  [256, 4],
  [512, 1],
  [2048, 1],
  [2048, 2],
])('64 bits, N=%i k=%i, worst digits', (degree, dimension) => expectExtreme(narrow, degree, dimension));
test.each([
  [256, 1],
  [1024, 6],
  [2048, 2],
])('128 bits, N=%i k=%i, worst digits', (degree, dimension) => expectExtreme(wide, degree, dimension));

test('an erased key refuses, and wrong shapes are refused', () => {
  const key = narrow.glwe.prepareKey(asGr64(seededBytes(1, 32 * 32)), 16);
  expect(key.dimension).toBe(2);
  expect(() => key.packedBodies(new Uint8Array(8 * 16))).toThrow(KernelError);
  key.erase();
  expect(() => key.packedBodies(new Uint8Array(8 * 32))).toThrow(expect.objectContaining({ code: 'ERASED' }));
  for (const size of [8, 24, 4096]) {
    expect(() => narrow.glwe.prepareKey(narrow.ring.zeros(size), size)).toThrow(KernelError);
  }
  expect(() => narrow.glwe.prepareKey(narrow.ring.zeros(24), 16)).toThrow(KernelError);
});
