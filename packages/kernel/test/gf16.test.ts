/** GF(16) kernels against the table arithmetic, exhaustively where that is possible. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { asGf16 } from '../src/batch.ts';
import { KernelError } from '../src/errors.ts';
import { field16Inverse, field16Mul } from '../src/field16.ts';
import { createKernel } from '../src/kernel.ts';
import { gf16Batch, seededBytes } from './arbitraries.ts';

const { gf16 } = createKernel();
const ELEMENTS = Array.from({ length: 16 }, (_, i) => i);

/** Schoolbook product mod x^4+x+1. */
function slowMul(a: number, b: number): number {
  let product = 0;
  for (let k = 0; k < 4; k++) product ^= ((b >> k) & 1) * (a << k);
  for (let k = 6; k >= 4; k--) if ((product >> k) & 1) product ^= 0b10011 << (k - 4);
  return product;
}

test('the tables, mul and scale equal schoolbook multiplication for all pairs', () => {
  const left = asGf16(Uint8Array.from(ELEMENTS.flatMap((a) => ELEMENTS.map(() => a))));
  const right = asGf16(Uint8Array.from(ELEMENTS.flatMap(() => ELEMENTS)));
  const want = ELEMENTS.flatMap((a) => ELEMENTS.map((b) => slowMul(a, b)));
  expect([...gf16.mul(left, right)]).toEqual(want);
  for (const a of ELEMENTS) {
    expect([...gf16.scale(a, asGf16(Uint8Array.from(ELEMENTS)))]).toEqual(want.slice(16 * a, 16 * a + 16));
    for (const b of ELEMENTS) expect(field16Mul(a, b)).toBe(slowMul(a, b));
    if (a !== 0) expect(slowMul(a, field16Inverse(a))).toBe(1);
  }
  expect(() => field16Inverse(0)).toThrow(KernelError);
});

test('add, addScaled and evaluate agree with the tables at every length', () => {
  const lengths = fc.integer({ min: 0, max: 70 });
  const input = lengths.chain((n) => fc.tuple(gf16Batch(n), gf16Batch(n), gf16Batch(n)));
  fc.assert(
    fc.property(input, fc.integer({ min: 0, max: 15 }), ([a, b, c], k) => {
      expect([...gf16.add(a, b)]).toEqual([...a].map((x, i) => x ^ b[i]!));
      expect([...gf16.addScaled(a, k, b)]).toEqual([...a].map((x, i) => x ^ slowMul(k, b[i]!)));
      expect([...gf16.evaluate([a, b, c], k)]).toEqual([...a].map((x, i) => x ^ slowMul(k, b[i]! ^ slowMul(k, c[i]!))));
    }),
  );
});

test('pack and unpack are inverse, for odd and even counts and long batches', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 70 }).chain(gf16Batch), (a) => {
      const packed = gf16.pack(a);
      expect(packed.length).toBe(Math.ceil(a.length / 2));
      a.forEach((x, i) => {
        expect((packed[i >> 1]! >> (4 * (i & 1))) & 15).toBe(x);
      });
      expect(gf16.unpack(packed, a.length)).toEqual(a);
    }),
  );
  const packed = seededBytes(1, 300_000);
  expect(gf16.pack(gf16.unpack(packed, 600_000))).toEqual(packed);
});

test('what is not an element is refused', () => {
  expect(() => asGf16(Uint8Array.of(16))).toThrow(KernelError);
  expect(() => gf16.scale(16, gf16.zeros(1))).toThrow(KernelError);
  expect(() => gf16.unpack(Uint8Array.of(0x10), 1)).toThrow(KernelError);
  expect(() => gf16.unpack(Uint8Array.of(1, 2), 2)).toThrow(KernelError);
});
