/**
 * The noise of jointly generated key material: bounds and shapes in one table that the protocol reads and
 * `scripts/soundness.ts` recomputes (docs/protocols/noise.md; SPEC R11).
 *
 * One formula serves all components. With b the bound, h joint bits, F terms (sets of the family times terms per set):
 *
 *   e = 2^(b+1-h)*H - 2^b + sum (u + beta) - (F-1)*2^(b-h)
 *
 * H is an integer of h jointly generated bits, u uniform in [0, 2^(b+1-h)) and beta one bit, both from the PRSS key of
 * a set. To t corrupt parties, who lack one set, it is exactly TUniform(b) plus a known offset (a sum of TUniforms when
 * sets give several terms); in total its mean is 0 and its variance TUniform's times 1 + (F-1)/4^h. Three cases:
 *  hybrid, h >= 1: few samples, nearly TUniform in total;
 *  PRSS alone, h = 0: any number of samples at no cost, variance F times TUniform's, so that b may have to be lowered;
 *  plain: TUniform(b) from b+2 joint bits, e = b_0 + B - 2^b, for the small bounds of the Test set.
 */
import type { KeyStreamComponent } from '@keyquorum/tfhe/csprng';
import type { ComponentPlan } from '@keyquorum/tfhe/key-set-components';
import type { ParameterSet } from '@keyquorum/tfhe/parameters';

export interface JointNoise {
  /** TUniform bound b: what t corrupt parties cannot know lies in [-2^b, 2^b], per term of a set. */
  readonly boundLog2: number;
  /** Joint bits of the integer H or B. */
  readonly jointBits: number;
  /** Bits of u; undefined for a plain TUniform, which has one more joint bit b_0 instead. */
  readonly prssBits: number | undefined;
  /** Independent draws u + beta from every set, each under a label of its own. */
  readonly termsPerSet: number;
}

/** How a component's PRSS noise is chosen: the first row whose `familySizeMax` is not below the number of sets. */
interface PrssRow {
  readonly familySizeMax: number;
  /** The bound is lowered by this many bits against the parameter set. */
  readonly loweredBits: number;
  readonly termsPerSet: number;
}

const row = (familySizeMax: number, loweredBits: number, termsPerSet = 1): PrssRow => ({
  familySizeMax,
  loweredBits,
  termsPerSet,
});

/** The sets add at most this much to a hybrid's variance; it decides h. */
const EXTRA_VARIANCE_MAX = 0.03;
/** Below this bound the hybrid saves nothing, and there is nothing to lower. */
const LARGE_BOUND_LOG2_MIN = 8;

/** A bootstrapped value's share of the noise: at most twice TUniform's variance up to 32 sets, 4.4 times at 70. */
const BOOTSTRAPPING: readonly PrssRow[] = [row(2, 0), row(8, 1), row(70, 2)];
/**
 * A packed coefficient gathers the noise of all ciphertexts of its list, so more than 5.9 times TUniform's variance is
 * too much, and a bound 2 bits lower is too easy to break: three terms of it lose only 1.2 bits, two 1.5.
 */
const COMPRESSION: readonly PrssRow[] = [row(5, 0), row(21, 1), row(31, 2, 3), row(35, 2, 2)];
/** Keeps squashed noise below 2^70. */
const NOISE_SQUASHING: readonly PrssRow[] = [row(35, 0), row(70, 1)];
/** Thousands of times below the noise that comes in, for any family. */
const SQUASHED_PACKING: readonly PrssRow[] = [row(70, 0)];

/** The choice for every component. Few samples: joint bits. Millions: PRSS alone, from family A2. */
const CHOICE: Record<KeyStreamComponent, 'joint-bits' | readonly PrssRow[]> = {
  'compact-public-key': 'joint-bits',
  'rerandomization-key': 'joint-bits',
  'key-switching-key': 'joint-bits',
  'casting-key': 'joint-bits',
  'modulus-switch-zeros': 'joint-bits',
  'noise-squashing-zeros': 'joint-bits',
  'bootstrapping-key': BOOTSTRAPPING,
  'oprf-key': BOOTSTRAPPING,
  'decompression-key': BOOTSTRAPPING,
  'compression-packing-key': COMPRESSION,
  'noise-squashing-key': NOISE_SQUASHING,
  'noise-squashing-compression-key': SQUASHED_PACKING,
};

/** No noise makes a key of this size both safe and reliable. Thrown before a ceremony starts. */
export class UnsoundSizeError extends Error {
  override readonly name = 'UnsoundSizeError';
  readonly code = 'KEYGEN_UNSOUND_SIZE';
}

/**
 * The noise of a component when its PRSS terms come from `familySize` sets of family A2: 2, 5, 27 for 4/1, 7/2, 13/4.
 * Call `requireSoundNoise` first: sizes that it refuses get the noise of the largest accepted one.
 */
export function componentNoise({ component, noiseBoundLog2 }: ComponentPlan, familySize: number): JointNoise {
  const rows = CHOICE[component];
  if (rows === 'joint-bits') return jointNoise(noiseBoundLog2, familySize);
  if (noiseBoundLog2 < LARGE_BOUND_LOG2_MIN) return prssNoise(noiseBoundLog2, 1);
  const { loweredBits, termsPerSet } = rows.find((choice) => familySize <= choice.familySizeMax) ?? rows.at(-1)!;
  return prssNoise(noiseBoundLog2 - loweredBits, termsPerSet);
}

/**
 * Refuses sizes for which a component has no noise that keeps the failure probability below 2^-126 and 128 bits of
 * security: of the 30 sizes, 15/3 and 15/4 with compression. Sets that protect nothing pass.
 * @throws UnsoundSizeError
 */
export function requireSoundNoise({ secure }: ParameterSet, plans: readonly ComponentPlan[], familySize: number): void {
  if (!secure) return;
  for (const { component } of plans) {
    const rows = CHOICE[component];
    if (rows === 'joint-bits') continue;
    const familySizeMax = rows.at(-1)!.familySizeMax;
    if (familySize <= familySizeMax) continue;
    throw new UnsoundSizeError(
      `${component}: noise from ${familySize} sets of parties is too much, want at most ${familySizeMax}; ` +
        'leave the part out of the key, or generate it in a network of another n and t (docs/protocols/noise.md)',
    );
  }
}

/** Noise from joint bits: hybrid with h = 3, 4, 5 for 2, 5, 27 sets, or plain for small bounds. */
export function jointNoise(boundLog2: number, familySize: number): JointNoise {
  if (boundLog2 < LARGE_BOUND_LOG2_MIN) {
    return { boundLog2, jointBits: boundLog2 + 1, prssBits: undefined, termsPerSet: 0 };
  }
  const jointBits = Math.max(1, Math.ceil(Math.log2((familySize - 1) / EXTRA_VARIANCE_MAX) / 2));
  return { boundLog2, jointBits, prssBits: boundLog2 + 1 - jointBits, termsPerSet: 1 };
}

/** Noise from PRSS alone: every term is TUniform(b). */
function prssNoise(boundLog2: number, termsPerSet: number): JointNoise {
  return { boundLog2, jointBits: 0, prssBits: boundLog2 + 1, termsPerSet };
}

/** Joint bits of one sample. */
export function bitsPerSample({ jointBits, prssBits }: JointNoise): number {
  return prssBits === undefined ? jointBits + 1 : jointBits;
}

/** The public constant added to every sample, so that the sum over `familySize` sets is centred. */
export function centring({ boundLog2, jointBits, prssBits, termsPerSet }: JointNoise, familySize: number): bigint {
  const bound = 1n << BigInt(boundLog2);
  if (prssBits === undefined) return -bound;
  return -bound - BigInt(familySize * termsPerSet - 1) * (bound >> BigInt(jointBits));
}
