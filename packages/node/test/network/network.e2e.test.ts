/**
 * Goal: what docs/rest.md promises to callers, on four real nodes with one real default key.
 * Method: the network starts once; the tests run in order, the ones that stop nodes last.
 */
import { randomBytes } from 'node:crypto';
import { sha256Hex } from '@keyquorum/mpc/bytes';
import { DEFAULT_PARAMETERS, lweDimensionOf } from '@keyquorum/tfhe/parameters';
import { safeSerialize, TYPE_NAME } from '@keyquorum/tfhe/safe-serialize';
import { fheInteger } from '@keyquorum/tfhe/schema/ciphertexts';
import { NATIVE_64 } from '@keyquorum/tfhe/schema/core';
import { encodeAuthorization } from '@keyquorum/wire/authorization';
import { keyDigest } from '@keyquorum/wire/digest';
import { keyGenerationDigest, publicDecryptionDigest } from '@keyquorum/wire/eip712';
import { recoverSigner } from '@keyquorum/wire/signer';
import fc from 'fast-check';
import Type, { type Static, type TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createEncryptor, type Encryptor, type Sample } from '../../../../scripts/network/encryption.ts';
import { ERRORS } from '../../src/errors/catalogue.ts';
import type { CiphertextBody, PublicDecryptionBody } from '../../src/requests/body.ts';
import { publicContentOf } from '../../src/requests/content.ts';
import { createRequesters, newApiKey, requesterPublicKey } from '../../src/requests/requester.ts';
import { Accepted, CeremonyBody, DecryptionBody, ErrorBody, KeyBody, Status } from '../../src/rest/schemas.ts';
import { corruptParty } from './corrupt-party.ts';
import { type Answer, type TestNetwork, testNetwork } from './in-process.ts';

const DOMAIN = { chainId: 654_321, verifyingContract: `0x${'44'.repeat(20)}` } as const;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const STRANGER = newApiKey();
/** May have four blocks a day. */
const METERED = newApiKey();
const METERED_REQUESTER = `
[[requesters]]
name = "metered"
publicKey = "${requesterPublicKey(METERED)}"
apps = ["default"]
blocksPerDay = 4
`;
const keyId = '5a'.repeat(32);
let network: TestNetwork;
let encryptor: Encryptor;
let nextId = 0;
const newId = () => (++nextId).toString(16).padStart(64, '0');
const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

function as<Schema extends TSchema>(schema: Schema, { body }: Answer): Static<Schema> {
  if (!Check(schema, body)) throw new Error(`unexpected answer ${JSON.stringify(body)}`);
  return body;
}

async function codeOf(answer: Promise<Answer>): Promise<string> {
  const got = await answer;
  expect(got.status).toBeGreaterThanOrEqual(400);
  const { error } = as(ErrorBody, got);
  expect(ERRORS).toHaveProperty(error.code);
  return `${got.status} ${error.code}`;
}

function request(samples: Sample[], packing: 'packed' | 'plain' = 'packed') {
  const ciphertexts: PublicDecryptionBody['ciphertexts'] = encryptor.encrypt(samples, packing);
  return { requestId: newId(), keyId, app: 'default', ciphertexts, extraData: '' };
}

/** The signature of a request by the holder of a key, which counts for an hour from then. */
function signedBy(apiKey: string, nowMs: number, body: PublicDecryptionBody) {
  const known = { name: 'demo', publicKey: requesterPublicKey(apiKey), apps: ['default'] };
  const requesters = createRequesters([known], () => nowMs);
  return requesters.authenticate(`Bearer ${apiKey}`)!.sign(publicContentOf(body, 'demo').hash);
}

async function decrypted(party: number, requestId: string) {
  return as(DecryptionBody, await network.ask(party, 'GET', `/v1/public-decryptions/${requestId}?wait=30`));
}

beforeAll(async () => {
  network = await testNetwork(afterAll, (toml) =>
    toml
      .replace(/purposes = .*/, 'purposes = ["development", "production"]')
      .replace(/roundMs = .*/, 'roundMs = 1500') // four nodes share one event loop here
      .replace('[keys]', '[pool]\ntarget = 2048\nbatch = 512\n\n[keys]')
      .concat(METERED_REQUESTER),
  );
  const parties = [1, 2, 3, 4];
  await Promise.all(parties.map((party) => network.start(party)));
  await Promise.all(parties.map((party) => network.ready(party)));
  await poolFilled(2); // making material takes whole seconds of the event loop that rounds need
  const started = await network.ask(2, 'POST', '/v1/keys', { requestId: keyId, parameters: 'base' });
  expect(started.status).toBe(202);
  const events = await network.fetch(2, `/v1/ceremonies/${keyId}/events`);
  expect(events.headers.get('content-type')).toBe('text/event-stream');
  const states = (await events.text()).match(/"state":"[a-z]+"/g) ?? [];
  expect(states.at(-1)).toBe('"state":"succeeded"');
  const [{ digest } = { digest: '' }] = (await keyAt(1)).objects;
  encryptor = createEncryptor(new Uint8Array(await (await network.fetch(1, `/v1/material/${digest}`)).arrayBuffer()));
}, 3 * MINUTE_MS);

async function poolFilled(party: number): Promise<void> {
  for (;;) {
    const { pool } = as(Status, await network.ask(party, 'GET', '/v1/status'));
    if (pool.available >= pool.target) return;
  }
}

async function keyAt(party: number): Promise<KeyBody> {
  for (;;) {
    const key = as(KeyBody, await network.ask(party, 'GET', `/v1/keys/${keyId}?wait=30`));
    if (key.state !== 'pending' && key.state !== 'running') return key;
  }
}

test('all nodes list the same objects, each signed by itself; bytes fit the digest', async () => {
  const keys = await Promise.all([1, 2, 3, 4].map(keyAt));
  const [first] = keys;
  for (const [index, key] of keys.entries()) {
    const shape = (body: KeyBody) => body.objects.map(({ type, digest, size }) => ({ type, digest, size }));
    expect(shape(key)).toEqual(shape(first!));
    const numbers = [1, 2, 0, 3] as const; // of the four types as they are listed
    const keyDigests = key.objects
      .map(({ digest }, at) => ({ keyType: numbers[at]!, digest: fromHex(digest) }))
      .sort((one, other) => one.keyType - other.keyType);
    const signed = { prepKeygenId: 0n, keyId: BigInt(`0x${keyId}`), keyDigests, extraData: new Uint8Array(0) };
    for (const { signature } of key.objects) {
      expect(recoverSigner(keyGenerationDigest(DOMAIN, signed), fromHex(signature))).toBe(network.nodes[index]!.signer);
    }
  }
  for (const { digest, size, uris } of first!.objects) {
    const bytes = new Uint8Array(await (await fetch(uris[0]!)).arrayBuffer());
    expect(bytes).toHaveLength(size);
    expect(Buffer.from(keyDigest(bytes)).toString('hex')).toBe(digest);
  }
});

test('material: ranges, entity tags, for ever', async () => {
  const [{ digest, size } = { digest: '', size: 0 }] = (await keyAt(3)).objects;
  const path = `/v1/material/${digest}`;
  const whole = Buffer.from(await (await network.fetch(3, path)).arrayBuffer());
  const part = await network.fetch(3, path, { range: 'bytes=100-199' });
  expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 100-199/${size}`]);
  expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(100, 200));
  expect((await network.fetch(3, path, { 'if-none-match': `"${digest}"` })).status).toBe(304);
  const outside = await network.fetch(3, path, { range: `bytes=${size}-` });
  expect([outside.status, outside.headers.get('content-range')]).toEqual([416, `bytes */${size}`]);
});

test('a value, asked at one node, is answered by all with one result and their own signatures', async () => {
  const samples: Sample[] = [
    { type: 'bool', value: 1n },
    { type: 'uint64', value: 0xfedcba9876543210n },
    { type: 'int64', value: -5n },
    { type: 'address', value: 2n ** 159n + 7n },
    { type: 'uint256', value: 2n ** 256n - 1n },
  ];
  const body = request(samples);
  const accepted = await network.ask(1, 'POST', '/v1/public-decryptions', body);
  expect([accepted.status, as(Accepted, accepted).requestId]).toEqual([202, body.requestId]);
  for (const party of [1, 2, 3, 4]) {
    const answer = await decrypted(party, body.requestId);
    expect(answer.values.map(({ value }) => BigInt(value))).toEqual(samples.map(({ value }) => value));
    expect(answer.values.map(({ fheType }) => fheType)).toEqual(['bool', 'uint64', 'int64', 'uint160', 'uint256']);
    const digest = publicDecryptionDigest(DOMAIN, {
      handles: body.ciphertexts.map(({ handle }) => fromHex(handle)),
      decryptedResult: fromHex(answer.abiEncoded),
      extraData: new Uint8Array(0),
    });
    expect(recoverSigner(digest, fromHex(answer.signature))).toBe(network.nodes[party - 1]!.signer);
    expect(answer.signer).toBe(network.nodes[party - 1]!.signer);
  }
});

test('whoever asks and waits in one call has the answer in it, or 202 when it takes longer', async () => {
  const body = request([{ type: 'uint64', value: 77n }]);
  const ask = (wait: number) => network.ask(2, 'POST', `/v1/public-decryptions?wait=${wait}`, body);
  const early = await ask(0.001);
  expect([early.status, early.body]).toEqual([202, { requestId: body.requestId, state: 'pending' }]);
  const late = await ask(30);
  expect([late.status, late.body]).toEqual([200, await decrypted(2, body.requestId)]);
  expect(as(DecryptionBody, late).values[0]?.value).toBe('77');
});

test('a quota: so many blocks a day, and repeated questions cost nothing', async () => {
  const authorization = { authorization: `Bearer ${METERED}` };
  const ask = (body: object, party = 2) => network.ask(party, 'POST', '/v1/public-decryptions', body, authorization);
  const bodies = [1n, 2n, 3n].map((value) => request([{ type: 'uint8', value }])); // two blocks each
  const [first, second, third] = bodies;
  for (const body of [first!, second!]) {
    expect((await ask(body)).status).toBe(202);
    const path = `/v1/public-decryptions/${body.requestId}?wait=30`;
    expect((await network.ask(2, 'GET', path, undefined, authorization)).body).toMatchObject({ state: 'succeeded' });
  }
  const refused = await ask(third!);
  expect([refused.status, as(ErrorBody, refused).error.code]).toEqual([429, 'QUOTA_EXCEEDED']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await ask(first!)).status).toBe(202);
  const text = await (await network.fetch(2, '/metrics')).text();
  expect(text).toContain(`keyquorum_quota_used_blocks{requester="metered",key="${keyId}"} 4`);
  expect(text).toContain('keyquorum_quota_limit_blocks{requester="metered"} 4');
});

test('same id and content: the same answer; other content: refused, everywhere', async () => {
  const body = request([{ type: 'uint8', value: 200n }]);
  await network.ask(4, 'POST', '/v1/public-decryptions', body);
  const first = await decrypted(4, body.requestId);
  const again = await network.ask(4, 'POST', '/v1/public-decryptions', body);
  expect(as(Accepted, again).state).toBe('succeeded');
  expect(await decrypted(4, body.requestId)).toEqual(first);
  const other = { ...request([{ type: 'uint8', value: 1n }]), requestId: body.requestId };
  expect(await codeOf(network.ask(4, 'POST', '/v1/public-decryptions', other))).toBe('409 REQUEST_CONFLICT');
  await decrypted(2, body.requestId);
  expect(await codeOf(network.ask(2, 'POST', '/v1/public-decryptions', other))).toBe('409 REQUEST_CONFLICT');
});

test('a ciphertext handed over to one node is named at all; in either form it is one request', async () => {
  const body = request([{ type: 'uint64', value: 12n }]);
  const [{ bytes = '', ...ciphertext }] = body.ciphertexts as [CiphertextBody];
  const object = Buffer.from(bytes, 'base64');
  const naming = { ...body, ciphertexts: [{ ...ciphertext, digest: sha256Hex(object) }] };
  const ask = (party: number, asked: object) => network.ask(party, 'POST', '/v1/public-decryptions', asked);
  expect(await codeOf(ask(1, naming))).toBe('404 CIPHERTEXT_UNKNOWN');
  const explained = await network.ask(1, 'POST', '/v1/explain', { kind: 'public-decryption', request: naming });
  expect(JSON.stringify(explained.body)).toContain('"code":"CIPHERTEXT_UNKNOWN"');
  expect(await network.handOver(1, sha256Hex(object), object)).toBe(204);
  expect((await ask(1, naming)).status).toBe(202);
  const answers = await Promise.all([1, 2, 3, 4].map((party) => decrypted(party, body.requestId)));
  expect(answers.map(({ values }) => values[0]?.value)).toEqual(['12', '12', '12', '12']);
  const carrying = as(Accepted, await ask(2, body));
  expect(carrying).toEqual({ requestId: body.requestId, state: 'succeeded' });
  const next = { ...naming, requestId: newId() }; // party 3 pulled it for the first request
  expect((await ask(3, next)).status).toBe(202);
  expect((await decrypted(4, next.requestId)).values[0]?.value).toBe('12');
});

test('a long ciphertext that one node was sent with the request reaches the others by its digest', async () => {
  const body = request([{ type: 'uint8', value: 1n }]);
  const object = randomInteger(8);
  const bytes = Buffer.from(object).toString('base64');
  const [first] = body.ciphertexts;
  const ciphertexts = [{ handle: first!.handle, format: 'fhe', bytes }];
  expect((await network.ask(4, 'POST', '/v1/public-decryptions', { ...body, ciphertexts })).status).toBe(202);
  const answers = await Promise.all([1, 2, 3, 4].map((party) => decrypted(party, body.requestId)));
  expect(new Set(answers.map(({ state, abiEncoded }) => `${state} ${abiEncoded}`)).size).toBe(1);
  expect(answers[0]!.state).toBe('succeeded');
  const named = [{ handle: first!.handle, format: 'fhe', digest: sha256Hex(object) }];
  const held = await network.ask(1, 'POST', '/v1/public-decryptions', {
    ...body,
    requestId: newId(),
    ciphertexts: named,
  });
  expect(held.status).toBe(202); // it was pulled
});

/** What words say under no key: some value, the same at all nodes. */
function randomInteger(blocks: number): Uint8Array {
  const data = new Uint8Array(randomBytes(8 * (lweDimensionOf(DEFAULT_PARAMETERS.glwe) + 1)));
  const order = { kind: 'KeyswitchBootstrap' as const, value: null };
  const block = {
    lwe: { data, ciphertextModulus: NATIVE_64 },
    ...{ degree: 3, noiseLevel: 1, messageModulus: 4, carryModulus: 4 },
    atomicPattern: { kind: 'Standard' as const, value: order },
  };
  const value = { ciphertext: { blocks: Array(blocks).fill(block) }, tag: { data: new Uint8Array(0) } };
  return safeSerialize(TYPE_NAME.fheUint, fheInteger, { version: 1, value });
}

test('wrong type, slot, parameters and garbage are told apart', async () => {
  const body = request([{ type: 'uint8', value: 3n }]);
  const [ciphertext] = body.ciphertexts;
  const variant = (change: object) => ({ ...body, ciphertexts: [{ ...ciphertext!, ...change }] });
  const ask = (change: object) => codeOf(network.ask(1, 'POST', '/v1/public-decryptions', variant(change)));
  expect(await ask({ fheType: 'uint64' })).toBe('422 CIPHERTEXT_TYPE');
  expect(await ask({ fheType: 5 })).toBe('422 CIPHERTEXT_TYPE');
  expect(await ask({ slot: 1 })).toBe('422 CIPHERTEXT_SLOT');
  expect(await ask({ format: 'fhe' })).toMatch(/^422 CIPHERTEXT_/);
  expect(await ask({ bytes: 'AAAA' })).toBe('422 CIPHERTEXT_MALFORMED');
  const rightType = await network.ask(1, 'POST', '/v1/public-decryptions', variant({ fheType: 'uint8' }));
  expect(rightType.status).toBe(202);
});

test(
  'mutated real bodies: accepted or refused with a documented code, never an internal error',
  async () => {
    const body = request([{ type: 'uint8', value: 77n }]);
    const [ciphertext] = body.ciphertexts;
    const object = Buffer.from(ciphertext!.bytes!, 'base64');
    await network.handOver(1, sha256Hex(object), object);
    const { bytes: _, ...named } = { ...ciphertext!, digest: sha256Hex(object) };
    const original = JSON.stringify({ ...body, ciphertexts: [named, ciphertext] });
    const position = fc.nat({ max: original.length - 1 });
    const mutation = fc.oneof(
      fc.record({ at: position, text: fc.string({ minLength: 1, maxLength: 8 }) }),
      fc.record({ at: position, text: fc.constantFrom('', '"', '{', ']', 'null', '-1', '1e999', '\u0000', '\ud800') }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (mutations, overwrite) => {
          let text = original;
          for (const { at, text: inserted } of mutations) {
            text = text.slice(0, at) + inserted + text.slice(overwrite ? at + Math.max(1, inserted.length) : at);
          }
          const answer = await network.ask(1, 'POST', '/v1/public-decryptions', text);
          if (answer.status === 202) return;
          expect(answer.status).toBeGreaterThanOrEqual(400);
          expect(answer.status).toBeLessThan(500);
          expect(ERRORS).toHaveProperty(as(ErrorBody, answer).error.code);
        },
      ),
      { numRuns: 300 },
    );
  },
  MINUTE_MS,
);

test(
  'bytes changed inside a ciphertext, the envelope left whole: the same rule',
  async () => {
    const body = request([{ type: 'uint8', value: 78n }]);
    const [ciphertext] = body.ciphertexts;
    const bytes = Buffer.from(ciphertext!.bytes!, 'base64');
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 400 }), // header, parameters and lengths; what follows are masks, where every value is valid
        fc.integer({ min: 1, max: 255 }),
        fc.option(fc.nat({ max: bytes.length })),
        async (at, flip, end) => {
          const changed = Buffer.from(bytes.subarray(0, end ?? bytes.length));
          if (at < changed.length) changed[at]! ^= flip;
          const changedBody = {
            ...body,
            requestId: newId(),
            ciphertexts: [{ ...ciphertext!, bytes: changed.toString('base64') }],
          };
          const answer = await network.ask(2, 'POST', '/v1/public-decryptions', changedBody);
          if (answer.status === 202) return;
          expect(as(ErrorBody, answer).error.code).toMatch(/^(CIPHERTEXT_|BODY_)/);
          expect(answer.status).toBeLessThan(500);
        },
      ),
      { numRuns: 200 },
    );
  },
  MINUTE_MS,
);

test(
  'a production key decrypts no raw ciphertexts',
  async () => {
    const requestId = 'ab'.repeat(32);
    await network.ask(1, 'POST', '/v1/keys', { requestId, parameters: 'base', purpose: 'production' });
    for (;;) {
      const { state } = as(KeyBody, await network.ask(1, 'GET', `/v1/keys/${requestId}?wait=30`));
      if (state === 'succeeded') break;
      expect(['pending', 'running']).toContain(state);
    }
    const body = { ...request([{ type: 'bool', value: 0n }]), keyId: requestId };
    expect(await codeOf(network.ask(1, 'POST', '/v1/public-decryptions', body))).toBe('403 PROVENANCE_REQUIRED');
    const { keys } = as(Status, await network.ask(1, 'GET', '/v1/status'));
    expect(keys.map(({ purpose }) => purpose).sort()).toEqual(['development', 'production']);
  },
  MINUTE_MS,
);

test('a key id is never used for something else; what is finished is not cancelled', async () => {
  const again = await network.ask(1, 'POST', '/v1/keys', { requestId: keyId, parameters: 'base' });
  expect([again.status, as(Accepted, again).state]).toEqual([202, 'succeeded']);
  const other = { requestId: keyId, parameters: 'base', purpose: 'production' };
  expect(await codeOf(network.ask(1, 'POST', '/v1/keys', other))).toBe('409 CEREMONY_EXISTS');
  expect(await codeOf(network.ask(1, 'DELETE', `/v1/ceremonies/${keyId}`))).toBe('409 CEREMONY_FINISHED');
  const list = as(Type.Object({ ceremonies: Type.Array(CeremonyBody) }), await network.ask(3, 'GET', '/v1/ceremonies'));
  expect(list.ceremonies.map(({ kind }) => kind)).toContain('keygen');
});

test(
  'answers survive a restart; a node that was away decrypts again when it is back',
  async () => {
    const body = request([{ type: 'uint64', value: 41n }]);
    await network.ask(3, 'POST', '/v1/public-decryptions', body);
    const before = await decrypted(3, body.requestId);
    await network.stop(3);
    const meanwhile = request([{ type: 'uint64', value: 42n }]);
    await network.ask(1, 'POST', '/v1/public-decryptions', meanwhile);
    expect((await decrypted(1, meanwhile.requestId)).values[0]?.value).toBe('42');
    await network.start(3);
    expect(await decrypted(3, body.requestId)).toEqual(before);
    await network.ready(3);
    const object = Buffer.from(body.ciphertexts[0]!.bytes!, 'base64');
    const forgotten = {
      ...body,
      requestId: newId(),
      ciphertexts: [{ ...body.ciphertexts[0]!, bytes: undefined, digest: sha256Hex(object) }],
    };
    expect(await codeOf(network.ask(3, 'POST', '/v1/public-decryptions', forgotten))).toBe('404 CIPHERTEXT_UNKNOWN');
    const after = request([{ type: 'uint64', value: 43n }]);
    expect((await network.ask(3, 'POST', '/v1/public-decryptions', after)).status).toBe(202);
    expect((await decrypted(3, after.requestId)).values[0]?.value).toBe('43');
  },
  MINUTE_MS,
);

test(
  'signed by the requester: asked at one node, read at all of them until the signature expires',
  async () => {
    const body = request([{ type: 'uint8', value: 200n }]);
    const headersAt = (nowMs: number) => {
      const contentHash = publicContentOf(body, 'demo').hash;
      const signed = signedBy(network.apiKey, nowMs, body);
      return { authorization: encodeAuthorization({ requester: 'demo', contentHash, ...signed }) };
    };
    const [now, old] = [headersAt(Date.now()), headersAt(Date.now() - DAY_MS)];
    expect((await network.ask(1, 'POST', '/v1/public-decryptions', body, now)).status).toBe(202);
    for (const party of [1, 2, 3]) {
      const place = `/v1/public-decryptions/${body.requestId}?wait=30`;
      const { values } = as(DecryptionBody, await network.ask(party, 'GET', place, undefined, now));
      expect(values[0]?.value).toBe('200');
      expect(await codeOf(network.ask(party, 'GET', place, undefined, old))).toBe('401 UNAUTHENTICATED');
    }
    const again = network.ask(2, 'POST', '/v1/public-decryptions', body, old);
    expect(await codeOf(again)).toBe('401 UNAUTHENTICATED');
  },
  MINUTE_MS,
);

test(
  'a node alone can make no request: the others want the signature of a requester they know',
  async () => {
    await network.stop(4);
    const corrupt = await corruptParty(network.nodes[3]!);
    onTestFinished(() => corrupt.stop());
    const body = request([{ type: 'uint8', value: 9n }]);
    const passedOn = (apiKey: string, nowMs: number) => {
      const { expires, signature } = signedBy(apiKey, nowMs, body);
      return { request: body, requester: 'demo', expires, signature: Buffer.from(signature).toString('hex') };
    };
    const forwarded = passedOn(STRANGER, Date.now());
    expect(await corrupt.forward(1, JSON.stringify(forwarded))).toMatch(/^UNAUTHENTICATED: no requester "demo"/);
    const old = JSON.stringify(passedOn(network.apiKey, Date.now() - DAY_MS)); // it saw this one yesterday
    expect(await corrupt.forward(1, old)).toMatch(/^UNAUTHENTICATED: .* expired \d+ s ago/);
    expect(await corrupt.forward(1, JSON.stringify({ ...forwarded, requester: 'nobody' }))).toMatch(/^UNAUTHENTICATED/);
    expect(await corrupt.forward(1, JSON.stringify({ ...forwarded, signature: '00' }))).toMatch(/^BODY_INVALID/);
    expect(await corrupt.forward(1, 'not json')).toMatch(/^BODY_NOT_JSON/);
    const unseen = network.ask(1, 'GET', `/v1/public-decryptions/${body.requestId}`);
    expect(await codeOf(unseen)).toBe('404 REQUEST_UNKNOWN');
  },
  MINUTE_MS,
);
