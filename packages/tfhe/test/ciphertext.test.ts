/** readCiphertext and recompose against node-tfhe 1.7: every type, every format, packed and plain lists. */
import { describe, expect, test } from 'vitest';
import {
  allFheTypes,
  type CiphertextValue,
  type FheType,
  fheTypeName,
  messageMasks,
  parseFheType,
  readCiphertext,
} from '../src/ciphertext.ts';
import { DEFAULT_PARAMETERS } from '../src/parameters.ts';
import { openValue, secretKeysOf } from './support/clear-text.ts';
import {
  decryptFhe,
  defaultClientKey,
  encryptCompressed,
  encryptFhe,
  type Item,
  listBuilder,
  loadNodeTfhe,
  NODE_TFHE_PACKAGES,
  SIZE_LIMIT,
  serialize,
} from './support/node-tfhe.ts';

const tfhe = loadNodeTfhe();
const clientKey = defaultClientKey(tfhe);
const publicKey = tfhe.TfheCompactPublicKey.new(clientKey);
const keys = secretKeysOf(serialize(clientKey));
const options = { parameters: DEFAULT_PARAMETERS };

/** A value with every block different from its neighbours; the lowest one for signed types has its sign set. */
function sampleValue({ kind, bits }: FheType): bigint {
  if (kind === 'bool') return 1n;
  const pattern = BigInt(`0x${'e41b27d8'.repeat(64)}`);
  return kind === 'int' ? BigInt.asIntN(bits, pattern | (1n << BigInt(bits - 1))) : BigInt.asUintN(bits, pattern);
}

/** Residual noise of fresh ciphertexts stays below this; decoding fails at 2^58. */
const FRESH_NOISE: Readonly<Record<string, bigint>> = { big: 1n << 18n, pke: 1n << 25n };

function expectValue(value: CiphertextValue, item: Item): void {
  const opened = openValue(value, keys);
  expect(opened.value).toBe(item.value);
  expect(opened.noise < FRESH_NOISE[value.key]!).toBe(true);
  expect(value.type).toEqual(item.type);
}

const types = allFheTypes();
const narrow = types.filter(({ bits }) => bits <= 256);
const wide = types.filter(({ bits }) => bits > 256);

describe('values encrypted under the client key', () => {
  test.each(types.map((type) => [fheTypeName(type), type] as const))('%s', (_, type) => {
    const value = sampleValue(type);
    const bytes = encryptFhe(tfhe, clientKey, type, value);
    expectValue(readCiphertext('fhe', bytes, options), { type, value });
    expect(decryptFhe(tfhe, clientKey, type, bytes)).toBe(value);
    expectValue(readCiphertext('compressed-fhe', encryptCompressed(tfhe, clientKey, type, value), options), {
      type,
      value,
    });
  });
});

test.each(NODE_TFHE_PACKAGES)('values encrypted by %s', (name) => {
  const old = loadNodeTfhe(name);
  const oldKey = defaultClientKey(old);
  // node-tfhe 1.7 upgrades the client key, so that one schema reads all of them.
  const oldKeys = secretKeysOf(serialize(tfhe.TfheClientKey.safe_deserialize(serialize(oldKey), SIZE_LIMIT)));
  for (const typeName of ['bool', 'uint8', 'int8', 'uint256']) {
    const type = parseFheType(typeName)!;
    const value = sampleValue(type);
    const plain = readCiphertext('fhe', encryptFhe(old, oldKey, type, value), options);
    const seeded = readCiphertext('compressed-fhe', encryptCompressed(old, oldKey, type, value), options);
    for (const read of [plain, seeded]) {
      expect(read.type).toEqual(type);
      expect(openValue(read, oldKeys).value).toBe(value);
    }
  }
});

describe('lists under the compact public key', () => {
  // A boolean between all integers: every second integer starts in the upper half of a packed ciphertext.
  const items = (set: readonly FheType[]): Item[] =>
    set.flatMap((type) => [
      { type, value: sampleValue(type) },
      { type: { kind: 'bool' as const, bits: 1 }, value: BigInt(type.bits % 3 === 0 ? 1 : 0) },
    ]);

  test.each([
    ['plain', 'build', narrow],
    ['packed', 'build_packed', narrow],
    ['plain, wide types, several mask chunks', 'build', wide],
    ['packed, wide types', 'build_packed', wide],
  ] as const)('%s', (_, build, set) => {
    const list = items(set);
    const bytes = serialize(listBuilder(tfhe, publicKey, list)[build]());
    for (const [slot, item] of list.entries()) {
      expectValue(readCiphertext('compact-list', bytes, { ...options, slot }), item);
    }
  });

  test('a boolean and the integer behind it share a ciphertext, and the masks keep them apart', () => {
    const list: Item[] = [
      { type: { kind: 'bool', bits: 1 }, value: 1n },
      { type: { kind: 'uint', bits: 8 }, value: 0x5an },
    ];
    const bytes = serialize(listBuilder(tfhe, publicKey, list).build_packed());
    const [flag, number] = [0, 1].map((slot) => readCiphertext('compact-list', bytes, { ...options, slot }));
    expect(flag!.pieces).toEqual([{ block: 0, shift: 0, bits: 2 }]);
    expect(flag!.blockBits).toEqual([4]);
    expect(number!.pieces.map(({ block, shift }) => [block, shift])).toEqual([
      [0, 2],
      [1, 0],
      [1, 2],
      [2, 0],
    ]);
    expect(number!.blockBits).toEqual([4, 4, 2]);
    expect([...messageMasks(flag!)]).toEqual([0b0011]);
    expect([...messageMasks(number!)]).toEqual([0b1100, 0b1111, 0b0011]);
  });
});
