/** The page as it is served: complete, its own, and without a way to run anything else. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SingleNode, singleNode } from './single-node.ts';

let node: SingleNode;
beforeAll(async () => {
  node = await singleNode(afterAll);
});

/** Where a reference of the page leads. */
const place = (reference: string) => new URL(reference, 'http://node/dashboard').pathname;

const isFine = (status: number) => status < 400;

test('the address of a node leads there', async () => {
  const { statusCode, headers } = await node.inject({ url: '/' });
  expect([statusCode, place(String(headers.location))]).toEqual([302, '/dashboard']);
});

test('everything that the page refers to is there, and everything it runs is a file of the node', async () => {
  const page = await node.inject({ url: '/dashboard' });
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  const references = [...page.body.matchAll(/(?:href|src)="(?!data:)([^"]+)"/g)].map(([, reference = '']) => reference);
  const { body: script } = await node.inject({ url: '/dashboard/page.mjs' });
  const imports = [...script.matchAll(/^import .* from '\.\/([^']+)'/gm)].map(([, file = '']) => `dashboard/${file}`);
  const paths = [...references, ...imports].map(place);
  expect(paths).toEqual(expect.arrayContaining(['/dashboard/page.mjs', '/dashboard/view.mjs', '/v1/status', '/docs']));
  for (const url of paths)
    expect([url, (await node.inject({ url })).statusCode]).toEqual([url, expect.toSatisfy(isFine)]);
  expect(page.body).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/);
});

test.for(['/dashboard', '/dashboard/page.css', '/dashboard/page.mjs', '/dashboard/view.mjs'])(
  '%s: no foreign scripts, not in frames of other pages',
  async (url) => {
    const { headers } = await node.inject({ url });
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
      ]),
    );
    expect(headers['x-content-type-options']).toBe('nosniff');
  },
);

test('nothing else of the disk is served beside it', async () => {
  for (const url of ['/dashboard/../rest/server.ts', '/dashboard/page.html', '/dashboard/%2e%2e/rest/server.ts']) {
    expect((await node.inject({ url })).statusCode).toBe(404);
  }
});
