/**
 * Two pages in Chromium, against four real nodes. That of packages/client/examples: values are encrypted there by
 * `tfhe` and read back by their user; without TFHE, with a wallet, with a node killed, and from an origin that no node
 * allows. And the dashboard of a node: what it shows when all is well, and when a node is away.
 */
import { appendFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { build, preview } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pageLink } from '../../scripts/network/page-link.ts';
import { freePorts } from '../../scripts/network/ports.ts';
import { temporaryDirectory } from '../../scripts/network/temporary-network.ts';
import { testWith } from '../foreign-software.ts';
import { type RunningNetwork, START_MS, startNetwork } from './running-network.ts';

const PAGE = fileURLToPath(new URL('../../packages/client/examples', import.meta.url));
const STEP_MS = 60_000;
/** All material of the network: filling the pool would make the rounds of the key generation late. */
const BLOCKS = 1_024;
/** Needs all 64 bits. */
const NUMBER = '9999999999999999999';

/** Builds the page and serves it without any special header; resolves to its port. */
async function servePage(cleanup: AsyncDisposableStack): Promise<number> {
  const { path: outDir } = cleanup.use(await temporaryDirectory());
  const shared = { root: PAGE, logLevel: 'error' } as const;
  await build({ ...shared, build: { outDir, chunkSizeWarningLimit: 1_000 } });
  const port = await freePorts(1);
  const server = await preview({
    ...shared,
    build: { outDir },
    preview: { host: '127.0.0.1', port, strictPort: true },
  });
  cleanup.defer(() => server.close());
  return port;
}

/** All requests of a page, and what it may tell about the API key. */
interface Watched {
  readonly urls: string[];
  readonly authorizations: Set<string>;
}

function watch(page: Page): Watched {
  const watched: Watched = { urls: [], authorizations: new Set() };
  page.on('request', (request) => {
    watched.urls.push(request.url());
    const { authorization } = request.headers();
    if (authorization !== undefined) watched.authorizations.add(authorization);
  });
  return watched;
}

const ofTfhe = ({ urls }: Watched) => urls.filter((url) => /tfhe|wasm|workerHelpers/i.test(url));

function inBrowser(executablePath: string): void {
  const cleanup = new AsyncDisposableStack();
  let running: RunningNetwork;
  let context: BrowserContext;
  let port: number;
  let page: Page;
  let watched: Watched;

  const link = (host: string) => pageLink(`http://${host}:${port}`, running.network, running.key.requestId);

  beforeAll(async () => {
    running = cleanup.use(
      await startNetwork({
        ...{ blocks: BLOCKS, parameters: 'test' },
        async configure({ nodes }) {
          for (const { config } of nodes) await appendFile(config, `\n[pool]\ntarget = ${BLOCKS}\nbatch = ${BLOCKS}\n`);
        },
      }),
    );
    port = await servePage(cleanup);
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] }); // CI runs as root
    cleanup.defer(() => browser.close());
    context = await browser.newContext({ viewport: { width: 720, height: 900 } });
    context.setDefaultTimeout(STEP_MS);
    page = await context.newPage();
    watched = watch(page);
  }, START_MS);
  afterAll(() => cleanup.disposeAsync());

  async function read(from: Page): Promise<string[]> {
    await from.fill('#api-key', running.network.apiKey);
    await from.click('#read button');
    await from.locator('#values b').nth(1).waitFor();
    return from.locator('#values b').allTextContents();
  }

  test('a number and a flag go there and back; TFHE is loaded to encrypt, the API key stays in the page', async () => {
    await page.goto(link('localhost'));
    await page.locator('#nodes li').nth(3).waitFor();
    expect(ofTfhe(watched)).toEqual([]);
    await page.fill('#number', NUMBER);
    await page.click('#encrypt button');
    await page.locator('#ciphertext', { hasText: ' kB' }).waitFor();
    expect(ofTfhe(watched)).toContainEqual(expect.stringMatching(/\.wasm$/));
    expect(await read(page)).toEqual([NUMBER, 'true']);
    await page.locator('#nodes [data-verdict=agreed]').nth(3).waitFor();
    const shown = [...watched.authorizations];
    expect(shown).toEqual([expect.stringMatching(/^Keyquorum requester="demo", content=/)]);
    expect(JSON.stringify([shown, watched.urls])).not.toContain(running.network.apiKey);
  });

  test('neither SharedArrayBuffer nor the headers for it are needed', async () => {
    const response = await page.request.get(page.url());
    expect(Object.keys(response.headers()).filter((name) => name.startsWith('cross-origin-'))).toEqual([]);
    const isolation = () => [crossOriginIsolated, typeof SharedArrayBuffer];
    expect(await page.evaluate(isolation)).toEqual([false, 'undefined']);
  });

  test('a page that only reads loads no TFHE', async () => {
    await page.reload();
    watched.urls.length = 0;
    expect(await read(page)).toEqual([NUMBER, 'true']);
    expect([watched.urls.length > 0, ofTfhe(watched)]).toEqual([true, []]);
  });

  test('the wallet of the browser signs when there is one', async () => {
    const account = privateKeyToAccount(generatePrivateKey());
    const asked: string[] = [];
    await page.exposeFunction('askWallet', async ({ method, params }: { method: string; params?: string[] }) => {
      asked.push(method);
      if (method === 'eth_chainId') return '0x1';
      if (method === 'eth_requestAccounts') return [account.address];
      return account.signTypedData(JSON.parse(params![1]!));
    });
    await page.addInitScript(
      'window.ethereum = { request: (asked) => askWallet(asked), on() {}, removeListener() {} }',
    );
    await page.reload();
    expect(await read(page)).toEqual([NUMBER, 'true']);
    expect(asked).toEqual(['eth_requestAccounts', 'eth_chainId', 'eth_signTypedData_v4']);
  });

  test('a page of an origin that no node allows is told so, and learns nothing', async () => {
    const other = await context.newPage();
    await other.goto(link('evil.localhost'));
    await other.locator('#problem', { hasText: 'rest.origins' }).waitFor();
    expect(await other.locator('#problem').textContent()).toContain(`http://evil.localhost:${port}`);
    const { rest } = running.network.nodes[0]!;
    const status = (url: string) => fetch(`${url}/v1/status`).then(String, String);
    expect(await other.evaluate(status, rest)).toBe('TypeError: Failed to fetch');
    await other.close();
  });

  test('a node that is killed is not missed; the dashboards of the others say that it is away', async () => {
    const dashboard = await context.newPage();
    const complaints: string[] = [];
    dashboard.on('console', (message) => complaints.push(message.text()));
    dashboard.on('pageerror', (error) => complaints.push(error.message));
    await dashboard.goto(running.network.nodes[1]!.rest);
    await dashboard.locator('#state', { hasText: /^ready$/ }).waitFor();
    await dashboard.locator('#concerns', { hasText: /^nothing$/ }).waitFor();
    await dashboard.locator('#keys', { hasText: `${running.key.requestId}key, test, development` }).waitFor();
    await dashboard.locator('#ceremonies', { hasText: `key ${running.key.requestId.slice(0, 8)}succeeded` }).waitFor();
    await running.network.kill(4);
    await dashboard.locator('#concerns', { hasText: /^no link to party 4/ }).waitFor();
    await dashboard.locator('#peers tr', { hasText: 'party 4down' }).waitFor();
    expect(complaints).toEqual([]);
    await dashboard.close();
    expect(await read(page)).toEqual([NUMBER, 'true']);
    for (const party of [1, 2, 3]) await page.locator('[data-verdict=agreed]', { hasText: `node ${party}` }).waitFor();
    expect(await page.locator('#nodes li', { hasText: 'node 4' }).getAttribute('data-verdict')).not.toBe('agreed');
  });
}

testWith({ name: 'chromium', install: 'install Chromium (apt-get install chromium)' }, inBrowser);
