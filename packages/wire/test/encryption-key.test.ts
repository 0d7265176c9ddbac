/** The envelope of ML-KEM-512 keys: node-tkms' own keys, round trips, and the refusal of everything else. */
import { ml_kem512 } from '@noble/post-quantum/ml-kem.js';
import fc from 'fast-check';
import tkms from 'node-tkms';
import { expect, test } from 'vitest';
import {
  createUserKeyPair,
  DECAPSULATION_KEY_BYTES,
  decodeEncryptionKey,
  ENCRYPTION_KEY_BYTES,
  encodeEncryptionKey,
} from '../src/encryption-key.ts';
import { WireError } from '../src/error.ts';

const seed = fc.uint8Array({ minLength: 64, maxLength: 64 });
const HEADER_BYTES = ENCRYPTION_KEY_BYTES - 800;

test('keys of node-tkms have this envelope, and encapsulations for them come through', () => {
  const secret = tkms.ml_kem_pke_keygen();
  const bytes = tkms.ml_kem_pke_pk_to_u8vec(tkms.ml_kem_pke_get_pk(secret));
  const key = decodeEncryptionKey(bytes);
  expect(encodeEncryptionKey(key)).toEqual(bytes);
  const { cipherText, sharedSecret } = ml_kem512.encapsulate(key);
  const decapsulationKey = tkms.ml_kem_pke_sk_to_u8vec(secret).subarray(8);
  expect(ml_kem512.decapsulate(cipherText, decapsulationKey)).toEqual(sharedSecret);
});

test('own keys round trip, and node-tkms takes them', () => {
  fc.assert(
    fc.property(seed, (bytes) => {
      const { encryptionKey, decapsulationKey } = createUserKeyPair(bytes);
      expect(encryptionKey.length).toBe(869);
      expect(decapsulationKey.length).toBe(DECAPSULATION_KEY_BYTES);
      expect(encodeEncryptionKey(decodeEncryptionKey(encryptionKey))).toEqual(encryptionKey);
      const foreign = tkms.u8vec_to_ml_kem_pke_pk(encryptionKey);
      expect(tkms.ml_kem_pke_pk_to_u8vec(foreign)).toEqual(encryptionKey);
    }),
    { numRuns: 10 },
  );
});

test('a coefficient of 3329 or more is refused, wherever it stands', () => {
  const { encryptionKey } = createUserKeyPair(new Uint8Array(64));
  fc.assert(
    fc.property(fc.nat(511), fc.integer({ min: 3329, max: 4095 }), (index, coefficient) => {
      const bytes = new Uint8Array(encryptionKey);
      const at = HEADER_BYTES + 3 * (index >> 1);
      if (index % 2 === 0) {
        bytes[at] = coefficient & 255;
        bytes[at + 1] = (bytes[at + 1]! & 0xf0) | (coefficient >> 8);
      } else {
        bytes[at + 1] = (bytes[at + 1]! & 0x0f) | ((coefficient & 15) << 4);
        bytes[at + 2] = coefficient >> 4;
      }
      expect(() => decodeEncryptionKey(bytes)).toThrow(
        expect.objectContaining({ name: 'WireError', code: 'ENCRYPTION_KEY_NOT_REDUCED' }),
      );
    }),
  );
});

test('another header or length is refused; any bytes: a key or WireError', () => {
  const { encryptionKey } = createUserKeyPair(new Uint8Array(64));
  fc.assert(
    fc.property(fc.nat(HEADER_BYTES - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bytes = new Uint8Array(encryptionKey);
      bytes[at] = bytes[at]! ^ change;
      expect(() => decodeEncryptionKey(bytes)).toThrow(expect.objectContaining({ code: 'ENCRYPTION_KEY_MALFORMED' }));
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_000 }), (bytes) => {
      expect(() => decodeEncryptionKey(bytes)).toThrow(WireError);
    }),
  );
  for (const bytes of [encryptionKey.subarray(1), new Uint8Array([...encryptionKey, 0])]) {
    expect(() => decodeEncryptionKey(bytes)).toThrow(WireError);
  }
  expect(() => createUserKeyPair(new Uint8Array(32))).toThrow(RangeError);
});
