/**
 * One encrypted value as the decryption protocol sees it: LWE ciphertexts under one key, and which bits of their
 * plaintexts make up the value. The protocol opens a 4-bit message per LWE ciphertext and `recompose` builds the value.
 */
import { BITS_PER_BLOCK, type FheType } from './fhe-type.ts';
import type { COMPRESSED_DELTA_LOG2, DELTA_LOG2, SQUASHED_DELTA_LOG2 } from './parameters.ts';

/** Two bits of the value, where they stand in the opened messages. Pieces are listed least significant first. */
export interface Piece {
  /** Index of the LWE ciphertext within this value. */
  readonly block: number;
  /** Lowest bit of its message that belongs to the piece: 2 for the upper half, of a packed pair or above noise. */
  readonly shift: 0 | 2;
  /** 2 for a clean half or a boolean; 4 when carries on top of the message count too (Fhe* integers). */
  readonly bits: 2 | 4;
}

interface Blocks {
  readonly type: FheType;
  /** LWE dimension. */
  readonly dimension: number;
  /** blocks * dimension words, little endian. */
  readonly masks: Uint8Array<ArrayBuffer>;
  /** One word per block, little endian. */
  readonly bodies: Uint8Array<ArrayBuffer>;
  /** Message bits that each LWE ciphertext carries, other values' bits of a packed pair included: 2 or 4. */
  readonly blockBits: readonly number[];
  readonly pieces: readonly Piece[];
}

/** Words modulo 2^64: what is encrypted and computed with. */
export interface Value64 extends Blocks {
  /** The secret key it is under: that of the compact public key, the big GLWE key, or that of compressed lists. */
  readonly key: 'pke' | 'big' | 'compression';
  /**
   * Plaintext v stands in the phase as v * 2^deltaLog2, everything below is noise. The message that is opened is always
   * bits 59..62 of the phase; with 61 its lower half is noise, belongs to no piece and stays closed.
   */
  readonly deltaLog2: typeof DELTA_LOG2 | typeof COMPRESSED_DELTA_LOG2;
}

/** Words modulo 2^128: a value after noise squashing, so exact that much noise can be added before it is opened. */
export interface Value128 extends Blocks {
  /** The key of noise squashing, or that of squashed lists. */
  readonly key: 'noise-squashing' | 'noise-squashing-compression';
  /** The message is bits 123..126 of the phase, two blocks of the value; all below is noise. */
  readonly deltaLog2: typeof SQUASHED_DELTA_LOG2;
}

export type CiphertextValue = Value64 | Value128;

export function isSquashed(value: CiphertextValue): value is Value128 {
  return value.key === 'noise-squashing' || value.key === 'noise-squashing-compression';
}

/**
 * The value of opened messages, like node-tfhe's own decryption: carries are added to the next block, the sum is taken
 * modulo 2^bits, signed types are two's complement, and a boolean is whether its message bits are not zero.
 * @param messages one opened 4-bit message (0..15) per LWE ciphertext, in order
 */
export function recompose(value: CiphertextValue, messages: Uint8Array): bigint {
  if (messages.length !== value.blockBits.length) {
    throw new RangeError(`recompose: got ${messages.length} messages, want ${value.blockBits.length}`);
  }
  let sum = 0n;
  for (const [index, piece] of value.pieces.entries()) {
    const message = messages[piece.block] ?? 0;
    if (message > 15) throw new RangeError(`recompose: got message ${message}, want 0..15`);
    const digit = (message >> piece.shift) & (2 ** piece.bits - 1);
    sum += BigInt(digit) << BigInt(BITS_PER_BLOCK * index);
  }
  if (value.type.kind === 'bool') return sum === 0n ? 0n : 1n;
  return value.type.kind === 'int' ? BigInt.asIntN(value.type.bits, sum) : BigInt.asUintN(value.type.bits, sum);
}

/**
 * Which bits of each opened message belong to the value. A packed pair may hold a neighbour's block in the other half:
 * whoever may see this value may not see those bits. In compressed lists the other half is noise, which tells of the
 * key.
 */
export function messageMasks(value: CiphertextValue): Uint8Array {
  const masks = new Uint8Array(value.blockBits.length);
  for (const { block, shift, bits } of value.pieces) {
    masks[block] = (masks[block] ?? 0) | ((2 ** bits - 1) << shift);
  }
  return masks;
}
