import { describe, expect, test } from 'vitest';
import { familyA2, familyC, subsetsWith } from '../../src/prss/family.ts';

const ROSTERS = Array.from({ length: 12 }, (_, index) => index + 4).flatMap((n) =>
  Array.from({ length: Math.floor((n - 1) / 3) }, (_, index) => ({ n, t: index + 1 })),
);

function subsets(n: number, size: number, from = 1): number[][] {
  if (size === 0) return [[]];
  const result: number[][] = [];
  for (let first = from; first <= n; first++) {
    for (const rest of subsets(n, size - 1, first + 1)) result.push([first, ...rest]);
  }
  return result;
}

test('sizes for n = 3t+1', () => {
  const sizes = [1, 2, 3, 4].map((t) => [familyC({ n: 3 * t + 1, t }), familyA2({ n: 3 * t + 1, t })]);
  expect(sizes.map((families) => families.map((family) => family.subsets.length))).toEqual([
    [4, 2],
    [21, 5],
    [120, 10],
    [715, 27],
  ]);
});

describe.each(ROSTERS)('n=$n, t=$t', ({ n, t }) => {
  const families = [familyC({ n, t }), familyA2({ n, t })];

  test('every t corrupt parties leave a set without them', () => {
    for (const { subsets: sets } of families) {
      for (const corrupt of subsets(n, t)) {
        expect(sets.some((set) => corrupt.every((party) => !set.includes(party)))).toBe(true);
      }
    }
  });

  test('polynomials that vanish outside a set have the degree of the family', () => {
    const [c, a2] = families as [(typeof families)[0], (typeof families)[0]];
    for (const set of c.subsets) expect(set).toHaveLength(n - t);
    for (const set of a2.subsets) {
      expect(n - set.length).toBeLessThanOrEqual(2 * t);
      // So that one member is in time in PRSS-Init even if t parties are not.
      expect(set.length).toBeGreaterThanOrEqual(t + 1);
    }
    expect([c.degree, a2.degree]).toEqual([t, 2 * t]);
  });

  test('sets are distinct, ascending, and found by member', () => {
    for (const family of families) {
      expect(new Set(family.subsets.map(String)).size).toBe(family.subsets.length);
      for (const set of family.subsets) expect([...set].sort((left, right) => left - right)).toEqual(set);
      const memberships = Array.from({ length: n }, (_, index) => subsetsWith(family, index + 1).length);
      expect(memberships.reduce((sum, count) => sum + count, 0)).toBe(family.subsets.flat().length);
    }
  });
});
