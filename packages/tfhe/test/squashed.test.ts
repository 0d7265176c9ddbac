/**
 * Squashed values: every value of every type opens to itself under either key, odd numbers of blocks included; the
 * lists' ciphertexts are the coefficients of the phase, for any words; and what contradicts itself or the key's
 * parameters is refused by name.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allFheTypes,
  CiphertextError,
  type CiphertextFormat,
  type FheType,
  fheTypeName,
  isSquashed,
  messageMasks,
  readCiphertext,
  recompose,
} from '../src/ciphertext.ts';
import { DEFAULT_PARAMETERS, lweDimensionOf, type ParameterSet, TEST_PARAMETERS } from '../src/parameters.ts';
import { safeDeserialize, TYPE_NAME } from '../src/safe-serialize.ts';
import { compressedSquashedNoiseCiphertextList, type SquashedBlock } from '../src/schema/ciphertexts.ts';
import { openValue, phasesOf } from './support/clear-text.ts';
import { itemOf } from './support/compressed-list.ts';
import type { Item } from './support/node-tfhe.ts';
import {
  encryptedSquashedList,
  encryptSquashed,
  fixedKey,
  fixedWide,
  maskTimesKeyAt,
  nibblesOf,
  ONE,
  type SquashedList,
  sampleOf,
  squashedBlock,
  squashedBytes,
  squashedList,
  squashedListBytes,
} from './support/squashed.ts';

const uint8: FheType = { kind: 'uint', bits: 8 };
const uint6: FheType = { kind: 'uint', bits: 6 };
const KEYS = ['noise-squashing', 'noise-squashing-compression'] as const;
const DELTA = 1n << 123n;

function refusal(
  format: CiphertextFormat,
  bytes: Uint8Array,
  { slot = 0, parameters = TEST_PARAMETERS }: { slot?: number; parameters?: ParameterSet } = {},
): CiphertextError {
  try {
    readCiphertext(format, bytes, { parameters, slot });
  } catch (error) {
    if (error instanceof CiphertextError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe.each(KEYS)('under the %s key', (name) => {
  const parameters = TEST_PARAMETERS;
  const key = fixedKey(parameters, name);

  test('a value of every type', () => {
    for (const type of allFheTypes()) {
      const item = { type, value: sampleOf(type, fheTypeName(type)) };
      const value = readCiphertext('squashed', encryptSquashed(key, item, name), { parameters });
      expect(value).toMatchObject({ type, key: name, deltaLog2: 123, dimension: key.length });
      expect(isSquashed(value)).toBe(true);
      const opened = openValue(value, { [name]: key });
      expect(opened.value, fheTypeName(type)).toBe(item.value);
      expect(opened.noise).toBe(0n);
      expect([...opened.messages]).toEqual(nibblesOf(item));
    }
  });
});

test('the default set: a boolean and an integer of an odd number of blocks', () => {
  const parameters = DEFAULT_PARAMETERS;
  for (const name of KEYS) {
    const key = fixedKey(parameters, name);
    for (const item of [ONE, { type: uint6, value: 0b11_10_01n }]) {
      const value = readCiphertext('squashed', encryptSquashed(key, item, name), { parameters });
      expect(openValue(value, { [name]: key }).value).toBe(item.value);
    }
  }
});

test('what of each block belongs to a value: pairs, an odd last block without its upper half, all of a boolean', () => {
  const key = fixedKey(TEST_PARAMETERS, 'noise-squashing');
  const read = (item: Item) => readCiphertext('squashed', encryptSquashed(key, item), { parameters: TEST_PARAMETERS });
  expect([...messageMasks(read({ type: uint6, value: 0n }))]).toEqual([0b1111, 0b0011]);
  expect([...messageMasks(read(ONE))]).toEqual([0b1111]);
  expect(recompose(read({ type: uint6, value: 0n }), Uint8Array.of(0b0110, 0b1111))).toBe(0b11_01_10n);
  expect(recompose(read(ONE), Uint8Array.of(0b1000))).toBe(1n); // like tfhe-rs: anything but zero
});

describe('lists', () => {
  const parameters = TEST_PARAMETERS;
  const shape = parameters.noiseSquashingCompression;
  const key = fixedKey(parameters, 'noise-squashing-compression');

  test('a value of every type, over several GLWE ciphertexts', () => {
    const items = allFheTypes().map((type): Item => ({ type, value: sampleOf(type, fheTypeName(type)) }));
    const list = encryptedSquashedList(parameters, key, items);
    expect(list.inner.blocks.glwes.length).toBeGreaterThan(20);
    const bytes = squashedListBytes(list);
    for (const [slot, item] of items.entries()) {
      const value = readCiphertext('compressed-squashed-list', bytes, { parameters, slot });
      expect(value).toMatchObject({ type: item.type, key: 'noise-squashing-compression', deltaLog2: 123 });
      const opened = openValue(value, { 'noise-squashing-compression': key });
      expect(opened.value, fheTypeName(item.type)).toBe(item.value);
      expect(opened.noise).toBe(0n);
    }
    const again = safeDeserialize(
      TYPE_NAME.compressedSquashedNoiseCiphertextList,
      compressedSquashedNoiseCiphertextList,
      bytes,
    );
    expect(Buffer.compare(squashedListBytes(again), bytes)).toBe(0);
  });

  test('any words: ciphertext i is coefficient i of body - mask * key', () => {
    const { polynomialSize, ciphertextsPerGlwe } = shape;
    const special = [0n, 1n, 1n << 32n, 1n << 64n, 1n << 96n, 1n << 127n, (1n << 128n) - 1n];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (values, pick, salt) => {
        const blocks = 4 * values;
        const slot = pick % values;
        const glwes = Array.from({ length: Math.ceil(blocks / ciphertextsPerGlwe) }, (_, index) => ({
          mask: fixedWide(`mask ${salt} ${index}`, lweDimensionOf(shape)).map((word, i) => special[i % 9] ?? word),
          body: fixedWide(`body ${salt} ${index}`, polynomialSize),
        }));
        const list = squashedList(parameters, glwes, { items: Array(values).fill({ kind: 'uint', bits: 16 }), blocks });
        const value = readCiphertext('compressed-squashed-list', squashedListBytes(list), { parameters, slot });
        const phases = phasesOf(value, key).map((phase) => BigInt.asUintN(128, phase));
        const want = [0, 1, 2, 3].map((block) => {
          const { mask, body } = glwes[Math.floor((4 * slot + block) / ciphertextsPerGlwe)]!;
          const place = (4 * slot + block) % ciphertextsPerGlwe;
          const product = maskTimesKeyAt(mask, key, { polynomialSize, count: place + 1 })[place]!;
          return BigInt.asUintN(128, body[place]! - product);
        });
        expect(phases).toEqual(want);
      }),
      { numRuns: 20 },
    );
  });

  /** 129 blocks: a full GLWE ciphertext and one that holds one block. */
  const sample = encryptedSquashedList(parameters, key, [
    ...Array.from({ length: 64 }, (): Item => ({ type: uint8, value: 7n })),
    ONE,
  ]);
  type Blocks = SquashedList['inner']['blocks'];
  type Stored = Blocks['glwes'][number];

  const listRefusal = (list: SquashedList, slot = 0) =>
    refusal('compressed-squashed-list', squashedListBytes(list), { slot });
  const withBlocks = (change: (blocks: Blocks) => Partial<Blocks>): SquashedList => ({
    ...sample,
    inner: { ...sample.inner, blocks: { ...sample.inner.blocks, ...change(sample.inner.blocks) } },
  });
  const withGlwe = (index: number, change: (glwe: Stored) => Partial<Stored>): SquashedList =>
    withBlocks(({ glwes }) => ({
      glwes: glwes.map((glwe, at) => (at === index ? { ...glwe, ...change(glwe) } : glwe)),
    }));

  test.each([
    ['glweDimension', { glweDimension: 2 }, 'glwes[1].glweDimension'],
    ['polynomialSize', { polynomialSize: 512 }, 'glwes[1].polynomialSize'],
    ['modulus', { ciphertextModulus: { modulus: 0n, scalarBits: 64 } }, 'glwes[1].ciphertextModulus'],
  ])('GLWE: %s of another key', (_, change, field) => {
    expect(listRefusal(withGlwe(1, () => change))).toMatchObject({ code: 'CIPHERTEXT_PARAMETERS', field });
  });

  test.each([0, 64, 127])('words stored with %d bits', (bits) => {
    const list = withGlwe(0, ({ packed }) => ({ packed: { ...packed, bits } }));
    expect(listRefusal(list)).toMatchObject({ code: 'CIPHERTEXT_PARAMETERS', field: 'glwes[0].packed.bits' });
  });

  test.each([
    [{ messageModulus: 2 }, 'metadata.messageModulus'],
    [{ carryModulus: 8 }, 'metadata.carryModulus'],
    [{ ciphertextsPerGlwe: 256 }, 'metadata.ciphertextsPerGlwe'],
  ])('metadata of another key: %o', (change, field) => {
    const list = withBlocks(({ metadata }) => ({ metadata: { ...metadata!, ...change } }));
    expect(listRefusal(list)).toMatchObject({ code: 'CIPHERTEXT_PARAMETERS', field });
  });

  test('metadata that is missing, or there without ciphertexts', () => {
    expect(listRefusal(withBlocks(() => ({ metadata: null })))).toMatchObject({ field: 'metadata' });
    expect(listRefusal(withBlocks(() => ({ glwes: [] })))).toMatchObject({ field: 'metadata' });
  });

  test.each([
    ['the first, not full', 0, 127],
    ['the first, overfull', 0, 129],
    ['the last, empty', 1, 0],
    ['the last, overfull', 1, 129],
  ])('number of bodies: %s', (_, index, bodyCount) => {
    const refused = listRefusal(withGlwe(index, () => ({ bodyCount })));
    expect(refused).toMatchObject({ code: 'CIPHERTEXT_MALFORMED', field: `glwes[${index}].bodyCount` });
  });

  test.each([
    ['one word less', (packed: Stored['packed']) => ({ data: packed.data.subarray(16) }), 'data'],
    ['one number more', (packed: Stored['packed']) => ({ count: packed.count + 1 }), 'count'],
  ])('packed numbers: %s', (_, change, field) => {
    const list = withGlwe(1, ({ packed }) => ({ packed: { ...packed, ...change(packed) } }));
    expect(listRefusal(list)).toMatchObject({ code: 'CIPHERTEXT_MALFORMED', field: `glwes[1].packed.${field}` });
  });

  test('items that take more or fewer blocks than are stored', () => {
    const { items } = sample.inner;
    for (const changed of [items.slice(1), [...items, items[0]!], []]) {
      const refused = listRefusal({ ...sample, inner: { ...sample.inner, items: changed } });
      expect(refused).toMatchObject({ code: 'CIPHERTEXT_MALFORMED', field: 'inner.items: blocks' });
    }
  });

  test('slots, strings, widths without a type, and no values at all', () => {
    expect(listRefusal(sample, 65)).toMatchObject({ code: 'CIPHERTEXT_SLOT' });
    expect(listRefusal(squashedList(parameters, [], { items: [], blocks: 0 }))).toMatchObject({
      code: 'CIPHERTEXT_SLOT',
    });
    const text = { version: 1 as const, value: { kind: 'String' as const, value: { characters: 1, padded: false } } };
    const odd = { version: 1 as const, value: { kind: 'Signed' as const, value: 9 } };
    const five = encryptedSquashedList(parameters, key, [{ type: { kind: 'uint', bits: 16 }, value: 0n }, ONE]);
    const items = (...changed: SquashedList['inner']['items'][number][]) => ({
      ...five,
      inner: { ...five.inner, items: changed },
    });
    const beside = items(text, itemOf({ type: uint8 }), itemOf(ONE)); // 2, 2 and 1 blocks
    expect(listRefusal(beside)).toMatchObject({ code: 'CIPHERTEXT_UNSUPPORTED' });
    const value = readCiphertext('compressed-squashed-list', squashedListBytes(beside), { parameters, slot: 2 });
    expect(openValue(value, { 'noise-squashing-compression': key }).value).toBe(1n);
    expect(listRefusal(items(odd))).toMatchObject({ code: 'CIPHERTEXT_TYPE' });
  });
});

describe('refusals', () => {
  const key = fixedKey(TEST_PARAMETERS, 'noise-squashing');
  const block = squashedBlock(key, DELTA, 'block');
  const blocksWith = (change: Partial<SquashedBlock>) => squashedBytes(uint8, [block, { ...block, ...change }]);
  const { ciphertextModulus } = block.lwe;

  test.each([
    ['degree', { degree: 16 }, 'blocks[1].degree'],
    ['message modulus', { messageModulus: 2 }, 'blocks[1].messageModulus'],
    ['carry modulus', { carryModulus: 8 }, 'blocks[1].carryModulus'],
    ['dimension', { lwe: { data: new Uint8Array(16 * 256), ciphertextModulus } }, 'blocks[1].lwe.dimension'],
    ['no words at all', { lwe: { data: new Uint8Array(0), ciphertextModulus } }, 'blocks[1].lwe.dimension'],
    [
      'modulus',
      { lwe: { ...block.lwe, ciphertextModulus: { modulus: 1n << 100n, scalarBits: 128 } } },
      'blocks[1].ciphertextModulus',
    ],
    [
      'modulus of 64 bits',
      { lwe: { ...block.lwe, ciphertextModulus: { modulus: 0n, scalarBits: 64 } } },
      'blocks[1].ciphertextModulus',
    ],
  ])('%s', (_, change, field) => {
    expect(refusal('squashed', blocksWith(change))).toMatchObject({ code: 'CIPHERTEXT_PARAMETERS', field });
  });

  test('a number of blocks that the width does not have, a width without a type, and none', () => {
    const malformed = { code: 'CIPHERTEXT_MALFORMED', field: 'blocks' };
    expect(refusal('squashed', squashedBytes(uint8, [block]))).toMatchObject(malformed);
    expect(refusal('squashed', squashedBytes(uint8, [block, block, block]))).toMatchObject(malformed);
    const odd = squashedBytes({ kind: 'uint', bits: 18 }, Array(5).fill(block));
    expect(refusal('squashed', odd)).toMatchObject({ code: 'CIPHERTEXT_TYPE' });
    expect(refusal('squashed', squashedBytes({ kind: 'int', bits: 0 }, []))).toMatchObject({ code: 'CIPHERTEXT_TYPE' });
  });

  test('a slot other than 0', () => {
    expect(refusal('squashed', blocksWith({}), { slot: 1 })).toMatchObject({ code: 'CIPHERTEXT_SLOT' });
  });
});
