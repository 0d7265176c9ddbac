/**
 * Sizes of a common reference string, from the parameters of the compact public key that it is for and from how many
 * bits one proof may cover. These are the formulas of tfhe-zk-pok (`pke_v2::compute_crs_params`, bound of
 * Cauchy-Schwarz); readers recompute them and refuse a file in which they do not hold.
 */
import type { ParameterSet } from '@keyquorum/tfhe/parameters';

/** Of a compact public key, as `ParameterSet` has them. */
export type CompactKeyParameters = Pick<ParameterSet, 'messageModulus' | 'carryModulus'> & {
  readonly pke: Pick<ParameterSet['pke'], 'dimension' | 'noiseBoundLog2'>;
};

/** What the sizes of a file follow from. */
export interface CrsShape {
  /** d: dimension of the compact public key. */
  readonly dimension: number;
  /** k: most blocks in one proven list. */
  readonly blocks: number;
  /** B: largest absolute value of noise of TUniform. */
  readonly noiseBound: bigint;
  /** t: values of a block, its padding bit included. */
  readonly plaintextModulus: number;
}

export interface CrsSizes {
  /** Bound on the squared norm that a proof shows. */
  readonly boundSquared: bigint;
  /** D: bits of witness besides the decomposition of norms. */
  readonly witnessBits: number;
  /** n: powers in G2; there are 2n places for powers in G1, of which one stays empty. */
  readonly size: number;
}

export interface CrsParameters extends CrsShape, CrsSizes {
  /** Most bits of plaintext in one proven list. */
  readonly maxBits: number;
}

export class CrsParametersError extends Error {
  override readonly name = 'CrsParametersError';
  readonly code = 'CRS_PARAMETERS';
}

/** Most bits that anybody asks for; the default of the ecosystem. */
export const MAX_BITS = 2048;

/** Most significant bits of a block that are zero: tfhe-rs keeps one. */
export const PADDING_BITS = 1;
/** Bits into which each of m norms is decomposed. */
const NORM_BITS = 128;
/** Above it tfhe-zk-pok has no proofs. */
const NORMS_MAX = 64;

/** @throws CrsParametersError unless maxBits is a power of two in 1..2048 and there are proofs of that size */
export function crsParameters(key: CompactKeyParameters, maxBits: number): CrsParameters {
  if (!Number.isInteger(Math.log2(maxBits)) || maxBits < 1 || maxBits > MAX_BITS) {
    throw new CrsParametersError(`maxBits: got ${maxBits}, want a power of two in 1..${MAX_BITS}`);
  }
  const { dimension, noiseBoundLog2 } = key.pke;
  const bitsPerBlock = Math.log2(key.messageModulus * key.carryModulus);
  const blocks = Math.ceil(maxBits / bitsPerBlock);
  const noiseBound = 1n << BigInt(noiseBoundLog2);
  const shape = { dimension, blocks, noiseBound, plaintextModulus: 2 ** (bitsPerBlock + PADDING_BITS) };
  return { maxBits, ...shape, ...crsSizes(shape) };
}

/** @throws CrsParametersError when there are no proofs of that size */
export function crsSizes({ dimension, blocks, noiseBound, plaintextModulus }: CrsShape): CrsSizes {
  if (blocks > dimension) {
    throw new CrsParametersError(`${blocks} blocks are more than a key of dimension ${dimension} has room for`);
  }
  const boundSquared = squaredBound(BigInt(dimension), BigInt(blocks), noiseBound);
  const norms = 1 + Math.ceil(ceilLog2(boundSquared) / 2);
  if (norms > NORMS_MAX) throw new CrsParametersError(`there are no proofs for noise up to ${noiseBound}`);
  const witnessBits = dimension + blocks * (Math.log2(plaintextModulus) - PADDING_BITS);
  return { boundSquared, witnessBits, size: witnessBits + NORM_BITS * norms };
}

function squaredBound(d: bigint, k: bigint, noiseBound: bigint): bigint {
  const noise = noiseBound ** 2n * (d + k);
  return (2n * (d + k) + 4n) * (noise + ((d + 2n) ** 2n * (d + k)) / 4n);
}

function ceilLog2(value: bigint): number {
  return (value - 1n).toString(2).length;
}
