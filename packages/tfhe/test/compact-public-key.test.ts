/**
 * Compact public keys made from our own secret bits: loaded by every node-tfhe version, encrypting values we can
 * open.
 */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type FheType, readCiphertext } from '../src/ciphertext.ts';
import {
  compactPublicKeyBytes,
  compressedCompactPublicKeyBytes,
  PublicKeyError,
  readCompactPublicKey,
  readCompressedCompactPublicKey,
} from '../src/compact-public-key.ts';
import { createMaskStream, keyStreamSeedData } from '../src/csprng.ts';
import { DEFAULT_PARAMETERS, TEST_PARAMETERS } from '../src/parameters.ts';
import { safeSerialize, TYPE_NAME } from '../src/safe-serialize.ts';
import { bytesOf, openValue, reversedProduct, secretKeysOf, wordDistance, wordsOf } from './support/clear-text.ts';
import {
  defaultClientKey,
  type Item,
  listBuilder,
  loadNodeTfhe,
  NODE_TFHE_PACKAGES,
  SIZE_LIMIT,
  serialize,
} from './support/node-tfhe.ts';

const N = DEFAULT_PARAMETERS.pke.dimension;
const NOISE_BOUND = 1n << BigInt(DEFAULT_PARAMETERS.pke.noiseBoundLog2);

/** Bytes that are the same in every run. */
function seededBytes(label: string, count: number): Uint8Array {
  return new Uint8Array(createHash('shake256', { outputLength: count }).update(label).digest());
}

/** Secret bits, a public seed, the mask drawn from it and the body with TUniform(17) noise. */
function ourKey(streamIndex: bigint) {
  const secret = seededBytes('secret', N).map((byte) => byte & 1);
  const seed = seededBytes('seed', 16);
  const mask = createMaskStream(keyStreamSeedData(seed), streamIndex).read(8 * N);
  const body = reversedProduct(wordsOf(mask), secret);
  const draws = new Uint32Array(seededBytes('noise', 4 * N).buffer);
  for (let index = 0; index < N; index++) {
    const draw = BigInt(draws[index]! % 2 ** 19);
    body[index]! += (draw >> 1n) + (draw & 1n) - NOISE_BOUND;
  }
  return { secret, seed, mask, body: bytesOf(body), streamIndex, parameters: DEFAULT_PARAMETERS };
}

const key = ourKey(0n);
const keys = { big: new Uint8Array(0), pke: key.secret };
const uint = (bits: number): FheType => ({ kind: 'uint', bits });
const items: Item[] = [
  { type: { kind: 'bool', bits: 1 }, value: 1n },
  { type: uint(8), value: 0x5an },
  { type: uint(64), value: 0xfedcba9876543210n },
  { type: uint(160), value: 0x00112233445566778899aabbccddeeff01234567n },
  { type: uint(256), value: (1n << 256n) - 0x0123456789abcdefn },
];

function expectListsOpen(tfhe: ReturnType<typeof loadNodeTfhe>, publicKey: Parameters<typeof listBuilder>[1]): void {
  for (const build of ['build', 'build_packed'] as const) {
    const bytes = serialize(listBuilder(tfhe, publicKey, items)[build]());
    for (const [slot, { type, value }] of items.entries()) {
      const read = readCiphertext('compact-list', bytes, { parameters: DEFAULT_PARAMETERS, slot });
      const opened = openValue(read, keys);
      expect(read.type).toEqual(type);
      expect(opened.value).toBe(value);
      expect(opened.noise < 1n << 25n).toBe(true);
    }
  }
}

describe('a key made from our own bits', () => {
  const file = compactPublicKeyBytes(key);

  test.each(NODE_TFHE_PACKAGES)('%s loads it and its lists open with our key', (name) => {
    const tfhe = loadNodeTfhe(name);
    expectListsOpen(tfhe, tfhe.TfheCompactPublicKey.safe_deserialize(file, SIZE_LIMIT));
  });

  test('node-tfhe finds its parameters conformant', () => {
    const tfhe = loadNodeTfhe();
    const name =
      tfhe.ShortintCompactPublicKeyEncryptionParametersName.PARAM_PKE_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;
    const parameters = new tfhe.ShortintCompactPublicKeyEncryptionParameters(name);
    tfhe.TfheCompactPublicKey.safe_deserialize_conformant(file, SIZE_LIMIT, parameters);
  });

  test('it has the size of the format and reads back', () => {
    expect(file.length).toBe(33_018);
    expect(readCompactPublicKey(file, DEFAULT_PARAMETERS)).toEqual({ mask: key.mask, body: key.body });
  });

  test.each([0n, 197_527n])('its compressed form at stream index %d decompresses to it', (streamIndex) => {
    const at = ourKey(streamIndex);
    const compressed = compressedCompactPublicKeyBytes(at);
    expect(readCompressedCompactPublicKey(compressed, DEFAULT_PARAMETERS)).toEqual({ mask: at.mask, body: at.body });
    for (const name of ['node-tfhe-1.6.1', 'node-tfhe'] as const) {
      const tfhe = loadNodeTfhe(name);
      const loaded = tfhe.TfheCompressedCompactPublicKey.safe_deserialize(compressed, SIZE_LIMIT);
      expect(serialize(loaded)).toEqual(compressed);
      const publicKey = loaded.decompress();
      expect(readCompactPublicKey(serialize(publicKey), DEFAULT_PARAMETERS)).toEqual({ mask: at.mask, body: at.body });
      expectListsOpen(tfhe, publicKey);
    }
  });
});

test.each(NODE_TFHE_PACKAGES)('keys of %s: B = A*rev(S) + e with |e| within the bound', (name) => {
  const tfhe = loadNodeTfhe(name);
  const clientKey = defaultClientKey(tfhe);
  const loaded = loadNodeTfhe().TfheClientKey.safe_deserialize(serialize(clientKey), SIZE_LIMIT);
  const { pke } = secretKeysOf(serialize(loaded));
  const plain = serialize(tfhe.TfheCompactPublicKey.new(clientKey));
  const compressed = serialize(tfhe.TfheCompressedCompactPublicKey.new(clientKey));
  for (const { mask, body } of [
    readCompactPublicKey(plain, DEFAULT_PARAMETERS),
    readCompressedCompactPublicKey(compressed, DEFAULT_PARAMETERS),
  ]) {
    const product = reversedProduct(wordsOf(mask), pke);
    expect(wordsOf(body).every((word, index) => wordDistance(word, product[index]!) <= NOISE_BOUND)).toBe(true);
  }
});

describe('refused', () => {
  const file = compactPublicKeyBytes(key);
  const code = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (error instanceof PublicKeyError) return error.code;
      throw error;
    }
    return 'accepted';
  };

  test('another parameter set, another object, trailing bytes, a short file', () => {
    const other = safeSerialize(TYPE_NAME.fheBool, { minBytes: 0, read: () => 0, write: () => undefined }, 0);
    const trailing = new Uint8Array([...file, 0]);
    expect(code(() => readCompactPublicKey(file, TEST_PARAMETERS))).toBe('PUBLIC_KEY_PARAMETERS');
    expect(code(() => readCompactPublicKey(other, DEFAULT_PARAMETERS))).toBe('PUBLIC_KEY_MALFORMED');
    expect(code(() => readCompactPublicKey(trailing, DEFAULT_PARAMETERS))).toBe('PUBLIC_KEY_MALFORMED');
    expect(code(() => readCompactPublicKey(file.subarray(0, 400), DEFAULT_PARAMETERS))).toBe('PUBLIC_KEY_MALFORMED');
  });

  test('writers refuse coefficients of the wrong length', () => {
    expect(() => compactPublicKeyBytes({ ...key, body: key.body.subarray(8) })).toThrow(RangeError);
    expect(() => compressedCompactPublicKeyBytes({ ...key, seed: new Uint8Array(15) })).toThrow(RangeError);
  });
});
