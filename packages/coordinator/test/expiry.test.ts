/** Signatures that expire, and what a coordinator keeps beside them: answers, ciphertexts, requests to go on with. */
import { createHash } from 'node:crypto';
import { encodeAuthorization } from '@keyquorum/wire/authorization';
import { expect, test } from 'vitest';
import {
  after,
  honest,
  json,
  refuse,
  requestOf,
  startCommittee,
  type TestNodeOptions,
} from '../../client/test/support/test-node.ts';
import { createHandedOver } from '../src/handed-over.ts';
import { startService, temporaryFolder } from './support/running-service.ts';

const NOON_MS = Date.UTC(2026, 10, 30, 12);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BYTES = { 'content-type': 'application/octet-stream' };
const url = '/v1/public-decryptions';

/** Of nobody in particular: a coordinator does not know who signs. */
function headerUntil(ms: number): string {
  const bytes = { contentHash: new Uint8Array(32).fill(1), signature: new Uint8Array(64).fill(2) };
  return encodeAuthorization({ requester: 'dapp', expires: Math.floor(ms / 1_000), ...bytes });
}

test('with a header that has expired nobody reads what is kept here, or asks for anything', async () => {
  await using net = await startCommittee({});
  let ms = NOON_MS;
  await using service = await startService({ committee: net.committee, nowMs: () => ms });
  const { app } = service;
  const request = requestOf(1);
  const headers = { authorization: headerUntil(NOON_MS + DAY_MS) };
  const place = `${url}/${request.requestId}`;
  const calls = [
    { method: 'POST', url, headers, payload: request },
    { method: 'GET', url: `${place}?wait=20`, headers },
    { method: 'GET', url: `${place}/events`, headers },
    { method: 'GET', url: `/v1/user-decryptions/${request.requestId}`, headers },
    { method: 'PUT', url: `/v1/ciphertexts/${request.requestId}`, headers: { ...headers, ...BYTES }, payload: 'abc' },
  ] as const;
  const codes = async () => {
    const answers = [];
    for (const call of calls) answers.push(await app.inject(call));
    return answers.map(({ statusCode }) => statusCode);
  };
  ms = NOON_MS + DAY_MS - 1;
  expect(await codes()).toEqual([202, 200, 200, 404, 422]);
  ms += 1;
  expect(await codes()).toEqual(calls.map(() => 401));
  const { error } = (await app.inject(calls[1])).json();
  expect(error).toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringMatching(/expired 0 s ago: sign/) });
  expect(error.hint).not.toBe('');
});

test('a ciphertext whose header has expired is handed over again, and goes to nodes with the new one', async () => {
  let ms = NOON_MS;
  const bounds = { bytesMax: 2 ** 20, ownerBytesMax: 2 ** 20, keptMs: 10 * DAY_MS };
  const handedOver = createHandedOver({ ...bounds, nowMs: () => ms });
  const bytes = Buffer.from('a ciphertext');
  const digest = createHash('sha256').update(bytes).digest('hex');
  const receive = async (authorization: string) => {
    async function* chunks() {
      yield bytes;
    }
    await handedOver.receive({ ip: '::1', authorization, digest, size: bytes.length, chunks: chunks() });
  };
  const attached = () => {
    const call = { ip: '::1', authorization: headerUntil(ms + DAY_MS) }; // of a request that names it
    return handedOver.attachments([{ digest }], call).map(({ authorization }) => authorization());
  };
  const until = NOON_MS + DAY_MS;
  await receive(headerUntil(until));
  ms = until - 1;
  expect(attached()).toEqual([headerUntil(until)]);
  ms = until;
  expect(attached).toThrow(expect.objectContaining({ code: 'CIPHERTEXT_UNKNOWN' }));
  await receive(headerUntil(until + DAY_MS));
  expect(attached()).toEqual([headerUntil(until + DAY_MS)]);
});

test('a request that expired before the coordinator was started again has failed, as nodes say', async () => {
  const opened = Promise.withResolvers<void>();
  let ms = NOON_MS;
  let expired = false;
  const node: Partial<TestNodeOptions> = {
    poll: after(opened.promise, honest),
    submit(response, { requestId }) {
      if (expired) return refuse(response, 401, 'UNAUTHENTICATED');
      json(response, 202, { requestId, state: 'pending' });
    },
  };
  await using net = await startCommittee({ 1: node, 2: node, 3: node, 4: node });
  await using place = await temporaryFolder();
  const options = { committee: net.committee, folder: place.folder, nowMs: () => ms };
  const request = requestOf(1);
  const headers = { authorization: headerUntil(NOON_MS + HOUR_MS) };
  {
    await using service = await startService(options);
    const asked = await service.app.inject({ method: 'POST', url, headers, payload: request });
    expect(asked.statusCode).toBe(202);
  }
  opened.resolve();
  expired = true;
  ms = NOON_MS + HOUR_MS;
  await using service = await startService(options);
  ms = NOON_MS; // nobody could read how it ended otherwise
  const read = await service.app.inject({ url: `${url}/${request.requestId}?wait=20`, headers });
  expect(read.json()).toMatchObject({ state: 'failed', error: { code: 'UNAUTHENTICATED' } });
});
