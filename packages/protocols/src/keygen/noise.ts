/**
 * The noise of jointly generated key material: bounds and shapes in one table that the protocol reads and
 * `scripts/soundness.ts` recomputes (docs/protocols/noise.md; SPEC R11).
 *
 * Large bounds take the hybrid: e = 2^(b+1-h)*H - 2^b + sum_A (u_A + beta_A) - (|F|-1)*2^(b-h), with H an integer of h
 * jointly generated bits, u_A uniform in [0, 2^(b+1-h)) and beta_A one bit, both from the PRSS keys of the sets A of a
 * family F. To t corrupt parties it is exactly TUniform(b) plus a known offset; in total its mean is 0 and its variance
 * is TUniform's times 1 + (|F|-1)/4^h. Small bounds (the Test set) take TUniform(b) itself from b+2 joint bits: e = b_0
 * + B - 2^b.
 */
export interface JointNoise {
  /** TUniform bound b: every honest view lies in [-2^b, 2^b]. */
  readonly boundLog2: number;
  /** Joint bits of the integer H or B. */
  readonly jointBits: number;
  /** Bits of u_A; undefined for a plain TUniform, which has one more joint bit b_0 instead. */
  readonly prssBits: number | undefined;
}

/** The sets add at most this much to TUniform's variance; it decides h. */
const EXTRA_VARIANCE_MAX = 0.03;
/** Below this bound the hybrid saves nothing. */
const HYBRID_BOUND_LOG2_MIN = 8;

/** `familySize`: number of sets whose PRSS terms are added: 2, 5, 27 for 4/1, 7/2, 13/4, which makes h 3, 4, 5. */
export function jointNoise(boundLog2: number, familySize: number): JointNoise {
  if (boundLog2 < HYBRID_BOUND_LOG2_MIN) return { boundLog2, jointBits: boundLog2 + 1, prssBits: undefined };
  const jointBits = Math.max(1, Math.ceil(Math.log2((familySize - 1) / EXTRA_VARIANCE_MAX) / 2));
  return { boundLog2, jointBits, prssBits: boundLog2 + 1 - jointBits };
}

/** Joint bits of one sample. */
export function bitsPerSample({ jointBits, prssBits }: JointNoise): number {
  return prssBits === undefined ? jointBits + 1 : jointBits;
}

/** The public constant added to every sample, so that the sum over `familySize` sets is centred. */
export function centring({ boundLog2, jointBits, prssBits }: JointNoise, familySize: number): bigint {
  const bound = 1n << BigInt(boundLog2);
  return prssBits === undefined ? -bound : -bound - BigInt(familySize - 1) * (bound >> BigInt(jointBits));
}
