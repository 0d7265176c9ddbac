/** Lists made with real node-tfhe decrypt to what went in, type by type. */
import { readCiphertext } from '@keyquorum/tfhe/ciphertext';
import { fheTypeName } from '@keyquorum/tfhe/fhe-type';
import { TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { expect, test } from 'vitest';
import { openValue, secretKeysOf } from '../../tfhe/test/support/clear-text.ts';
import { loadNodeTfhe, SIZE_LIMIT, serialize } from '../../tfhe/test/support/node-tfhe.ts';
import { clientKeyBytes } from '../../tfhe/test/support/test-client-key.ts';
import { encrypt, type PlainInput } from '../src/encrypt.ts';

const tfhe = loadNodeTfhe();
const file = clientKeyBytes(TEST_PARAMETERS);
const publicKey = serialize(tfhe.TfheCompactPublicKey.new(tfhe.TfheClientKey.safe_deserialize(file, SIZE_LIMIT)));
const secretKeys = secretKeysOf(file);

const INPUTS: readonly PlainInput[] = [
  { fheType: 'bool', value: 1n },
  { fheType: 'bool', value: 0n },
  ...[8, 16, 32, 64, 128, 160, 256].map((bits) => ({ fheType: `uint${bits}`, value: (1n << BigInt(bits)) - 0x55n })),
];

test('all types in one list come back, each in its slot', () => {
  const encrypted = encrypt(tfhe, publicKey, INPUTS);
  expect(new Set(encrypted.map(({ bytes }) => bytes)).size).toBe(1);
  const opened = encrypted.map(({ format, bytes, slot }) => {
    const list = Uint8Array.from(Buffer.from(bytes, 'base64'));
    const ciphertext = readCiphertext(format, list, { parameters: TEST_PARAMETERS, slot });
    return { fheType: fheTypeName(ciphertext.type), value: openValue(ciphertext, secretKeys).value };
  });
  expect(opened).toEqual(INPUTS);
});

test.each<[string, bigint, RegExp]>([
  ['uint8', 256n, /value 0 is outside of uint8/],
  ['uint8', -1n, /value 0 is outside of uint8/],
  ['bool', 2n, /value 0 is outside of bool/],
  ['float', 1n, /value 0 has the type float, want one of bool, uint8/],
])('%s %s is refused', (fheType, value, message) => {
  expect(() => encrypt(tfhe, publicKey, [{ fheType, value }])).toThrow(message);
});
