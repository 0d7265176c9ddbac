import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Committee } from '@keyquorum/client/committee';
import { askCoordinator } from '@keyquorum/client/coordinator';
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import {
  API_KEY,
  after,
  honest,
  lying,
  refuse,
  requestOf,
  silent,
  startCommittee,
} from '../../client/test/support/test-node.ts';
import { createService } from '../src/service.ts';

const headers = { authorization: `Bearer ${API_KEY}` };

async function serviceOf(committee: Committee): Promise<{ app: FastifyInstance } & AsyncDisposable> {
  const app = await createService({ committee, deadlineMs: 20_000, logLevel: 'silent' });
  return { app, [Symbol.asyncDispose]: async () => void (await app.close()) };
}

const submit = (app: FastifyInstance, body: unknown, sent: Record<string, string> = headers) =>
  app.inject({ method: 'POST', url: '/v1/public-decryptions', headers: sent, payload: body as object });
const poll = (app: FastifyInstance, id: string, sent: Record<string, string> = headers) =>
  app.inject({ method: 'GET', url: `/v1/public-decryptions/${id}?wait=20`, headers: sent });

test('the same calls as a node: 202, then the value with signatures of at least t+1', async () => {
  await using net = await startCommittee({ 2: { poll: lying } });
  await using service = await serviceOf(net.committee);
  const request = requestOf(1);
  const submitted = await submit(service.app, request);
  expect(submitted.statusCode).toBe(202);
  expect(submitted.json()).toMatchObject({ requestId: request.requestId, state: 'pending' });
  const polled = await poll(service.app, request.requestId);
  expect(polled.statusCode).toBe(200);
  expect(polled.json()).toMatchObject({
    state: 'succeeded',
    values: [{ value: '7' }, { value: '18446744073709551615' }],
  });
  const { signatures, decryptionProof } = polled.json();
  expect(signatures.length).toBeGreaterThanOrEqual(2);
  const together = signatures.map(({ signature }: { signature: string }) => signature).join('');
  expect(decryptionProof).toBe(`0${signatures.length}${together}`);
});

test('same id and content: one request; same id, other content or caller: refused', async () => {
  const opened = Promise.withResolvers<void>();
  const slow = { poll: after(opened.promise, honest) };
  await using net = await startCommittee({ 1: slow, 2: slow, 3: slow, 4: slow });
  await using service = await serviceOf(net.committee);
  const request = requestOf(2);
  await submit(service.app, request);
  expect((await submit(service.app, request)).statusCode).toBe(202);
  const other = await submit(service.app, { ...request, keyId: 'ef'.repeat(32) });
  expect([other.statusCode, other.json().error.code]).toEqual([409, 'REQUEST_CONFLICT']);
  const stranger = { authorization: 'Bearer somebody-else' };
  expect((await submit(service.app, request, stranger)).statusCode).toBe(409);
  expect((await poll(service.app, request.requestId, stranger)).statusCode).toBe(404);
  opened.resolve();
  expect((await poll(service.app, request.requestId)).json()).toMatchObject({ state: 'succeeded' });
  for (const { submissions } of net.nodes) expect(submissions).toHaveLength(1);
});

test('a refusal of the nodes comes back under their code', async () => {
  const refusing = { submit: (response: Parameters<typeof refuse>[0]) => refuse(response, 401, 'API_KEY_UNKNOWN') };
  await using net = await startCommittee({ 1: refusing, 2: refusing, 3: refusing, 4: refusing });
  await using service = await serviceOf(net.committee);
  const request = requestOf(3);
  await submit(service.app, request);
  const polled = await poll(service.app, request.requestId);
  expect(polled.json()).toMatchObject({ state: 'failed', error: { code: 'API_KEY_UNKNOWN' } });
});

test('bad requests get a documented error with a hint', async () => {
  await using net = await startCommittee({});
  await using service = await serviceOf(net.committee);
  const { app } = service;
  const cases = [
    [await submit(app, requestOf(4), {}), 401, 'UNAUTHENTICATED'],
    [await submit(app, { ...requestOf(4), requestId: 'short' }), 400, 'BODY_INVALID'],
    [await submit(app, { ...requestOf(4), ciphertexts: [] }), 400, 'BODY_INVALID'],
    [await submit(app, { ...requestOf(4), surprise: 1 }), 400, 'BODY_INVALID'],
    [await poll(app, 'ab'.repeat(32)), 404, 'REQUEST_UNKNOWN'],
  ] as const;
  for (const [response, status, code] of cases) {
    expect([response.statusCode, response.json().error.code]).toEqual([status, code]);
    expect(response.json().error.hint).not.toBe('');
  }
  for (const { submissions } of net.nodes) expect(submissions).toEqual([]);
});

test('a body over the limit is cut off', async () => {
  await using net = await startCommittee({});
  await using service = await serviceOf(net.committee);
  const response = await submit(service.app, { ...requestOf(5), app: 'a'.repeat(17 * 1024 * 1024) });
  expect([response.statusCode, response.json().error.code]).toEqual([413, 'BODY_TOO_LARGE']);
});

test('ready with 2t+1 nodes, not with fewer', async () => {
  await using net = await startCommittee({});
  await using service = await serviceOf(net.committee);
  const ready = () => service.app.inject({ method: 'GET', url: '/health/ready' });
  expect((await ready()).json()).toEqual({ ready: true, parties: [1, 2, 3, 4] });
  await net.nodes[0]!.close();
  expect((await ready()).statusCode).toBe(200);
  await net.nodes[1]!.close();
  const notReady = await ready();
  expect([notReady.statusCode, notReady.json()]).toEqual([503, { ready: false, parties: [3, 4] }]);
});

test('a client gets the value through it, with at least t+1 signatures that the client has checked', async () => {
  await using net = await startCommittee({ 2: { poll: lying } });
  await using service = await serviceOf(net.committee);
  const url = await service.app.listen({ port: 0, host: '127.0.0.1' });
  const options = { ...headers, deadlineMs: 20_000 };
  const { values, signatures, decryptionProof } = await askCoordinator(net.committee, url, requestOf(7), options);
  expect(values.map(({ value }) => value)).toEqual(['7', '18446744073709551615']);
  expect(signatures.length).toBeGreaterThanOrEqual(2);
  expect(signatures.map(({ party }) => party)).not.toContain(2);
  expect(decryptionProof).toBe(`0${signatures.length}${signatures.map(({ signature }) => signature).join('')}`);
});

test('closing the service ends requests that wait', async () => {
  const asked = Promise.withResolvers<void>();
  const hang = { poll: () => asked.resolve() };
  await using net = await startCommittee({ 1: hang, 2: { poll: silent }, 3: { poll: silent }, 4: { poll: silent } });
  await using service = await serviceOf(net.committee);
  await service.app.listen({ port: 0, host: '127.0.0.1' });
  const request = requestOf(6);
  await submit(service.app, request);
  await asked.promise;
  const polled = poll(service.app, request.requestId);
  await service.app.close();
  expect((await polled).json()).toMatchObject({ state: 'failed', error: { code: 'ABORTED' } });
});

test('the OpenAPI document describes exactly the calls it serves', async () => {
  await using net = await startCommittee({});
  await using service = await serviceOf(net.committee);
  const document = (await service.app.inject({ method: 'GET', url: '/openapi.json' })).json();
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths)).toEqual([
    '/health/live',
    '/health/ready',
    '/v1/public-decryptions',
    '/v1/public-decryptions/{requestId}',
    '/v1/user-decryptions',
    '/v1/user-decryptions/{requestId}',
    '/v1/public-decryptions/{requestId}/events',
    '/v1/user-decryptions/{requestId}/events',
  ]);
});

test('a port that accepts and says nothing does not hold up readiness', async () => {
  const mute = createServer();
  await once(mute.listen(0, '127.0.0.1'), 'listening');
  const { port } = mute.address() as { port: number };
  await using net = await startCommittee({});
  const nodes = net.committee.nodes.map((node) =>
    node.party === 4 ? { ...node, url: `http://127.0.0.1:${port}` } : node,
  );
  await using service = await serviceOf({ ...net.committee, nodes });
  const response = await service.app.inject({ method: 'GET', url: '/health/ready' });
  expect(response.json()).toEqual({ ready: true, parties: [1, 2, 3] });
  mute.close();
});
