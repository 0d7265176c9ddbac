import fc from 'fast-check';
import { expect, test } from 'vitest';
import { field16Mul } from '../src/field16.ts';
import { locateErrors, lowestDifferences } from '../src/locate-errors.ts';

const nibble = fc.integer({ min: 0, max: 15 });

/** A random codeword of degree d at m points with e errors, e <= (m-d-1)/2. */
const broken = fc
  .record({
    points: fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], { minLength: 2 }),
    coefficients: fc.array(nibble, { minLength: 15, maxLength: 15 }),
    degree: fc.nat(13),
    places: fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
    offsets: fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 15, maxLength: 15 }),
  })
  .filter(({ points, degree }) => degree + 1 < points.length);

test('finds any number of errors up to half the distance, for any points and degree', () => {
  fc.assert(
    fc.property(broken, ({ points, coefficients, degree, places, offsets }) => {
      const radius = Math.floor((points.length - degree - 1) / 2);
      const wrong = places.filter((place) => place < points.length).slice(0, radius);
      const word = points.map((point, index) => {
        const value = coefficients.slice(0, degree + 1).reduceRight((sum, c) => field16Mul(sum, point) ^ c, 0);
        return wrong.includes(index) ? value ^ offsets[index]! : value;
      });
      expect(locateErrors(points, word, degree)).toEqual([...wrong].sort((left, right) => left - right));
    }),
    { numRuns: 3000 },
  );
});

test('what is further than half the distance from every codeword has no answer', () => {
  // Degree 1 at 4 points: distance 3. (0, 0, 1, 1) is at distance 2 from every codeword that comes near.
  expect(locateErrors([1, 2, 3, 4], [0, 0, 1, 1], 1)).toBeUndefined();
  expect(locateErrors([1, 2, 3, 4], [0, 0, 0, 1], 1)).toEqual([3]);
});

test('errors of ring elements are looked for at the lowest bit where any of them shows', () => {
  const element = (coordinate: number, bit: number): Uint8Array => {
    const bytes = new Uint8Array(64);
    bytes[16 * coordinate + (bit >> 3)] = 1 << (bit & 7);
    return bytes;
  };
  const zero = new Uint8Array(64);
  const coordinate = fc.nat(3);
  fc.assert(
    fc.property(coordinate, fc.nat(127), coordinate, fc.nat(127), (low, bit, other, otherBit) => {
      const differences = lowestDifferences(
        [
          [element(low, bit), zero],
          [element(other, otherBit), zero],
          [zero, zero],
        ],
        16,
      );
      const lowest = Math.min(bit, otherBit);
      expect(differences).toEqual([bit === lowest ? 1 << low : 0, otherBit === lowest ? 1 << other : 0, 0]);
    }),
  );
  expect(lowestDifferences([[zero, zero]], 16)).toEqual([0]);
});
