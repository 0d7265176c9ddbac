/** Laws of the pairing: nothing else defines it for us, since only equality of two pairings is ever asked. */
import { G1_BYTES, G1_GENERATOR, G2_BYTES, G2_GENERATOR, R, scalarsToBytes } from '@keyquorum/kernel/bls446-encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { equalPairings } from '../src/pairing.ts';
import { tools } from './support/curve-tools.ts';

const { g1, g2 } = tools.curve;
const scalar = fc.bigInt({ min: 1n, max: R - 1n });
const times1 = (value: bigint) => g1.multiply(G1_GENERATOR, scalarsToBytes([value % R]));
const times2 = (value: bigint) => g2.multiply(G2_GENERATOR, scalarsToBytes([value % R]));

test('it is bilinear', () => {
  fc.assert(
    fc.property(scalar, scalar, (a, b) => {
      const one = { g1: times1(a), g2: times2(b) };
      expect(equalPairings(one, { g1: times1(a * b), g2: G2_GENERATOR })).toBe(true);
      expect(equalPairings(one, { g1: G1_GENERATOR, g2: times2(a * b) })).toBe(true);
      expect(equalPairings(one, { g1: times1(a * b + 1n), g2: G2_GENERATOR })).toBe(false);
    }),
    { numRuns: 2 },
  );
});

test('it is 1 only at infinity', () => {
  const [zero1, zero2] = [new Uint8Array(G1_BYTES), new Uint8Array(G2_BYTES)];
  const generators = { g1: G1_GENERATOR, g2: G2_GENERATOR };
  expect(equalPairings({ g1: zero1, g2: G2_GENERATOR }, { g1: G1_GENERATOR, g2: zero2 })).toBe(true);
  expect(equalPairings(generators, { g1: zero1, g2: G2_GENERATOR })).toBe(false);
});

test('points of another length are refused', () => {
  expect(() =>
    equalPairings({ g1: new Uint8Array(2 * G1_BYTES), g2: G2_GENERATOR }, { g1: G1_GENERATOR, g2: G2_GENERATOR }),
  ).toThrow();
});
