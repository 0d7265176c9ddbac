/**
 * Compressed lists: every value of lists of several GLWE ciphertexts and mixed types opens to itself, whoever packed
 * them; the ciphertexts cut out are the coefficients of the phase, for any words; and what contradicts itself or the
 * key's parameters is refused by name.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allFheTypes,
  CiphertextError,
  type FheType,
  fheTypeName,
  messageMasks,
  readCiphertext,
  recompose,
} from '../src/ciphertext.ts';
import { blockCountOf } from '../src/fhe-type.ts';
import { DEFAULT_PARAMETERS, lweDimensionOf, type ParameterSet, TEST_PARAMETERS } from '../src/parameters.ts';
import { safeDeserialize, TYPE_NAME } from '../src/safe-serialize.ts';
import { compressedCiphertextList } from '../src/schema/ciphertexts.ts';
import { openValue, wordsOf } from './support/clear-text.ts';
import {
  type CompressedList,
  compressedList,
  compressedListBytes,
  dealtPacking,
  encryptedList,
  fixedWords,
  itemOf,
  maskTimesKey,
  stored,
} from './support/compressed-list.ts';
import { encryptFhe, type Item, loadNodeTfhe, SIZE_LIMIT } from './support/node-tfhe.ts';
import { fixedSecretBits, secretBitsOf } from './support/secret-bits.ts';
import { clientKeyBytes } from './support/test-client-key.ts';

const SETS = [TEST_PARAMETERS, DEFAULT_PARAMETERS];
const bool: FheType = { kind: 'bool', bits: 1 };
const uint8: FheType = { kind: 'uint', bits: 8 };

/** Decoding fails at 2^60; ten standard deviations of the rounding noise are below this in both sets. */
const NOISE_MAX = 1n << 60n;

function sampleValue({ kind, bits }: FheType, salt: number): bigint {
  const word = fixedWords(`value ${salt}`, 32).reduce((sum, each) => (sum << 64n) | each, 0n);
  return kind === 'int' ? BigInt.asIntN(bits, word) : BigInt.asUintN(bits, word);
}

describe.each(SETS)('$name parameters', (parameters) => {
  const key = fixedSecretBits(parameters).compression;

  test('a value of every type, in one list', () => {
    const items = allFheTypes().map((type, salt): Item => ({ type, value: sampleValue(type, salt) }));
    const list = encryptedList(parameters, key, items);
    expect(list.inner.blocks.glwes.length).toBeGreaterThan(20);
    const bytes = compressedListBytes(list);
    for (const [slot, item] of items.entries()) {
      const value = readCiphertext('compressed-list', bytes, { parameters, slot });
      const opened = openValue(value, { compression: key });
      expect(opened.value, fheTypeName(item.type)).toBe(item.value);
      expect(opened.noise < NOISE_MAX).toBe(true);
      expect(value).toMatchObject({ type: item.type, key: 'compression', deltaLog2: 61, dimension: key.length });
      expect(value.blockBits).toEqual(Array(blockCountOf(item.type)).fill(2));
    }
  });

  test('only the upper two bits of the four are wanted: below them is noise', () => {
    const bytes = compressedListBytes(encryptedList(parameters, key, [{ type: uint8, value: 0xe4n }]));
    const value = readCiphertext('compressed-list', bytes, { parameters });
    expect([...messageMasks(value)]).toEqual([0b1100, 0b1100, 0b1100, 0b1100]);
    expect(recompose(value, Uint8Array.of(0b0000, 0b0100, 0b1000, 0b1100))).toBe(0xe4n);
    expect(recompose(value, Uint8Array.of(0b0011, 0b0111, 0b1011, 0b1111))).toBe(0xe4n);
  });

  test('any words: ciphertext i is coefficient i of body - mask * key', () => {
    const { polynomialSize: size, ciphertextsPerGlwe } = parameters.compression;
    const shape = fc.record({
      blocks: fc.integer({ min: 4, max: 3 * ciphertextsPerGlwe }),
      pick: fc.nat(),
      salt: fc.nat(),
    });
    fc.assert(
      fc.property(shape, ({ blocks, pick, salt }) => {
        const values = Math.floor(blocks / 4);
        const slot = pick % values;
        const glwes = Array.from({ length: Math.ceil((4 * values) / ciphertextsPerGlwe) }, (_, index) => ({
          mask: fixedWords(`mask ${salt} ${index}`, lweDimensionOf(parameters.compression)),
          body: fixedWords(`body ${salt} ${index}`, size),
        }));
        const items = Array.from({ length: values }, () => itemOf({ type: uint8 }));
        const bytes = compressedListBytes(compressedList(parameters, glwes, items, 4 * values));
        const value = readCiphertext('compressed-list', bytes, { parameters, slot });
        const [masks, bodies] = [wordsOf(value.masks), wordsOf(value.bodies)];
        for (let block = 0; block < 4; block++) {
          const at = 4 * slot + block;
          const { mask, body } = rounded(glwes[Math.floor(at / ciphertextsPerGlwe)]!, parameters);
          const place = at % ciphertextsPerGlwe;
          const want = BigInt.asUintN(64, body[place]! - maskTimesKey(mask, key, size)[place]!);
          let phase = bodies[block]!;
          key.forEach((bit, index) => {
            if (bit) phase -= masks[block * value.dimension + index]!;
          });
          expect(BigInt.asUintN(64, phase)).toBe(want);
        }
      }),
      { numRuns: 20 },
    );
  });
});

/** Words as they are after they were stored. */
function rounded({ mask, body }: { mask: BigUint64Array; body: BigUint64Array }, { compression }: ParameterSet) {
  const dropped = BigInt(64 - compression.storageLogModulus);
  const round = (word: bigint) => ((word + (1n << (dropped - 1n))) >> dropped) << dropped;
  return { mask: mask.map(round), body: body.map(round) };
}

test('blocks of node-tfhe, packed with a dealt packing key', () => {
  const tfhe = loadNodeTfhe();
  const file = clientKeyBytes(TEST_PARAMETERS);
  const clientKey = tfhe.TfheClientKey.safe_deserialize(file, SIZE_LIMIT);
  const secrets = secretBitsOf(file);
  const items: Item[] = [
    { type: bool, value: 1n },
    { type: { kind: 'int', bits: 16 }, value: -12345n },
    { type: { kind: 'uint', bits: 32 }, value: 0xe41b27d8n },
  ];
  const values = items.map(({ type, value }) =>
    readCiphertext('fhe', encryptFhe(tfhe, clientKey, type, value), { parameters: TEST_PARAMETERS }),
  );
  const joined = (pick: 'masks' | 'bodies') => new Uint8Array(Buffer.concat(values.map((value) => value[pick])));
  const glwe = dealtPacking(TEST_PARAMETERS, secrets)({ masks: joined('masks'), bodies: joined('bodies') });
  const blocks = values.reduce((sum, { blockBits }) => sum + blockBits.length, 0);
  const list = compressedList(TEST_PARAMETERS, [glwe], items.map(itemOf), blocks);
  const garbage = behindTheLast(list, glwe);
  for (const bytes of [compressedListBytes(list), compressedListBytes(garbage)]) {
    for (const [slot, item] of items.entries()) {
      const value = readCiphertext('compressed-list', bytes, { parameters: TEST_PARAMETERS, slot });
      const opened = openValue(value, secrets);
      expect(opened.value).toBe(item.value);
      expect(opened.noise < NOISE_MAX).toBe(true);
    }
  }
});

/** The list as a GPU stores it: all of the body is packed, and cut at the word that holds the last coefficient. */
function behindTheLast(list: CompressedList, glwe: Parameters<typeof stored>[0]): CompressedList {
  const { blocks } = list.inner;
  const [first] = blocks.glwes;
  const all = stored(glwe, TEST_PARAMETERS.compression.ciphertextsPerGlwe, TEST_PARAMETERS).packed.data;
  const data = all.subarray(0, first!.packed.data.length);
  expect(Buffer.compare(data, first!.packed.data), 'the last word differs').not.toBe(0);
  return {
    ...list,
    inner: { ...list.inner, blocks: { ...blocks, glwes: [{ ...first!, packed: { ...first!.packed, data } }] } },
  };
}

describe('refusals', () => {
  const set = TEST_PARAMETERS;
  const full = set.compression.ciphertextsPerGlwe;
  const key = fixedSecretBits(set).compression;
  /** 257 blocks: a full GLWE ciphertext and one that holds one block. */
  const sample = encryptedList(set, key, [
    ...Array.from({ length: full / 4 }, (): Item => ({ type: uint8, value: 7n })),
    { type: bool, value: 1n },
  ]);

  type Blocks = CompressedList['inner']['blocks'];
  type Stored = Blocks['glwes'][number];

  function refusal(list: CompressedList, slot = 0): CiphertextError {
    try {
      readCiphertext('compressed-list', compressedListBytes(list), { parameters: set, slot });
    } catch (error) {
      if (error instanceof CiphertextError) return error;
      throw error;
    }
    throw new Error('nothing was refused');
  }

  function withBlocks(change: (blocks: Blocks) => Partial<Blocks>): CompressedList {
    const { blocks } = sample.inner;
    return { ...sample, inner: { ...sample.inner, blocks: { ...blocks, ...change(blocks) } } };
  }

  function withGlwe(index: number, change: (glwe: Stored) => Partial<Stored>): CompressedList {
    return withBlocks(({ glwes }) => ({
      glwes: glwes.map((glwe, at) => (at === index ? { ...glwe, ...change(glwe) } : glwe)),
    }));
  }

  test('the sample itself is read, and written back byte for byte', () => {
    const bytes = compressedListBytes(sample);
    const value = readCiphertext('compressed-list', bytes, { parameters: set, slot: full / 4 });
    expect(openValue(value, { compression: key }).value).toBe(1n);
    const list = safeDeserialize(TYPE_NAME.compressedCiphertextList, compressedCiphertextList, bytes);
    expect(Buffer.compare(compressedListBytes(list), bytes)).toBe(0);
  });

  const foreign = { modulus: 1n << 32n, scalarBits: 64 };
  test.each([
    ['glweDimension', { glweDimension: 2 }, 'glwes[1].glweDimension'],
    ['polynomialSize', { polynomialSize: 512 }, 'glwes[1].polynomialSize'],
    ['modulus', { ciphertextModulus: foreign }, 'glwes[1].ciphertextModulus'],
  ])('GLWE: %s of another key', (_, change, field) => {
    expect(refusal(withGlwe(1, () => change))).toMatchObject({ code: 'CIPHERTEXT_PARAMETERS', field });
  });

  test.each([8, 10, 12, 0, 64])('words stored with %d bits', (bits) => {
    const list = withGlwe(0, ({ packed }) => ({ packed: { ...packed, bits } }));
    expect(refusal(list)).toMatchObject({ code: 'CIPHERTEXT_PARAMETERS', field: 'glwes[0].packed.bits' });
  });

  const keySwitch32 = { kind: 'KeySwitch32' as const, value: null };
  const otherOrder = { kind: 'Standard' as const, value: { kind: 'BootstrapKeyswitch' as const, value: null } };
  test.each([
    [{ ciphertextModulus: foreign }, 'metadata.ciphertextModulus'],
    [{ messageModulus: 2 }, 'metadata.messageModulus'],
    [{ carryModulus: 8 }, 'metadata.carryModulus'],
    [{ atomicPattern: keySwitch32 }, 'metadata.atomicPattern'],
    [{ atomicPattern: otherOrder }, 'metadata.pbsOrder'],
    [{ ciphertextsPerGlwe: 128 }, 'metadata.ciphertextsPerGlwe'],
  ])('metadata of another key: %o', (change, field) => {
    const list = withBlocks(({ metadata }) => ({ metadata: { ...metadata!, ...change } }));
    expect(refusal(list)).toMatchObject({ code: 'CIPHERTEXT_PARAMETERS', field });
  });

  test('metadata that is missing, or there without ciphertexts', () => {
    expect(refusal(withBlocks(() => ({ metadata: null })))).toMatchObject({ field: 'metadata' });
    expect(refusal(withBlocks(() => ({ glwes: [] })))).toMatchObject({
      code: 'CIPHERTEXT_MALFORMED',
      field: 'metadata',
    });
  });

  test.each([
    ['the first, not full', 0, full - 1],
    ['the first, overfull', 0, full + 1],
    ['the last, empty', 1, 0],
    ['the last, overfull', 1, full + 1],
  ])('number of bodies: %s', (_, index, bodyCount) => {
    const list = withGlwe(index, () => ({ bodyCount }));
    expect(refusal(list)).toMatchObject({ code: 'CIPHERTEXT_MALFORMED', field: `glwes[${index}].bodyCount` });
  });

  test.each([
    ['one number more', (packed: Stored['packed']) => ({ count: packed.count + 1 }), 'count'],
    ['one word less', (packed: Stored['packed']) => ({ data: packed.data.subarray(8) }), 'data'],
    [
      'one word more',
      (packed: Stored['packed']) => ({ data: Buffer.concat([packed.data, new Uint8Array(8)]) }),
      'data',
    ],
  ])('packed numbers: %s', (_, change, field) => {
    const list = withGlwe(1, ({ packed }) => ({ packed: { ...packed, ...change(packed) } }));
    expect(refusal(list)).toMatchObject({ code: 'CIPHERTEXT_MALFORMED', field: `glwes[1].packed.${field}` });
  });

  test('items that take more or fewer blocks than are stored, or have no metadata of their own', () => {
    const items = sample.inner.items;
    for (const changed of [items.slice(1), [...items, items[0]!], []]) {
      const list = { ...sample, inner: { ...sample.inner, items: changed } };
      expect(refusal(list)).toMatchObject({ code: 'CIPHERTEXT_MALFORMED', field: 'inner.items: blocks' });
    }
    const list = { ...sample, reRandomizationMetadata: sample.reRandomizationMetadata.slice(1) };
    expect(refusal(list)).toMatchObject({ code: 'CIPHERTEXT_MALFORMED', field: 'reRandomizationMetadata' });
  });

  test('slots, strings, and widths without a type', () => {
    expect(refusal(sample, full / 4 + 1)).toMatchObject({ code: 'CIPHERTEXT_SLOT' });
    const withItems = (...items: CompressedList['inner']['items'][number][]): CompressedList => {
      const list = encryptedList(set, key, [
        { type: uint8, value: 7n },
        { type: uint8, value: 9n },
        { type: bool, value: 1n },
      ]);
      const reRandomizationMetadata = items.map(() => ({ data: new Uint8Array(0) }));
      return { ...list, inner: { ...list.inner, items }, reRandomizationMetadata };
    };
    const text = { version: 1 as const, value: { kind: 'String' as const, value: { characters: 2, padded: false } } };
    const odd = { version: 1 as const, value: { kind: 'Signed' as const, value: 9 } };
    expect(refusal(withItems(text, itemOf({ type: bool })))).toMatchObject({ code: 'CIPHERTEXT_UNSUPPORTED' });
    const beside = compressedListBytes(withItems(text, itemOf({ type: bool })));
    const value = readCiphertext('compressed-list', beside, { parameters: set, slot: 1 });
    expect(openValue(value, { compression: key }).value).toBe(1n);
    expect(refusal(withItems(odd))).toMatchObject({ code: 'CIPHERTEXT_TYPE' });
  });

  test('a list without values', () => {
    const empty = compressedList(set, [], [], 0);
    expect(refusal(empty)).toMatchObject({ code: 'CIPHERTEXT_SLOT' });
  });
});
