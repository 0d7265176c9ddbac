/** The numbers of docs/protocols hold, and the arithmetic behind them agrees with counting by hand. */
import { spawnSync } from 'node:child_process';
import { bitsPerSample, centring, type JointNoise, jointNoise } from '@keyquorum/protocols/keygen/noise';
import { expect, test } from 'vitest';
import {
  momentsOf,
  sameDistribution,
  sampleDistribution,
  sampleMoments,
  tuniform,
  tuniformMoments,
} from '../scripts/soundness/noise.ts';
import { HARDNESS, securityBits } from '../scripts/soundness/security.ts';
import { allSizes, brokenArguments } from '../scripts/soundness/thresholds.ts';
import { comparisonNibbles } from '../scripts/soundness/traffic.ts';
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

test('less noise costs security by the slope', () => {
  const row = HARDNESS.find(({ part }) => part === 'bootstrapping');
  expect(row && securityBits(row, 1) - securityBits(row, 2)).toBeCloseTo(2.7);
  expect(() => row && securityBits(row, 5)).toThrow(RangeError);
});

test('77 gates, six of which have one product only, open 225 nibbles', () => {
  expect(comparisonNibbles()).toBe(225);
});
