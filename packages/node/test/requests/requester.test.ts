import { encodeAuthorization } from '@keyquorum/wire/authorization';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRequesters, newApiKey, requesterPublicKey } from '../../src/requests/requester.ts';

const key = newApiKey();
const requester = { name: 'alice', publicKey: requesterPublicKey(key), apps: ['default'] };
const bob = { name: 'bob', publicKey: requesterPublicKey(newApiKey()), apps: ['default'] };
const requesters = createRequesters([bob, requester]);
const hash = new Uint8Array(32).fill(1);

test('the holder of the API key is known, and its signature convinces nodes that never saw the key', () => {
  const caller = requesters.authenticate(`Bearer ${key}`);
  expect(caller?.requester).toBe(requester);
  const signature = caller!.sign(hash);
  expect(requesters.verify('alice', hash, signature)).toBe(requester);
  expect(requesters.verify('bob', hash, signature)).toBeUndefined();
  expect(requesters.verify('carol', hash, signature)).toBeUndefined();
  expect(requesters.verify('alice', new Uint8Array(32).fill(2), signature)).toBeUndefined();
});

test('no other text is an API key; what the configuration holds is none either', () => {
  expect(requesters.authenticate(`Bearer ${requester.publicKey}`)).toBeUndefined();
  expect(requesters.authenticate(`Bearer ${key.slice(0, -1)}`)).toBeUndefined();
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      expect(requesters.authenticate(text)).toBeUndefined();
      expect(requesters.authenticate(`Bearer ${text}`)).toBeUndefined();
      expect(requesters.authenticate(`Keyquorum ${text}`)).toBeUndefined();
    }),
  );
});

test('any change of a signature is noticed', () => {
  const signature = requesters.authenticate(`Bearer ${key}`)!.sign(hash);
  fc.assert(
    fc.property(fc.nat({ max: signature.length * 8 - 1 }), (bit) => {
      const changed = signature.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(requesters.verify('alice', hash, changed)).toBeUndefined();
    }),
  );
});

test('a signed request authorises that request and no other, without the key', () => {
  const signature = requesters.authenticate(`Bearer ${key}`)!.sign(hash);
  const header = encodeAuthorization({ requester: 'alice', contentHash: hash, signature });
  expect(header).not.toContain(key.slice(3));
  const caller = requesters.authenticate(header);
  expect(caller).toMatchObject({ requester, holdsKey: false });
  expect(caller!.sign(hash)).toEqual(signature);
  const other = new Uint8Array(32).fill(2);
  expect(() => caller!.sign(other)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  for (const claimed of [{ requester: 'bob' }, { requester: 'carol' }, { contentHash: other }]) {
    const forged = encodeAuthorization({ requester: 'alice', contentHash: hash, signature, ...claimed });
    expect(requesters.authenticate(forged)).toBeUndefined();
  }
  fc.assert(
    fc.property(fc.nat({ max: header.length - 1 }), fc.string({ minLength: 1, maxLength: 1 }), (at, letter) => {
      const changed = header.slice(0, at) + letter + header.slice(at + 1);
      // Schemes are named in any case (RFC 9110), and so are the digits of hex.
      if (changed.toLowerCase() === header.toLowerCase()) return;
      expect(requesters.authenticate(changed)).toBeUndefined();
    }),
  );
});
