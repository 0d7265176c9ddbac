/** The distribution of shared noise (SPEC R11, N21): bounds, mean and spread of the sum over all sets. */
import { describe, expect, test } from 'vitest';
import { familyA2, familyC } from '../../src/prss/family.ts';
import { createPrss } from '../../src/prss/prss.ts';
import { openShares } from '../../src/sharing/algebra.ts';
import { kernel } from '../sharing/sharings.ts';
import { keysOfAll } from './keys-of-all.ts';

const WIDTH = 8;
/** 16384 samples. */
const COUNT = 4096;
/** Standard deviations: a right implementation fails once in 10^8 seeds, and the seed is fixed. */
const LIMIT = 6;

describe.each([
  { n: 4, t: 1 },
  { n: 7, t: 2 },
])('n=$n, t=$t', ({ n, t }) => {
  test.each([
    { name: 'C', family: familyC({ n, t }) },
    { name: 'A2', family: familyA2({ n, t }) },
  ])('noise of family $name has the bounds, mean and variance of its uniform terms', ({ family }) => {
    const shares = [...keysOfAll(family, `noise ${n}`).values()].map((keys) => {
      return [keys.self, createPrss(kernel, keys).noise64('e', WIDTH, COUNT)] as const;
    });
    const { values, firstInconsistent } = openShares(kernel, 'gr64', shares, family.degree);
    expect(firstInconsistent).toBe(-1);
    const samples = [...new BigUint64Array(new Uint8Array(values).buffer)].map(Number);
    const sets = family.subsets.length;
    const top = 2 ** WIDTH;
    expect(Math.max(...samples)).toBeLessThanOrEqual(sets * top);

    // Per set u uniform in 0..top-1 plus one bit: mean top/2, variance (top^2 - 1)/12 + 1/4.
    const variance = sets * ((top ** 2 - 1) / 12 + 1 / 4);
    const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
    const spread = samples.reduce((sum, sample) => sum + (sample - mean) ** 2, 0) / samples.length;
    expect(Math.abs(mean - (sets * top) / 2)).toBeLessThan(LIMIT * Math.sqrt(variance / samples.length));
    expect(Math.abs(spread / variance - 1)).toBeLessThan(LIMIT * Math.sqrt(2 / samples.length));
  });
});
