/**
 * Hardness of the key material (docs/protocols/noise.md, "Hardness"), estimated twice, neither time by running a
 * lattice estimator: both start from published results for binary keys and interpolate. The smaller number counts.
 * Absolute error about 2 bits, plus whatever attacks are newer.
 *
 * What counts is the noise that t corrupt parties cannot know: exactly TUniform, or a sum of up to three.
 */
import type { JointNoise } from '@keyquorum/protocols/keygen/noise';
import { type ComponentPlan, maskWords } from '@keyquorum/tfhe/key-set-components';

/** An estimate for unchanged parameters, and how many bits of security one bit less noise costs there. */
interface Published {
  readonly dimension: number;
  readonly noiseBoundLog2: number;
  readonly modulusLog2: number;
  readonly bits: number;
  readonly slope: number;
}

/** From the tables of Zama's threshold submission to NIST (ePrint 2025/699, lattice-estimator of December 2024). */
const PUBLISHED: readonly Published[] = [
  { dimension: 918, noiseBoundLog2: 45, modulusLog2: 64, bits: 135, slope: 6 },
  { dimension: 1024, noiseBoundLog2: 43, modulusLog2: 64, bits: 138, slope: 5.4 },
  { dimension: 2048, noiseBoundLog2: 17, modulusLog2: 64, bits: 135, slope: 2.7 },
  { dimension: 4096, noiseBoundLog2: 30, modulusLog2: 128, bits: 135, slope: 1.33 },
  { dimension: 6144, noiseBoundLog2: 3, modulusLog2: 128, bits: 161, slope: 1.1 },
];

/**
 * The least variance of noise for so many bits of security, as tfhe-rs's parameter search takes it
 * (noise_formulas/secure_noise.rs): log2 of it, relative to the torus, falls linearly with the dimension.
 */
const LINES = [
  { bits: 128, slope: -0.05139355742296919, offset: 5.351862745098032 },
  { bits: 132, slope: -0.04978291316526609, offset: 5.31469187675068 },
] as const;

/** Bound of the TUniform whose standard deviation is that of the noise that a coalition cannot know. */
export function unknownBoundLog2({ boundLog2, termsPerSet }: JointNoise): number {
  return boundLog2 + Math.log2(Math.max(1, termsPerSet)) / 2;
}

/** Bits of security of a component's rows: the smaller estimate. */
export function securityBits(plan: ComponentPlan, noise: JointNoise): number {
  return Math.min(bySlope(plan, noise), byLines(plan, noise));
}

/** @throws RangeError for dimensions nobody has published an estimate for */
export function bySlope(plan: ComponentPlan, noise: JointNoise): number {
  const [dimension, modulusLog2] = [maskWords(plan), 8 * plan.wordBytes];
  const found = PUBLISHED.find((row) => row.dimension === dimension && row.modulusLog2 === modulusLog2);
  if (found === undefined) throw new RangeError(`${plan.component}: no estimate for dimension ${dimension}`);
  return found.bits - found.slope * (found.noiseBoundLog2 - unknownBoundLog2(noise));
}

/** Between and beyond the two lines, linearly in the noise's logarithm. */
export function byLines(plan: ComponentPlan, noise: JointNoise): number {
  const varianceLog2 = 2 * (unknownBoundLog2(noise) - 8 * plan.wordBytes) - Math.log2(3);
  const [low, high] = LINES.map(({ slope, offset }) => slope * maskWords(plan) + offset) as [number, number];
  return LINES[0].bits + ((LINES[1].bits - LINES[0].bits) * (varianceLog2 - low)) / (high - low);
}
