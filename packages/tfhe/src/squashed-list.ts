/**
 * Lists of squashed values: their 128-bit blocks packed into GLWE ciphertexts under a key of their own, whose words are
 * stored whole. As in compressed lists (compressed-list.ts), block i is coefficient i of a phase, and a list says
 * nothing about noise or degree: squashing and packing determine them.
 * Cost: only the blocks of the value are unpacked; u64: 1.6 MB of masks, some milliseconds.
 */
import type { Value128 } from './ciphertext-value.ts';
import { ciphertextsOf, placeOf } from './list-items.ts';
import { glwePlace, type PackedShape, requirePackedGlwes } from './packed-glwes.ts';
import { requireCount, requireParameter, wrongObject } from './parameter-checks.ts';
import { lweDimensionOf, type ParameterSet } from './parameters.ts';
import { type Envelope, TYPE_NAME } from './safe-serialize.ts';
import { type CompressedSquashedBlocks, compressedSquashedNoiseCiphertextList } from './schema/ciphertexts.ts';
import type { ModulusSwitchedGlwe } from './schema/core.ts';
import { BLOCKS_TOGETHER, emptySquashed } from './squashed.ts';

const WORD_BYTES = 16;
/** A word as u32, lowest first. */
const LIMBS = 4;

/** Reads value `slot` of a CompressedSquashedNoiseCiphertextList behind its header. */
export function readSquashedListValue(envelope: Envelope, parameters: ParameterSet, slot: number): Value128 {
  if (envelope.typeName !== TYPE_NAME.compressedSquashedNoiseCiphertextList) {
    throw wrongObject(envelope.typeName, 'CompressedSquashedNoiseCiphertextList');
  }
  const { blocks, items } = envelope.open(compressedSquashedNoiseCiphertextList).inner;
  requireMetadata(blocks, parameters);
  const shape = shapeOf(parameters);
  const stored = requirePackedGlwes(blocks.glwes, shape);
  requireCount('inner.items: blocks', ciphertextsOf(items, BLOCKS_TOGETHER), stored);
  const { type, first } = placeOf(items, slot, BLOCKS_TOGETHER);
  const value = emptySquashed(type, 'noise-squashing-compression', parameters);
  fill(value, blocks.glwes, { first, shape });
  return value;
}

function shapeOf({ noiseSquashingCompression }: ParameterSet): PackedShape {
  return { ...noiseSquashingCompression, wordBytes: WORD_BYTES, storedBits: 8 * WORD_BYTES };
}

function requireMetadata({ glwes, metadata }: CompressedSquashedBlocks, parameters: ParameterSet): void {
  requireCount('metadata', metadata === null ? 0 : 1, glwes.length === 0 ? 0 : 1);
  if (metadata === null) return;
  requireParameter('metadata.messageModulus', metadata.messageModulus, parameters.messageModulus);
  requireParameter('metadata.carryModulus', metadata.carryModulus, parameters.carryModulus);
  const { ciphertextsPerGlwe } = parameters.noiseSquashingCompression;
  requireParameter('metadata.ciphertextsPerGlwe', metadata.ciphertextsPerGlwe, ciphertextsPerGlwe);
}

/** Writes the LWE ciphertexts of the blocks from `first` on. */
function fill(
  value: Value128,
  glwes: readonly ModulusSwitchedGlwe[],
  { first, shape }: { first: number; shape: PackedShape },
): void {
  const dimension = lweDimensionOf(shape);
  const masks = new Uint32Array(value.masks.buffer);
  let opened: { readonly index: number; readonly words: Uint8Array<ArrayBuffer> } | undefined;
  for (let block = 0; block < value.blockBits.length; block++) {
    const { index, coefficient } = glwePlace(first + block, shape);
    if (opened?.index !== index) opened = { index, words: new Uint8Array(glwes[index]!.packed.data) }; // aligned
    const { words } = opened;
    const mask = masks.subarray(LIMBS * dimension * block, LIMBS * dimension * (block + 1));
    const limbs = new Uint32Array(words.buffer, 0, LIMBS * dimension);
    writeMask(mask, limbs, { polynomialSize: shape.polynomialSize, coefficient });
    const body = WORD_BYTES * (dimension + coefficient);
    value.bodies.set(words.subarray(body, body + WORD_BYTES), WORD_BYTES * block);
  }
}

/**
 * Coefficient i of A * S modulo X^N + 1 is the sum of A_(i-j) S_j, where the index wraps around with the other sign. So
 * the mask has A_(i-j) in place j, for each polynomial of the mask.
 */
function writeMask(
  output: Uint32Array,
  limbs: Uint32Array,
  { polynomialSize, coefficient }: { polynomialSize: number; coefficient: number },
): void {
  for (let start = 0; start < limbs.length; start += LIMBS * polynomialSize) {
    for (let place = 0; place < polynomialSize; place++) {
      const from = coefficient - place;
      const to = start + LIMBS * place;
      if (from >= 0) copyWord(output, to, limbs, start + LIMBS * from);
      else negateWord(output, to, limbs, start + LIMBS * (from + polynomialSize));
    }
  }
}

function copyWord(output: Uint32Array, to: number, limbs: Uint32Array, from: number): void {
  for (let limb = 0; limb < LIMBS; limb++) output[to + limb] = limbs[from + limb]!;
}

/** Two's complement: limbs up to the first that is not zero are negated, those above it inverted. */
function negateWord(output: Uint32Array, to: number, limbs: Uint32Array, from: number): void {
  let carry = 1;
  for (let limb = 0; limb < LIMBS; limb++) {
    const word = limbs[from + limb]!;
    output[to + limb] = ~word + carry;
    if (word !== 0) carry = 0;
  }
}
