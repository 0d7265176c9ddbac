/** Key generation and public decryption with real processes: what works, and what bad requests get. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { createClient } from '@keyquorum/client/client';
import { askCoordinatorForSlots } from '@keyquorum/client/coordinator';
import { decryptPublic } from '@keyquorum/client/public-decryption';
import { slotRequests } from '@keyquorum/client/slots';
import { createService } from '@keyquorum/coordinator/service';
import { sha256 } from '@keyquorum/mpc/bytes';
import { createSigner } from '@keyquorum/node/ed25519';
import { authorizationMessage, encodeAuthorization, requesterSeed } from '@keyquorum/wire/authorization';
import { keyDigest } from '@keyquorum/wire/digest';
import { publicRequestHash } from '@keyquorum/wire/request-hash';
import tfhe from 'node-tfhe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decrypt, decryptionOf, decryptionRequest } from '../../scripts/network/decryption.ts';
import { fheTypeOf, randomSample, type Sample, type SampleType } from '../../scripts/network/encryption.ts';
import { newRequestId } from '../../scripts/network/key-generation.ts';
import { createRest } from '../../scripts/network/rest.ts';
import { PARTIES, type Refusal, type RunningNetwork, START_MS, startNetwork } from './running-network.ts';

let running: RunningNetwork;

beforeAll(async () => {
  running = await startNetwork({ blocks: 8_192 });
}, START_MS);
afterAll(() => running?.[Symbol.asyncDispose]());

const encryptOne = (type: SampleType, value: bigint) => running.encryptor.encrypt([{ type, value }], 'packed');
const requestFor = (samples: readonly Sample[]) =>
  decryptionRequest(running.key.requestId, running.encryptor.encrypt(samples, 'packed'));

/** Status and code of a submission to party 1; every refusal has a message and a hint. */
async function refusalOf(body: unknown, apiKey: string | undefined = running.network.apiKey) {
  const rest = createRest(running.network.nodes[0]!.rest, apiKey);
  const answer = await rest.ask<Refusal>('POST', '/v1/public-decryptions', body);
  expect(answer.body.error.message).not.toBe('');
  expect(answer.body.error.hint).not.toBe('');
  return [answer.status, answer.body.error.code];
}

test('all nodes publish the same key, and its digest is that of its bytes', async () => {
  const { network, key, publicKey } = running;
  const types = key.objects.map(({ type }) => type);
  expect(types).toEqual(expect.arrayContaining(['CompactPublicKey', 'CompressedCompactPublicKey']));
  for (const party of PARTIES) {
    const { objects } = await network.rest(party).get<typeof key>(`/v1/keys/${key.requestId}`);
    expect(objects.map(({ digest }) => digest)).toEqual(key.objects.map(({ digest }) => digest));
    for (const { digest, size } of objects) {
      const bytes = await network.rest(party).bytes(`/v1/material/${digest}`);
      expect([bytes.length, Buffer.from(keyDigest(bytes)).toString('hex')]).toEqual([size, digest]);
    }
  }
  expect(publicKey.length).toBeGreaterThan(16_384);
});

test('a dApp: public key with the signatures of t+1 nodes, encryption, a public value, who answered', async () => {
  const { committee, network, key, publicKey } = running;
  const client = createClient({ ...committee, apiKey: network.apiKey });
  expect(await client.publicKey(key.requestId)).toEqual(publicKey);
  const inputs = [
    { fheType: 'uint64', value: 0xfedc_ba98_7654_3210n },
    { fheType: 'bool', value: 1n },
    { fheType: 'uint160', value: (1n << 160n) - 7n },
  ];
  const ciphertexts = await client.encrypt(tfhe, key.requestId, inputs);
  const decryption = client.decryptPublic({ keyId: key.requestId, ciphertexts });
  const { values, signatures } = await decryption.agreed;
  expect(values.map(({ fheType, value }) => ({ fheType, value: BigInt(value) }))).toEqual(inputs);
  expect(signatures.length).toBeGreaterThan(committee.threshold);
  const { nodes } = await decryption.finished;
  expect(nodes.map(({ verdict }) => verdict)).toEqual(PARTIES.map(() => 'agreed'));
});

const EVERY_SOLIDITY_TYPE: readonly SampleType[] = [
  'bool',
  'uint4',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'uint128',
  'address',
  'uint256',
];
const OTHER_TYPES: readonly SampleType[] = ['uint2', 'uint14', 'uint24', 'uint512', 'int8', 'int16', 'int64', 'int256'];

test.for(['packed', 'plain'] as const)(
  'every type in %s lists, any node asked, right to the last bit',
  async (packing) => {
    const { network, encryptor, key } = running;
    for (const [index, types] of [EVERY_SOLIDITY_TYPE, OTHER_TYPES].entries()) {
      const samples = types.map(randomSample);
      const request = decryptionRequest(key.requestId, encryptor.encrypt(samples, packing));
      const { values, faults } = await decrypt(network.rest(PARTIES[index]!), request);
      const expected = samples.map(({ type, value }) => ({ fheType: fheTypeOf(type), value: String(value) }));
      expect(values.map(({ fheType, value }) => ({ fheType, value }))).toEqual(expected);
      expect(values.map(({ handle }) => handle)).toEqual(request.ciphertexts.map(({ handle }) => handle));
      expect(faults).toEqual([]);
    }
  },
);

test.for(['uint1024', 'uint2048'] as const)('%s, the widest types: hundreds of blocks in one request', async (type) => {
  const { network, encryptor, key } = running;
  const sample = randomSample(type);
  const request = decryptionRequest(key.requestId, encryptor.encrypt([sample], 'packed'));
  const { values } = await decrypt(network.rest(2), request);
  expect(values.map(({ fheType, value }) => [fheType, value])).toEqual([[type, String(sample.value)]]);
});

test('the ends of every range', async () => {
  const ends: Sample[] = [8, 64, 256].flatMap((bits) => [
    { type: `uint${bits}` as const, value: 0n },
    { type: `uint${bits}` as const, value: 2n ** BigInt(bits) - 1n },
    { type: `int${bits}` as const, value: -(2n ** BigInt(bits - 1)) },
    { type: `int${bits}` as const, value: 2n ** BigInt(bits - 1) - 1n },
  ]);
  const { values } = await decrypt(running.network.rest(3), requestFor(ends));
  expect(values.map(({ value }) => value)).toEqual(ends.map(({ value }) => String(value)));
});

test('one node is asked, and every node answers with its own signature over the same words', async () => {
  const { network, committee } = running;
  const request = requestFor([{ type: 'uint64', value: 123_456_789n }]);
  const first = await decrypt(network.rest(2), request);
  const answers = await Promise.all(PARTIES.map((party) => decryptionOf(network.rest(party), request.requestId)));
  expect(new Set(answers.map(({ abiEncoded }) => abiEncoded))).toEqual(new Set([first.abiEncoded]));
  expect(answers.map(({ signer }) => signer)).toEqual(committee.nodes.map(({ signer }) => signer));
  expect(new Set(answers.map(({ signature }) => signature)).size).toBe(PARTIES.length);
});

test('the coordinator library verifies all four signatures', async () => {
  const { network, committee } = running;
  const samples = [randomSample('uint256'), randomSample('bool')];
  const options = { authorization: `Bearer ${network.apiKey}`, deadlineMs: 30_000 };
  const report = await decryptPublic(committee, requestFor(samples), options).finished;
  expect(report.values.map(({ value }) => value)).toEqual(samples.map(({ value }) => String(value)));
  expect(report.nodes.map(({ verdict }) => verdict)).toEqual(['agreed', 'agreed', 'agreed', 'agreed']);
});

/** A coordinator before the network, at the URL. */
async function startCoordinator(): Promise<{ readonly url: string } & AsyncDisposable> {
  const { network, committee } = running;
  const folder = join(network.dir, 'coordinator');
  const service = await createService({ committee, folder, deadlineMs: 30_000, logLevel: 'silent' });
  const url = await service.listen({ host: '127.0.0.1', port: 0 });
  return { url, [Symbol.asyncDispose]: async () => void (await service.close()) };
}

test('the coordinator service speaks the same REST as a node', async () => {
  await using coordinator = await startCoordinator();
  const rest = createRest(coordinator.url, running.network.apiKey);
  const { values } = await decrypt(rest, requestFor([{ type: 'address', value: 2n ** 160n - 5n }]));
  expect(values).toMatchObject([{ fheType: 'uint160', value: String(2n ** 160n - 5n) }]);
});

/** The first is cut short. */
function oneDamaged() {
  const request = requestFor([{ type: 'uint8', value: 8n }]);
  const [good] = request.ciphertexts;
  const damaged = { ...good!, handle: newRequestId(), bytes: good!.bytes.slice(0, -8) };
  return { ...request, ciphertexts: [damaged, good!] };
}

test('a batch through the coordinator: a damaged ciphertext does not sink the other', async () => {
  const { network, committee } = running;
  await using coordinator = await startCoordinator();
  const options = { authorization: `Bearer ${network.apiKey}`, deadlineMs: 30_000 };
  const [damaged, good] = await askCoordinatorForSlots(committee, coordinator.url, oneDamaged(), options);
  expect(damaged?.error).toMatchObject({ code: 'REQUEST_REFUSED', nodeCode: 'CIPHERTEXT_MALFORMED' });
  expect(good?.result?.values).toMatchObject([{ value: '8' }]);
});

test('a batch of which each ciphertext is signed, so that nobody sees the API key', async () => {
  await using coordinator = await startCoordinator();
  const batch = oneDamaged();
  const identity = createSigner(requesterSeed(running.network.apiKey));
  const slotAuthorizations = slotRequests(batch).map((request) => {
    const ciphertexts = request.ciphertexts.map((ciphertext) => {
      return { fheType: undefined, ...ciphertext, digest: sha256(Buffer.from(ciphertext.bytes, 'base64')) };
    });
    const contentHash = publicRequestHash({ ...request, requester: 'demo', extraData: new Uint8Array(), ciphertexts });
    const expires = Math.floor(Date.now() / 1_000) + 3_600;
    const signature = identity.sign(authorizationMessage(contentHash, expires));
    return encodeAuthorization({ requester: 'demo', contentHash, expires, signature });
  });
  const [authorization = ''] = slotAuthorizations;
  const headers = { authorization, 'content-type': 'application/json' };
  const collection = `${coordinator.url}/v1/public-decryptions`;
  const body = JSON.stringify({ ...batch, slots: true, slotAuthorizations });
  expect((await fetch(collection, { method: 'POST', headers, body })).status).toBe(202);
  const answer = await fetch(`${collection}/${batch.requestId}?wait=30`, { headers });
  expect(await answer.json()).toMatchObject({
    slots: [{ state: 'failed', error: { code: 'CIPHERTEXT_MALFORMED' } }, { values: [{ value: '8' }] }],
  });
});

test('same id and content: same answer; same id, other content: refused, and the answer stays', async () => {
  const { network } = running;
  const request = requestFor([{ type: 'uint8', value: 77n }]);
  const first = await decrypt(network.rest(1), request);
  const again = await decrypt(network.rest(1), request);
  expect([again.values, again.signature]).toEqual([first.values, first.signature]);
  const other = { ...request, ciphertexts: encryptOne('uint8', 78n) };
  expect(await refusalOf(other)).toEqual([409, 'REQUEST_CONFLICT']);
  expect((await decryptionOf(network.rest(1), request.requestId)).values).toEqual(first.values);
});

test('a missing or wrong API key', async () => {
  const request = requestFor([{ type: 'bool', value: 1n }]);
  const { rest } = running.network.nodes[0]!;
  const without = await createRest(rest).ask<Refusal>('POST', '/v1/public-decryptions', request);
  expect([without.status, without.body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
  expect(await refusalOf(request, `${running.network.apiKey}x`)).toEqual([401, 'UNAUTHENTICATED']);
  const keyRequest = { requestId: newRequestId(), parameters: 'base', purpose: 'development' };
  const keys = await createRest(rest, 'no such key').ask<Refusal>('POST', '/v1/keys', keyRequest);
  expect([keys.status, keys.body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
});

test('an unknown key, an unknown application, an unknown field, an unknown request', async () => {
  const request = requestFor([{ type: 'bool', value: 1n }]);
  expect(await refusalOf({ ...request, keyId: newRequestId() })).toEqual([404, 'KEY_UNKNOWN']);
  expect(await refusalOf({ ...request, app: 'somebody-elses' })).toEqual([403, 'FORBIDDEN']);
  expect(await refusalOf({ ...request, surprise: true })).toEqual([400, 'BODY_INVALID']);
  const unknown = await running.network.rest(1).ask<Refusal>('GET', `/v1/public-decryptions/${newRequestId()}`);
  expect([unknown.status, unknown.body.error.code]).toEqual([404, 'REQUEST_UNKNOWN']);
});

test('ciphertexts that are malformed, truncated, of another type, out of the list', async () => {
  const request = requestFor([{ type: 'uint8', value: 5n }]);
  const [ciphertext] = request.ciphertexts;
  const bytes = Buffer.from(ciphertext!.bytes, 'base64');
  const changed = (change: object) => ({ ...request, ciphertexts: [{ ...ciphertext, ...change }] });
  const base64 = (content: Uint8Array) => Buffer.from(content).toString('base64');
  const malformed = [422, 'CIPHERTEXT_MALFORMED'];
  expect(await refusalOf(changed({ bytes: base64(bytes.subarray(0, bytes.length - 1)) }))).toEqual(malformed);
  expect(await refusalOf(changed({ bytes: base64(Buffer.concat([bytes, Buffer.alloc(1)])) }))).toEqual(malformed);
  expect(await refusalOf(changed({ bytes: base64(Buffer.alloc(4_096, 0xff)) }))).toEqual(malformed);
  expect(await refusalOf(changed({ slot: 1 }))).toEqual([422, 'CIPHERTEXT_SLOT']);
  expect(await refusalOf(changed({ fheType: 'uint16' }))).toEqual([422, 'CIPHERTEXT_TYPE']);
  const asSomethingElse = await refusalOf(changed({ format: 'fhe', slot: undefined }));
  expect(asSomethingElse[0]).toBe(422);
});

/** Announces a body of that size and sends none of it: the node must refuse by the announcement alone. */
async function announceBody(bytes: number): Promise<[number | undefined, string]> {
  const { network } = running;
  const headers = { authorization: `Bearer ${network.apiKey}`, 'content-type': 'application/json' };
  const call = httpRequest(new URL('/v1/public-decryptions', network.nodes[0]!.rest), {
    method: 'POST',
    headers: { ...headers, 'content-length': bytes },
  });
  call.flushHeaders();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const body = (await json(response)) as Refusal;
  call.destroy();
  return [response.statusCode, body.error.code];
}

test('a body over the limit, and bodies that are no JSON', async () => {
  expect(await announceBody(2 ** 25 + 1)).toEqual([413, 'BODY_TOO_LARGE']);
  expect((await refusalOf('{"requestId":'))[0]).toBe(400);
  expect((await refusalOf('[]'))[0]).toBe(400);
});

test('after all of this the network is as well as before', async () => {
  for (const party of PARTIES) {
    const sample = randomSample('uint64');
    const { values } = await decrypt(running.network.rest(party), requestFor([sample]));
    expect(values[0]?.value).toBe(String(sample.value));
  }
});

test('OpenAPI, documentation, metrics and the list of ceremonies are served', async () => {
  const { network, key } = running;
  const openapi = await network.rest(1).get<{ openapi: string; paths: object }>('/openapi.json');
  expect(openapi.openapi).toMatch(/^3\.1/);
  expect(Object.keys(openapi.paths)).toEqual(
    expect.arrayContaining(['/v1/keys', '/v1/public-decryptions', '/v1/status', '/v1/ceremonies']),
  );
  const metrics = new TextDecoder().decode(await network.rest(1).bytes('/metrics'));
  expect(metrics).toMatch(/^# HELP /m);
  const ceremonies = await network.rest(1).get<unknown>('/v1/ceremonies');
  expect(JSON.stringify(ceremonies)).toContain(key.requestId);
});
