/** Every object node-tfhe writes reads and writes back byte for byte, and seeded keys hold what their masks say. */
import type { Codec } from '@keyquorum/codec/codec';
import { expect, test } from 'vitest';
import { createSeededStream } from '../src/csprng.ts';
import { TEST_PARAMETERS } from '../src/parameters.ts';
import { safeDeserialize, safeSerialize, TYPE_NAME } from '../src/safe-serialize.ts';
import {
  compactCiphertextList,
  compressedFheBool,
  compressedFheInteger,
  fheBool,
  fheInteger,
} from '../src/schema/ciphertexts.ts';
import { clientKey, compactPublicKey, compressedCompactPublicKey } from '../src/schema/keys.ts';
import { compressedServerKey } from '../src/schema/server-key.ts';
import { secretKeysOf, wordDistance, wordsOf } from './support/clear-text.ts';
import {
  encryptCompressed,
  encryptFhe,
  listBuilder,
  loadNodeTfhe,
  SIZE_LIMIT,
  serialize,
} from './support/node-tfhe.ts';
import { clientKeyBytes } from './support/test-client-key.ts';

const tfhe = loadNodeTfhe();
const file = clientKeyBytes(TEST_PARAMETERS);
const key = tfhe.TfheClientKey.safe_deserialize(file, SIZE_LIMIT);
const publicKey = tfhe.TfheCompactPublicKey.new(key);
const serverKey = serialize(tfhe.TfheCompressedServerKey.new(key));
const uint16 = { kind: 'uint', bits: 16 } as const;
const int8 = { kind: 'int', bits: 8 } as const;
const bool = { kind: 'bool', bits: 1 } as const;
const list = () =>
  listBuilder(tfhe, publicKey, [
    { type: bool, value: 1n },
    { type: int8, value: -7n },
  ]);

test('node-tfhe loads a client key with every optional part and writes the same bytes', () => {
  expect(serialize(key)).toEqual(file);
});

const objects: readonly [string, Codec<unknown>, Uint8Array][] = [
  [TYPE_NAME.clientKey, clientKey, file],
  [TYPE_NAME.compactPublicKey, compactPublicKey, serialize(publicKey)],
  [
    TYPE_NAME.compressedCompactPublicKey,
    compressedCompactPublicKey,
    serialize(tfhe.TfheCompressedCompactPublicKey.new(key)),
  ],
  [TYPE_NAME.compressedServerKey, compressedServerKey, serverKey],
  [TYPE_NAME.fheUint, fheInteger, encryptFhe(tfhe, key, uint16, 1234n)],
  [TYPE_NAME.fheInt, fheInteger, encryptFhe(tfhe, key, int8, -7n)],
  [TYPE_NAME.fheBool, fheBool, encryptFhe(tfhe, key, bool, 1n)],
  [TYPE_NAME.compressedFheUint, compressedFheInteger, encryptCompressed(tfhe, key, uint16, 1234n)],
  [TYPE_NAME.compressedFheInt, compressedFheInteger, encryptCompressed(tfhe, key, int8, -7n)],
  [TYPE_NAME.compressedFheBool, compressedFheBool, encryptCompressed(tfhe, key, bool, 1n)],
  [TYPE_NAME.compactCiphertextList, compactCiphertextList, serialize(list().build())],
  [`${TYPE_NAME.compactCiphertextList}`, compactCiphertextList, serialize(list().build_packed())],
];

test.each(objects)('%s round trips', (name, codec, bytes) => {
  expect(Buffer.compare(safeSerialize(name, codec, safeDeserialize(name, codec, bytes)), bytes)).toBe(0);
});

test('the server key has every part, and its key-switching bodies are encryptions of the big key', () => {
  const parts = safeDeserialize(TYPE_NAME.compressedServerKey, compressedServerKey, serverKey).key;
  for (const [name, part] of Object.entries(parts)) expect(part, name).not.toBeNull();
  const { keySwitchingKey } = parts.key.key.atomicPattern.value;
  const { big, small } = secretKeysOf(file);
  const masks = wordsOf(createSeededStream(keySwitchingKey.compressionSeed).read(8 * big.length * small.length));
  const bodies = wordsOf(keySwitchingKey.data);
  const shift = BigInt(64 - keySwitchingKey.baseLog);
  for (const [index, bit] of big.entries()) {
    const want = (BigInt(bit) << shift) + (small[0] ? masks[index]! : 0n);
    expect(wordDistance(bodies[index]!, want) <= 1n).toBe(true); // TUniform(0)
  }
});
