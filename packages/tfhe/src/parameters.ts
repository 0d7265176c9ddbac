/**
 * The two parameter sets a key can have, as one table. They are Zama's KMS sets: numbers from tfhe-rs 1.7
 * (`V1_7_META_PARAM_CPU_2_2_KS_PBS_PKE_TO_SMALL_ZKV2_TUNIFORM_2M128`) and the KMS core (`PARAMS_TEST_BK_SNS`).
 * Moduli are native: 2^64, and 2^128 after noise squashing. Noise is TUniform(b): integers in [-2^b, 2^b], ends half
 * as likely.
 */

/** Base 2^baseLog, `levels` digits, most significant first. */
export interface Decomposition {
  readonly baseLog: number;
  readonly levels: number;
}

/**
 * A GLWE key: `dimension` polynomials of degree below `polynomialSize`; as an LWE key it has their product as
 * dimension.
 */
export interface GlweShape {
  readonly dimension: number;
  readonly polynomialSize: number;
}

export type ModulusSwitch =
  | { readonly kind: 'centered-mean' }
  | {
      readonly kind: 'drift';
      /** Encryptions of zero in the server key to choose from. */
      readonly zeros: number;
      readonly bound: number;
      readonly rSigma: number;
      readonly inputVariance: number;
    };

export interface ParameterSet {
  readonly name: 'default' | 'test';
  /** Name of the set in the KMS core. */
  readonly kmsName: string;
  /** False for sets that anyone can break; such keys protect nothing. */
  readonly secure: boolean;
  /** Values per block without and with carry: a block holds message * carry = 16 values, 4 bits. */
  readonly messageModulus: number;
  readonly carryModulus: number;
  /** Additions of fresh ciphertexts a block may go through before it must be bootstrapped. */
  readonly maxNoiseLevel: number;
  readonly log2FailureProbability: number;
  /** The small key, that bootstrapping starts from. */
  readonly lwe: { readonly dimension: number; readonly noiseBoundLog2: number };
  /** The big key: integers and booleans (Fhe*) are encrypted under it, read as an LWE key. */
  readonly glwe: GlweShape & { readonly noiseBoundLog2: number };
  readonly bootstrap: Decomposition;
  readonly keySwitch: Decomposition;
  readonly modulusSwitch: ModulusSwitch;
  /** The compact public key; lists are encrypted under it and cast to the small key. */
  readonly pke: {
    readonly dimension: number;
    readonly noiseBoundLog2: number;
    readonly zkScheme: 'V2';
    readonly casting: Decomposition;
  };
  readonly compression: GlweShape & {
    readonly packing: Decomposition;
    readonly noiseBoundLog2: number;
    readonly decompression: Decomposition;
    readonly ciphertextsPerGlwe: number;
    /** Bits that are stored of each word; at most 25. */
    readonly storageLogModulus: number;
  };
  readonly noiseSquashing: GlweShape & {
    readonly noiseBoundLog2: number;
    readonly bootstrap: Decomposition;
    readonly modulusSwitch: ModulusSwitch;
  };
  readonly noiseSquashingCompression: GlweShape & {
    readonly packing: Decomposition;
    readonly noiseBoundLog2: number;
    readonly ciphertextsPerGlwe: number;
  };
  /** The key for oblivious pseudo-random generation. */
  readonly oprf: { readonly dimension: number };
}

/** Plaintext v of a 64-bit block is v * 2^59: one padding bit, then message and carry. */
export const DELTA_LOG2 = 59;
/** In a compressed list only the two message bits are kept: plaintext v is v * 2^61 there. */
export const COMPRESSED_DELTA_LOG2 = 61;
/** Plaintext v of a noise-squashed 128-bit block is v * 2^123. */
export const SQUASHED_DELTA_LOG2 = 123;

export const DEFAULT_PARAMETERS: ParameterSet = {
  name: 'default',
  kmsName: 'BC_PARAMS_SNS',
  secure: true,
  messageModulus: 4,
  carryModulus: 4,
  maxNoiseLevel: 5,
  log2FailureProbability: -129.581,
  lwe: { dimension: 918, noiseBoundLog2: 45 },
  glwe: { dimension: 1, polynomialSize: 2048, noiseBoundLog2: 17 },
  bootstrap: { baseLog: 23, levels: 1 },
  keySwitch: { baseLog: 4, levels: 4 },
  modulusSwitch: { kind: 'centered-mean' },
  pke: { dimension: 2048, noiseBoundLog2: 17, zkScheme: 'V2', casting: { baseLog: 4, levels: 4 } },
  compression: {
    dimension: 4,
    polynomialSize: 256,
    packing: { baseLog: 4, levels: 3 },
    noiseBoundLog2: 43,
    decompression: { baseLog: 23, levels: 1 },
    ciphertextsPerGlwe: 256,
    storageLogModulus: 12,
  },
  noiseSquashing: {
    dimension: 2,
    polynomialSize: 2048,
    noiseBoundLog2: 30,
    bootstrap: { baseLog: 24, levels: 3 },
    modulusSwitch: { kind: 'centered-mean' },
  },
  noiseSquashingCompression: {
    dimension: 6,
    polynomialSize: 1024,
    packing: { baseLog: 41, levels: 2 },
    noiseBoundLog2: 3,
    ciphertextsPerGlwe: 128,
  },
  oprf: { dimension: 918 },
};

export const TEST_PARAMETERS: ParameterSet = {
  name: 'test',
  kmsName: 'PARAMS_TEST_BK_SNS',
  secure: false,
  messageModulus: 4,
  carryModulus: 4,
  maxNoiseLevel: 5,
  log2FailureProbability: -64,
  lwe: { dimension: 1, noiseBoundLog2: 0 },
  glwe: { dimension: 1, polynomialSize: 256, noiseBoundLog2: 0 },
  bootstrap: { baseLog: 24, levels: 1 },
  keySwitch: { baseLog: 37, levels: 1 },
  modulusSwitch: {
    kind: 'drift',
    zeros: 10,
    bound: 2 ** 58,
    rSigma: 9.75539320076416,
    inputVariance: 1.92631390716519e-10,
  },
  pke: { dimension: 512, noiseBoundLog2: 0, zkScheme: 'V2', casting: { baseLog: 37, levels: 1 } },
  compression: {
    dimension: 1,
    polynomialSize: 256,
    packing: { baseLog: 27, levels: 1 },
    noiseBoundLog2: 0,
    decompression: { baseLog: 24, levels: 1 },
    ciphertextsPerGlwe: 256,
    storageLogModulus: 9,
  },
  noiseSquashing: {
    dimension: 1,
    polynomialSize: 256,
    noiseBoundLog2: 0,
    bootstrap: { baseLog: 33, levels: 2 },
    modulusSwitch: {
      kind: 'drift',
      zeros: 8,
      bound: 2 ** 58,
      rSigma: 9.2,
      inputVariance: 2.182718682903484e-224,
    },
  },
  noiseSquashingCompression: {
    dimension: 1,
    polynomialSize: 256,
    packing: { baseLog: 61, levels: 1 },
    noiseBoundLog2: 3,
    ciphertextsPerGlwe: 128,
  },
  oprf: { dimension: 1 },
};

/** The set of that name, or undefined. */
export function parameterSet(name: ParameterSet['name']): ParameterSet;
export function parameterSet(name: string): ParameterSet | undefined;
export function parameterSet(name: string): ParameterSet | undefined {
  return [DEFAULT_PARAMETERS, TEST_PARAMETERS].find((set) => set.name === name);
}

/** Dimension of a GLWE key read as an LWE key. */
export function lweDimensionOf(shape: GlweShape): number {
  return shape.dimension * shape.polynomialSize;
}
