/**
 * The attack itself must be right: offsets of all parties together are one codeword of least weight, seen by no check.
 */
import { createKernel } from '@keyquorum/kernel/kernel';
import { describe, expect, test } from 'vitest';
import { equalBytes } from '../../src/bytes.ts';
import { type AlgebraName, fromWire, openShares, toWire, wireBytes } from '../../src/sharing/algebra.ts';
import { addCodeword } from '../../src/simulate/faults/codeword.ts';
import { createPrng } from '../../src/simulate/prng.ts';
import type { ElementRing } from '../../src/simulate/share-message.ts';
import type { PartyId } from '../../src/transport.ts';

const kernel = createKernel();
const RINGS: Record<AlgebraName, ElementRing> = {
  gr64: { kind: 'galois', coordinateBytes: 8 },
  gr128: { kind: 'galois', coordinateBytes: 16 },
  gf16: { kind: 'gf16' },
};
const SIZES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
  { n: 13, t: 4 },
];
const CASES = SIZES.flatMap((size) =>
  (['gr64', 'gr128', 'gf16'] as const).flatMap((algebra) =>
    [1, 2].flatMap((degree) =>
      [false, true].map((highBitsOnly) => ({ ...size, algebra, degree: degree * size.t, highBitsOnly })),
    ),
  ),
);

describe.each(CASES)('n=$n, $algebra, degree $degree, high bits only: $highBitsOnly', (given) => {
  const { n, algebra, degree, highBitsOnly } = given;
  const parties = Array.from({ length: n }, (_, index) => index + 1);
  const support = parties.slice(0, given.t);
  const COUNT = 1; // one element: with more, different codewords would meet
  const zeros = new Uint8Array(wireBytes(algebra, COUNT));
  const offsetOf = (self: PartyId) =>
    addCodeword(zeros, RINGS[algebra], { n, degree, support, self, random: createPrng('codeword'), highBitsOnly });

  test('has weight n - degree and contains the colluders', () => {
    const changed = parties.filter((party) => !equalBytes(offsetOf(party), zeros));
    expect(changed).toHaveLength(n - degree);
    expect(changed).toEqual(expect.arrayContaining(support));
  });

  test('is a codeword: all together shift the value and no check sees it', () => {
    const shares = parties.map((party) => [party, fromWire(kernel, algebra, offsetOf(party), COUNT)] as const);
    const { values, firstInconsistent } = openShares(kernel, algebra, shares, degree);
    expect(firstInconsistent).toBe(-1);
    expect(equalBytes(toWire(kernel, algebra, values), zeros)).toBe(false);
  });

  test('the colluders alone are always seen when all shares are there', () => {
    const shares = parties.map((party) => {
      const bytes = support.includes(party) ? offsetOf(party) : zeros;
      return [party, fromWire(kernel, algebra, bytes, COUNT)] as const;
    });
    expect(openShares(kernel, algebra, shares, degree).firstInconsistent).toBe(0);
  });
});
