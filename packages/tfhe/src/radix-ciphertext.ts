/**
 * FheUint, FheInt, FheBool and their seeded (compressed) forms: one LWE ciphertext under the big key per block.
 * A seeded block stores its body only; its mask is drawn from its own public seed (csprng.ts).
 */
import type { Value64 } from './ciphertext-value.ts';
import { createSeededStream } from './csprng.ts';
import type { FheType } from './fhe-type.ts';
import {
  fheTypeOf,
  requireAtomicPattern,
  requireDegree,
  requireNativeModulus,
  requireParameter,
  wrongObject,
} from './parameter-checks.ts';
import { DELTA_LOG2, lweDimensionOf, type ParameterSet } from './parameters.ts';
import { type Envelope, TYPE_NAME } from './safe-serialize.ts';
import {
  type Block,
  compressedFheBool,
  compressedFheInteger,
  fheBool,
  fheInteger,
  type SeededBlock,
} from './schema/ciphertexts.ts';
import type { CiphertextModulus } from './schema/core.ts';

/** Noise of a fresh or just bootstrapped block; failure probability and leakage are computed for it (SPEC R13). */
const NOMINAL_NOISE_LEVEL = 1;
/**
 * Blocks that tfhe-rs knows in the clear, for instance the upper ones of a widened integer or the lower ones of a
 * shifted one. Their mask is zero: the phase is the body itself, and decrypting it tells nothing of the key.
 */
const TRIVIAL_NOISE_LEVEL = 0;

/** Reads an FheUint, FheInt or FheBool behind its header. */
export function readRadixValue(envelope: Envelope, parameters: ParameterSet): Value64 {
  const { kind, blocks } = openRadix(envelope);
  const value = emptyValue(fheTypeOf(kind, blocks.length), blocks.length, parameters);
  const maskBytes = 8 * value.dimension;
  for (const [index, block] of blocks.entries()) {
    const field = `blocks[${index}]`;
    requireBlockParameters(field, block, block.lwe.ciphertextModulus, parameters);
    requireParameter(`${field}.lwe.dimension`, block.lwe.data.length / 8 - 1, value.dimension);
    const mask = block.lwe.data.subarray(0, maskBytes);
    const trivial = block.noiseLevel === TRIVIAL_NOISE_LEVEL && mask.every((byte) => byte === 0);
    if (!trivial) requireNominalNoise(field, block);
    value.masks.set(mask, index * maskBytes);
    value.bodies.set(block.lwe.data.subarray(maskBytes), 8 * index);
  }
  return value;
}

/** Reads a CompressedFheUint, CompressedFheInt or CompressedFheBool behind its header. */
export function readSeededRadixValue(envelope: Envelope, parameters: ParameterSet): Value64 {
  const { kind, blocks } = openSeededRadix(envelope);
  const value = emptyValue(fheTypeOf(kind, blocks.length), blocks.length, parameters);
  const maskBytes = 8 * value.dimension;
  const bodies = new DataView(value.bodies.buffer);
  // Every check comes before the first mask is derived: deriving costs far more than reading.
  for (const [index, block] of blocks.entries()) {
    const field = `blocks[${index}]`;
    requireBlockParameters(field, block, block.lwe.ciphertextModulus, parameters);
    requireParameter(`${field}.lwe.dimension`, block.lwe.lweSize - 1, value.dimension);
    requireNominalNoise(field, block);
  }
  for (const [index, block] of blocks.entries()) {
    value.masks.set(createSeededStream(block.lwe.compressionSeed).read(maskBytes), index * maskBytes);
    bodies.setBigUint64(8 * index, block.lwe.body, true);
  }
  return value;
}

function openRadix(envelope: Envelope): { kind: FheType['kind']; blocks: readonly Block[] } {
  switch (envelope.typeName) {
    case TYPE_NAME.fheUint:
      return { kind: 'uint', blocks: envelope.open(fheInteger).value.ciphertext.blocks };
    case TYPE_NAME.fheInt:
      return { kind: 'int', blocks: envelope.open(fheInteger).value.ciphertext.blocks };
    case TYPE_NAME.fheBool:
      return { kind: 'bool', blocks: [envelope.open(fheBool).value.ciphertext.block] };
    default:
      throw wrongObject(envelope.typeName, 'FheUint, FheInt or FheBool');
  }
}

function openSeededRadix(envelope: Envelope): { kind: FheType['kind']; blocks: readonly SeededBlock[] } {
  switch (envelope.typeName) {
    case TYPE_NAME.compressedFheUint:
      return { kind: 'uint', blocks: envelope.open(compressedFheInteger).ciphertext.value.blocks };
    case TYPE_NAME.compressedFheInt:
      return { kind: 'int', blocks: envelope.open(compressedFheInteger).ciphertext.value.blocks };
    case TYPE_NAME.compressedFheBool:
      return { kind: 'bool', blocks: [envelope.open(compressedFheBool).ciphertext.value] };
    default:
      throw wrongObject(envelope.typeName, 'CompressedFheUint, CompressedFheInt or CompressedFheBool');
  }
}

function emptyValue(type: FheType, blockCount: number, parameters: ParameterSet): Value64 {
  const dimension = lweDimensionOf(parameters.glwe);
  const bits = type.kind === 'bool' ? 2 : 4;
  return {
    type,
    key: 'big',
    deltaLog2: DELTA_LOG2,
    dimension,
    masks: new Uint8Array(8 * dimension * blockCount),
    bodies: new Uint8Array(8 * blockCount),
    blockBits: new Array<number>(blockCount).fill(4),
    pieces: Array.from({ length: blockCount }, (_, block) => ({ block, shift: 0, bits })),
  };
}

function requireBlockParameters(
  field: string,
  block: Pick<Block, 'degree' | 'messageModulus' | 'carryModulus' | 'atomicPattern'>,
  modulus: CiphertextModulus,
  parameters: ParameterSet,
): void {
  requireNativeModulus(field, modulus);
  requireParameter(`${field}.messageModulus`, block.messageModulus, parameters.messageModulus);
  requireParameter(`${field}.carryModulus`, block.carryModulus, parameters.carryModulus);
  requireAtomicPattern(field, block.atomicPattern);
  requireDegree(field, block.degree);
}

function requireNominalNoise(field: string, { noiseLevel }: Pick<Block, 'noiseLevel'>): void {
  requireParameter(`${field}.noiseLevel`, noiseLevel, NOMINAL_NOISE_LEVEL);
}
