/** Both implementations of the primitives: the same bytes for the same input, and the same refusals. */
import { randomBytes } from 'node:crypto';
import { secp256k1 as noble } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createUserKeyPair } from '../src/encryption-key.ts';
import * as node from '../src/primitives-node.ts';
import * as portable from '../src/primitives-portable.ts';

const ORDER = noble.Point.Fn.ORDER;
const bytesOf = (value: bigint) => new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const secretKey = fc.bigInt({ min: 1n, max: ORDER - 1n }).map(bytesOf);
/** Near the ends of the range, where a scalar or coordinate is refused or not. */
const edge = fc.constantFrom(0n, 1n, ORDER / 2n, ORDER / 2n + 1n, ORDER - 1n, ORDER, 2n ** 256n - 1n).map(bytesOf);
const word = fc.oneof(bytes32, edge);
const signature = fc.tuple(word, word).map(([r, s]) => Uint8Array.of(...r, ...s));
const recovery = fc.constantFrom(0 as const, 1 as const);

describe('secp256k1', () => {
  const [wasm, script] = [node.secp256k1, portable.secp256k1];

  test('signatures are those of RFC 6979 with low s, bit by bit, and both recover and verify them', () => {
    fc.assert(
      fc.property(secretKey, fc.oneof(bytes32, edge), (secret, digest) => {
        const { signature, recovery } = wasm.sign(digest, secret);
        expect(script.sign(digest, secret)).toEqual({ signature, recovery });
        const publicKey = wasm.publicKey(secret);
        expect(script.publicKey(secret)).toEqual(publicKey);
        expect(wasm.uncompressed(publicKey)).toEqual(script.uncompressed(publicKey));
        for (const { recover, verify, uncompressed } of [wasm, script]) {
          expect(recover(digest, signature, recovery === 1 ? 1 : 0)).toEqual(uncompressed(publicKey));
          expect(verify(digest, signature, publicKey)).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('the mirrored signature is recovered and not verified', () => {
    const [secret, digest] = [bytesOf(5n), new Uint8Array(32).fill(9)];
    const { signature, recovery } = wasm.sign(digest, secret);
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
    const mirrored = Uint8Array.of(...signature.subarray(0, 32), ...bytesOf(ORDER - s));
    for (const { recover, verify, publicKey, uncompressed } of [wasm, script]) {
      expect(recover(digest, mirrored, recovery === 1 ? 0 : 1)).toEqual(uncompressed(publicKey(secret)));
      expect(verify(digest, mirrored, publicKey(secret))).toBe(false);
    }
  });

  test('any bytes: both give the same key, or none', () => {
    fc.assert(
      fc.property(bytes32, signature, recovery, (digest, given, bit) => {
        const key = wasm.recover(digest, given, bit);
        expect(script.recover(digest, given, bit)).toEqual(key);
        if (key === undefined) return;
        const compressed = Uint8Array.of(2 + (key[64]! & 1), ...key.subarray(1, 33));
        expect(script.verify(digest, given, compressed)).toBe(wasm.verify(digest, given, compressed));
      }),
      { numRuns: 40 },
    );
  });

  test('keys: what is no secret or public key is refused by both', () => {
    fc.assert(
      fc.property(word, fc.integer({ min: 0, max: 6 }), (bytes, prefix) => {
        expect(wasm.isSecretKey(bytes)).toBe(script.isSecretKey(bytes));
        const point = Uint8Array.of(prefix, ...bytes);
        expect(wasm.uncompressed(point)).toEqual(script.uncompressed(point));
        expect(wasm.verify(bytes32Zero, new Uint8Array(64).fill(1), point)).toBe(false);
      }),
    );
    for (const length of [0, 32, 34, 65]) expect(wasm.uncompressed(new Uint8Array(length).fill(2))).toBeUndefined();
    expect(wasm.isSecretKey(new Uint8Array(31).fill(1))).toBe(false);
  });
});

const bytes32Zero = new Uint8Array(32);
const pairs = [
  ['node', node, portable],
  ['portable', portable, node],
] as const;

test.each(pairs)(
  'ML-KEM-512: what %s encapsulates, both open, and a changed ciphertext to the same',
  (_, from, other) => {
    const { encryptionKey, decapsulationKey } = createUserKeyPair(new Uint8Array(randomBytes(64)));
    const { ciphertext, sharedSecret } = from.mlKem512.encapsulate(encryptionKey.subarray(-800));
    expect(ciphertext.length).toBe(768);
    const opened = ({ mlKem512 }: typeof from | typeof other, bytes: Uint8Array) => {
      return Buffer.from(mlKem512.decapsulate(bytes, decapsulationKey)).toString('hex');
    };
    for (const each of [from, other]) expect(opened(each, ciphertext)).toBe(Buffer.from(sharedSecret).toString('hex'));
    const changed = ciphertext.map((byte, index) => (index === 7 ? byte ^ 1 : byte));
    expect(opened(from, changed)).not.toBe(opened(from, ciphertext));
    expect(opened(other, changed)).toBe(opened(from, changed));
  },
);

test.each(pairs)('AES-256-GCM: what %s seals, both open; what was changed, neither', async (_, from, other) => {
  const nonce = fc.uint8Array({ minLength: 12, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(bytes32, nonce, fc.uint8Array({ maxLength: 99 }), fc.nat(), async (key, iv, plain, at) => {
      const sealed = await from.aes256Gcm.seal(key, iv, plain);
      expect(sealed.length).toBe(plain.length + 16);
      const changed = sealed.map((byte, index) => (index === at % sealed.length ? byte ^ 1 : byte));
      for (const { aes256Gcm } of [from, other]) {
        expect(await aes256Gcm.open(key, iv, sealed)).toEqual(plain);
        expect(await aes256Gcm.open(key, iv, changed)).toBeUndefined();
        expect(await aes256Gcm.open(key, iv, sealed.subarray(0, at % 16))).toBeUndefined();
      }
    }),
    { numRuns: 30 },
  );
});
