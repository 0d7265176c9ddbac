/** The numbers of docs/protocols hold, and the arithmetic behind them agrees with counting by hand. */
import { spawnSync } from 'node:child_process';
import {
  bitsPerSample,
  centring,
  componentNoise,
  type JointNoise,
  jointNoise,
} from '@keyquorum/protocols/keygen/noise';
import type { KeyStreamComponent } from '@keyquorum/tfhe/csprng';
import { ALL_PARTS, BASE_PARTS, componentPlan } from '@keyquorum/tfhe/key-set-components';
import { DEFAULT_PARAMETERS, TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { expect, test } from 'vitest';
import {
  bootstrapPhase,
  decompressionPhase,
  failureLog2,
  keySwitchVariance,
  squashedNoiseLog2,
  tuniformVariances,
} from '../scripts/soundness/failure.ts';
import { brokenLimits, type KeyChoice } from '../scripts/soundness/limits.ts';
import {
  momentsOf,
  sameDistribution,
  sampleDistribution,
  sampleMoments,
  tuniform,
  tuniformMoments,
} from '../scripts/soundness/noise.ts';
import { byLines, bySlope, securityBits } from '../scripts/soundness/security.ts';
import { allSizes, brokenArguments } from '../scripts/soundness/thresholds.ts';
import { comparisonNibbles, keygenTraffic } from '../scripts/soundness/traffic.ts';
import { ROOT } from './repository.ts';

/** h = 2 joint bits and p = 3 bits per set: bound 2^4. */
const SMALL: JointNoise = { boundLog2: 4, jointBits: 2, prssBits: 3, termsPerSet: 1 };

/** Every coin toss of a sample over two sets, one by one. */
function countedByHand(noise: JointNoise): Map<bigint, bigint> {
  const counts = new Map<bigint, bigint>();
  const low = 2 ** (noise.prssBits ?? 0);
  for (let joint = 0; joint < 2 ** noise.jointBits; joint++) {
    for (let tosses = 0; tosses < (2 * low) ** 2; tosses++) {
      const [first, second] = [tosses % (2 * low), Math.floor(tosses / (2 * low))];
      const terms = Math.floor(first / 2) + (first % 2) + Math.floor(second / 2) + (second % 2);
      const value = BigInt(joint * low + terms) + centring(noise, 2);
      counts.set(value, (counts.get(value) ?? 0n) + 1n);
    }
  }
  return counts;
}

test('the script ends well', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/soundness.ts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).toContain('All bounds hold.');
  expect(status).toBe(0);
});

test('convolution counts what enumeration counts', () => {
  const counted = countedByHand(SMALL);
  expect(sameDistribution(sampleDistribution(SMALL, 2), counted)).toBe(true);
  expect(momentsOf(counted)).toEqual(sampleMoments(SMALL, 2));
});

test('one set gives TUniform, and a sample that lacks one coin does not', () => {
  expect(sameDistribution(sampleDistribution(SMALL, 1), tuniform(4))).toBe(true);
  expect(sameDistribution(sampleDistribution({ ...SMALL, jointBits: 1 }, 1), tuniform(4))).toBe(false);
  expect(sameDistribution(sampleDistribution(SMALL, 2), tuniform(4))).toBe(false);
});

test('TUniform has the moments of its definition', () => {
  for (const boundLog2 of [0, 1, 5]) expect(momentsOf(tuniform(boundLog2))).toEqual(tuniformMoments(boundLog2));
});

test('the Test set takes plain TUniform', () => {
  const noise = jointNoise(0, 2);
  expect(bitsPerSample(noise)).toBe(2);
  expect(sameDistribution(sampleDistribution(noise, 1), tuniform(0))).toBe(true);
});

test('counting arguments fail where they must', () => {
  expect(allSizes()).toHaveLength(30);
  expect(brokenArguments({ n: 4, t: 1 })).toEqual([]);
  expect(brokenArguments({ n: 6, t: 2 }).length).toBeGreaterThan(0); // n = 3t
});

test('the model gives what tfhe-rs states for its own noise', () => {
  const variance = tuniformVariances(DEFAULT_PARAMETERS);
  const bootstrap = (key: 'bootstrapping-key' | 'decompression-key') =>
    failureLog2(bootstrapPhase(DEFAULT_PARAMETERS, key, variance));
  expect(Math.abs(bootstrap('bootstrapping-key') - -129.581)).toBeLessThan(0.2);
  // Stated with the compression parameters.
  expect(Math.abs(bootstrap('decompression-key') - -129.275)).toBeLessThan(0.2);
  expect(squashedNoiseLog2(DEFAULT_PARAMETERS, variance)).toBeCloseTo(68.08, 2);
});

test('the noise of a packing key counts once per packed ciphertext, rounding once', () => {
  const plan = componentPlan(DEFAULT_PARAMETERS, 'compression-packing-key');
  const rounding = keySwitchVariance(plan, 0, 256);
  expect(rounding).toBe(keySwitchVariance(plan, 0, 1));
  const [one, many] = [keySwitchVariance(plan, 1e-15, 1) - rounding, keySwitchVariance(plan, 1e-15, 256) - rounding];
  expect(many / one).toBeCloseTo(256);
});

/** The protocol's choice for a Default key, but for one component. */
function choice(familySize: number, changed?: [KeyStreamComponent, Partial<JointNoise>]): KeyChoice {
  return {
    ...{ set: DEFAULT_PARAMETERS, parts: ALL_PARTS, familySize },
    noiseOf: (plan) => {
      const chosen = componentNoise(plan, familySize);
      return plan.component === changed?.[0] ? { ...chosen, ...changed[1] } : chosen;
    },
  };
}

const prss = (boundLog2: number, termsPerSet = 1): JointNoise => ({
  ...{ boundLog2, termsPerSet },
  ...{ jointBits: 0, prssBits: boundLog2 + 1 },
});

test.each([2, 5, 27])('%i sets: the choice of the protocol keeps every limit', (sets) => {
  expect(brokenLimits(choice(sets))).toEqual([]);
});

test.each<[string, number, KeyStreamComponent, Partial<JointNoise>, string]>([
  ['too much noise to bootstrap', 27, 'bootstrapping-key', prss(16), 'bootstrap after bootstrapping-key fails'],
  ['too little to be safe', 27, 'bootstrapping-key', prss(14), 'bootstrapping-key has'],
  ['too much after decompression', 27, 'decompression-key', prss(17), 'bootstrap after decompression-key fails'],
  ['too much in random values', 27, 'oprf-key', prss(16), 'bootstrap after oprf-key fails'],
  ['too much in full lists', 27, 'compression-packing-key', prss(42), 'decompression fails'],
  ['too little in lists', 27, 'compression-packing-key', prss(41), 'compression-packing-key has 127'],
  ['too much to switch keys', 5, 'key-switching-key', prss(45), 'bootstrap after bootstrapping-key fails'],
  ['too much to cast', 27, 'casting-key', prss(45), 'casting fails'],
  ['too much to squash', 70, 'noise-squashing-key', prss(30), 'squashed noise reaches 2^70'],
  ['too little to squash', 27, 'noise-squashing-key', prss(26), 'noise-squashing-key has 127'],
  ['an uncentred hybrid', 5, 'casting-key', { jointBits: 3 }, 'casting-key: the noise is not centred'],
])('%s is refused', (_, sets, component, noise, limit) => {
  const broken = brokenLimits(choice(sets, [component, noise]));
  expect(broken.some((text) => text.startsWith(limit))).toBe(true);
});

test('no noise of a compression key suits 70 sets', () => {
  const broken = brokenLimits(choice(70));
  expect(broken.some((text) => text.startsWith('decompression fails'))).toBe(true);
  expect(brokenLimits({ ...choice(70), parts: BASE_PARTS })).toEqual([]);
});

test('a full list of more ciphertexts fails more often', () => {
  const variance = tuniformVariances(DEFAULT_PARAMETERS);
  const { compression } = DEFAULT_PARAMETERS;
  const fuller = { ...DEFAULT_PARAMETERS, compression: { ...compression, ciphertextsPerGlwe: 1024 } };
  const [usual, more] = [DEFAULT_PARAMETERS, fuller].map((set) => failureLog2(decompressionPhase(set, variance)));
  expect(more).toBeGreaterThan(usual!);
});

test('less noise costs security, by both estimates', () => {
  const plan = componentPlan(DEFAULT_PARAMETERS, 'bootstrapping-key');
  expect(bySlope(plan, prss(17)) - bySlope(plan, prss(16))).toBeCloseTo(2.7);
  expect(byLines(plan, prss(17)) - byLines(plan, prss(16))).toBeCloseTo(2.45, 1);
  expect(securityBits(plan, prss(17))).toBe(Math.min(bySlope(plan, prss(17)), byLines(plan, prss(17))));
  expect(bySlope(plan, prss(16, 4))).toBeCloseTo(bySlope(plan, prss(17))); // four terms are one bit more
  expect(() => securityBits(componentPlan(TEST_PARAMETERS, 'bootstrapping-key'), prss(0))).toThrow(RangeError);
});

test('a whole key is 17,196 bits of secrets and half a gigabyte of bodies', () => {
  const traffic = keygenTraffic(DEFAULT_PARAMETERS, ALL_PARTS, { n: 4, t: 1 });
  expect(traffic).toEqual({
    keyBits: 17_196,
    noiseBits: 3 * 20_480,
    bitsBytes: 3 * (64 * 17_196 + 32 * 3 * 20_480),
    bodyBytes: 2 * (8 * 13_307_904 + 16 * 25_309_184),
  });
  const half = 8 * 13_307_904 + 16 * 25_309_184;
  for (const [n, t, bodies] of [
    [7, 2, 22 / 7],
    [13, 4, 68 / 13],
  ] as const) {
    expect(keygenTraffic(DEFAULT_PARAMETERS, ALL_PARTS, { n, t }).bodyBytes / half).toBeCloseTo(bodies);
  }
  expect(keygenTraffic(DEFAULT_PARAMETERS, BASE_PARTS, { n: 4, t: 1 }).keyBits).toBe(2048 + 2048 + 918 + 918);
});

test('77 gates, six of which have one product only, open 225 nibbles', () => {
  expect(comparisonNibbles()).toBe(225);
});
