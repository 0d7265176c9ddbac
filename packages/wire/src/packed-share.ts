/**
 * How shares of a value are laid out for a client: elements of GR(2^128,4), block j of the value in coefficient j mod 4
 * of element floor(j/4), unused coefficients 0. A block of w bits is m * 2^123 plus noise below 2^122: one bit of
 * padding above, four bits of m. Integers come with w = 4 (packing factor 2: two blocks of a ciphertext in one) or
 * w = 2 (factor 1), bool with factor 1. As bytes: u64 count, then 64 bytes per element, coefficients little endian.
 */
import { type Codec, decode, encodeSecret } from '@keyquorum/codec/codec';
import { CodecError } from '@keyquorum/codec/error';
import { asGr128, ELEMENT_BYTES, type Gr128 } from '@keyquorum/kernel/batch';
import type { GrElement } from '@keyquorum/kernel/gr';
import { WireError } from './error.ts';
import { BOOL_TYPE, bitsOfUserType } from './user-type.ts';

export type PackingFactor = 1 | 2;

/** Message bits of one block of a ciphertext. */
const BITS_PER_BLOCK = 2;
const BLOCKS_PER_ELEMENT = 4;
/** uint256 with packing factor 1: 128 blocks. */
const ELEMENTS_MAX = 32;
export const PACKED_SHARE_BYTES_MAX = 8 + ELEMENTS_MAX * ELEMENT_BYTES.gr128;
/** A message m stands in a coefficient as m * 2^123. */
export const MESSAGE_SHIFT = 123n;
/** Noise is below this, on both sides. */
const NOISE_BOUND = 1n << (MESSAGE_SHIFT - 1n);

const packedShare: Codec<Gr128> = {
  minBytes: 8,
  read: (reader) => asGr128(reader.take(reader.size(ELEMENTS_MAX) * ELEMENT_BYTES.gr128)),
  write(writer, elements) {
    writer.size(elements.length / ELEMENT_BYTES.gr128);
    writer.raw(elements);
  },
};

/** @throws WireError PACKING_FACTOR, TYPE_UNSUPPORTED */
export function requirePackingFactor(packingFactor: number, fheType: number): PackingFactor {
  bitsOfUserType(fheType);
  if (packingFactor === 1 || (packingFactor === 2 && fheType !== BOOL_TYPE)) return packingFactor;
  throw new WireError(
    'PACKING_FACTOR',
    `packing factor ${packingFactor} for FHE type ${fheType}, want 1, or 2 if not 0`,
  );
}

/** Blocks that a value of this type is packed into. */
export function packedBlockCount(fheType: number, packingFactor: PackingFactor): number {
  return Math.ceil(bitsOfUserType(fheType) / (BITS_PER_BLOCK * packingFactor));
}

/** Ring elements that hold them. */
export function packedElementCount(fheType: number, packingFactor: PackingFactor): number {
  return Math.ceil(packedBlockCount(fheType, packingFactor) / BLOCKS_PER_ELEMENT);
}

/** Secret: the caller erases it. */
export function encodePackedShare(elements: Gr128): Uint8Array {
  return encodeSecret(packedShare, elements);
}

/**
 * The elements, a view into `bytes`.
 * @throws WireError SHARE_LENGTH
 */
export function decodePackedShare(bytes: Uint8Array, fheType: number, packingFactor: PackingFactor): Gr128 {
  const count = packedElementCount(fheType, packingFactor);
  const wrong = (what: string, cause?: unknown) => {
    return new WireError('SHARE_LENGTH', `share: ${what}, want ${count} elements`, { cause });
  };
  try {
    const elements = decode(packedShare, bytes);
    const got = elements.length / ELEMENT_BYTES.gr128;
    if (got !== count) throw wrong(`${got} elements`);
    return elements;
  } catch (error) {
    if (error instanceof CodecError) throw wrong(`${bytes.length} bytes that are no elements`, error);
    throw error;
  }
}

/**
 * The value in opened elements. Stricter than other clients: a block with carries or in the padding, or a value beyond
 * its type, is refused instead of wrapped around. Says nothing about the value in the error.
 * @throws WireError VALUE_OUT_OF_RANGE
 */
export function unpackValue(fheType: number, packingFactor: PackingFactor, elements: readonly GrElement[]): bigint {
  const width = BigInt(BITS_PER_BLOCK * packingFactor);
  const blocks = elements.flat().slice(0, packedBlockCount(fheType, packingFactor));
  const value = blocks.reduceRight((high, coefficient, index) => {
    const block = BigInt.asUintN(128, coefficient + NOISE_BOUND) >> MESSAGE_SHIFT;
    if (block >> width !== 0n) {
      throw new WireError('VALUE_OUT_OF_RANGE', `block ${index} of a value of FHE type ${fheType} is out of range`);
    }
    return (high << width) | block;
  }, 0n);
  const bits = bitsOfUserType(fheType);
  if (value >> BigInt(bits) !== 0n) {
    throw new WireError('VALUE_OUT_OF_RANGE', `value of FHE type ${fheType} has more than ${bits} bits`);
  }
  return value;
}
