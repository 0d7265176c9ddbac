/** Long ciphertexts travel to each node once, also through a coordinator; short ones go with the request. */
import { createHash } from 'node:crypto';
import { createRequesters, newApiKey, requesterPublicKey } from '@keyquorum/node/requests/requester';
import { INLINE_BYTES_MAX } from '@keyquorum/wire/ciphertext-shelf';
import { ciphertextRequestHash } from '@keyquorum/wire/request-hash';
import { describe, expect, test } from 'vitest';
import { startService } from '../../coordinator/test/support/running-service.ts';
import { createClient } from '../src/client.ts';
import type { PublicDecryptionRequest } from '../src/contract.ts';
import { requestOf, startCommittee } from './support/test-node.ts';

const apiKey = newApiKey();
const NAME = 'wallet.app';
const known = { name: NAME, publicKey: requesterPublicKey(apiKey), apps: ['default'] };
const DAY_MS = 86_400_000;
const LONG = Buffer.alloc(INLINE_BYTES_MAX + 3, 7);
const DIGEST = createHash('sha256').update(LONG).digest('hex');

/** Two values of one list of so many bytes. */
function requestFor(id: number, object: Buffer): PublicDecryptionRequest {
  const request = requestOf(id);
  const bytes = object.toString('base64');
  return { ...request, ciphertexts: request.ciphertexts.map((ciphertext) => ({ ...ciphertext, bytes })) };
}

/** How many of the headers a node takes at this time for handing over the long ciphertext. */
function handingOver(headers: readonly (string | undefined)[], nowMs: number): number {
  const requesters = createRequesters([known], () => nowMs);
  const content = ciphertextRequestHash(NAME, Buffer.from(DIGEST, 'hex'));
  const allows = (header = '') => {
    try {
      return requesters.authenticate(header)?.sign(content) !== undefined;
    } catch {
      return false;
    }
  };
  return headers.filter(allows).length;
}

const parsed = (submissions: readonly string[]): PublicDecryptionRequest[] =>
  submissions.map((text) => JSON.parse(text));

test('what is long is handed over to nodes that do not hold it, and only named after that', async () => {
  await using net = await startCommittee({});
  const client = createClient({ ...net.committee, apiKey });
  for (const id of [1, 2]) {
    const { values } = await client.decryptPublic(requestFor(id, LONG)).agreed;
    expect(values.map(({ value }) => value)).toEqual(['7', String(2n ** 64n - 1n)]);
  }
  await client.decryptPublic(requestFor(3, LONG)).finished;
  for (const { held, submissions } of net.nodes) {
    expect(held.get(DIGEST)?.length).toBe(LONG.length);
    const ciphertexts = parsed(submissions).flatMap((request) => request.ciphertexts);
    expect(ciphertexts.every(({ bytes, digest }) => bytes === undefined && digest === DIGEST)).toBe(true);
    expect(submissions.filter((text) => text.includes(requestOf(1).requestId)).length).toBeLessThanOrEqual(2);
    expect(submissions.filter((text) => text.includes(requestOf(3).requestId)).length).toBe(1);
  }
});

test('what is short goes with the request', async () => {
  await using net = await startCommittee({});
  const client = createClient({ ...net.committee, apiKey });
  await client.decryptPublic(requestFor(1, LONG.subarray(1))).finished;
  for (const { held, submissions } of net.nodes) {
    expect(held.size).toBe(0);
    expect(parsed(submissions)[0]?.ciphertexts.every(({ bytes }) => bytes !== undefined)).toBe(true);
  }
});

test('a node that forgets at once is refused by its own words; the others are enough', async () => {
  await using net = await startCommittee({ 2: { forgetful: true } });
  const client = createClient({ ...net.committee, apiKey });
  const { nodes, state } = await client.decryptPublic(requestFor(1, LONG)).finished;
  expect(state).toBe('succeeded');
  expect(nodes[1]).toMatchObject({ party: 2, verdict: 'refused', reason: 'CIPHERTEXT_UNKNOWN' });
});

test('a digest that no node holds, and nobody has the bytes of', async () => {
  await using net = await startCommittee({});
  const client = createClient({ ...net.committee, apiKey });
  const request = requestOf(1);
  const ciphertexts = request.ciphertexts.map(({ bytes: _, ...named }) => ({ ...named, digest: DIGEST }));
  const { agreed } = client.decryptPublic({ ...request, ciphertexts });
  await expect(agreed).rejects.toMatchObject({ code: 'REQUEST_REFUSED', nodeCode: 'CIPHERTEXT_UNKNOWN' });
});

test('signed: the header for a ciphertext allows handing over that ciphertext, and nobody sees the key', async () => {
  await using net = await startCommittee({});
  const client = createClient({ ...net.committee, apiKey, requester: NAME });
  await client.decryptPublic(requestFor(1, LONG)).finished;
  for (const { authorizations } of net.nodes) {
    expect(handingOver(authorizations, Date.now())).toBe(1);
    expect(authorizations.join()).not.toContain(apiKey);
  }
});

test('signed: a ciphertext that is used for days is handed over with a header of the day', async () => {
  await using net = await startCommittee({});
  let nowMs = Date.now();
  const client = createClient({ ...net.committee, apiKey, requester: NAME, nowMs: () => nowMs });
  const { ciphertexts } = requestFor(1, LONG); // the same objects each time: their hashes are kept
  for (const id of [1, 2, 3, 4]) {
    await client.decryptPublic({ ...requestOf(id), ciphertexts }).finished;
    for (const { held, authorizations } of net.nodes) {
      expect([id, handingOver(authorizations, nowMs)]).toEqual([id, 1]);
      held.clear(); // it was restarted
      authorizations.length = 0;
    }
    nowMs += DAY_MS;
  }
});

describe.each([
  ['signed', NAME],
  ['with a key', undefined],
])('through a coordinator, %s', (_, requester) => {
  test('it reaches each node from there, also one that lost it', async () => {
    await using net = await startCommittee({});
    await using service = await startService({ committee: net.committee });
    const url = await service.app.listen({ host: '127.0.0.1', port: 0 });
    const client = createClient({ ...net.committee, apiKey, requester });
    await client.askCoordinator(url, requestFor(1, LONG));
    net.nodes[1]?.held.clear(); // it was restarted
    await client.askCoordinator(url, requestFor(2, LONG));
    const outcomes = await client.askCoordinatorForSlots(url, requestFor(3, LONG));
    expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined]);
    for (const { held } of net.nodes) expect(held.get(DIGEST)?.length).toBe(LONG.length);
  });
});

test('at a coordinator, too, carrying and naming is one request; what was not handed over is unknown', async () => {
  await using net = await startCommittee({});
  await using service = await startService({ committee: net.committee });
  const headers = { authorization: `Bearer ${apiKey}` };
  const ask = (payload: object) => {
    return service.app.inject({ method: 'POST', url: '/v1/public-decryptions', headers, payload });
  };
  const carrying = requestFor(1, LONG);
  const ciphertexts = carrying.ciphertexts.map(({ bytes: _, ...named }) => ({ ...named, digest: DIGEST }));
  const naming = { ...carrying, ciphertexts };
  expect((await ask(naming)).json()).toMatchObject({ error: { code: 'CIPHERTEXT_UNKNOWN' } });
  const put = (payload: Buffer, digest = DIGEST) => {
    const type = { 'content-type': 'application/octet-stream' };
    return service.app.inject({
      method: 'PUT',
      url: `/v1/ciphertexts/${digest}`,
      headers: { ...headers, ...type },
      payload,
    });
  };
  expect((await put(LONG.subarray(1))).json()).toMatchObject({ error: { code: 'CIPHERTEXT_DIGEST' } });
  expect((await put(LONG)).statusCode).toBe(204);
  expect((await ask(naming)).statusCode).toBe(202);
  expect((await ask(carrying)).statusCode).toBe(202);
  const other = { ...headers, authorization: `Bearer ${newApiKey()}` };
  const stranger = { ...naming, requestId: requestOf(2).requestId };
  const refused = await service.app.inject({
    method: 'POST',
    url: '/v1/public-decryptions',
    headers: other,
    payload: stranger,
  });
  expect(refused.json()).toMatchObject({ error: { code: 'CIPHERTEXT_UNKNOWN' } });
});
