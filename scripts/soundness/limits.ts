/** The limits that the noise of a generated key must keep, and a check of any choice of noise against them. */
import type { JointNoise } from '@keyquorum/protocols/keygen/noise';
import type { KeyStreamComponent } from '@keyquorum/tfhe/csprng';
import {
  type ComponentPlan,
  type KeySetComponent,
  keySetComponents,
  type OptionalPart,
} from '@keyquorum/tfhe/key-set-components';
import type { ParameterSet } from '@keyquorum/tfhe/parameters';
import {
  type BlindRotation,
  bootstrapPhase,
  castingPhase,
  correctionLog2,
  decompressionPhase,
  decryptedPhase,
  failureLog2,
  jointVariances,
  type NoiseChoice,
  squashedNoiseLog2,
} from './failure.ts';
import { sampleMoments } from './noise.ts';
import { securityBits } from './security.ts';

const SECURITY_BITS_MIN = 128;
/** The aim of the Default set, 2^-128, may be missed by this many bits. */
const FAILURE_LOSS_LOG2_MAX = 2;
/** What masks of squashed blocks are made for; the Test set exceeds it with TUniform noise already. */
const SQUASHED_NOISE_LOG2_MAX = 70;

export interface KeyChoice {
  readonly set: ParameterSet;
  readonly parts: readonly OptionalPart[];
  readonly noiseOf: NoiseChoice;
  readonly familySize: number;
}

export interface KeyQuality {
  /** log2 of the chance that one operation goes wrong, by operation. */
  readonly failures: ReadonlyMap<string, number>;
  /** undefined without the noise-squashing parts. */
  readonly squashedNoiseLog2: number | undefined;
  /** Bits of security by component; empty for sets that protect nothing. */
  readonly security: ReadonlyMap<KeySetComponent, number>;
}

export function qualityOf({ set, parts, noiseOf, familySize }: KeyChoice): KeyQuality {
  const variance = jointVariances(set, noiseOf, familySize);
  const correction = correctionLog2(set);
  const sources: BlindRotation[] = ['bootstrapping-key'];
  if (parts.includes('oprf')) sources.push('oprf-key');
  if (parts.includes('compression')) sources.push('decompression-key');
  const failures = new Map<string, number>([['casting', failureLog2(castingPhase(set, variance)) + correction]]);
  for (const source of sources) {
    failures.set(`bootstrap after ${source}`, failureLog2(bootstrapPhase(set, source, variance)) + correction);
    failures.set(`decryption after ${source}`, failureLog2(decryptedPhase(set, source, variance)));
  }
  if (parts.includes('compression')) failures.set('decompression', failureLog2(decompressionPhase(set, variance)));
  const plans = set.secure ? keySetComponents(set, parts) : [];
  return {
    failures,
    squashedNoiseLog2: parts.includes('noise-squashing') ? squashedNoiseLog2(set, variance) : undefined,
    security: new Map(plans.map((plan) => [plan, securityBits(plan, noiseOf(plan))])),
  };
}

/** The limits that this choice breaks; empty when it is sound. */
export function brokenLimits(choice: KeyChoice): string[] {
  const { set, parts, noiseOf, familySize } = choice;
  const { failures, squashedNoiseLog2: squashed, security } = qualityOf(choice);
  const aim = set.secure ? -128 : set.log2FailureProbability;
  const broken: string[] = [];
  for (const plan of keySetComponents(set, parts)) {
    const { mean2 } = sampleMoments(noiseOf(plan), familySize);
    if (mean2 !== 0n) broken.push(`${plan.component}: the noise is not centred`);
  }
  for (const [operation, log2] of failures) {
    if (log2 > aim + FAILURE_LOSS_LOG2_MAX) broken.push(`${operation} fails with probability 2^${log2.toFixed(2)}`);
  }
  for (const [{ component }, bits] of security) {
    if (bits < SECURITY_BITS_MIN) broken.push(`${component} has ${bits.toFixed(1)} bits of security`);
  }
  if (set.secure && squashed !== undefined && squashed > SQUASHED_NOISE_LOG2_MAX) {
    broken.push(`squashed noise reaches 2^${squashed.toFixed(2)}`);
  }
  return broken;
}

/** Other PRSS noise that one component could take: a bound lowered by 0..2 bits, one to three terms per set. */
export function alternatives(choice: KeyChoice, component: KeyStreamComponent): KeyChoice[] {
  return [0, 1, 2].flatMap((loweredBits) =>
    [1, 2, 3].map((termsPerSet) => {
      const other = (plan: ComponentPlan): JointNoise => {
        const boundLog2 = plan.noiseBoundLog2 - loweredBits;
        return { boundLog2, jointBits: 0, prssBits: boundLog2 + 1, termsPerSet };
      };
      return { ...choice, noiseOf: (plan) => (plan.component === component ? other(plan) : choice.noiseOf(plan)) };
    }),
  );
}
