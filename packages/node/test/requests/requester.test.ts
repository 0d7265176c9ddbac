import {
  authorizationMessage,
  EXPIRY_SECONDS_MAX,
  EXPIRY_TOLERANCE_SECONDS,
  encodeAuthorization,
  requesterSeed,
} from '@keyquorum/wire/authorization';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSigner } from '../../src/ed25519.ts';
import { createRequesters, newApiKey, requesterPublicKey } from '../../src/requests/requester.ts';

const NOW_SECONDS = 1_790_000_000;
const key = newApiKey();
const requester = { name: 'alice', publicKey: requesterPublicKey(key), apps: ['default'] };
const bob = { name: 'bob', publicKey: requesterPublicKey(newApiKey()), apps: ['default'] };
const requesters = createRequesters([bob, requester], () => NOW_SECONDS * 1_000);
const hash = new Uint8Array(32).fill(1);

/** As a requester signs by itself, so many seconds ahead. */
function signedFor(seconds: number) {
  const expires = NOW_SECONDS + seconds;
  return { expires, signature: createSigner(requesterSeed(key)).sign(authorizationMessage(hash, expires)) };
}
const headerOf = (signed: ReturnType<typeof signedFor>) => {
  return encodeAuthorization({ requester: 'alice', contentHash: hash, ...signed });
};
const refused = (message: RegExp) => {
  return expect.objectContaining({ code: 'UNAUTHENTICATED', message: expect.stringMatching(message) });
};

test('the holder of the API key is known, and its signature convinces nodes that never saw the key', () => {
  const caller = requesters.authenticate(`Bearer ${key}`);
  expect(caller?.requester).toBe(requester);
  const signed = caller!.sign(hash);
  expect(requesters.verifyForwarded('alice', hash, signed)).toBe(requester);
  expect(requesters.verifyForwarded('bob', hash, signed)).toBeUndefined();
  expect(requesters.verifyForwarded('carol', hash, signed)).toBeUndefined();
  expect(requesters.verifyForwarded('alice', new Uint8Array(32).fill(2), signed)).toBeUndefined();
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

test('any change of a signature is noticed, and of when it expires', () => {
  const { expires, signature } = requesters.authenticate(`Bearer ${key}`)!.sign(hash);
  fc.assert(
    fc.property(fc.nat({ max: signature.length * 8 - 1 }), (bit) => {
      const changed = signature.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(requesters.verifyForwarded('alice', hash, { expires, signature: changed })).toBeUndefined();
    }),
  );
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (changed) => {
      fc.pre(changed !== expires);
      expect(requesters.verifyForwarded('alice', hash, { expires: changed, signature })).toBeUndefined();
    }),
  );
});

test('a signed request authorises that request and no other, without the key', () => {
  const signed = requesters.authenticate(`Bearer ${key}`)!.sign(hash);
  const header = headerOf(signed);
  expect(header).not.toContain(key.slice(3));
  const caller = requesters.authenticate(header);
  expect(caller).toMatchObject({ requester, holdsKey: false });
  expect(caller!.sign(hash)).toEqual(signed);
  const other = new Uint8Array(32).fill(2);
  expect(() => caller!.sign(other)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  const changes = [{ requester: 'bob' }, { requester: 'carol' }, { contentHash: other }, { expires: NOW_SECONDS + 1 }];
  for (const claimed of changes) {
    const forged = encodeAuthorization({ requester: 'alice', contentHash: hash, ...signed, ...claimed });
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

test('a signature counts until it expires, and from two days before; what it says otherwise', () => {
  expect(requesters.authenticate(headerOf(signedFor(1)))?.requester).toBe(requester);
  const most = EXPIRY_SECONDS_MAX + EXPIRY_TOLERANCE_SECONDS;
  expect(requesters.authenticate(headerOf(signedFor(most)))?.requester).toBe(requester);
  const authenticate = (seconds: number) => () => requesters.authenticate(headerOf(signedFor(seconds)));
  expect(authenticate(0)).toThrow(refused(/expired 0 s ago: sign the request again/));
  expect(authenticate(-86_400)).toThrow(refused(/expired 86400 s ago/));
  expect(authenticate(most + 1)).toThrow(refused(/expires in 173101 s, more than 172800 s ahead/));
});

test('forwarded, it counts a little longer, and from no earlier', () => {
  const forwarded = (seconds: number) => requesters.verifyForwarded('alice', hash, signedFor(seconds));
  expect(forwarded(1 - EXPIRY_TOLERANCE_SECONDS)).toBe(requester);
  expect(() => forwarded(-EXPIRY_TOLERANCE_SECONDS)).toThrow(refused(/expired 300 s ago/));
  expect(() => forwarded(EXPIRY_SECONDS_MAX + EXPIRY_TOLERANCE_SECONDS + 1)).toThrow(refused(/ahead/));
});

test('a forgery is told nothing about clocks', () => {
  const { signature } = signedFor(1);
  const forged = { expires: NOW_SECONDS - 1, signature };
  expect(requesters.authenticate(headerOf(forged))).toBeUndefined();
  expect(requesters.verifyForwarded('alice', hash, { expires: 1, signature })).toBeUndefined();
});

test('what a node signs for the holder of a key counts as long as a request can run', () => {
  const { expires } = requesters.authenticate(`Bearer ${key}`)!.sign(hash);
  expect(expires - NOW_SECONDS).toBe(3_600); // the most that timing.decryptionSeconds can be
});
