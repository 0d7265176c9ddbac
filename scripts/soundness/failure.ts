/**
 * How often computing with a key goes wrong (docs/protocols/noise.md, "Failure"). A MODEL: variances by the usual
 * formulas (Chillotti et al., J. Cryptology 2020, section 4, and the noise formulas of tfhe-rs), independent terms,
 * Gaussian tails, exact transforms. For TUniform noise it gives 2^-129.7 where tfhe-rs states 2^-129.58; the
 * difference is kept as a correction.
 *
 * All variances are relative to the torus: a phase is a number modulo 1.
 */
import type { JointNoise } from '@keyquorum/protocols/keygen/noise';
import type { KeyStreamComponent } from '@keyquorum/tfhe/csprng';
import { type ComponentPlan, componentPlan, maskWords } from '@keyquorum/tfhe/key-set-components';
import { DELTA_LOG2, type ModulusSwitch, type ParameterSet } from '@keyquorum/tfhe/parameters';
import { sampleMoments, tuniformMoments } from './noise.ts';

/** Noise of a component. The protocol's choice is `componentNoise`; others can be tried. */
export type NoiseChoice = (plan: ComponentPlan) => JointNoise;

/** Variance of one sample of a component's key noise. */
export type SampleVariance = (component: KeyStreamComponent) => number;

/** Keys of bootstraps. */
export type BlindRotation = 'bootstrapping-key' | 'decompression-key' | 'oprf-key' | 'noise-squashing-key';

/** Variances that add up to a phase's, and the error from which on the result is wrong. */
export interface Phase {
  readonly input: number;
  /** Of the key that switches or packs. */
  readonly keySwitch: number;
  /** Of rounding to the modulus in which the blind rotation counts. */
  readonly rounding: number;
  readonly halfStep: number;
}

/** Noise of a jointly generated key, as sums over `familySize` sets. */
export function jointVariances(set: ParameterSet, noiseOf: NoiseChoice, familySize: number): SampleVariance {
  return (component) => {
    const plan = componentPlan(set, component);
    return Number(sampleMoments(noiseOf(plan), familySize).variance12) / 12 / 4 ** (8 * plan.wordBytes);
  };
}

/** Noise of a key as tfhe-rs makes it. */
export function tuniformVariances(set: ParameterSet): SampleVariance {
  return (component) => {
    const { noiseBoundLog2, wordBytes } = componentPlan(set, component);
    return Number(tuniformMoments(noiseBoundLog2).variance12) / 12 / 4 ** (8 * wordBytes);
  };
}

/** Added by a key switch. Coefficients of a packed list gather the key noise of all ciphertexts, rounding of one. */
export function keySwitchVariance(plan: ComponentPlan, sample: number, packed = 1): number {
  const { inputs, baseLog, levels } = decompositionOf(plan);
  const keyNoise = (packed * inputs * levels * (4 ** baseLog + 2) * sample) / 12;
  return keyNoise + (inputs * 4 ** (-baseLog * levels)) / 24;
}

/** Of the output of a bootstrap, whatever went in. */
export function blindRotationVariance(set: ParameterSet, key: BlindRotation, variance: SampleVariance): number {
  const plan = componentPlan(set, key);
  const { inputs, baseLog, levels } = decompositionOf(plan);
  const { dimension, polynomialSize } = plan.shape;
  const keyNoise = (levels * (dimension + 1) * polynomialSize * (4 ** baseLog + 2) * variance(key)) / 12;
  return inputs * (keyNoise + ((1 + maskWords(plan) / 2) * 4 ** (-baseLog * levels)) / 24);
}

function decompositionOf({ content, rowCount, shape }: ComponentPlan): {
  inputs: number;
  baseLog: number;
  levels: number;
} {
  if (content.kind === 'zero') throw new RangeError('encryptions of zero decompose nothing');
  const { baseLog, levels } = content.decomposition;
  const rowsPerLevel = content.kind === 'ggsw' ? shape.dimension + 1 : 1;
  return { inputs: rowCount / (levels * rowsPerLevel), baseLog, levels };
}

/** Rounding to multiples of 1/2N. The centred-mean kind takes away what the key's mean 1/2 adds. */
function roundingVariance(dimension: number, steps: number, kind: ModulusSwitch['kind'] | 'plain'): number {
  return (1 + dimension / (kind === 'centered-mean' ? 4 : 2)) / 12 / steps ** 2;
}

/** One block of a list encrypted under a compact public key: sum e_i r_i + e2 - sum e1_i s_i. */
function freshVariance(
  set: ParameterSet,
  key: 'compact-public-key' | 'rerandomization-key',
  variance: SampleVariance,
): number {
  const dimension = maskWords(componentPlan(set, key));
  const encryption = tuniformVariances(set)(key);
  return (dimension * (variance(key) + encryption)) / 2 + encryption;
}

/**
 * Input of a bootstrap after the most additions that the parameter set allows, of blocks from the given bootstrap, each
 * re-randomised.
 */
export function bootstrapPhase(set: ParameterSet, from: BlindRotation, variance: SampleVariance): Phase {
  const block = blindRotationVariance(set, from, variance) + freshVariance(set, 'rerandomization-key', variance);
  return {
    input: set.maxNoiseLevel ** 2 * block,
    keySwitch: keySwitchVariance(componentPlan(set, 'key-switching-key'), variance('key-switching-key')),
    rounding: roundingVariance(set.lwe.dimension, 2 * set.glwe.polynomialSize, set.modulusSwitch.kind),
    halfStep: halfStep(0),
  };
}

/** A block of a fresh list, cast to the small key, before its first bootstrap. */
export function castingPhase(set: ParameterSet, variance: SampleVariance): Phase {
  return {
    ...bootstrapPhase(set, 'bootstrapping-key', variance),
    input: freshVariance(set, 'compact-public-key', variance),
    keySwitch: keySwitchVariance(componentPlan(set, 'casting-key'), variance('casting-key')),
  };
}

/**
 * A block of a full compressed list before the bootstrap that takes it out: multiplied by the message modulus, packed,
 * rounded to the modulus in which it is stored, which is that of the blind rotation.
 */
export function decompressionPhase(set: ParameterSet, variance: SampleVariance): Phase {
  const { compression, messageModulus } = set;
  const packing = componentPlan(set, 'compression-packing-key');
  return {
    input: messageModulus ** 2 * blindRotationVariance(set, 'bootstrapping-key', variance),
    keySwitch: keySwitchVariance(packing, variance(packing.component), compression.ciphertextsPerGlwe),
    rounding: roundingVariance(maskWords(packing), 2 ** compression.storageLogModulus, 'plain'),
    halfStep: halfStep(Math.log2(messageModulus)),
  };
}

/** A block as it is decrypted, straight from a bootstrap. */
export function decryptedPhase(set: ParameterSet, from: BlindRotation, variance: SampleVariance): Phase {
  const input = blindRotationVariance(set, from, variance) + freshVariance(set, 'rerandomization-key', variance);
  return { input, keySwitch: 0, rounding: 0, halfStep: halfStep(0) };
}

function halfStep(extraLog2: number): number {
  return 2 ** (DELTA_LOG2 - 1 + extraLog2 - 64);
}

export function phaseVariance({ input, keySwitch, rounding }: Phase): number {
  return input + keySwitch + rounding;
}

/** log2 of the chance that a Gaussian phase errs by more than half a step. */
export function failureLog2(phase: Phase): number {
  const x = phase.halfStep / Math.sqrt(2 * phaseVariance(phase));
  return (-x * x - Math.log(x * Math.sqrt(Math.PI))) / Math.LN2; // erfc beyond 9 sigma
}

/** Added to model values: what tfhe-rs states for TUniform noise less what the model says. None for the Test set. */
export function correctionLog2(set: ParameterSet): number {
  if (!set.secure) return 0;
  const model = failureLog2(bootstrapPhase(set, 'bootstrapping-key', tuniformVariances(set)));
  return set.log2FailureProbability - model;
}

/** Gaussian noise exceeds so many standard deviations with chance 2^-128. */
const SIGMAS = 13.15;

/** log2 of the bound on the noise of a squashed block out of a full packed list, of 2^128. */
export function squashedNoiseLog2(set: ParameterSet, variance: SampleVariance): number {
  const packing = componentPlan(set, 'noise-squashing-compression-key');
  const { ciphertextsPerGlwe } = set.noiseSquashingCompression;
  const squashed = blindRotationVariance(set, 'noise-squashing-key', variance);
  const packed = keySwitchVariance(packing, variance(packing.component), ciphertextsPerGlwe);
  return 8 * packing.wordBytes + Math.log2(SIGMAS * Math.sqrt(squashed + packed));
}
