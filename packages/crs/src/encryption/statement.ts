/**
 * What a proof of encryption is about: that a list (c1, c2) encrypts k plaintexts below t/2 under the public key
 * (a, b), with noise below a bound, and that its maker knew them. All of it goes into the hashes of the proof, spelled
 * as tfhe-zk-pok 0.7 or 0.8 spells it.
 */
import { type CrsParameters, type CrsShape, crsSizes, PADDING_BITS } from '../parameters.ts';

/** How a proof says that it spells its statement: by the release that first did so. */
export type HashConfig = 'V0_7_0' | 'V0_8_0';

/** q: 2^64 does not fit and stands as 0. */
export const MODULUS_LOG2 = 64n;

export interface EncryptionStatement {
  /** d: coefficients of a, b and c1. */
  readonly dimension: number;
  /** k: ciphertexts of the list. */
  readonly blocks: number;
  /** B: noise is at most this, in absolute value. */
  readonly noiseBound: bigint;
  /** t, padding bit included. */
  readonly plaintextModulus: number;
  /** Mask and body of the public key, d words of 8 bytes each. */
  readonly a: Uint8Array;
  readonly b: Uint8Array;
  /** Mask of the list, d words, and its k bodies. */
  readonly c1: Uint8Array;
  readonly c2: Uint8Array;
}

/** Sizes of the witness of one statement; never more than those of the reference string. */
export interface WitnessSizes {
  /** D: bits of the plaintexts and of the encryption's randomness. */
  readonly witnessBits: number;
  /** m: bits of each of 128 inner products with noise. */
  readonly normBits: number;
  /** Bound on the squared norm of the noise. */
  readonly noiseSquared: bigint;
}

export const NORMS = 128;

export function witnessSizes(statement: EncryptionStatement): WitnessSizes {
  const { dimension, blocks, noiseBound } = statement;
  const { witnessBits, size } = crsSizes(statement satisfies CrsShape);
  return {
    witnessBits,
    normBits: (size - witnessBits) / NORMS,
    noiseSquared: noiseBound ** 2n * BigInt(dimension + blocks),
  };
}

/** log2 of the values that a plaintext can take. */
export function plaintextBits({ plaintextModulus }: Pick<CrsParameters, 'plaintextModulus'>): number {
  return Math.log2(plaintextModulus) - PADDING_BITS;
}

/** The statement as it is hashed: numbers first, then the words of key and list. */
export function statementBytes(statement: EncryptionStatement, config: HashConfig): readonly Uint8Array[] {
  const { dimension, blocks, noiseBound, plaintextModulus, a, b, c1, c2 } = statement;
  const head = [integer(0n, 8), integer(BigInt(dimension), 8)];
  const modulus = integer(BigInt(plaintextModulus), 8);
  const words = [a, b, c1, c2];
  if (config === 'V0_7_0') {
    const noise = integer(witnessSizes(statement).noiseSquared, 16);
    return [...head, noise, modulus, integer(BigInt(PADDING_BITS), 8), ...words];
  }
  return [...head, integer(BigInt(blocks), 8), integer(noiseBound, 8), modulus, freeBits(statement), ...words];
}

/** One bit per bit of each plaintext, least significant first: 0 where it is proven to be 0. */
function freeBits(statement: EncryptionStatement): Uint8Array {
  const { blocks, plaintextModulus } = statement;
  const [bits, free] = [Math.log2(plaintextModulus), plaintextBits(statement)];
  const packed = new Uint8Array(Math.ceil((blocks * bits) / 8));
  for (let bit = 0; bit < blocks * bits; bit++) {
    if (bit % bits < free) packed[bit >> 3]! |= 1 << (bit & 7);
  }
  return packed;
}

/** Words as signed integers, -2^63 .. 2^63 - 1: the representatives that the proof computes with. */
export function signedWords(bytes: Uint8Array): BigInt64Array {
  return new BigInt64Array(Uint8Array.from(bytes).buffer); // a copy at an aligned place
}

function integer(value: bigint, byteCount: number): Uint8Array {
  const bytes = new Uint8Array(byteCount);
  for (let index = 0, rest = value; index < byteCount; index++, rest >>= 8n) bytes[index] = Number(rest & 255n);
  return bytes;
}
