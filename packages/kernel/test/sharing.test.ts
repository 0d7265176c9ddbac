/** Shares to secrets: every profile and algebra, with wrong shares of every kind caught exactly where they are. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AlgebraName, asGf16, asGr64, asGr128, type Batches, ELEMENT_BYTES, type Matrix } from '../src/batch.ts';
import { KernelError } from '../src/errors.ts';
import { createKernel } from '../src/kernel.ts';
import { interpolationMatrix, openingMatrix } from '../src/lagrange.ts';
import type { Opening } from '../src/ring.ts';
import { PROFILES, seededBytes } from './arbitraries.ts';

const kernel = createKernel();
const COUNT = 33;

/** What all three algebras have in common. */
interface Algebra<E> {
  evaluate(coefficients: readonly E[], point: number): E;
  open(matrix: Matrix<E>, shares: readonly E[]): Opening<E>;
}

const cast = {
  gr64: asGr64,
  gr128: asGr128,
  gf16: (bytes: Uint8Array) => asGf16(bytes.map((byte) => byte & 15)),
};

function deal<A extends AlgebraName>(name: A, degree: number, n: number, seed: number) {
  const algebra = kernel[name] as unknown as Algebra<Batches[A]>;
  const bytes = ELEMENT_BYTES[name] * COUNT;
  const polynomial = Array.from(
    { length: degree + 1 },
    (_, k) => cast[name](seededBytes(seed + k, bytes)) as Batches[A],
  );
  const points = Array.from({ length: n }, (_, i) => i + 1);
  return {
    algebra,
    secret: polynomial[0]!,
    points,
    shares: points.map((point) => algebra.evaluate(polynomial, point)),
  };
}

describe.each(['gr64', 'gr128', 'gf16'] as const)('%s sharing', (name) => {
  test.each(PROFILES)('n=$n, t=$t: all shares open to the secret, at degree t and 2t', ({ n, t }) => {
    for (const degree of [t, 2 * t]) {
      const { algebra, secret, points, shares } = deal(name, degree, n, 10);
      const opened = algebra.open(openingMatrix(points, degree, name), shares);
      expect(opened.firstInconsistent).toBe(-1);
      expect(opened.values).toEqual(secret);
    }
  });

  test.each(PROFILES)('n=$n, t=$t: any order of any enough parties opens', ({ n, t }) => {
    const { algebra, secret, points, shares } = deal(name, t, n, 20);
    fc.assert(
      fc.property(fc.shuffledSubarray(points, { minLength: t + 1 }), (chosen) => {
        const opened = algebra.open(
          openingMatrix(chosen, t, name),
          chosen.map((point) => shares[point - 1]!),
        );
        expect(opened.firstInconsistent).toBe(-1);
        expect(opened.values).toEqual(secret);
      }),
    );
  });

  test.each(PROFILES)('n=$n, t=$t: one changed bit of one share is found at its element', ({ n, t }) => {
    const { algebra, points, shares } = deal(name, t, n, 30);
    const matrix = openingMatrix(points, t, name);
    const bits = name === 'gf16' ? 4 : 8 * ELEMENT_BYTES[name];
    const place = fc.record({
      party: fc.integer({ min: 0, max: n - 1 }),
      element: fc.integer({ min: 0, max: COUNT - 1 }),
      bit: fc.oneof(fc.integer({ min: 0, max: bits - 1 }), fc.constantFrom(bits - 1, 0)), // top bit, bit 0
    });
    fc.assert(
      fc.property(place, ({ party, element, bit }) => {
        const wrong = shares.map((share) => share.slice() as typeof share);
        wrong[party]![element * ELEMENT_BYTES[name] + (bit >> 3)]! ^= 1 << (bit & 7);
        expect(algebra.open(matrix, wrong).firstInconsistent).toBe(element);
      }),
    );
  });
});

test('the first of several wrong elements is reported, across chunks', () => {
  const count = 20_000;
  const polynomial = [1, 2].map((seed) => asGr64(seededBytes(seed, 32 * count)));
  const shares = [1, 2, 3, 4].map((point) => kernel.gr64.evaluate(polynomial, point));
  shares[3]![32 * 19_000] = shares[3]![32 * 19_000]! ^ 1;
  shares[2]![32 * 19_003] = shares[2]![32 * 19_003]! ^ 1;
  const opened = kernel.gr64.open(openingMatrix([1, 2, 3, 4], 1, 'gr64'), shares);
  expect(opened.firstInconsistent).toBe(19_000);
});

test.each([1, 2, 3, 5, 8])('shares cut to %i bytes per coefficient open exactly mod that power', (bytes) => {
  const { gr64 } = kernel;
  const polynomial = [4, 5, 6].map((seed) => asGr64(seededBytes(seed, 32 * COUNT)));
  const points = [1, 2, 3, 4, 5, 6, 7];
  const wires = points.map((point) => gr64.toWire(gr64.evaluate(polynomial, point), bytes));
  const matrix = openingMatrix(points, 2, 'gr64');
  const opened = gr64.open(
    matrix,
    wires.map((wire) => gr64.fromWire(wire, bytes)),
  );
  expect(opened.firstInconsistent).toBe(-1);
  expect(gr64.toWire(gr64.lowBits(opened.values, bytes), bytes)).toEqual(gr64.toWire(polynomial[0]!, bytes));
  // an error in the top bit of the narrow coefficient is an error
  wires[4]![5 * 4 * bytes + bytes - 1]! ^= 0x80;
  expect(
    gr64.open(
      matrix,
      wires.map((wire) => gr64.fromWire(wire, bytes)),
    ).firstInconsistent,
  ).toBe(5);
});

test('an interpolation matrix evaluates the polynomial at any target', () => {
  const polynomial = [7, 8, 9].map((seed) => asGr128(seededBytes(seed, 64 * 3)));
  const at = (point: number) => kernel.gr128.evaluate(polynomial, point);
  const matrix = interpolationMatrix([2, 5, 9], [0, 11, 15], 'gr128');
  expect(kernel.gr128.multiply(matrix, [at(2), at(5), at(9)])).toEqual([at(0), at(11), at(15)]);
});

test('opening matrices are memoised and refuse repeated points and too few shares', () => {
  expect(openingMatrix([1, 2, 3], 1, 'gr64')).toBe(openingMatrix([1, 2, 3], 1, 'gr64'));
  expect(() => openingMatrix([1, 2, 2], 1, 'gr64')).toThrow(KernelError);
  expect(() => openingMatrix([1, 2], 2, 'gr64')).toThrow(KernelError);
  expect(() => openingMatrix([1, 16], 1, 'gf16')).toThrow(KernelError);
  const zeros = [1, 2, 3].map(() => kernel.gr64.zeros(1));
  expect(() => kernel.gr64.open(openingMatrix([1, 2, 3, 4], 1, 'gr64'), zeros)).toThrow(KernelError);
});
