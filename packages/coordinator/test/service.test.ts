import { once } from 'node:events';
import { createServer } from 'node:net';
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
import { startService } from './support/running-service.ts';

const headers = { authorization: `Bearer ${API_KEY}` };

const submit = (app: FastifyInstance, body: unknown, sent: Record<string, string> = headers) =>
  app.inject({ method: 'POST', url: '/v1/public-decryptions', headers: sent, payload: body as object });
const poll = (app: FastifyInstance, id: string, sent: Record<string, string> = headers) =>
  app.inject({ method: 'GET', url: `/v1/public-decryptions/${id}?wait=20`, headers: sent });

test('the same calls as a node: 202, then the value with signatures of at least t+1', async () => {
  await using net = await startCommittee({ 2: { poll: lying } });
  await using service = await startService({ committee: net.committee });
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

test('whoever asks and waits in one call has the value in it, or 202 when it takes longer', async () => {
  const opened = Promise.withResolvers<void>();
  const slow = { poll: after(opened.promise, honest) };
  await using net = await startCommittee({ 1: slow, 2: slow, 3: slow, 4: slow });
  await using service = await startService({ committee: net.committee });
  const payload = requestOf(1);
  const waited = (seconds: number) => {
    return service.app.inject({ method: 'POST', url: `/v1/public-decryptions?wait=${seconds}`, headers, payload });
  };
  const early = await waited(0.01);
  expect([early.statusCode, early.json().state]).toEqual([202, 'pending']);
  const late = waited(30);
  opened.resolve();
  expect([(await late).statusCode, (await late).json()]).toMatchObject([200, { state: 'succeeded', values: [{}, {}] }]);
  expect((await submit(service.app, payload)).statusCode).toBe(202); // who does not wait is told so always
});

test('same id and content: one request; same id, other content or caller: refused', async () => {
  const opened = Promise.withResolvers<void>();
  const slow = { poll: after(opened.promise, honest) };
  await using net = await startCommittee({ 1: slow, 2: slow, 3: slow, 4: slow });
  await using service = await startService({ committee: net.committee });
  const request = requestOf(2);
  await submit(service.app, request);
  expect((await submit(service.app, request)).statusCode).toBe(202);
  const attested = request.ciphertexts.map((each) => ({ ...each, provenance: { attestations: ['ab'.repeat(65)] } }));
  expect((await submit(service.app, { ...request, ciphertexts: attested })).statusCode).toBe(202); // as at the nodes
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
  await using service = await startService({ committee: net.committee });
  const request = requestOf(3);
  await submit(service.app, request);
  const polled = await poll(service.app, request.requestId);
  expect(polled.json()).toMatchObject({ state: 'failed', error: { code: 'API_KEY_UNKNOWN' } });
});

test('bad requests get a documented error with a hint', async () => {
  await using net = await startCommittee({});
  await using service = await startService({ committee: net.committee });
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
  await using service = await startService({ committee: net.committee });
  const response = await submit(service.app, { ...requestOf(5), app: 'a'.repeat(17 * 1024 * 1024) });
  expect([response.statusCode, response.json().error.code]).toEqual([413, 'BODY_TOO_LARGE']);
});

test('ready with 2t+1 nodes, not with fewer', async () => {
  await using net = await startCommittee({});
  await using service = await startService({ committee: net.committee });
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
  await using service = await startService({ committee: net.committee });
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
  await using service = await startService({ committee: net.committee });
  await service.app.listen({ port: 0, host: '127.0.0.1' });
  const request = requestOf(6);
  await submit(service.app, request);
  await asked.promise;
  const polled = poll(service.app, request.requestId);
  await service.app.close();
  expect((await polled).json()).toMatchObject({ state: 'failed', error: { code: 'STOPPING' } });
});

test('the OpenAPI document describes exactly the calls it serves', async () => {
  await using net = await startCommittee({});
  await using service = await startService({ committee: net.committee });
  const document = (await service.app.inject({ method: 'GET', url: '/openapi.json' })).json();
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths)).toEqual([
    '/health/live',
    '/health/ready',
    '/metrics',
    '/v1/ciphertexts/{digest}',
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
  await using service = await startService({ committee: { ...net.committee, nodes } });
  const response = await service.app.inject({ method: 'GET', url: '/health/ready' });
  expect(response.json()).toEqual({ ready: true, parties: [1, 2, 3] });
  mute.close();
});

test('done at t+1 equal results; the others are heard on, and what became of each is said', async () => {
  const opened = Promise.withResolvers<void>();
  const special = { 1: { poll: lying }, 4: { poll: after(opened.promise, honest) } };
  await using net = await startCommittee(special);
  await using service = await startService({ committee: net.committee });
  const request = requestOf(8);
  await submit(service.app, request);
  const early = (await poll(service.app, request.requestId)).json();
  expect(early).toMatchObject({ state: 'succeeded', nodes: [{}, {}, {}, { verdict: 'pending' }] });
  const events = service.app.inject({ url: `/v1/public-decryptions/${request.requestId}/events`, headers });
  opened.resolve();
  await events; // to the end
  const { nodes, signatures } = (await poll(service.app, request.requestId)).json();
  expect(nodes.map(({ verdict }: { verdict: string }) => verdict)).toEqual(['wrong', 'agreed', 'agreed', 'agreed']);
  expect(signatures.map(({ party }: { party: number }) => party)).toEqual([2, 3, 4]);
});

test('a node that is silent after the result is late in the end, and holds no place for longer', async () => {
  await using net = await startCommittee({ 4: { poll: silent } });
  await using service = await startService({ committee: net.committee, collectMs: 50 });
  const request = requestOf(9);
  await submit(service.app, request);
  const events = await service.app.inject({ url: `/v1/public-decryptions/${request.requestId}/events`, headers });
  expect(events.body).toMatch(/"party":4,"verdict":"late"[\s\S]*event: end\ndata: {"state":"succeeded"}/);
  const metrics = (await service.app.inject({ url: '/metrics' })).body;
  expect(metrics).toContain('keyquorum_coordinator_running 0');
  expect(metrics).toContain('keyquorum_coordinator_verdicts_total{party="4",verdict="late"} 1');
  expect(metrics).toMatch(/coordinator_request_seconds_count{kind="public-decryption",outcome="succeeded"} 1/);
});

test('an equal request of the same caller shares asking and result; that of another caller does not', async () => {
  await using net = await startCommittee({});
  await using service = await startService({ committee: net.committee });
  const [first, second, third] = [requestOf(10), requestOf(11), requestOf(12)];
  await submit(service.app, first);
  await submit(service.app, second);
  const answer = (await poll(service.app, first.requestId)).json();
  const shared = (await poll(service.app, second.requestId)).json();
  expect(shared).toMatchObject({ requestId: second.requestId, askedAs: first.requestId, values: answer.values });
  await service.app.inject({ url: `/v1/public-decryptions/${first.requestId}/events`, headers }); // to the end
  await submit(service.app, third);
  expect((await poll(service.app, third.requestId)).json()).toMatchObject({
    askedAs: first.requestId,
    state: 'succeeded',
  });
  expect(net.nodes[0]!.submissions).toHaveLength(1);
  const stranger = { authorization: 'Bearer somebody-else' };
  await submit(service.app, requestOf(13), stranger);
  expect((await poll(service.app, requestOf(13).requestId, stranger)).json()).not.toHaveProperty('askedAs');
  expect(net.nodes[0]!.submissions).toHaveLength(2);
});

test('an id of one kind means nothing else in the other', async () => {
  await using net = await startCommittee({});
  await using service = await startService({ committee: net.committee });
  const { requestId, keyId, ciphertexts } = requestOf(14);
  await submit(service.app, requestOf(14));
  const address = `0x${'ab'.repeat(20)}`;
  const other = await service.app.inject({
    method: 'POST',
    url: '/v1/user-decryptions',
    headers,
    payload: {
      ...{ requestId, keyId, userAddress: address, encryptionKey: 'ab'.repeat(869), userSignature: '00'.repeat(65) },
      ciphertexts: ciphertexts.map((ciphertext) => ({ ...ciphertext, contractAddress: address })),
      request: {
        hostChainId: '1',
        contractAddresses: [address],
        startTimestamp: '1',
        durationDays: '1',
        extraData: '',
      },
    },
  });
  expect([other.statusCode, other.json().error.code]).toEqual([409, 'REQUEST_CONFLICT']);
  const read = await service.app.inject({ url: `/v1/user-decryptions/${requestId}`, headers });
  expect([read.statusCode, read.json().error.code]).toEqual([404, 'REQUEST_UNKNOWN']);
});

test('a reader of events that comes back gets what it missed, and nothing after the end', async () => {
  const opened = Promise.withResolvers<void>();
  await using net = await startCommittee({ 4: { poll: after(opened.promise, honest) } });
  await using service = await startService({ committee: net.committee });
  const request = requestOf(15);
  const url = await service.app.listen({ port: 0, host: '127.0.0.1' });
  await submit(service.app, request);
  const watch = (lastId: string) => {
    const sent = { ...headers, 'last-event-id': lastId };
    return fetch(`${url}/v1/public-decryptions/${request.requestId}/events`, { headers: sent });
  };
  const idsOf = (text: string) => [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!);
  const cut = new AbortController();
  let seen = '';
  const first = await fetch(`${url}/v1/public-decryptions/${request.requestId}/events`, {
    headers,
    signal: cut.signal,
  });
  for await (const piece of first.body!.pipeThrough(new TextDecoderStream())) {
    seen += piece;
    if (idsOf(seen).length >= 2) break;
  }
  const told = idsOf(seen).slice(0, 2);
  opened.resolve();
  const rest = idsOf(await (await watch(told[1]!)).text());
  const all = idsOf(await (await watch('')).text());
  expect([...told, ...rest]).toEqual(all);
  expect(idsOf(await (await watch('0123456789ab-3')).text())).toEqual(all); // of another asking: everything
  expect((await watch(all.at(-1)!)).status).toBe(204);
});

test('callers that wait are bounded, each and together; who hangs up makes room', async () => {
  await using net = await startCommittee({
    1: { poll: silent },
    2: { poll: silent },
    3: { poll: silent },
    4: { poll: silent },
  });
  await using service = await startService({ committee: net.committee, limits: { waiting: 3, waitingPerCaller: 2 } });
  const url = await service.app.listen({ port: 0, host: '127.0.0.1' });
  const request = requestOf(16);
  await submit(service.app, request);
  const place = `${url}/v1/public-decryptions/${request.requestId}`;
  const cut = new AbortController();
  const streams = [
    await fetch(`${place}/events`, { headers, signal: cut.signal }),
    await fetch(`${place}/events`, { headers }),
  ];
  const refused = await fetch(`${place}?wait=20`, { headers });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await refused.json()).toMatchObject({ error: { code: 'BUSY' } });
  expect((await fetch(place, { headers })).status).toBe(200); // asks without waiting
  cut.abort();
  await expect(streams[0]!.text()).rejects.toThrow();
  const statusOf = async () => (await fetch(`${place}/events`, { headers })).status;
  let status = await statusOf();
  while (status === 503) status = await statusOf(); // the hang-up is on its way
  expect(status).toBe(200);
});

test('more calls from one address than a minute allows: 429, and when to come again', async () => {
  await using net = await startCommittee({});
  await using service = await startService({ committee: net.committee, limits: { requestsPerMinute: 2 } });
  for (let call = 0; call < 2; call++) expect((await poll(service.app, 'ab'.repeat(32))).statusCode).toBe(404);
  const refused = await poll(service.app, 'ab'.repeat(32));
  expect(refused.statusCode).toBe(429);
  expect(refused.json().error.code).toBe('RATE_LIMITED');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect((await service.app.inject({ url: '/health/live' })).statusCode).toBe(200);
});
