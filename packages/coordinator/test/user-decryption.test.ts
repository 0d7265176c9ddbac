/** The service with nodes that re-encrypt real shares, of which some are late, absent or wrong. */
import { createClient } from '@keyquorum/client/client';
import { type Prepared, prepare } from '@keyquorum/client/decrypt';
import type { Permit } from '@keyquorum/client/permit';
import { combineResponses } from '@keyquorum/wire/user-decryption';
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { API_KEY, refuse } from '../../client/test/support/test-node.ts';
import {
  KEY_ID,
  type NodeBehaviour,
  permitOf,
  startUserNetwork,
  type UserNetwork,
} from '../../client/test/support/user-network.ts';
import { ALL_TYPES } from '../../wire/test/support/committee.ts';
import type { CoordinatedUserDecryption } from '../src/contract.ts';
import type { Limits } from '../src/settings.ts';
import { startService } from './support/running-service.ts';

const FOUR = { n: 4, t: 1 };
const TWO_VALUES = [ALL_TYPES[0]!, ALL_TYPES[4]!];
const headers = { authorization: `Bearer ${API_KEY}` };

interface Setting extends AsyncDisposable {
  readonly permit: Permit;
  readonly app: FastifyInstance;
  readonly user: Prepared;
}

/** A service before this network, and a user with a request. */
async function settingOf(network: UserNetwork, limits: Partial<Limits> = {}): Promise<Setting> {
  const client = createClient(network.options);
  const { committee, randomId } = client;
  const permit = await permitOf(client);
  const request = { requestId: randomId(), keyId: KEY_ID, ciphertexts: network.ciphertexts };
  const user = prepare(committee, permit, request, { ...headers, deadlineMs: 20_000, nowMs: Date.now });
  const service = await startService({ committee, limits });
  return { app: service.app, permit, user, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

const submit = ({ app }: Setting, body: object, sent: Record<string, string> = headers) =>
  app.inject({ method: 'POST', url: '/v1/user-decryptions', headers: sent, payload: body });
const poll = ({ app, user }: Setting, query = 'wait=20', sent: Record<string, string> = headers) =>
  app.inject({ method: 'GET', url: `/v1/user-decryptions/${user.body.requestId}?${query}`, headers: sent });

const verdictsOf = ({ nodes }: CoordinatedUserDecryption) => nodes.map(({ verdict }) => verdict);
const partiesOf = ({ responses }: CoordinatedUserDecryption) => responses.map(({ party }) => party);
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

/** What the user reads in the responses. */
async function valuesOf({ user }: Setting, { responses }: CoordinatedUserDecryption) {
  const opened = responses.map(({ party, payload, signature }) => {
    return user.opener.open(party, { payload: bytesOf(payload), signature: bytesOf(signature) });
  });
  return combineResponses(await Promise.all(opened), user.committee.threshold)?.values;
}

test('202, then the responses of 2t+1 nodes, which the user can read; all of them when asked for all', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  await using setting = await settingOf(network);
  const submitted = await submit(setting, setting.user.body);
  expect([submitted.statusCode, submitted.json().state]).toEqual([202, 'pending']);
  const first: CoordinatedUserDecryption = (await poll(setting)).json();
  expect(first.state).toBe('succeeded');
  expect(first.responses.length).toBeGreaterThanOrEqual(3);
  expect(await valuesOf(setting, first)).toMatchObject(TWO_VALUES.map(({ value }) => ({ value })));
  const all: CoordinatedUserDecryption = (await poll(setting, 'wait=20&responses=4')).json();
  expect(partiesOf(all)).toEqual([1, 2, 3, 4]);
  expect(all.responses.map(({ extraData }) => extraData)).toEqual(['', '', '', '']); // 00 is signed as empty
  expect(verdictsOf(all)).toEqual(['answered', 'answered', 'answered', 'answered']);
});

test('a client reads its values through it, also when one of the first three shares is wrong', async () => {
  const opened = Promise.withResolvers<void>();
  const special = { 1: { lie: 'random shares' }, 4: { until: opened.promise } } as const;
  await using network = await startUserNetwork(FOUR, TWO_VALUES, special);
  await using setting = await settingOf(network);
  const url = await setting.app.listen({ port: 0, host: '127.0.0.1' });
  const request = { keyId: KEY_ID, ciphertexts: network.ciphertexts };
  const client = createClient({
    ...network.options,
    fetch(place, init) {
      if (String(place).endsWith('&responses=4')) opened.resolve(); // three did not do
      return fetch(place, init);
    },
  });
  const values = await client.askCoordinatorForUser(url, setting.permit, request);
  expect(values).toMatchObject(TWO_VALUES.map(({ value }) => ({ value })));
});

test('what is not signed by its party for this request is not passed on, and named', async () => {
  const special = { 2: { lie: 'a signature of somebody else' }, 6: { lie: 'another linker' } } as const;
  await using network = await startUserNetwork({ n: 7, t: 2 }, TWO_VALUES, special);
  await using setting = await settingOf(network);
  await submit(setting, setting.user.body);
  const all: CoordinatedUserDecryption = (await poll(setting, 'wait=20&responses=7')).json();
  expect(all.state).toBe('succeeded');
  expect(partiesOf(all)).toEqual([1, 3, 4, 5, 7]);
  expect(all.nodes[1]).toMatchObject({ verdict: 'wrong', reason: expect.stringMatching(/^SIGNER_WRONG/) });
  expect(all.nodes[5]).toMatchObject({ verdict: 'wrong', reason: expect.stringMatching(/^RESPONSE_REQUEST/) });
});

test('2t+1 answers are a success; who is late is said, and its answer is added when it comes', async () => {
  const opened = Promise.withResolvers<void>();
  await using network = await startUserNetwork(FOUR, TWO_VALUES, { 3: { until: opened.promise } });
  await using setting = await settingOf(network);
  await submit(setting, setting.user.body);
  const early: CoordinatedUserDecryption = (await poll(setting)).json();
  expect([early.state, partiesOf(early)]).toEqual(['succeeded', [1, 2, 4]]);
  expect(verdictsOf(early)).toEqual(['answered', 'answered', 'pending', 'answered']);
  const more = poll(setting, 'wait=20&responses=4');
  opened.resolve();
  expect(partiesOf((await more).json())).toEqual([1, 2, 3, 4]);
});

test('events: each verdict when it comes, and the end; nothing for strangers', async () => {
  const opened = Promise.withResolvers<void>();
  const special = { 2: { lie: 'another party' }, 4: { until: opened.promise } } as const;
  await using network = await startUserNetwork(FOUR, TWO_VALUES, special);
  await using setting = await settingOf(network);
  const { body } = setting.user;
  const url = await setting.app.listen({ port: 0, host: '127.0.0.1' });
  const watch = (sent: Record<string, string>) =>
    fetch(`${url}/v1/user-decryptions/${body.requestId}/events`, { headers: sent });
  await submit(setting, body);
  expect((await watch({ authorization: 'Bearer somebody-else' })).status).toBe(404);
  const events = await watch(headers);
  expect(events.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  for await (const piece of events.body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.split('event: verdict').length === 4) opened.resolve(); // all but the late one
  }
  const verdicts = [...text.matchAll(/event: verdict\ndata: (.*)\n\n/g)].map(([, data]) => JSON.parse(data!));
  expect(verdicts.map(({ party }) => party).sort()).toEqual([1, 2, 3, 4]);
  expect(verdicts.at(-1)).toMatchObject({ party: 4, verdict: 'answered' });
  expect(verdicts.find(({ party }) => party === 2)).toMatchObject({ verdict: 'wrong' });
  expect(text).toMatch(/id: ([0-9a-f]{12})-end\nevent: end\ndata: {"state":"succeeded"}\n\n$/);
});

test('same id and content: one request; same id, other content or caller: refused', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  await using setting = await settingOf(network);
  const { body } = setting.user;
  await submit(setting, body);
  expect((await submit(setting, body)).statusCode).toBe(202);
  const other = await submit(setting, { ...body, keyId: 'ef'.repeat(32) });
  expect([other.statusCode, other.json().error.code]).toEqual([409, 'REQUEST_CONFLICT']);
  const stranger = { authorization: 'Bearer somebody-else' };
  expect((await submit(setting, body, stranger)).statusCode).toBe(409);
  expect((await poll(setting, 'wait=0', stranger)).statusCode).toBe(404);
  const all: CoordinatedUserDecryption = (await poll(setting, 'wait=20&responses=4')).json();
  expect((await submit(setting, body)).json()).toEqual(all);
  for (const { submissions } of network.nodes) expect(submissions).toHaveLength(1);
});

test('fewer than 2t+1 signed answers: failed at once, and the error says who', async () => {
  const hang: NodeBehaviour = { poll: () => {} };
  const special = { 1: { lie: 'another party' }, 2: { lie: 'another degree' }, 4: hang } as const;
  await using network = await startUserNetwork(FOUR, TWO_VALUES, special);
  await using setting = await settingOf(network);
  await submit(setting, setting.user.body);
  const failed: CoordinatedUserDecryption = (await poll(setting)).json();
  expect(failed).toMatchObject({ state: 'failed', error: { code: 'ANSWERS_TOO_FEW' } });
  expect(failed.error?.message).toMatch(/want 3 signed answers; parties: 1 wrong .*2 wrong/);
});

test('a refusal of t+1 nodes comes back under their code', async () => {
  const refusing: NodeBehaviour = { submit: (response) => refuse(response, 404, 'KEY_UNKNOWN') };
  await using network = await startUserNetwork(FOUR, TWO_VALUES, { 1: refusing, 2: refusing });
  await using setting = await settingOf(network);
  await submit(setting, setting.user.body);
  expect((await poll(setting)).json()).toMatchObject({ state: 'failed', error: { code: 'KEY_UNKNOWN' } });
});

test.each<[string, (body: Prepared['body']) => object]>([
  ['a type nobody knows', (body) => ({ ciphertexts: [{ ...body.ciphertexts[0], fheType: 'float' }] })],
  ['extraData of another version', (body) => ({ request: { ...body.request, extraData: '09' } })],
  ['a short key', () => ({ encryptionKey: 'ab' })],
  ['no contract', (body) => ({ request: { ...body.request, contractAddresses: [] } })],
  ['a field nobody knows', () => ({ surprise: 1 })],
])('%s: refused before any node is asked', async (_, change) => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  await using setting = await settingOf(network);
  const { body } = setting.user;
  const response = await submit(setting, { ...body, ...change(body) });
  expect([response.statusCode, response.json().error.code]).toEqual([400, 'BODY_INVALID']);
  for (const { submissions } of network.nodes) expect(submissions).toEqual([]);
});

test('too many requests under way: BUSY, and when to come again', async () => {
  const hang: NodeBehaviour = { poll: () => {} };
  await using network = await startUserNetwork(FOUR, TWO_VALUES, { 1: hang, 2: hang, 3: hang, 4: hang });
  await using setting = await settingOf(network, { running: 1 });
  const { body } = setting.user;
  expect((await submit(setting, body)).statusCode).toBe(202);
  const busy = await submit(setting, { ...body, requestId: 'ab'.repeat(32), keyId: 'ef'.repeat(32) });
  expect([busy.statusCode, busy.json().error.code, busy.headers['retry-after']]).toEqual([503, 'BUSY', '1']);
  expect((await submit(setting, body)).statusCode).toBe(202); // a known one is no new one
});
