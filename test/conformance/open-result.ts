/**
 * Decryption of what tfhe-rs computes by somebody who knows the secret keys, in BigInt arithmetic. Noise is looked at
 * too: a key that only just works fails here, before values are wrong.
 */
import { readCiphertext } from '@keyquorum/tfhe/ciphertext';
import { BITS_PER_BLOCK, BOOL, blockCountOf, type FheType } from '@keyquorum/tfhe/fhe-type';
import type { SecretKeyName } from '@keyquorum/tfhe/key-set-components';
import { type ParameterSet, SQUASHED_DELTA_LOG2 } from '@keyquorum/tfhe/parameters';
import { readEnvelope, safeDeserialize } from '@keyquorum/tfhe/safe-serialize';
import type { ListItem } from '@keyquorum/tfhe/schema/ciphertexts';
import type { WordBytes } from '@keyquorum/tfhe/schema/core';
import { openValue } from '../../packages/tfhe/test/support/clear-text.ts';
import type { SecretBits } from '../../packages/tfhe/test/support/dealer.ts';
import type { Plain, ResultFormat } from './key-set-under-test.ts';
import {
  compressedCiphertextList,
  compressedSquashedNoiseCiphertextList,
  type PackedGlwe,
  RESULT_TYPE_NAME,
  squashedNoiseFheBool,
  squashedNoiseFheUint,
} from './result-objects.ts';

export interface Opener {
  readonly parameters: ParameterSet;
  readonly secrets: SecretBits;
}

/** Plaintext p is p * 2^deltaLog2 modulo 2^wordBits. */
interface Encoding {
  readonly wordBits: 64 | 128;
  readonly deltaLog2: number;
  /** Bits of a plaintext that carry a value. */
  readonly bits: number;
  /** At most this much noise. */
  readonly noiseLog2: number;
}

/** At most 2^51 was seen. A change of the value needs 2^58. */
const BLOCK_NOISE_LOG2 = 53;
/** Packing multiplies by 4: the two message bits are on top. Rounding to 9 or 12 bits makes it noisy by design. */
const PACKED: Encoding = { wordBits: 64, deltaLog2: 61, bits: 2, noiseLog2: 60 };
/** At most 2^71 was seen (2^66 with the default parameters). A change of the value needs 2^122. */
const SQUASHED: Encoding = { wordBits: 128, deltaLog2: SQUASHED_DELTA_LOG2, bits: 4, noiseLog2: 76 };

export function openResult(format: ResultFormat, bytes: Uint8Array, opener: Opener): readonly Plain[] {
  switch (format) {
    case 'fhe':
      return [openFhe(bytes, opener)];
    case 'squashed':
      return [openSquashed(bytes, opener)];
    case 'compressed-list': {
      const { list } = safeDeserialize(RESULT_TYPE_NAME.compressedCiphertextList, compressedCiphertextList, bytes);
      return openList(
        list.blocks.glwes,
        list.items,
        { key: 'compression', encoding: PACKED, blocksPerGroup: 1 },
        opener,
      );
    }
    case 'compressed-squashed-list': {
      const name = RESULT_TYPE_NAME.compressedSquashedNoiseCiphertextList;
      const { list } = safeDeserialize(name, compressedSquashedNoiseCiphertextList, bytes);
      const under = { key: 'noise-squashing-compression', encoding: SQUASHED, blocksPerGroup: 2 } as const;
      return openList(list.blocks.glwes, list.items, under, opener);
    }
  }
}

function openFhe(bytes: Uint8Array, { parameters, secrets }: Opener): Plain {
  const ciphertext = readCiphertext('fhe', bytes, { parameters });
  const { value, noise } = openValue(ciphertext, secrets);
  requireQuiet(noise, BLOCK_NOISE_LOG2);
  return { type: ciphertext.type, value };
}

function openSquashed(bytes: Uint8Array, { secrets }: Opener): Plain {
  const { type, blocks, state } = readSquashed(bytes);
  const key = secrets[state === 'Normal' ? 'noise-squashing' : 'noise-squashing-compression'];
  const plaintexts = blocks.map(({ lwe }) => {
    const [body, ...mask] = wordsOf(lwe.data, 16).reverse();
    if (mask.length !== key.length)
      throw new RangeError(`squashed block: dimension ${mask.length}, want ${key.length}`);
    const product = mask.reverse().reduce((sum, a, i) => (key[i] ? sum + a : sum), 0n);
    return decoded(body! - product, SQUASHED);
  });
  return { type, value: composed(plaintexts, type, 2) };
}

function readSquashed(bytes: Uint8Array) {
  const envelope = readEnvelope(bytes);
  if (envelope.typeName === RESULT_TYPE_NAME.squashedNoiseFheBool) {
    const { value, state } = envelope.open(squashedNoiseFheBool);
    return { type: BOOL, blocks: [value.block], state: state.kind };
  }
  const { value, state } = safeDeserialize(RESULT_TYPE_NAME.squashedNoiseFheUint, squashedNoiseFheUint, bytes);
  const type: FheType = { kind: 'uint', bits: BITS_PER_BLOCK * value.originalBlockCount };
  return { type, blocks: value.blocks, state: state.kind };
}

interface ListKind {
  readonly key: SecretKeyName;
  readonly encoding: Encoding;
  /** Blocks of the original value that are together in one plaintext. */
  readonly blocksPerGroup: 1 | 2;
}

function openList(
  glwes: readonly PackedGlwe[],
  items: readonly ListItem[],
  { key, encoding, blocksPerGroup }: ListKind,
  { secrets }: Opener,
): readonly Plain[] {
  const plaintexts = glwes.flatMap((glwe) => coefficients(glwe, secrets[key], encoding));
  let at = 0;
  const values = items.map(({ value: item }) => {
    const type = typeOf(item);
    const count = Math.ceil(blockCountOf(type) / blocksPerGroup);
    at += count;
    return { type, value: composed(plaintexts.slice(at - count, at), type, blocksPerGroup) };
  });
  if (at !== plaintexts.length) throw new RangeError(`list: ${plaintexts.length} plaintexts, but its items have ${at}`);
  return values;
}

function typeOf(item: ListItem['value']): FheType {
  if (item.kind === 'Boolean') return BOOL;
  if (item.kind === 'Unsigned') return { kind: 'uint', bits: BITS_PER_BLOCK * item.value };
  throw new RangeError(`list: the coprocessor makes no ${item.kind}`);
}

/** The plaintexts in the coefficients of a GLWE ciphertext that has bodies for some of them. */
function coefficients(glwe: PackedGlwe, key: Uint8Array, encoding: Encoding): number[] {
  const { dimension, polynomialSize: size, bodyCount } = glwe;
  if (dimension * size !== key.length)
    throw new RangeError(`list: ${dimension} * ${size} mask words, want ${key.length}`);
  const words = unpacked(glwe, encoding.wordBits);
  if (words.length !== key.length + bodyCount) throw new RangeError(`list: ${words.length} words`);
  return Array.from({ length: bodyCount }, (_, index) => {
    let phase = words[key.length + index]!;
    for (const [i, bit] of key.entries()) {
      if (!bit) continue;
      // Coefficient `index` of A_q(X) * X^j modulo X^N + 1.
      const [q, j] = [Math.floor(i / size), i % size];
      if (j <= index) phase -= words[q * size + index - j]!;
      else phase += words[q * size + size + index - j]!;
    }
    return decoded(phase, encoding);
  });
}

/** Words of `logModulus` bits, shifted to the top of `wordBits`. */
function unpacked({ words: { packed, logModulus, count } }: PackedGlwe, wordBits: 64 | 128): bigint[] {
  const source = wordsOf(packed, wordBits === 64 ? 8 : 16);
  return Array.from({ length: count }, (_, index) => {
    const at = index * logModulus;
    const low = source[Math.floor(at / wordBits)]! >> BigInt(at % wordBits);
    const high = (source[Math.floor(at / wordBits) + 1] ?? 0n) << BigInt(wordBits - (at % wordBits));
    return BigInt.asUintN(wordBits, (low | high) << BigInt(wordBits - logModulus));
  });
}

function decoded(phase: bigint, { wordBits, deltaLog2, bits, noiseLog2 }: Encoding): number {
  const delta = BigInt(deltaLog2);
  const plaintext = (BigInt.asUintN(wordBits, phase) + (1n << (delta - 1n))) >> delta;
  const distance = BigInt.asIntN(wordBits, phase - (plaintext << delta));
  requireQuiet(distance < 0n ? -distance : distance, noiseLog2);
  return Number(BigInt.asUintN(bits, plaintext));
}

function composed(plaintexts: readonly number[], type: FheType, blocksPerGroup: 1 | 2): bigint {
  const bits = BigInt(BITS_PER_BLOCK * blocksPerGroup);
  const sum = plaintexts.reduce((all, plaintext, i) => all + (BigInt(plaintext) << (bits * BigInt(i))), 0n);
  if (type.kind === 'bool') return sum === 0n ? 0n : 1n;
  return BigInt.asUintN(type.bits, sum);
}

function requireQuiet(noise: bigint, log2: number): void {
  if (noise > 1n << BigInt(log2))
    throw new RangeError(`noise of ${noise.toString(2).length} bits, want at most ${log2}`);
}

function wordsOf(bytes: Uint8Array, wordBytes: WordBytes): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / wordBytes }, (_, index) => {
    const low = view.getBigUint64(index * wordBytes, true);
    return wordBytes === 8 ? low : low | (view.getBigUint64(index * wordBytes + 8, true) << 64n);
  });
}
