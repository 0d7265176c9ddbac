/**
 * Compressed lists made the long way, in BigInt: ciphertexts packed with a packing key or GLWE ciphertexts encrypted
 * with a known key, words rounded, and numbers strung together as one large integer.
 */
import { createHash } from 'node:crypto';
import type { Decoded } from '@keyquorum/codec/codec';
import type { CiphertextValue } from '../../src/ciphertext-value.ts';
import { createMaskStream, keyStreamSeedData } from '../../src/csprng.ts';
import { BITS_PER_BLOCK, blockCountOf } from '../../src/fhe-type.ts';
import { keySetComponents } from '../../src/key-set-components.ts';
import { lweDimensionOf, type ParameterSet } from '../../src/parameters.ts';
import { safeSerialize, TYPE_NAME } from '../../src/safe-serialize.ts';
import { compressedCiphertextList, type ListItem } from '../../src/schema/ciphertexts.ts';
import { type ModulusSwitchedGlwe, NATIVE_64 } from '../../src/schema/core.ts';
import { bytesOf, wordsOf } from './clear-text.ts';
import { dealBodies, type SecretBits } from './dealer.ts';
import type { Item } from './node-tfhe.ts';

export type CompressedList = Decoded<typeof compressedCiphertextList>;

/** Words modulo 2^64: k mask polynomials of N coefficients, and the body. */
export interface Glwe {
  readonly mask: BigUint64Array;
  readonly body: BigUint64Array;
}

/** The same words in every run. */
export function fixedWords(label: string, count: number): BigUint64Array {
  return wordsOf(
    createHash('shake256', { outputLength: 8 * count })
      .update(label)
      .digest(),
  );
}

/** The two-bit digits of a value, lowest first. */
export function digitsOf({ type, value }: Item): number[] {
  return Array.from({ length: blockCountOf(type) }, (_, block) =>
    Number((value >> BigInt(BITS_PER_BLOCK * block)) & 3n),
  );
}

export function itemOf({ type }: Pick<Item, 'type'>): ListItem {
  if (type.kind === 'bool') return { version: 1, value: { kind: 'Boolean', value: null } };
  const kind = type.kind === 'int' ? 'Signed' : 'Unsigned';
  return { version: 1, value: { kind, value: blockCountOf(type) } };
}

/** The product of each mask polynomial with its polynomial of the key, summed, modulo X^N + 1. */
export function maskTimesKey(mask: BigUint64Array, key: Uint8Array, size: number): BigUint64Array {
  const product = new BigUint64Array(size); // wraps modulo 2^64
  for (const [place, bit] of key.entries()) {
    if (bit === 0) continue;
    const start = place - (place % size);
    for (let index = 0; index < size; index++) {
      const at = index + (place % size);
      if (at < size) product[at]! += mask[start + index]!;
      else product[at - size]! -= mask[start + index]!;
    }
  }
  return product;
}

/** Encryptions of the digits at 2^61, as many to each GLWE ciphertext as the set says. Without noise. */
export function encryptDigits({ compression }: ParameterSet, key: Uint8Array, digits: readonly number[]): Glwe[] {
  const { polynomialSize: size, ciphertextsPerGlwe } = compression;
  return Array.from({ length: Math.ceil(digits.length / ciphertextsPerGlwe) }, (_, index) => {
    const mask = fixedWords(`mask ${index}`, lweDimensionOf(compression));
    const body = maskTimesKey(mask, key, size);
    digits.slice(index * ciphertextsPerGlwe, (index + 1) * ciphertextsPerGlwe).forEach((digit, place) => {
      body[place]! += BigInt(digit) << 61n;
    });
    return { mask, body };
  });
}

/** The words that are kept, rounded to `bits` bits, in u64 words. */
export function stored({ mask, body }: Glwe, bodyCount: number, { compression }: ParameterSet): ModulusSwitchedGlwe {
  const { dimension, polynomialSize, storageLogModulus: bits } = compression;
  const numbers = [...mask, ...body.slice(0, bodyCount)].map((word) => {
    return BigInt.asUintN(64, word + (1n << BigInt(63 - bits))) >> BigInt(64 - bits);
  });
  const binary = numbers.map((number) => number.toString(2).padStart(bits, '0')).reverse();
  const all = BigInt(`0b${binary.join('')}`);
  const data = BigUint64Array.from({ length: Math.ceil((numbers.length * bits) / 64) }, (_, word) =>
    BigInt.asUintN(64, all >> BigInt(64 * word)),
  );
  return {
    packed: { data: bytesOf(data), bits, count: numbers.length },
    ...{ glweDimension: dimension, polynomialSize, bodyCount, ciphertextModulus: NATIVE_64 },
  };
}

/** The object that holds the first `blocks` coefficients of these ciphertexts as the blocks of `items`. */
export function compressedList(
  set: ParameterSet,
  glwes: readonly Glwe[],
  items: readonly ListItem[],
  blocks: number,
): CompressedList {
  const { ciphertextsPerGlwe } = set.compression;
  const { messageModulus, carryModulus } = set;
  const pbsOrder = { kind: 'KeyswitchBootstrap' as const, value: null };
  const atomicPattern = { kind: 'Standard' as const, value: pbsOrder };
  const metadata = { ciphertextModulus: NATIVE_64, messageModulus, carryModulus, atomicPattern, ciphertextsPerGlwe };
  const bodyCount = (index: number) => Math.min(ciphertextsPerGlwe, blocks - index * ciphertextsPerGlwe);
  return {
    inner: {
      blocks: {
        glwes: glwes.map((glwe, index) => stored(glwe, bodyCount(index), set)),
        metadata: glwes.length === 0 ? null : metadata,
      },
      items,
    },
    tag: { data: new Uint8Array(0) },
    reRandomizationMetadata: items.map(() => ({ data: new Uint8Array(0) })),
  };
}

export function compressedListBytes(list: CompressedList): Uint8Array {
  return safeSerialize(TYPE_NAME.compressedCiphertextList, compressedCiphertextList, list);
}

/** A list of these values under a compression key of which the test knows the bits. */
export function encryptedList(set: ParameterSet, key: Uint8Array, items: readonly Item[]): CompressedList {
  const digits = items.flatMap(digitsOf);
  return compressedList(set, encryptDigits(set, key, digits), items.map(itemOf), digits.length);
}

/** What a coprocessor does: a function that packs ciphertexts under the big key with a dealt packing key. */
export function dealtPacking(
  set: ParameterSet,
  secrets: SecretBits,
): (blocks: Pick<CiphertextValue, 'masks' | 'bodies'>) => Glwe {
  const seed = new Uint8Array(16).fill(7);
  const plan = keySetComponents(set, ['compression']).find((c) => c.component === 'compression-packing-key')!;
  const dealt = dealBodies([plan], { seed, secrets, noiseKey: new Uint8Array(16).fill(8) });
  const bodies = wordsOf(dealt.get(plan.component)!);
  const masks = wordsOf(createMaskStream(keyStreamSeedData(seed), plan.position).read(plan.maskBytes));
  return (blocks) => packed(set, blocks, { masks, bodies });
}

/** sum_i ((0, b_i) - sum_(j, level) digit_(j, level)(a_i) * row_(j, level)) * X^i, of ciphertexts multiplied by 4. */
function packed(
  { compression }: ParameterSet,
  blocks: Pick<CiphertextValue, 'masks' | 'bodies'>,
  rows: { masks: BigUint64Array; bodies: BigUint64Array },
): Glwe {
  const { dimension, polynomialSize: size, packing } = compression;
  const body = wordsOf(blocks.bodies).map((word) => 4n * word);
  const inputs = wordsOf(blocks.masks).map((word) => 4n * word);
  const inputDimension = inputs.length / body.length;
  const all = new BigUint64Array((dimension + 1) * size);
  for (const [place, word] of body.entries()) {
    all[dimension * size + place]! += word;
    for (let input = 0; input < inputDimension; input++) {
      signedDigits(inputs[place * inputDimension + input]!, packing).forEach((digit, index) => {
        const row = input * packing.levels + index;
        const mask = rows.masks.subarray(row * dimension * size, (row + 1) * dimension * size);
        subtractRotated(all.subarray(0, dimension * size), mask, { digit, power: place, size });
        subtractRotated(all.subarray(dimension * size), rows.bodies.subarray(row * size, (row + 1) * size), {
          ...{ digit, power: place, size },
        });
      });
    }
  }
  return { mask: all.slice(0, dimension * size), body: all.slice(dimension * size) };
}

/** into -= digit * polynomials * X^power, each polynomial modulo X^N + 1. */
function subtractRotated(
  into: BigUint64Array,
  polynomials: BigUint64Array,
  { digit, power, size }: { digit: bigint; power: number; size: number },
): void {
  for (const [index, word] of polynomials.entries()) {
    const start = index - (index % size);
    const at = (index % size) + power;
    if (at < size) into[start + at]! -= digit * word;
    else into[start + at - size]! += digit * word;
  }
}

/** Balanced digits of the word rounded to base^levels, for the highest level (lowest weight) first, like the rows. */
function signedDigits(word: bigint, { baseLog, levels }: { baseLog: number; levels: number }): bigint[] {
  const base = 1n << BigInt(baseLog);
  const dropped = BigInt(64 - baseLog * levels);
  let rest = (word + (1n << (dropped - 1n))) >> dropped;
  return Array.from({ length: levels }, () => {
    const low = BigInt.asUintN(baseLog, rest);
    const digit = low >= base / 2n ? low - base : low;
    rest = (rest - digit) >> BigInt(baseLog);
    return digit;
  });
}
