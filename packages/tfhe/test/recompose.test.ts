/**
 * What a decryption answers for messages no honest encryptor makes: the same as node-tfhe, for every message of a
 * block. node-tfhe is run with the Test parameters, where its own bootstrapping (expand) takes milliseconds.
 */
import { describe, expect, test } from 'vitest';
import { type CiphertextFormat, type FheType, fheTypeName, readCiphertext } from '../src/ciphertext.ts';
import { type CiphertextValue, recompose } from '../src/ciphertext-value.ts';
import { TEST_PARAMETERS } from '../src/parameters.ts';
import { safeDeserialize, TYPE_NAME } from '../src/safe-serialize.ts';
import { compactCiphertextList } from '../src/schema/ciphertexts.ts';
import { openValue, secretKeysOf } from './support/clear-text.ts';
import {
  decryptFhe,
  encryptFhe,
  type Item,
  listBuilder,
  loadNodeTfhe,
  type Serializable,
  SIZE_LIMIT,
  serialize,
} from './support/node-tfhe.ts';
import { clientKeyBytes } from './support/test-client-key.ts';

const tfhe = loadNodeTfhe();
const file = clientKeyBytes(TEST_PARAMETERS);
const key = tfhe.TfheClientKey.safe_deserialize(file, SIZE_LIMIT);
const keys = secretKeysOf(file);
const publicKey = tfhe.TfheCompactPublicKey.new(key);
tfhe.set_server_key(tfhe.TfheServerKey.new(key));

const bool: FheType = { kind: 'bool', bits: 1 };
const uint = (bits: number): FheType => ({ kind: 'uint', bits });
const int = (bits: number): FheType => ({ kind: 'int', bits });
const MESSAGES = Array.from({ length: 16 }, (_, message) => message);

/** Adds message * 2^59 to the word at byte `at`. */
function addMessage(bytes: Uint8Array, at: number, message: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setBigUint64(at, BigInt.asUintN(64, view.getBigUint64(at, true) + (BigInt(message) << 59n)), true);
}

function opened(format: CiphertextFormat, bytes: Uint8Array, slot = 0): bigint {
  return openValue(readCiphertext(format, bytes, { parameters: TEST_PARAMETERS, slot }), keys).value;
}

describe('blocks with any message', () => {
  // In an object of equal blocks, the body of block i ends where block i does, before 76 bytes of its description.
  const BLOCK_BYTES = 4 + 12 + 8 * 257 + 28 + 4 * 12 + 16;
  const bodyAt = (object: Uint8Array, blocks: number, index: number) =>
    object.length - 24 - (blocks - 1 - index) * BLOCK_BYTES - 16 - 48 - 28 - 8;

  test.each([
    [bool, 1],
    [uint(2), 1],
    [uint(8), 4],
    [int(8), 4],
    [int(2), 1],
  ] as const)('%o', (type, blocks) => {
    for (let index = 0; index < blocks; index++) {
      for (const message of MESSAGES) {
        const bytes = new Uint8Array(encryptFhe(tfhe, key, type, 0n));
        addMessage(bytes, bodyAt(bytes, blocks, index), message);
        expect(opened('fhe', bytes)).toBe(decryptFhe(tfhe, key, type, bytes));
      }
    }
  });
});

describe('lists with any message expand to the same values', () => {
  const items: Item[] = [bool, uint(4), bool, int(4)].map((type) => ({ type, value: 0n }));

  function expanded(bytes: Uint8Array): bigint[] {
    const expander = tfhe.CompactCiphertextList.safe_deserialize(bytes, SIZE_LIMIT).expand();
    const values: Serializable[] = [
      expander.get_bool(0),
      expander.get_uint4(1),
      expander.get_bool(2),
      expander.get_int4(3),
    ];
    return values.map((value, slot) => decryptFhe(tfhe, key, items[slot]!.type, serialize(value)));
  }

  test.each(['build', 'build_packed'] as const)('%s', (build) => {
    const made = new Uint8Array(serialize(listBuilder(tfhe, publicKey, items)[build]()));
    const { lwe } = safeDeserialize(TYPE_NAME.compactCiphertextList, compactCiphertextList, made).inner.blocks;
    const bodies = lwe.data.byteOffset + lwe.data.length - 8 * lwe.count;
    for (let index = 0; index < lwe.count; index++) {
      for (const message of MESSAGES) {
        const bytes = new Uint8Array(made);
        addMessage(bytes, bodies + 8 * index, message);
        const want = expanded(bytes);
        expect(items.map((_, slot) => opened('compact-list', bytes, slot))).toEqual(want);
      }
    }
  });
});

test('values that bootstrapping made are read under the big key', () => {
  const list: Item[] = [
    { type: bool, value: 1n },
    { type: uint(64), value: 0xfedcba9876543210n },
  ];
  const expander = tfhe.CompactCiphertextList.safe_deserialize(
    serialize(listBuilder(tfhe, publicKey, list).build_packed()),
    SIZE_LIMIT,
  ).expand();
  expect(opened('fhe', serialize(expander.get_bool(0)))).toBe(1n);
  expect(opened('fhe', serialize(expander.get_uint64(1)))).toBe(0xfedcba9876543210n);
});

test('recompose wants one message of 4 bits per ciphertext', () => {
  const value = readCiphertext('fhe', encryptFhe(tfhe, key, uint(8), 0n), { parameters: TEST_PARAMETERS });
  const check = (target: CiphertextValue, messages: number[]) => () => recompose(target, Uint8Array.from(messages));
  expect(check(value, [1, 2, 3])).toThrow(RangeError);
  expect(check(value, [1, 2, 3, 16])).toThrow(RangeError);
  expect(check(value, [1, 2, 3, 0])()).toBe(0x39n);
  expect(fheTypeName(value.type)).toBe('uint8');
});
