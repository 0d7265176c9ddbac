/**
 * SquashedNoiseFheUint, SquashedNoiseFheInt and SquashedNoiseFheBool: values modulo 2^128, bootstrapped so that nearly
 * no noise is left. Two neighbouring blocks of an integer are together in one; an odd last block is alone, and so is a
 * boolean. The object says whether it comes straight from noise squashing or out of a squashed list: each has a key of
 * its own.
 */
import type { Value128 } from './ciphertext-value.ts';
import { BITS_PER_BLOCK, blockCountOf, type FheType } from './fhe-type.ts';
import {
  fheTypeOf,
  requireCount,
  requireDegree,
  requireNativeModulus,
  requireParameter,
  wrongObject,
} from './parameter-checks.ts';
import { type GlweShape, lweDimensionOf, type ParameterSet, SQUASHED_DELTA_LOG2 } from './parameters.ts';
import { type Envelope, TYPE_NAME } from './safe-serialize.ts';
import { type SquashedBlock, type SquashedState, squashedBool, squashedInteger } from './schema/ciphertexts.ts';

const WORD_BYTES = 16;
/** Message bits of a 128-bit block. */
const SQUASHED_BITS = 4;
/** Blocks of the value in one 128-bit block. */
export const BLOCKS_TOGETHER = 2;

/** Reads a SquashedNoiseFheUint, SquashedNoiseFheInt or SquashedNoiseFheBool behind its header. */
export function readSquashedValue(envelope: Envelope, parameters: ParameterSet): Value128 {
  const { type, blocks, state } = openSquashed(envelope);
  const value = emptySquashed(type, keyOf(state), parameters);
  const maskBytes = WORD_BYTES * value.dimension;
  for (const [index, block] of blocks.entries()) {
    const field = `blocks[${index}]`;
    requireNativeModulus(field, block.lwe.ciphertextModulus, 128);
    requireParameter(`${field}.messageModulus`, block.messageModulus, parameters.messageModulus);
    requireParameter(`${field}.carryModulus`, block.carryModulus, parameters.carryModulus);
    requireDegree(field, block.degree);
    requireParameter(`${field}.lwe.dimension`, block.lwe.data.length / WORD_BYTES - 1, value.dimension);
    value.masks.set(block.lwe.data.subarray(0, maskBytes), index * maskBytes);
    value.bodies.set(block.lwe.data.subarray(maskBytes), index * WORD_BYTES);
  }
  return value;
}

/** A value of that type whose words are still zero. */
export function emptySquashed(type: FheType, key: Value128['key'], parameters: ParameterSet): Value128 {
  const dimension = lweDimensionOf(shapeOf(key, parameters));
  const pieceCount = blockCountOf(type);
  const blocks = Math.ceil(pieceCount / BLOCKS_TOGETHER);
  return {
    ...{ type, key, dimension },
    deltaLog2: SQUASHED_DELTA_LOG2,
    masks: new Uint8Array(WORD_BYTES * dimension * blocks),
    bodies: new Uint8Array(WORD_BYTES * blocks),
    blockBits: new Array<number>(blocks).fill(SQUASHED_BITS),
    pieces: Array.from({ length: pieceCount }, (_, piece) => ({
      block: Math.floor(piece / BLOCKS_TOGETHER),
      shift: piece % BLOCKS_TOGETHER === 0 ? 0 : BITS_PER_BLOCK,
      bits: type.kind === 'bool' ? SQUASHED_BITS : BITS_PER_BLOCK, // a boolean is whether its block is not zero
    })),
  };
}

function keyOf({ kind }: SquashedState): Value128['key'] {
  return kind === 'Normal' ? 'noise-squashing' : 'noise-squashing-compression';
}

function shapeOf(key: Value128['key'], parameters: ParameterSet): GlweShape {
  return key === 'noise-squashing' ? parameters.noiseSquashing : parameters.noiseSquashingCompression;
}

interface Squashed {
  readonly type: FheType;
  readonly blocks: readonly SquashedBlock[];
  readonly state: SquashedState;
}

function openSquashed(envelope: Envelope): Squashed {
  switch (envelope.typeName) {
    case TYPE_NAME.squashedUint:
      return openInteger('uint', envelope);
    case TYPE_NAME.squashedInt:
      return openInteger('int', envelope);
    case TYPE_NAME.squashedBool: {
      const { value, state } = envelope.open(squashedBool);
      return { type: fheTypeOf('bool', 1), blocks: [value.block], state };
    }
    default:
      throw wrongObject(envelope.typeName, 'SquashedNoiseFheUint, SquashedNoiseFheInt or SquashedNoiseFheBool');
  }
}

function openInteger(kind: FheType['kind'], envelope: Envelope): Squashed {
  const { value, state } = envelope.open(squashedInteger);
  const { blocks, originalBlockCount } = value;
  requireCount('blocks', blocks.length, Math.ceil(originalBlockCount / BLOCKS_TOGETHER));
  return { type: fheTypeOf(kind, originalBlockCount), blocks, state };
}
