/**
 * Compressed lists: what a coprocessor stores. The blocks of all values, multiplied by 4 so that only their two message
 * bits are left, are packed into GLWE ciphertexts under a key of their own; each word is then rounded to a dozen bits.
 * Block i of a GLWE ciphertext is coefficient i of its phase: an LWE ciphertext under the key's bits in order, with the
 * plaintext in bits 61..62 and rounding noise below.
 *
 * A list says nothing about noise or degree of its blocks: packing and rounding determine the noise, and every
 * plaintext has two bits.
 * Cost: only the GLWE ciphertexts that hold the value are unpacked; u64: 0.3 MB of masks, below 1 ms.
 */
import type { Value64 } from './ciphertext-value.ts';
import { BITS_PER_BLOCK } from './fhe-type.ts';
import { blocksOf, type Place, placeOf } from './list-items.ts';
import { glwePlace, type PackedShape, requirePackedGlwes } from './packed-glwes.ts';
import {
  requireAtomicPattern,
  requireCount,
  requireNativeModulus,
  requireParameter,
  wrongObject,
} from './parameter-checks.ts';
import { COMPRESSED_DELTA_LOG2, lweDimensionOf, type ParameterSet } from './parameters.ts';
import { type Envelope, TYPE_NAME } from './safe-serialize.ts';
import { type CompressedBlocks, compressedCiphertextList } from './schema/ciphertexts.ts';
import type { ModulusSwitchedGlwe } from './schema/core.ts';

const WORD_BYTES = 8;
/** The message's place in the four bits that decryption looks at: the upper half. */
const MESSAGE_SHIFT = 2;

/** Reads value `slot` of a CompressedCiphertextList behind its header. */
export function readCompressedListValue(envelope: Envelope, parameters: ParameterSet, slot: number): Value64 {
  if (envelope.typeName !== TYPE_NAME.compressedCiphertextList) {
    throw wrongObject(envelope.typeName, 'CompressedCiphertextList');
  }
  const { inner, reRandomizationMetadata } = envelope.open(compressedCiphertextList);
  const { blocks, items } = inner;
  requireMetadata(blocks, parameters);
  const stored = requirePackedGlwes(blocks.glwes, shapeOf(parameters));
  requireCount('inner.items: blocks', blocksOf(items), stored);
  requireCount('reRandomizationMetadata', reRandomizationMetadata.length, items.length);
  return extracted(blocks.glwes, placeOf(items, slot), parameters);
}

function shapeOf({ compression }: ParameterSet): PackedShape {
  return { ...compression, wordBytes: WORD_BYTES, storedBits: compression.storageLogModulus };
}

function requireMetadata({ glwes, metadata }: CompressedBlocks, parameters: ParameterSet): void {
  requireCount('metadata', metadata === null ? 0 : 1, glwes.length === 0 ? 0 : 1);
  if (metadata === null) return;
  requireNativeModulus('metadata', metadata.ciphertextModulus);
  requireParameter('metadata.messageModulus', metadata.messageModulus, parameters.messageModulus);
  requireParameter('metadata.carryModulus', metadata.carryModulus, parameters.carryModulus);
  requireAtomicPattern('metadata', metadata.atomicPattern);
  const { ciphertextsPerGlwe } = parameters.compression;
  requireParameter('metadata.ciphertextsPerGlwe', metadata.ciphertextsPerGlwe, ciphertextsPerGlwe);
}

/** The LWE ciphertexts of blocks `first` to `first + count - 1`. */
function extracted(
  glwes: readonly ModulusSwitchedGlwe[],
  { type, first, count }: Place,
  { compression }: ParameterSet,
): Value64 {
  const dimension = lweDimensionOf(compression);
  const { polynomialSize } = compression;
  const masks = new Uint32Array(2 * dimension * count);
  const bodies = new Uint32Array(2 * count);
  let opened: { readonly index: number; readonly upper: Uint32Array } | undefined;
  for (let block = 0; block < count; block++) {
    const { index, coefficient } = glwePlace(first + block, compression);
    if (opened?.index !== index) opened = { index, upper: upperHalves(glwes[index]!) };
    const { upper } = opened;
    writeMask(masks.subarray(2 * dimension * block), upper.subarray(0, dimension), { polynomialSize, coefficient });
    bodies[2 * block + 1] = upper[dimension + coefficient]!;
  }
  return {
    type,
    key: 'compression',
    deltaLog2: COMPRESSED_DELTA_LOG2,
    dimension,
    masks: new Uint8Array(masks.buffer),
    bodies: new Uint8Array(bodies.buffer),
    blockBits: new Array<number>(count).fill(BITS_PER_BLOCK),
    pieces: Array.from({ length: count }, (_, block) => ({ block, shift: MESSAGE_SHIFT, bits: BITS_PER_BLOCK })),
  };
}

/**
 * The stored numbers as words modulo 2^64, upper 32 bits: number x stands for x * 2^(64 - bits), and the lower 32 bits
 * are zero. Numbers of at most 25 bits lie within four bytes, wherever they begin; behind the last one, bits are free.
 */
function upperHalves({ packed: { data, bits, count } }: ModulusSwitchedGlwe): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => {
    const at = (index * bits) >>> 3;
    const byte = (offset: number) => (data[at + offset] ?? 0) << (8 * offset);
    const window = byte(0) | byte(1) | byte(2) | byte(3);
    return (window >>> ((index * bits) & 7)) << (32 - bits);
  });
}

/**
 * Coefficient i of A * S modulo X^N + 1 is the sum of A_(i-j) S_j, where the index wraps around with the other sign. So
 * the mask has A_(i-j) in place j, for each polynomial of the mask. `upper` and `output`: as above, in 64-bit words.
 */
function writeMask(
  output: Uint32Array,
  upper: Uint32Array,
  { polynomialSize, coefficient }: { polynomialSize: number; coefficient: number },
): void {
  for (let start = 0; start < upper.length; start += polynomialSize) {
    for (let place = 0; place < polynomialSize; place++) {
      const from = coefficient - place;
      const word = from >= 0 ? upper[start + from]! : -upper[start + from + polynomialSize]!;
      output[2 * (start + place) + 1] = word;
    }
  }
}
