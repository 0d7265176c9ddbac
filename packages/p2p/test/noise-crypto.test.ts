import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto';
import fc from 'fast-check';
import { Uint8ArrayList } from 'uint8arraylist';
import { expect, test } from 'vitest';
import { cachedKeyCrypto } from '../src/noise-crypto.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const message = fc.oneof(
  fc.uint8Array({ maxLength: 1500 }),
  fc.nat({ max: 65_519 }).map((size) => new Uint8Array(size).fill(size)),
);

test('same records as the default cipher of the Noise package, whole or in pieces, both ways', () => {
  const ours = cachedKeyCrypto();
  fc.assert(
    fc.property(message, fc.nat({ max: 2000 }), bytes(32), bytes(12), bytes(32), (plaintext, cut, key, nonce, ad) => {
      const pieces = new Uint8ArrayList(plaintext.subarray(0, cut), plaintext.subarray(cut));
      const record = defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key).slice();
      for (const input of [plaintext, pieces]) {
        expect(Buffer.compare(ours.chaCha20Poly1305Encrypt(input, nonce, ad, key).slice(), record)).toBe(0);
      }
      const recordPieces = new Uint8ArrayList(record.slice(0, cut), record.slice(cut));
      for (const input of [record.slice(), recordPieces]) {
        expect(Buffer.compare(ours.chaCha20Poly1305Decrypt(input, nonce, ad, key).slice(), plaintext)).toBe(0);
      }
    }),
    { numRuns: 200 },
  );
});

test.each([10, 5000])('a flipped bit in a record of %d bytes is refused', (length) => {
  const ours = cachedKeyCrypto();
  const [key, nonce, ad] = [new Uint8Array(32).fill(1), new Uint8Array(12), new Uint8Array(0)];
  const record = ours.chaCha20Poly1305Encrypt(new Uint8Array(length), nonce, ad, key).slice();
  record[length >> 1]! ^= 1;
  expect(() => ours.chaCha20Poly1305Decrypt(record, nonce, ad, key)).toThrow();
});
