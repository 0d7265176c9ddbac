// Goal: the noise of generated keys is, to t corrupt parties, exactly TUniform(b) plus an offset they know, and in
// total it is centred and bounded (docs/protocols/noise.md). Method: every coin toss enumerated for small bounds, in
// integers.
import { expect, test } from 'vitest';
import { bitsPerSample, centring, type JointNoise, jointNoise } from '../src/keygen/noise.ts';

type Counts = Map<bigint, bigint>;

const POINT: Counts = new Map([[0n, 1n]]);

/** Distribution of the sum of two independent terms, as counts of coin tosses. */
function add(left: Counts, right: Counts): Counts {
  const sum: Counts = new Map();
  for (const [a, countA] of left) {
    for (const [b, countB] of right) sum.set(a + b, (sum.get(a + b) ?? 0n) + countA * countB);
  }
  return sum;
}

/** `scale` times a uniform integer of this many bits. */
function uniform(bits: number, scale = 1n): Counts {
  return new Map(Array.from({ length: 1 << bits }, (_, value) => [BigInt(value) * scale, 1n]));
}

/** TUniform(b) as counts out of 2^(b+2): ends 1, everything else 2. */
function tUniform(boundLog2: number): Counts {
  const bound = 1n << BigInt(boundLog2);
  const counts: Counts = new Map();
  for (let value = -bound; value <= bound; value++) counts.set(value, value === -bound || value === bound ? 1n : 2n);
  return counts;
}

/** What the joint bits contribute. */
function joint({ jointBits, prssBits }: JointNoise): Counts {
  if (prssBits === undefined) return add(uniform(1), uniform(jointBits));
  return uniform(jointBits, 1n << BigInt(prssBits));
}

/** What one set of the family contributes. */
function ofOneSet({ prssBits }: JointNoise): Counts {
  return prssBits === undefined ? POINT : add(uniform(prssBits), uniform(1));
}

function shift(counts: Counts, by: bigint): Counts {
  return new Map([...counts].map(([value, count]) => [value + by, count]));
}

function sameDistribution(left: Counts, right: Counts): void {
  const total = (counts: Counts): bigint => [...counts.values()].reduce((sum, count) => sum + count, 0n);
  const [all, other] = [total(left), total(right)];
  expect([...left.keys()].sort()).toEqual([...right.keys()].sort());
  for (const [value, count] of left) expect(count * other, `value ${value}`).toBe(right.get(value)! * all);
}

/** Sets of family A2 at 4/1, 7/2, 10/3, 13/4. */
const FAMILY_SIZES = [2, 5, 10, 27];

test.each(FAMILY_SIZES)(
  '%i sets: what the coalition does not know is exactly TUniform, up to a known offset',
  (size) => {
    for (const boundLog2 of [8, 9]) {
      const noise = jointNoise(boundLog2, size);
      const bound = 1n << BigInt(boundLog2);
      const unknown = add(joint(noise), ofOneSet(noise)); // of all sets they lack one
      sameDistribution(shift(unknown, -bound), tUniform(boundLog2));
    }
  },
);

test.each(FAMILY_SIZES)('%i sets, small bounds: TUniform itself', (size) => {
  for (const boundLog2 of [0, 1, 3, 7]) {
    const noise = jointNoise(boundLog2, size);
    expect(noise.prssBits).toBeUndefined();
    expect(bitsPerSample(noise)).toBe(boundLog2 + 2);
    sameDistribution(shift(joint(noise), centring(noise, size)), tUniform(boundLog2));
  }
});

test.each(FAMILY_SIZES)('%i sets: the total has mean exactly 0, the stated variance and bound', (size) => {
  for (const boundLog2 of [8, 17, 30]) {
    const noise = jointNoise(boundLog2, size);
    const { jointBits, prssBits } = noise;
    const bound = 1n << BigInt(boundLog2);
    const [h, p] = [BigInt(jointBits), BigInt(prssBits!)];
    expect(h + p).toBe(BigInt(boundLog2) + 1n);
    // Twice the mean of each term: H, then u_A and beta_A of each set, then the constant.
    const twiceMean = (1n << p) * ((1n << h) - 1n) + BigInt(size) * ((1n << p) - 1n + 1n) + 2n * centring(noise, size);
    expect(twiceMean).toBe(0n);
    const largest = (1n << p) * ((1n << h) - 1n) + BigInt(size) * (1n << p) + centring(noise, size);
    expect(largest).toBe(bound + BigInt(size - 1) * (1n << BigInt(boundLog2 - jointBits)));
    expect(centring(noise, size)).toBe(-largest); // symmetric
    const extra = (size - 1) / 4 ** jointBits; // docs/protocols/noise.md, "Variance"
    expect(extra).toBeLessThanOrEqual(0.03);
  }
});

test('the whole distribution of the smallest hybrid is symmetric', () => {
  const size = 2;
  const noise = jointNoise(8, size);
  let total = joint(noise);
  for (let set = 0; set < size; set++) total = add(total, ofOneSet(noise));
  const centred = shift(total, centring(noise, size));
  for (const [value, count] of centred) expect(centred.get(-value)).toBe(count);
});
