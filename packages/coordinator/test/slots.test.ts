/** Batches in which nodes refuse some ciphertexts, through the service and the client, with nodes that sign really. */
import { createClient } from '@keyquorum/client/client';
import { askCoordinatorForSlots } from '@keyquorum/client/coordinator';
import { slotRequests } from '@keyquorum/client/slots';
import { encodeAuthorization } from '@keyquorum/wire/authorization';
import { expect, test } from 'vitest';
import {
  API_KEY,
  json,
  refuse,
  requestOf,
  startCommittee,
  type TestNodeOptions,
} from '../../client/test/support/test-node.ts';
import { DAPP_CONTRACT, KEY_ID, permitOf, startUserNetwork } from '../../client/test/support/user-network.ts';
import { ALL_TYPES } from '../../wire/test/support/committee.ts';
import { startService } from './support/running-service.ts';

const headers = { authorization: `Bearer ${API_KEY}` };
const OPTIONS = { ...headers, deadlineMs: 20_000 };
const BAD_SLOT = 1;

/** Refuses a request that has the second ciphertext of `requestOf`. */
const picky: Partial<TestNodeOptions> = {
  submit(response, { requestId, ciphertexts }) {
    if (ciphertexts.some(({ slot }) => slot === BAD_SLOT)) return refuse(response, 422, 'CIPHERTEXT_MALFORMED');
    json(response, 202, { requestId, state: 'pending' });
  },
};
const allPicky = { 1: picky, 2: picky, 3: picky, 4: picky };

test('a ciphertext that nodes refuse does not sink the others; each value has its own t+1 signatures', async () => {
  await using net = await startCommittee(allPicky);
  await using service = await startService({ committee: net.committee });
  const url = await service.app.listen({ port: 0, host: '127.0.0.1' });
  const request = requestOf(1);
  const [good, bad] = await askCoordinatorForSlots(net.committee, url, request, OPTIONS);
  expect(good).toMatchObject({ handle: request.ciphertexts[0]!.handle, result: { values: [{ value: '7' }] } });
  expect(good!.result!.signatures.length).toBeGreaterThanOrEqual(2);
  expect(bad).toMatchObject({ handle: request.ciphertexts[1]!.handle, error: { nodeCode: 'CIPHERTEXT_MALFORMED' } });
  const asked = net.nodes[0]!.submissions.map((text) => JSON.parse(text));
  expect(asked.map(({ requestId }) => requestId).sort()).toEqual(
    slotRequests(request)
      .map(({ requestId }) => requestId)
      .sort(),
  );
  expect(asked.every((one) => one.ciphertexts.length === 1 && !('slots' in one))).toBe(true);
});

test('events and reports of a batch name the ciphertext; a batch with a failure is asked again', async () => {
  let strict = true;
  const moody: Partial<TestNodeOptions> = {
    submit(response, request) {
      if (strict) return picky.submit!(response, request);
      json(response, 202, { requestId: request.requestId, state: 'pending' });
    },
  };
  await using net = await startCommittee({ 1: moody, 2: moody, 3: moody, 4: moody });
  await using service = await startService({ committee: net.committee });
  const payload = { ...requestOf(2), slots: true };
  const url = '/v1/public-decryptions';
  await service.app.inject({ method: 'POST', url, headers, payload });
  const read = () => service.app.inject({ url: `${url}/${payload.requestId}?wait=20`, headers });
  const first = (await read()).json();
  expect(first).toMatchObject({ state: 'succeeded', values: [], nodes: [] });
  expect(first.slots).toMatchObject([
    { state: 'succeeded' },
    { state: 'failed', error: { code: 'CIPHERTEXT_MALFORMED' } },
  ]);
  const events = await service.app.inject({ url: `${url}/${payload.requestId}/events`, headers });
  const verdicts = [...events.body.matchAll(/event: verdict\ndata: (.*)\n\n/g)].map(([, data]) => JSON.parse(data!));
  expect(verdicts.filter(({ slot, verdict }) => slot === BAD_SLOT && verdict === 'refused')).toHaveLength(4);
  expect(verdicts.filter(({ slot, verdict }) => slot === 0 && verdict === 'agreed')).toHaveLength(4);
  strict = false;
  await service.app.inject({ method: 'POST', url, headers, payload });
  expect((await read()).json().slots).toMatchObject([{ state: 'succeeded' }, { state: 'succeeded' }]);
});

test('a signed request signs each ciphertext, and nodes see only those signatures', async () => {
  await using net = await startCommittee({});
  await using service = await startService({ committee: net.committee });
  const expires = Math.floor(Date.now() / 1_000) + 3_600;
  const signed = (byte: number) => {
    const bytes = new Uint8Array(64).fill(byte);
    return encodeAuthorization({ requester: 'dapp', contentHash: bytes.slice(32), expires, signature: bytes });
  };
  const slotAuthorizations = [signed(1), signed(2)];
  const authorization = signed(3);
  const post = (payload: object, sent = authorization) =>
    service.app.inject({ method: 'POST', url: '/v1/public-decryptions', headers: { authorization: sent }, payload });
  const batch = { ...requestOf(3), slots: true };
  expect((await post({ ...batch, slotAuthorizations })).statusCode).toBe(202);
  const read = { url: `/v1/public-decryptions/${batch.requestId}?wait=20`, headers: { authorization } };
  expect((await service.app.inject(read)).json().slots).toMatchObject([{ state: 'succeeded' }, { state: 'succeeded' }]);
  expect(new Set(net.nodes[0]!.authorizations)).toEqual(new Set(slotAuthorizations));
  const refused = [
    await post({ ...requestOf(4), slots: true }),
    await post({ ...requestOf(4), slots: true, slotAuthorizations: [signed(1)] }),
    await post({ ...requestOf(4), slotAuthorizations }),
    await post({ ...requestOf(4), slots: true, slotAuthorizations }, headers.authorization),
    await post({ ...requestOf(4), slots: true, slotAuthorizations: [headers.authorization, signed(2)] }),
    await post(
      { ...requestOf(5), slots: true, ciphertexts: Array(65).fill(batch.ciphertexts[0]) },
      headers.authorization,
    ),
  ];
  expect(refused.map((response) => [response.statusCode, response.json().error.code])).toEqual(
    Array(6).fill([400, 'BODY_INVALID']),
  );
});

test('a user reads what can be read: one ciphertext refused, one node lying about all', async () => {
  const values = [ALL_TYPES[0]!, ALL_TYPES[4]!, ALL_TYPES[2]!];
  const refused = new Set<string>();
  const behaviour = { refused };
  const special = { 1: { ...behaviour, lie: 'random shares' }, 2: behaviour, 3: behaviour, 4: behaviour } as const;
  await using network = await startUserNetwork({ n: 4, t: 1 }, values, special);
  refused.add(network.ciphertexts[1]!.handle);
  const client = createClient(network.options);
  await using service = await startService({ committee: client.committee });
  const url = await service.app.listen({ port: 0, host: '127.0.0.1' });
  const permit = await permitOf(client);
  const request = { keyId: KEY_ID, ciphertexts: network.ciphertexts };
  const [first, second, third] = await client.askCoordinatorForUserSlots(url, permit, request);
  expect(first).toMatchObject({ result: { value: values[0]!.value } });
  expect(second).toMatchObject({ error: { code: 'REQUEST_REFUSED', nodeCode: 'CIPHERTEXT_MALFORMED' } });
  expect(third).toMatchObject({ result: { value: values[2]!.value } });
});

test('a ciphertext of a type nobody knows is an outcome, too', async () => {
  await using net = await startUserNetwork({ n: 4, t: 1 }, [ALL_TYPES[0]!, ALL_TYPES[4]!], {});
  const client = createClient(net.options);
  await using service = await startService({ committee: client.committee });
  const [first, second] = net.ciphertexts;
  const payload = {
    requestId: client.randomId(),
    ...{ keyId: KEY_ID, slots: true, userAddress: DAPP_CONTRACT, encryptionKey: 'ab'.repeat(869) },
    ciphertexts: [{ ...first, fheType: 'float' }, second],
    request: {
      hostChainId: '1',
      contractAddresses: [DAPP_CONTRACT],
      startTimestamp: '1',
      durationDays: '1',
      extraData: '',
    },
    userSignature: '00'.repeat(65),
  };
  await service.app.inject({ method: 'POST', url: '/v1/user-decryptions', headers, payload });
  const read = { url: `/v1/user-decryptions/${payload.requestId}?wait=20`, headers };
  const { slots } = (await service.app.inject(read)).json();
  expect(slots[0]).toMatchObject({ handle: first!.handle, state: 'failed', error: { code: 'TYPE_UNSUPPORTED' } });
  expect(slots[1]).toMatchObject({ state: 'failed', nodes: Array(4).fill({ party: expect.any(Number) }) });
});
