/**
 * The noise of jointly generated keys, exactly (docs/protocols/noise.md): distributions by convolution for small
 * bounds, moments and bounds by formula for all, in integers, so that equal means equal.
 */
import { bitsPerSample, centring, type JointNoise } from '@keyquorum/protocols/keygen/noise';
import type { ComponentPlan } from '@keyquorum/tfhe/key-set-components';
import type { ParameterSet } from '@keyquorum/tfhe/parameters';

/** Value -> number of equally likely coin tosses that give it. */
export type Distribution = ReadonlyMap<bigint, bigint>;

/** TUniform(b): integers in [-2^b, 2^b], the two ends half as likely. */
export function tuniform(boundLog2: number): Distribution {
  const bound = 2n ** BigInt(boundLog2);
  const values = new Map<bigint, bigint>();
  for (let value = -bound; value <= bound; value++) values.set(value, value === bound || value === -bound ? 1n : 2n);
  return values;
}

/**
 * One sample as the sum over a family of `familySize` sets. With one set it is what t corrupt parties face: the terms
 * of all other sets are an offset they know.
 */
export function sampleDistribution(noise: JointNoise, familySize: number): Distribution {
  const { jointBits, prssBits } = noise;
  const constant = new Map([[centring(noise, familySize), 1n]]);
  if (prssBits === undefined) return convolve(convolve(constant, uniform(1n, jointBits)), uniform(1n, 1));
  const term = convolve(uniform(1n, prssBits), uniform(1n, 1)); // u_A + beta_A
  let sum = convolve(constant, uniform(2n ** BigInt(prssBits), jointBits)); // 2^p H
  for (let index = 0; index < familySize * noise.termsPerSet; index++) sum = convolve(sum, term);
  return sum;
}

/** step * uniform in [0, 2^bits). */
function uniform(step: bigint, bits: number): Distribution {
  return new Map(Array.from({ length: 2 ** bits }, (_, index) => [step * BigInt(index), 1n]));
}

/** Of the sum of two independent values. */
export function convolve(one: Distribution, other: Distribution): Distribution {
  const sum = new Map<bigint, bigint>();
  for (const [left, leftWeight] of one) {
    for (const [right, rightWeight] of other) {
      sum.set(left + right, (sum.get(left + right) ?? 0n) + leftWeight * rightWeight);
    }
  }
  return sum;
}

/** The same probabilities, whatever the number of coin tosses. */
export function sameDistribution(one: Distribution, other: Distribution): boolean {
  const [total, otherTotal] = [weightOf(one), weightOf(other)];
  if (one.size !== other.size) return false;
  return [...one].every(([value, weight]) => weight * otherTotal === (other.get(value) ?? 0n) * total);
}

function weightOf(distribution: Distribution): bigint {
  return [...distribution.values()].reduce((sum, weight) => sum + weight, 0n);
}

/** Exact moments: integers, scaled so that nothing is rounded. */
export interface Moments {
  /** 2 * mean. */
  readonly mean2: bigint;
  /** 12 * variance. */
  readonly variance12: bigint;
  /** Largest absolute value. */
  readonly bound: bigint;
}

/** @throws RangeError when the moments are not multiples of 1/2 and 1/12, which no noise of ours has */
export function momentsOf(distribution: Distribution): Moments {
  const total = weightOf(distribution);
  const entries = [...distribution];
  const first = entries.reduce((sum, [value, weight]) => sum + value * weight, 0n);
  const second = entries.reduce((sum, [value, weight]) => sum + value * value * weight, 0n);
  const [mean2, variance12] = [2n * first, 12n * (second * total - first * first)];
  if (mean2 % total !== 0n || variance12 % total ** 2n !== 0n) throw new RangeError('moments are not in units');
  const bound = entries.reduce(
    (most, [value]) => (value < 0n ? (-value > most ? -value : most) : value > most ? value : most),
    0n,
  );
  return { mean2: mean2 / total, variance12: variance12 / total ** 2n, bound };
}

/** The same by formula: for bounds whose values cannot be listed. */
export function sampleMoments(noise: JointNoise, familySize: number): Moments {
  const { boundLog2, jointBits, prssBits, termsPerSet } = noise;
  const constant = centring(noise, familySize);
  if (prssBits === undefined) {
    const top = 2n ** BigInt(jointBits);
    return { mean2: top - 1n + 1n + 2n * constant, variance12: top * top - 1n + 3n, bound: 2n ** BigInt(boundLog2) };
  }
  const [joint, low] = [2n ** BigInt(jointBits), 2n ** BigInt(prssBits)];
  const terms = BigInt(familySize * termsPerSet);
  return {
    mean2: (joint - 1n) * low + terms * (low - 1n) + terms + 2n * constant,
    variance12: (joint * joint - 1n) * low * low + terms * (low * low - 1n + 3n),
    bound: (joint - 1n) * low + terms * low + constant,
  };
}

export function tuniformMoments(boundLog2: number): Moments {
  const bound = 2n ** BigInt(boundLog2);
  return { mean2: 0n, variance12: 4n * bound * bound + 2n, bound };
}

/** Variance of a sample over that of TUniform with the parameter set's bound. */
export function varianceRatio(boundLog2: number, noise: JointNoise, familySize: number): number {
  return Number(sampleMoments(noise, familySize).variance12) / Number(tuniformMoments(boundLog2).variance12);
}

export interface PhaseNoise {
  /** No honest encryptor's ciphertext has more. */
  readonly bound: bigint;
  readonly standardDeviationLog2: number;
}

/**
 * Noise of one block of a fresh list under the compact key: sum e_i r_i + e2 - sum e1_i s_i over the key's dimension,
 * with key noise e, binary randomness r, encryption noise e1, e2 and binary key s.
 */
export function freshListNoise({ pke }: ParameterSet, noise: JointNoise, familySize: number): PhaseNoise {
  const key = sampleMoments(noise, familySize);
  const encryption = tuniformMoments(pke.noiseBoundLog2);
  const dimension = BigInt(pke.dimension);
  const variance12 = (dimension * (key.variance12 + encryption.variance12)) / 2n + encryption.variance12;
  return {
    bound: dimension * (key.bound + encryption.bound) + encryption.bound,
    standardDeviationLog2: Math.log2(Number(variance12) / 12) / 2,
  };
}

/** Jointly generated bits that a component's noise takes. */
export function jointNoiseBits({ rowCount, shape }: ComponentPlan, noise: JointNoise): number {
  return rowCount * shape.polynomialSize * bitsPerSample(noise);
}
