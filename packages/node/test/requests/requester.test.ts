import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRequesters, newApiKey, requesterPublicKey } from '../../src/requests/requester.ts';

const key = newApiKey();
const requester = { name: 'alice', publicKey: requesterPublicKey(key), apps: ['default'] };
const bob = { name: 'bob', publicKey: requesterPublicKey(newApiKey()), apps: ['default'] };
const requesters = createRequesters([bob, requester]);
const hash = new Uint8Array(32).fill(1);

test('the holder of the API key is known, and its signature convinces nodes that never saw the key', () => {
  const caller = requesters.authenticate(key);
  expect(caller?.requester).toBe(requester);
  const signature = caller!.sign(hash);
  expect(requesters.verify('alice', hash, signature)).toBe(requester);
  expect(requesters.verify('bob', hash, signature)).toBeUndefined();
  expect(requesters.verify('carol', hash, signature)).toBeUndefined();
  expect(requesters.verify('alice', new Uint8Array(32).fill(2), signature)).toBeUndefined();
});

test('no other text is an API key; what the configuration holds is none either', () => {
  expect(requesters.authenticate(requester.publicKey)).toBeUndefined();
  expect(requesters.authenticate(key.slice(0, -1))).toBeUndefined();
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      expect(requesters.authenticate(text)).toBeUndefined();
    }),
  );
});

test('any change of a signature is noticed', () => {
  const signature = requesters.authenticate(key)!.sign(hash);
  fc.assert(
    fc.property(fc.nat({ max: signature.length * 8 - 1 }), (bit) => {
      const changed = signature.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(requesters.verify('alice', hash, changed)).toBeUndefined();
    }),
  );
});
