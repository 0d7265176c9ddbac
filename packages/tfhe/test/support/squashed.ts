/** Squashed values and lists of them, encrypted the long way, in BigInt, under keys whose bits the test knows. */
import { createHash } from 'node:crypto';
import type { Decoded } from '@keyquorum/codec/codec';
import type { Value128 } from '../../src/ciphertext-value.ts';
import { BOOL, blockCountOf, type FheType } from '../../src/fhe-type.ts';
import { secretKeyBits } from '../../src/key-set-components.ts';
import { lweDimensionOf, type ParameterSet, SQUASHED_DELTA_LOG2 } from '../../src/parameters.ts';
import { safeSerialize, TYPE_NAME } from '../../src/safe-serialize.ts';
import {
  compressedSquashedNoiseCiphertextList,
  type SquashedBlock,
  type SquashedState,
  squashedBool,
  squashedInteger,
} from '../../src/schema/ciphertexts.ts';
import { NATIVE_128 } from '../../src/schema/core.ts';
import { digitsOf, itemOf } from './compressed-list.ts';
import type { Item } from './node-tfhe.ts';

export type SquashedList = Decoded<typeof compressedSquashedNoiseCiphertextList>;

const WORD_BYTES = 16;
const DELTA = 1n << BigInt(SQUASHED_DELTA_LOG2);
const STATES = { 'noise-squashing': 'Normal', 'noise-squashing-compression': 'PostDecompression' } as const;

/** The same words in every run, modulo 2^128. */
export function fixedWide(label: string, count: number): bigint[] {
  const bytes = createHash('shake256', { outputLength: WORD_BYTES * count })
    .update(label)
    .digest();
  return wideOf(bytes);
}

export function wideOf(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / WORD_BYTES }, (_, index) => {
    const at = WORD_BYTES * index;
    return view.getBigUint64(at, true) | (view.getBigUint64(at + 8, true) << 64n);
  });
}

export function bytesOfWide(words: readonly bigint[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(WORD_BYTES * words.length));
  words.forEach((word, index) => {
    view.setBigUint64(WORD_BYTES * index, BigInt.asUintN(64, word), true);
    view.setBigUint64(WORD_BYTES * index + 8, BigInt.asUintN(64, word >> 64n), true);
  });
  return new Uint8Array(view.buffer);
}

/** The four-bit plaintexts of a value: two blocks each, a boolean or an odd last block alone. */
export function nibblesOf(item: Item): number[] {
  const digits = digitsOf(item);
  return Array.from({ length: Math.ceil(digits.length / 2) }, (_, k) => digits[2 * k]! + 4 * (digits[2 * k + 1] ?? 0));
}

export function squashedBlock(key: Uint8Array, plaintext: bigint, label: string): SquashedBlock {
  const mask = fixedWide(label, key.length);
  const body = mask.reduce((sum, word, index) => (key[index] ? sum + word : sum), plaintext);
  return {
    lwe: { data: bytesOfWide([...mask, body]), ciphertextModulus: NATIVE_128 },
    ...{ degree: 15, messageModulus: 4, carryModulus: 4 },
  };
}

/** SquashedNoiseFhe* of these blocks. */
export function squashedBytes(
  { kind, bits }: FheType,
  blocks: readonly SquashedBlock[],
  key: Value128['key'] = 'noise-squashing',
): Uint8Array {
  const state: SquashedState = { kind: STATES[key], value: null };
  const tag = { data: new Uint8Array(0) };
  if (kind === 'bool') {
    return safeSerialize(TYPE_NAME.squashedBool, squashedBool, { value: { block: blocks[0]! }, state, tag });
  }
  const value = { blocks, originalBlockCount: bits / 2 };
  const name = kind === 'uint' ? TYPE_NAME.squashedUint : TYPE_NAME.squashedInt;
  return safeSerialize(name, squashedInteger, { value, state, tag });
}

export function encryptSquashed(key: Uint8Array, item: Item, name: Value128['key'] = 'noise-squashing'): Uint8Array {
  const blocks = nibblesOf(item).map((nibble, index) => squashedBlock(key, BigInt(nibble) * DELTA, `block ${index}`));
  return squashedBytes(item.type, blocks, name);
}

/** The same bits in every run. */
export function fixedKey(set: ParameterSet, name: Value128['key']): Uint8Array {
  const outputLength = secretKeyBits(set, name);
  const bytes = createHash('shake256', { outputLength }).update(name).digest();
  return new Uint8Array(bytes).map((byte) => byte & 1);
}

/** Mask and body polynomials of one GLWE ciphertext; the test's own words. */
export interface WideGlwe {
  readonly mask: readonly bigint[];
  readonly body: readonly bigint[];
}

/** A list whose blocks are the first `blocks` coefficients of these ciphertexts. */
export function squashedList(
  set: ParameterSet,
  glwes: readonly WideGlwe[],
  { items, blocks }: { items: readonly FheType[]; blocks: number },
): SquashedList {
  const { dimension, polynomialSize, ciphertextsPerGlwe } = set.noiseSquashingCompression;
  const packed = glwes.map(({ mask, body }, index) => {
    const bodyCount = Math.min(ciphertextsPerGlwe, blocks - index * ciphertextsPerGlwe);
    const words = [...mask, ...body.slice(0, bodyCount)];
    return {
      packed: { data: bytesOfWide(words), bits: 8 * WORD_BYTES, count: words.length },
      ...{ glweDimension: dimension, polynomialSize, bodyCount, ciphertextModulus: NATIVE_128 },
    };
  });
  const { messageModulus, carryModulus } = set;
  const metadata = glwes.length === 0 ? null : { messageModulus, carryModulus, ciphertextsPerGlwe };
  return {
    inner: { blocks: { glwes: packed, metadata }, items: items.map((type) => itemOf({ type })) },
    tag: { data: new Uint8Array(0) },
  };
}

export function squashedListBytes(list: SquashedList): Uint8Array {
  return safeSerialize(TYPE_NAME.compressedSquashedNoiseCiphertextList, compressedSquashedNoiseCiphertextList, list);
}

/** Encryptions of these values, without noise. */
export function encryptedSquashedList(set: ParameterSet, key: Uint8Array, items: readonly Item[]): SquashedList {
  const { noiseSquashingCompression: shape } = set;
  const { ciphertextsPerGlwe: full, polynomialSize } = shape;
  const nibbles = items.flatMap(nibblesOf);
  const glwes = Array.from({ length: Math.ceil(nibbles.length / full) }, (_, index) => {
    const mask = fixedWide(`mask ${index}`, lweDimensionOf(shape));
    const plaintexts = nibbles.slice(index * full, (index + 1) * full);
    const body = maskTimesKeyAt(mask, key, { polynomialSize, count: plaintexts.length });
    return { mask, body: body.map((word, place) => word + BigInt(plaintexts[place]!) * DELTA) };
  });
  return squashedList(set, glwes, { items: items.map(({ type }) => type), blocks: nibbles.length });
}

/** The first `count` coefficients of sum_q A_q S_q modulo X^N + 1. */
export function maskTimesKeyAt(
  mask: readonly bigint[],
  key: Uint8Array,
  { polynomialSize: size, count }: { polynomialSize: number; count: number },
): bigint[] {
  return Array.from({ length: count }, (_, index) => {
    let sum = 0n;
    for (const [at, bit] of key.entries()) {
      if (!bit) continue;
      const [start, place] = [at - (at % size), at % size];
      if (place <= index) sum += mask[start + index - place]!;
      else sum -= mask[start + index - place + size]!;
    }
    return sum;
  });
}

export const ONE: Item = { type: BOOL, value: 1n };

/** A word that is the same in every run, cut to the type. */
export function sampleOf(type: FheType, label: string): bigint {
  const word = fixedWide(label, blockCountOf(type)).reduce((sum, each) => (sum << 128n) | each, 0n);
  return type.kind === 'int' ? BigInt.asIntN(type.bits, word) : BigInt.asUintN(type.bits, word);
}
