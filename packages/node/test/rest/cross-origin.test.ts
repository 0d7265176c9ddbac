/** What browsers are told: pages of the configured origins may read answers and refusals, others nothing. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SingleNode, singleNode } from './single-node.ts';

const APP = 'https://app.example.org';
let node: SingleNode;
beforeAll(async () => {
  const edit = (toml: string) =>
    toml.replace(/^origins = \[/m, `$& "${APP}",`).replace(/requestsPerMinute = \d+/, 'requestsPerMinute = 1');
  node = await singleNode(afterAll, edit);
});

const preflight = (asked: SingleNode, origin: string) =>
  asked.inject({
    method: 'OPTIONS',
    url: '/v1/public-decryptions',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });

test.each([APP, 'http://localhost:5173', 'http://127.0.0.1:8080', 'http://localhost'])(
  'a page of %s may ask, without showing a key in the preflight',
  async (origin) => {
    const { statusCode, headers } = await preflight(node, origin);
    expect(statusCode).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT',
      'access-control-max-age': '7200',
      vary: 'Origin',
    });
  },
);

test.each(['https://evil.example', 'http://localhost.evil.example:80', 'https://localhost:5173', 'null', `${APP}:444`])(
  'a page of %s learns nothing',
  async (origin) => {
    const answers = [await preflight(node, origin), await node.inject({ url: '/v1/status', headers: { origin } })];
    for (const { headers } of answers) expect(headers).not.toHaveProperty('access-control-allow-origin');
    expect(answers.map(({ headers }) => headers.vary)).toEqual(['Origin', 'Origin']);
  },
);

test('a page reads refusals, and when to come back', async () => {
  const ask = (authorization: string) =>
    node.inject({ url: '/v1/public-decryptions/0', headers: { origin: APP, authorization } });
  const unknown = await ask('Bearer nobody');
  expect(unknown.statusCode).toBe(401);
  expect(unknown.headers['access-control-allow-origin']).toBe(APP);
  const submit = () =>
    node.inject({
      method: 'POST',
      url: '/v1/public-decryptions',
      headers: { origin: APP, authorization: `Bearer ${node.apiKey}` },
      payload: {},
    });
  await submit();
  const limited = await submit();
  expect(limited.statusCode).toBe(429);
  expect(limited.headers).toMatchObject({
    'access-control-allow-origin': APP,
    'access-control-expose-headers': 'retry-after',
    'retry-after': expect.anything(),
  });
});

test('without rest.origins no page may read anything', async () => {
  const closed = await singleNode(afterAll, (toml) => toml.replace(/^origins = .*$/m, ''));
  const { statusCode, headers } = await preflight(closed, APP);
  expect(statusCode).toBe(404);
  expect(headers).not.toHaveProperty('access-control-allow-origin');
});
