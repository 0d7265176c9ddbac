// Goal: the noise of generated keys is, to t corrupt parties, exactly TUniform(b) plus an offset they know, and in
// total it is centred and bounded (docs/protocols/noise.md). Method: every coin toss enumerated for small bounds, in
// integers.
import { ALL_PARTS, BASE_PARTS, componentPlan, keySetComponents } from '@keyquorum/tfhe/key-set-components';
import { DEFAULT_PARAMETERS, TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { expect, test } from 'vitest';
import {
  bitsPerSample,
  centring,
  componentNoise,
  type JointNoise,
  jointNoise,
  requireSoundNoise,
} from '../src/keygen/noise.ts';

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

/** Sizes of family A2 over all networks: 4/1 has 2 sets, 15/4 has 70. */
const ALL_FAMILY_SIZES = [2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 21, 27, 28, 35, 56, 70];
const EVERY_COMPONENT = keySetComponents(DEFAULT_PARAMETERS, ALL_PARTS);

test.each([0, 1, 3])('PRSS alone: every term is TUniform(%i), the total is symmetric', (boundLog2) => {
  // Bounds that can be listed; the components' own bounds have the same formula.
  for (const termsPerSet of [1, 2, 3]) {
    const noise: JointNoise = { boundLog2, jointBits: 0, prssBits: boundLog2 + 1, termsPerSet };
    sameDistribution(shift(ofOneSet(noise), -(1n << BigInt(boundLog2))), tUniform(boundLog2));
    for (const size of [1, 2, 3]) {
      let total = POINT;
      for (let term = 0; term < size * termsPerSet; term++) total = add(total, ofOneSet(noise));
      const centred = shift(total, centring(noise, size));
      for (const [value, count] of centred) expect(centred.get(-value)).toBe(count);
    }
  }
});

test('many samples take no joint bits, few samples take hybrids', () => {
  for (const plan of EVERY_COMPONENT) {
    const samples = plan.rowCount * plan.shape.polynomialSize;
    for (const size of ALL_FAMILY_SIZES) {
      const noise = componentNoise(plan, size);
      if (samples <= 8192) expect(noise).toEqual(jointNoise(plan.noiseBoundLog2, size));
      else expect(bitsPerSample(noise)).toBe(0);
    }
  }
});

test.each([
  [2, 0],
  [5, 1],
  [27, 2],
])('%i sets: bootstrapping keys lose %i bits of noise', (size, lost) => {
  for (const component of ['bootstrapping-key', 'oprf-key', 'decompression-key'] as const) {
    const noise = componentNoise(componentPlan(DEFAULT_PARAMETERS, component), size);
    expect(noise).toEqual({ boundLog2: 17 - lost, jointBits: 0, prssBits: 18 - lost, termsPerSet: 1 });
  }
});

test('compression at 13/4 takes three smaller terms from every set', () => {
  const noise = componentNoise(componentPlan(DEFAULT_PARAMETERS, 'compression-packing-key'), 27);
  expect(noise).toEqual({ boundLog2: 41, jointBits: 0, prssBits: 42, termsPerSet: 3 });
});

test('the Test set keeps its bounds, whatever the family', () => {
  for (const plan of keySetComponents(TEST_PARAMETERS, ALL_PARTS)) {
    for (const size of ALL_FAMILY_SIZES) expect(componentNoise(plan, size).boundLog2).toBe(plan.noiseBoundLog2);
  }
});

test('sizes without sound noise are refused, for keys that protect something', () => {
  for (const size of ALL_FAMILY_SIZES) {
    const compressed = () => requireSoundNoise(DEFAULT_PARAMETERS, EVERY_COMPONENT, size);
    if (size <= 35) expect(compressed).not.toThrow();
    else expect(compressed).toThrow(expect.objectContaining({ code: 'KEYGEN_UNSOUND_SIZE' }));
  }
  const base = keySetComponents(DEFAULT_PARAMETERS, BASE_PARTS);
  expect(() => requireSoundNoise(DEFAULT_PARAMETERS, base, 70)).not.toThrow();
  expect(() => requireSoundNoise(DEFAULT_PARAMETERS, base, 71)).toThrow('bootstrapping-key');
  expect(() => requireSoundNoise(TEST_PARAMETERS, keySetComponents(TEST_PARAMETERS, ALL_PARTS), 70)).not.toThrow();
});
