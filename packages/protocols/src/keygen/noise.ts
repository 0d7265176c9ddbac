/**
 * The noise of jointly generated key material: bounds and shapes in one table that the protocol reads and
 * `scripts/soundness.ts` recomputes (docs/protocols/noise.md; SPEC R11).
 *
 * Large bounds take the hybrid: e = 2^(b+1-h)*H - 2^b + sum_A (u_A + beta_A) - (|F|-1)*2^(b-h), with H an integer of h jointly
 * generated bits, u_A uniform in [0, 2^(b+1-h)) and beta_A one bit, both from the PRSS keys of the sets A of a family F. To t
 * corrupt parties it is exactly TUniform(b) plus a known offset; in total its mean is 0 and its variance is TUniform's times
 * 1 + (|F|-1)/4^h. Small bounds (the Test set) take TUniform(b) itself from b+2 joint bits: e = b_0 + B - 2^b.
 */
export interface JointNoise {
  /** TUniform bound b: every honest view lies in [-2^b, 2^b]. */
  readonly boundLog2: number;
  /** Joint bits of the integer H or B. */
  readonly jointBits: number;
  /** Bits of u_A; undefined for a plain TUniform, which has one more joint bit b_0 instead. */
  readonly prssBits: number | undefined;
}

/** h by threshold: large enough that the total variance stays within 2 % of TUniform(b)'s for |F| = 2, 5, 10, 27. */
const JOINT_BITS: Readonly<Record<number, number>> = { 1: 3, 2: 4, 3: 5, 4: 5 };
/** Below this bound the hybrid saves nothing. */
const HYBRID_BOUND_LOG2_MIN = 8;

/** @throws RangeError for a threshold without a choice in the table */
export function jointNoise(boundLog2: number, threshold: number): JointNoise {
  const jointBits = JOINT_BITS[threshold];
  if (jointBits === undefined) throw new RangeError(`no noise is chosen for threshold ${threshold}, want 1..4`);
  if (boundLog2 < HYBRID_BOUND_LOG2_MIN) return { boundLog2, jointBits: boundLog2 + 1, prssBits: undefined };
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
