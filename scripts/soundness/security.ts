/**
 * Hardness of the key material by slopes (docs/protocols/noise.md). NOT a run of a lattice estimator: the base values
 * come from published estimates for the unchanged parameters, and a slope says how many bits of security one bit less
 * noise costs there. Absolute error about 2 bits, plus whatever attacks are newer than the published estimates.
 */
export interface HardnessRow {
  readonly part: string;
  readonly dimension: number;
  readonly noiseBoundLog2: number;
  readonly modulusLog2: number;
  /** Bits of security with TUniform noise of that bound. */
  readonly baseBits: number;
  /** Bits of security per bit of noise. */
  readonly slope: number;
  /** Bits of noise that t corrupt parties know, by threshold 1..4; 0 where the honest view is the whole TUniform. */
  readonly lostBits: readonly [number, number, number, number];
  /** False for parts of a key set that are not generated yet: their row is the choice the protocols leave room for. */
  readonly generated: boolean;
}

const NOTHING_LOST = [0, 0, 0, 0] as const;

export const HARDNESS: readonly HardnessRow[] = [
  {
    ...{ part: 'compact public key', dimension: 2048, noiseBoundLog2: 17, modulusLog2: 64, baseBits: 135, slope: 2.7 },
    ...{ lostBits: NOTHING_LOST, generated: true },
  },
  {
    ...{ part: 'key switching, casting', dimension: 918, noiseBoundLog2: 45, modulusLog2: 64, baseBits: 135, slope: 6 },
    ...{ lostBits: NOTHING_LOST, generated: false },
  },
  {
    ...{ part: 'bootstrapping', dimension: 2048, noiseBoundLog2: 17, modulusLog2: 64, baseBits: 135, slope: 2.7 },
    ...{ lostBits: [0, 1, 2, 2], generated: false },
  },
  {
    ...{ part: 'compression packing', dimension: 1024, noiseBoundLog2: 43, modulusLog2: 64, baseBits: 138, slope: 5.4 },
    ...{ lostBits: NOTHING_LOST, generated: false },
  },
  {
    ...{ part: 'noise squashing', dimension: 4096, noiseBoundLog2: 30, modulusLog2: 128, baseBits: 135, slope: 1.33 },
    ...{ lostBits: NOTHING_LOST, generated: false },
  },
  {
    ...{ part: 'squashed packing', dimension: 6144, noiseBoundLog2: 3, modulusLog2: 128, baseBits: 161, slope: 1.1 },
    ...{ lostBits: NOTHING_LOST, generated: false },
  },
];

/** Estimated bits of security at a threshold of 1..4. */
export function securityBits({ baseBits, slope, lostBits }: HardnessRow, threshold: number): number {
  const lost = lostBits[threshold - 1];
  if (lost === undefined) throw new RangeError(`no estimate for threshold ${threshold}, want 1..4`);
  return baseBits - slope * lost;
}
