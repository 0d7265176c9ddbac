import { sha256Hex } from '@keyquorum/mpc/bytes';
import { encodeEvidenceFile } from '@keyquorum/protocols/evidence/file';
import { authorizationMessage, encodeAuthorization, requesterSeed } from '@keyquorum/wire/authorization';
import { ciphertextRequestHash } from '@keyquorum/wire/request-hash';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  accuseOfBroken,
  accuseOfTwo,
  createCommittee,
  makeBatch,
  makeEpoch,
} from '../../../protocols/test/support/made-evidence.ts';
import { createSigner } from '../../src/ed25519.ts';
import { ERRORS } from '../../src/errors/catalogue.ts';
import { publicContentOf } from '../../src/requests/content.ts';
import { parseRange } from '../../src/rest/material-routes.ts';
import { type SingleNode, singleNode } from './single-node.ts';

let node: SingleNode;
beforeAll(async () => {
  node = await singleNode(afterAll);
});

const id = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);
const decryption = () => ({
  requestId: id(1),
  keyId: id(2),
  ciphertexts: [{ handle: id(3), format: 'compact-list' as const, bytes: 'AAAA' }],
});

/** The header of the demo requester for this content, which expires in so many seconds. */
function signed(contentHash: Uint8Array, seconds: number): string {
  const expires = Math.floor(Date.now() / 1_000) + seconds;
  const signature = createSigner(requesterSeed(node.apiKey)).sign(authorizationMessage(contentHash, expires));
  return encodeAuthorization({ requester: 'demo', contentHash, expires, signature });
}

async function refusal(answer: ReturnType<SingleNode['ask']>) {
  const { statusCode, body } = await answer;
  const { error } = JSON.parse(body);
  expect(error).toMatchObject({ code: expect.any(String), message: expect.any(String), parties: expect.any(Array) });
  expect(ERRORS).toHaveProperty(error.code);
  expect(error.hint).not.toBe('');
  return { statusCode, code: error.code, message: error.message, requestId: error.requestId, parties: error.parties };
}

describe('open to everybody', () => {
  test('alive, but not ready without peers', async () => {
    expect((await node.inject({ url: '/health/live' })).statusCode).toBe(200);
    expect(await refusal(node.inject({ url: '/health/ready' }))).toMatchObject({
      statusCode: 503,
      code: 'NOT_READY',
      parties: [2, 3, 4],
    });
  });

  test('status tells who this is and who is missing', async () => {
    const status = (await node.inject({ url: '/v1/status' })).json();
    expect(status).toMatchObject({ party: 1, parties: 4, threshold: 1, epoch: 0, ready: false, faults: false });
    expect(status.eip712).toEqual({ gatewayChainId: 654321, decryptionContract: `0x${'44'.repeat(20)}` });
    expect(status.signer).toMatch(/^0x[0-9a-fA-F]{40}$/);
    expect(status.peers.map(({ party, up }: { party: number; up: boolean }) => [party, up])).toEqual([
      [2, false],
      [3, false],
      [4, false],
    ]);
  });

  test('metrics', async () => {
    const { body, headers } = await node.inject({ url: '/metrics' });
    expect(headers['content-type']).toMatch(/^text\/plain/);
    for (const name of ['pool_available_blocks', 'peer_up{peer="2"} 0', 'ceremonies{', 'http_request_seconds']) {
      expect(body).toContain(`keyquorum_${name}`);
    }
  });

  test('documents of the API', async () => {
    const document = (await node.inject({ url: '/openapi.json' })).json();
    expect(document.openapi).toBe('3.1.0');
    await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot('../../../../docs/openapi.json');
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, { operationId: string }>).map(
        ([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`,
      ),
    );
    expect(operations).toMatchInlineSnapshot(`
      [
        "GET /health/live getLive",
        "GET /health/ready getReady",
        "GET /v1/status getStatus",
        "GET /metrics getMetrics",
        "POST /v1/keys generateKey",
        "GET /v1/keys listKeys",
        "GET /v1/keys/{id} getKey",
        "POST /v1/crs generateCrs",
        "GET /v1/crs listCrs",
        "GET /v1/crs/{id} getCrs",
        "GET /v1/crs/{id}/transcript getCrsTranscript",
        "PUT /v1/ciphertexts/{digest} handOverCiphertext",
        "POST /v1/public-decryptions decryptPublicly",
        "GET /v1/public-decryptions/{id} getPublicDecryption",
        "POST /v1/user-decryptions decryptForUser",
        "GET /v1/user-decryptions/{id} getUserDecryption",
        "POST /v1/explain explain",
        "GET /v1/material/{id} getMaterial",
        "GET /v1/ceremonies listCeremonies",
        "GET /v1/ceremonies/{id}/events watchCeremony",
        "DELETE /v1/ceremonies/{id} cancelCeremony",
        "GET /v1/evidence listEvidence",
        "GET /v1/evidence/{id} getEvidence",
      ]
    `);
    expect((await node.inject({ url: '/docs/' })).statusCode).toBe(200);
  });
});

describe('who may do what', () => {
  test.each([
    undefined,
    'Bearer ',
    'Bearer wrong-key-wrong-key-wrong-key-wrong-key',
    'Basic abc',
    `Bearer ${'x'.repeat(600)}`,
    `Keyquorum requester="demo", content="${'00'.repeat(32)}", expires="1", signature="${'00'.repeat(64)}"`,
  ])('authorization "%s" is refused before the body is read', async (authorization) => {
    const headers = { ...(authorization !== undefined && { authorization }), 'content-type': 'application/json' };
    for (const url of ['/v1/public-decryptions', '/v1/keys']) {
      const answer = node.inject({ method: 'POST', url, headers, payload: '{"broken' });
      expect(await refusal(answer)).toMatchObject({ statusCode: 401, code: 'UNAUTHENTICATED' });
    }
  });

  test.each([
    [-60, /expired \d+ s ago: sign the request again/],
    [3 * 86_400, /expires in \d+ s, more than 172800 s ahead/],
  ])('a signature that expires in %d s allows nothing of what it is for', async (seconds, message) => {
    const body = decryption();
    const { hash } = publicContentOf(body, 'demo');
    const calls = [
      { method: 'POST', url: '/v1/public-decryptions', payload: body, code: 'KEY_UNKNOWN' },
      { method: 'GET', url: `/v1/public-decryptions/${body.requestId}`, code: 'REQUEST_UNKNOWN' },
      { method: 'GET', url: `/v1/user-decryptions/${body.requestId}`, code: 'REQUEST_UNKNOWN' },
      { method: 'POST', url: '/v1/explain', payload: { kind: 'public-decryption', request: body }, code: undefined },
    ] as const;
    for (const { code, ...call } of calls) {
      const timely = await node.inject({ ...call, headers: { authorization: signed(hash, 60) } });
      expect(timely.json().error?.code).toBe(code);
      const untimely = node.inject({ ...call, headers: { authorization: signed(hash, seconds) } });
      const refused = await refusal(untimely);
      expect(refused).toMatchObject({ statusCode: 401, code: 'UNAUTHENTICATED' });
      expect(refused.message).toMatch(message);
    }
  });

  test('a requester that is no operator starts no ceremonies', async () => {
    const plain = await singleNode(afterAll, (toml) => toml.replace('operator = true', ''));
    const body = { requestId: id(1), parameters: 'default' };
    expect(await refusal(plain.ask('POST', '/v1/keys', body))).toMatchObject({ statusCode: 403, code: 'FORBIDDEN' });
    expect(await refusal(plain.ask('DELETE', `/v1/ceremonies/${id(1)}`))).toMatchObject({ code: 'FORBIDDEN' });
  });

  test('beyond the rate limit: 429 and when to come back', async () => {
    const slow = await singleNode(afterAll, (toml) => toml.replace(/requestsPerMinute = \d+/, 'requestsPerMinute = 2'));
    for (const code of ['KEY_UNKNOWN', 'KEY_UNKNOWN', 'RATE_LIMITED']) {
      expect(await refusal(slow.ask('POST', '/v1/public-decryptions', decryption()))).toMatchObject({ code });
    }
    const limited = await slow.ask('POST', '/v1/public-decryptions', decryption());
    expect(limited.statusCode).toBe(429);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('the policy of a node decides about keys', async () => {
    const body = { requestId: id(1), parameters: 'default', purpose: 'production' };
    expect(await refusal(node.ask('POST', '/v1/keys', body))).toMatchObject({
      statusCode: 403,
      code: 'KEYGEN_REFUSED',
    });
    const strict = await singleNode(afterAll, (toml) => toml.replace(/defaultPurpose = .*/, ''));
    const unsaid = strict.ask('POST', '/v1/keys', { requestId: id(1), parameters: 'default' });
    expect(await refusal(unsaid)).toMatchObject({ statusCode: 400, code: 'KEY_PURPOSE_REQUIRED' });
  });
});

describe('ciphertexts that are handed over', () => {
  const bytes = Buffer.alloc(100_000, 7);
  const put = (change: { digest?: string; headers?: object; payload?: Buffer } = {}, at = node) => {
    const { digest = sha256Hex(bytes), headers, payload = bytes } = change;
    const authorization = `Bearer ${at.apiKey}`;
    return at.inject({
      ...{ method: 'PUT', url: `/v1/ciphertexts/${digest}`, payload },
      headers: { authorization, 'content-type': 'application/octet-stream', ...headers },
    });
  };
  const signedFor = (digest: string, seconds = 60) => {
    return { authorization: signed(ciphertextRequestHash('demo', Buffer.from(digest, 'hex')), seconds) };
  };

  test('by key and by signature, as often as one likes; held once', async () => {
    expect((await put()).statusCode).toBe(204);
    expect((await put({ headers: signedFor(sha256Hex(bytes)) })).statusCode).toBe(204);
    const metrics = (await node.inject({ url: '/metrics' })).body;
    expect(metrics).toContain('keyquorum_ciphertexts_held 1\n');
  });

  test.each<[string, Parameters<typeof put>[0], number, string]>([
    ['other bytes', { payload: Buffer.alloc(100_000, 8) }, 422, 'CIPHERTEXT_DIGEST'],
    ['no bytes', { payload: Buffer.alloc(0) }, 422, 'CIPHERTEXT_DIGEST'],
    ['no digest', { digest: 'ab' }, 400, 'PARAMETER_INVALID'],
    ['an unknown caller', { headers: { authorization: `Bearer ${'x'.repeat(40)}` } }, 401, 'UNAUTHENTICATED'],
    ['JSON', { headers: { 'content-type': 'application/json' } }, 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['a length that nobody has', { headers: { 'content-length': `${2 ** 40}` } }, 413, 'UPLOAD_TOO_LARGE'],
    ['no length', { headers: { 'content-length': 'many' } }, 400, 'REQUEST_INVALID'],
  ])('refused: %s', async (_, change, statusCode, code) => {
    expect(await refusal(put(change))).toMatchObject({ statusCode, code });
  });

  test('refused: a signature for another digest', async () => {
    const code = 'UNAUTHENTICATED';
    expect(await refusal(put({ headers: signedFor(id(9)) }))).toMatchObject({ statusCode: 401, code });
  });

  test('refused: a signature that has expired, however often it was good', async () => {
    const digest = sha256Hex(bytes);
    expect((await put({ headers: signedFor(digest) })).statusCode).toBe(204);
    const code = 'UNAUTHENTICATED';
    expect(await refusal(put({ headers: signedFor(digest, -1) }))).toMatchObject({ statusCode: 401, code });
  });

  test('any bytes under any digest: kept if they are its own, else refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 99 }), fc.uint8Array({ maxLength: 99 }), async (one, other) => {
        const answer = await put({ digest: sha256Hex(one), payload: Buffer.from(other) });
        expect(answer.statusCode).toBe(Buffer.compare(one, other) === 0 ? 204 : 422);
      }),
      { numRuns: 20 },
    );
  });

  test('other calls still take JSON only', async () => {
    const headers = { authorization: `Bearer ${node.apiKey}`, 'content-type': 'application/octet-stream' };
    const answer = node.inject({ method: 'POST', url: '/v1/public-decryptions', headers, payload: bytes });
    expect(await refusal(answer)).toMatchObject({ statusCode: 415, code: 'MEDIA_TYPE_UNSUPPORTED' });
  });
});

describe('malformed requests', () => {
  const bodies: [string, object, RegExp][] = [
    ['unknown field', { ...decryption(), extra: 1 }, /extra: unknown field/],
    [
      'unknown field inside',
      { ...decryption(), ciphertexts: [{ ...decryption().ciphertexts[0], uri: 'x' }] },
      /0\.uri/,
    ],
    ['missing field', { ...decryption(), keyId: undefined }, /keyId: missing/],
    [
      'a number that is text',
      { ...decryption(), ciphertexts: [{ ...decryption().ciphertexts[0], slot: '0' }] },
      /slot/,
    ],
    ['upper-case hex', { ...decryption(), requestId: id(0xab).toUpperCase() }, /requestId/],
    ['no ciphertexts', { ...decryption(), ciphertexts: [] }, /ciphertexts/],
    [
      'an unknown format',
      { ...decryption(), ciphertexts: [{ ...decryption().ciphertexts[0], format: 'x' }] },
      /format/,
    ],
    ['not base64', { ...decryption(), ciphertexts: [{ ...decryption().ciphertexts[0], bytes: 'AA*A' }] }, /not base64/],
  ];
  test.each(bodies)('%s', async (_name, body, message) => {
    const answer = await refusal(node.ask('POST', '/v1/public-decryptions', body));
    expect(answer).toMatchObject({ statusCode: 400, code: 'BODY_INVALID' });
    expect(answer.message).toMatch(message);
  });

  test('not JSON, the wrong media type, too large, no such route, bad path and query', async () => {
    const headers = { authorization: `Bearer ${node.apiKey}`, 'content-type': 'application/json' };
    const post = (payload: string, type = 'application/json') =>
      node.inject({ method: 'POST', url: '/v1/keys', headers: { ...headers, 'content-type': type }, payload });
    expect(await refusal(post('{"a":'))).toMatchObject({ statusCode: 400, code: 'BODY_NOT_JSON' });
    expect(await refusal(post('{"__proto__":{"a":1}}'))).toMatchObject({ statusCode: 400 });
    expect(await refusal(post(''))).toMatchObject({ statusCode: 400, code: 'BODY_NOT_JSON' });
    expect(await refusal(post('a=1', 'text/plain'))).toMatchObject({ statusCode: 415, code: 'MEDIA_TYPE_UNSUPPORTED' });
    expect(await refusal(post(`"${'x'.repeat(20_000)}"`))).toMatchObject({ statusCode: 413, code: 'BODY_TOO_LARGE' });
    expect(await refusal(node.ask('GET', '/v1/nothing'))).toMatchObject({ statusCode: 404, code: 'ROUTE_UNKNOWN' });
    expect(await refusal(node.ask('GET', '/v1/keys/xyz'))).toMatchObject({
      statusCode: 400,
      code: 'PARAMETER_INVALID',
    });
    const wait = node.ask('GET', `/v1/keys/${id(1)}?wait=9999`);
    expect(await refusal(wait)).toMatchObject({ statusCode: 400, code: 'PARAMETER_INVALID' });
    const unknown = node.ask('GET', `/v1/keys/${id(1)}?what=1`);
    expect(await refusal(unknown)).toMatchObject({ statusCode: 400, code: 'PARAMETER_INVALID' });
  });

  test('the id the caller chose is in the refusal', async () => {
    const answer = await refusal(node.ask('POST', '/v1/public-decryptions', decryption()));
    expect(answer).toMatchObject({ statusCode: 404, code: 'KEY_UNKNOWN', requestId: id(1) });
  });
});

test('a dry run shows every check, and what the node lacks; nothing is remembered', async () => {
  const request = { ...decryption(), app: 'games' };
  const answer = await node.ask('POST', '/v1/explain', { kind: 'public-decryption', request });
  expect(answer.statusCode).toBe(200);
  const { allowed, checks, node: state } = answer.json();
  expect(allowed).toBe(false);
  expect(state).toMatchObject({ ready: false, reason: expect.stringContaining('peers'), peersDown: [2, 3, 4] });
  expect(checks).toMatchObject([
    { check: 'requestId', passed: true },
    { check: 'application', passed: false, code: 'FORBIDDEN', hint: expect.stringMatching(/operator/) },
    { check: 'extraData', passed: true },
    { check: 'key', passed: false, code: 'KEY_UNKNOWN' },
    { check: 'size', passed: true },
    { check: 'ciphertexts.0', passed: null },
    { check: 'quota', passed: null },
    { check: 'provenance.0', passed: null },
    { check: 'handles.0', passed: null },
    { check: 'running', passed: true },
    { check: 'pool', passed: null },
  ]);
  const asked = node.ask('GET', `/v1/public-decryptions/${request.requestId}`);
  expect(await refusal(asked)).toMatchObject({ code: 'REQUEST_UNKNOWN' });
});

test('what is not there', async () => {
  const cases: [string, string][] = [
    [`/v1/keys/${id(9)}`, 'KEY_UNKNOWN'],
    [`/v1/public-decryptions/${id(9)}`, 'REQUEST_UNKNOWN'],
    [`/v1/material/${id(9)}`, 'MATERIAL_UNKNOWN'],
    [`/v1/ceremonies/${id(9)}/events`, 'CEREMONY_UNKNOWN'],
    [`/v1/evidence/${id(9)}`, 'EVIDENCE_UNKNOWN'],
  ];
  for (const [url, code] of cases) {
    expect(await refusal(node.ask('GET', url))).toMatchObject({ statusCode: 404, code });
  }
  expect(await refusal(node.ask('DELETE', `/v1/ceremonies/${id(9)}`))).toMatchObject({ code: 'CEREMONY_UNKNOWN' });
  expect((await node.ask('GET', '/v1/keys')).json()).toEqual({ keys: [] });
  expect((await node.ask('GET', '/v1/evidence')).json()).toEqual({ evidence: [] });
});

test('evidence is listed, and served byte for byte to everybody', async () => {
  const keeper = await singleNode(onTestFinished);
  const { sign } = createCommittee(4, 1); // whether a file is true is not for the node that keeps it to say
  const committee = { roster: keeper.roster, sign };
  const epoch = makeEpoch(committee, (body) => body);
  const twice = encodeEvidenceFile(accuseOfTwo(committee, makeBatch(committee), { party: 3, step: 'share' }));
  const broken = encodeEvidenceFile(accuseOfBroken(committee, epoch, 2));
  for (const file of [twice, broken]) await keeper.publics.put(`evidence/${sha256Hex(file)}`, file);
  const { evidence } = (await keeper.inject({ url: '/v1/evidence' })).json();
  const listed = (file: Uint8Array) => expect.objectContaining({ id: sha256Hex(file), size: file.length });
  expect(evidence).toEqual(expect.arrayContaining([listed(twice), listed(broken)]));
  expect(
    evidence.toSorted((left: { party: number }, right: { party: number }) => left.party - right.party),
  ).toMatchObject([
    { party: 2, kind: 'broken-init', ceremony: 'epoch', ceremonyId: 'cd'.repeat(32), step: 'prss-init' },
    { party: 3, kind: 'double-signature', ceremony: 'preprocessing', step: 'share' },
  ]);
  for (const file of [twice, broken]) {
    const answer = await keeper.inject({ url: `/v1/evidence/${sha256Hex(file)}` });
    expect(answer.headers).toMatchObject({ 'content-type': 'application/octet-stream' });
    expect(answer.rawPayload.equals(file)).toBe(true);
  }
});

test('the log holds no API key', () => {
  expect(node.logged.length).toBeGreaterThan(10);
  expect(node.logged.join('')).not.toContain(node.apiKey.slice(3, 20));
});

test.each([
  [undefined, undefined],
  ['bytes=0-', { start: 0, end: 99 }],
  ['bytes=10-19', { start: 10, end: 19 }],
  ['bytes=90-500', { start: 90, end: 99 }],
  ['bytes=-10', { start: 90, end: 99 }],
  ['bytes=-500', { start: 0, end: 99 }],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-4', undefined],
  ['bytes=0-1,5-6', undefined],
  ['lines=0-1', undefined],
  ['bytes=-', undefined],
])('range %s of 100 bytes', (header, range) => {
  expect(parseRange(header, 100)).toEqual(range);
});
