/** Requests that the requester signs: nodes take them for what they say, and nobody is shown the API key. */
import type { PublicDecryptionBody } from '@keyquorum/node/requests/body';
import { publicContentOf, userContentOf } from '@keyquorum/node/requests/content';
import { createRequesters, newApiKey, requesterPublicKey } from '@keyquorum/node/requests/requester';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { startService } from '../../coordinator/test/support/running-service.ts';
import { createClient } from '../src/client.ts';
import { createCredentials } from '../src/credentials.ts';
import { slotRequests } from '../src/slots.ts';
import { requestOf, startCommittee } from './support/test-node.ts';

const apiKey = newApiKey();
const NAME = 'wallet.app';
const MORNING = Date.UTC(2026, 10, 30, 6, 30);
const HOUR_MS = 3_600_000;
let nowMs = MORNING;
const clock = { nowMs: () => nowMs };
const known = { name: NAME, publicKey: requesterPublicKey(apiKey), apps: ['default'] };
const requesters = createRequesters([known], clock.nowMs);
const credentials = createCredentials({ apiKey, requester: NAME }, clock.nowMs);

beforeEach(() => {
  nowMs = MORNING;
});

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'));
const address = fc
  .tuple(hex(20), fc.boolean())
  .map(([digits, upper]): `0x${string}` => `0x${upper ? digits.toUpperCase() : digits}`);
const optional = <T>(name: string, value: fc.Arbitrary<T>) =>
  fc.option(value).map((v) => (v === null ? {} : { [name]: v }));
const ciphertext = fc
  .record({
    handle: hex(32),
    format: fc.constantFrom('compact-list' as const, 'fhe' as const),
    bytes: fc.uint8Array({ minLength: 3, maxLength: 99 }).map((b) => Buffer.from(b).toString('base64')),
    slot: optional('slot', fc.nat(65_535)),
    fheType: optional('fheType', fc.constantFrom('uint64', 5)),
  })
  .map(({ slot, fheType, ...fields }) => ({ ...fields, ...slot, ...fheType }));
const common = { requestId: hex(32), keyId: hex(32) };
const app = optional('app', fc.constant('payroll'));
const publicBody = fc
  .record({
    ...{ ...common, app, ciphertexts: fc.array(ciphertext, { minLength: 1, maxLength: 4 }) },
    extra: optional('extraData', hex(5)),
  })
  .map(({ app, extra, ...fields }) => ({ ...fields, ...app, ...extra }));
const userBody = fc.record({
  ...{ ...common, app: fc.constant('default'), userAddress: address, encryptionKey: hex(869), userSignature: hex(65) },
  ciphertexts: fc.array(
    fc.tuple(ciphertext, address).map(([fields, contractAddress]) => ({ ...fields, contractAddress })),
    { minLength: 1, maxLength: 4 },
  ),
  request: fc
    .record({
      hostChainId: fc.nat().map(String),
      contractAddresses: fc.array(address, { minLength: 1, maxLength: 3 }),
      startTimestamp: fc.nat().map(String),
      durationDays: fc.nat({ max: 365 }).map(String),
      extraData: hex(1),
      delegator: optional('delegatorAddress', address),
    })
    .map(({ delegator, ...fields }) => ({ ...fields, ...delegator })),
});

/** Throws when the header does not authorise the content. */
function nodeTakes(header: string, { hash }: { readonly hash: Uint8Array }): void {
  const caller = requesters.authenticate(header);
  expect(caller).toMatchObject({ requester: { name: NAME }, holdsKey: false });
  caller!.sign(hash);
}

test('a node computes the same hash from the body of a public decryption', () => {
  fc.assert(
    fc.property(publicBody, (body) => {
      nodeTakes(credentials.forPublic(body), publicContentOf(body, NAME));
    }),
  );
});

test('a node computes the same hash from the body of a user decryption', () => {
  fc.assert(
    fc.property(userBody, (body) => {
      nodeTakes(credentials.forUser(body), userContentOf(body, NAME));
    }),
  );
});

test('a request has one header all day, and another the next day; each counts until the end of the next day', () => {
  const request = requestOf(1);
  const content = publicContentOf(request as PublicDecryptionBody, NAME);
  const taken = (header: string, ms: number) => {
    nowMs = ms;
    return () => nodeTakes(header, content);
  };
  const headerAt = (ms: number) => {
    nowMs = ms;
    return credentials.forPublic(request);
  };
  const midnight = Date.UTC(2026, 10, 30);
  const header = headerAt(midnight);
  expect(taken(header, midnight)).not.toThrow();
  expect(headerAt(midnight + 24 * HOUR_MS - 1)).toBe(header);
  expect(headerAt(midnight + 24 * HOUR_MS)).not.toBe(header);
  expect(headerAt(midnight - 1)).not.toBe(header);
  expect(taken(header, midnight + 48 * HOUR_MS - 1)).not.toThrow();
  expect(taken(header, midnight + 48 * HOUR_MS)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
});

test('signed at midnight by a clock that is minutes fast, it counts, too', () => {
  nowMs = Date.UTC(2026, 10, 30);
  const header = credentials.forPublic(requestOf(1));
  nowMs -= 5 * 60_000;
  expect(requesters.authenticate(header)).toMatchObject({ requester: known });
});

test('what is no base64 is not signed', () => {
  const request = { ...requestOf(1), ciphertexts: [{ handle: '11'.repeat(32), format: 'fhe', bytes: '%' }] };
  expect(() => credentials.forPublic(request)).toThrow(new RangeError('ciphertexts.0.bytes: not base64'));
});

test('neither nodes nor a coordinator see the key; all see one signature of this request', async () => {
  await using net = await startCommittee({});
  const client = createClient({ ...net.committee, apiKey, requester: NAME, ...clock });
  const request = requestOf(2);
  await client.decryptPublic(request).finished;
  await using service = await startService({ committee: net.committee, ...clock });
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 });
  await client.askCoordinator(url, request);
  const seen = new Set(net.nodes.flatMap(({ authorizations }) => authorizations));
  expect(seen).toEqual(new Set([credentials.forPublic(request)]));
  const [header] = seen;
  nodeTakes(header!, publicContentOf(request as PublicDecryptionBody, NAME));
  expect(header).not.toContain(apiKey);
});

test('a batch of slots carries a signature of each request that nodes see', async () => {
  await using net = await startCommittee({});
  await using service = await startService({ committee: net.committee, ...clock });
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 });
  const batch = requestOf(4);
  const client = createClient({ ...net.committee, apiKey, requester: NAME, ...clock });
  const outcomes = await client.askCoordinatorForSlots(url, batch);
  expect(outcomes.map(({ error }) => error)).toEqual(batch.ciphertexts.map(() => undefined));
  const seen = new Set(net.nodes.flatMap(({ authorizations }) => authorizations));
  expect(seen).toEqual(new Set(slotRequests(batch).map((request) => credentials.forPublic(request))));
});

test('without a name the key itself is shown', () => {
  expect(createCredentials({ apiKey }, clock.nowMs).forPublic(requestOf(3))).toBe(`Bearer ${apiKey}`);
});
