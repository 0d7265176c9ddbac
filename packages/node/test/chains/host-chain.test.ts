/** What a node believes of a chain: its final block, when its endpoints agree, whatever else they send. */
import fc from 'fast-check';
import { type Hex, keccak256, toHex } from 'viem';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Chain as DevelopmentChain, startChain } from '../../../../test/conformance/anvil.ts';
import { type ContractCall, createHostChains } from '../../src/chains/host-chain.ts';
import type { Chain } from '../../src/config/schema.ts';
import { type Answering, changing, startRpc } from './rpc-server.ts';
import { CREDULOUS, UNWILLING } from './wallets.ts';

const YES: Hex = `0x1626ba7e${'0'.repeat(56)}`;
const CALL = { to: `0x${'c0'.repeat(20)}`, data: '0x1626ba7e' } as const;
/** Endpoints of these tests that answer at all need a few milliseconds. */
const TIMEOUT_MS = 800;

let anvil: DevelopmentChain;
let id: number;
beforeAll(async () => {
  anvil = await startChain();
  id = await anvil.client.getChainId();
  await anvil.client.setCode({ address: CALL.to, bytecode: CREDULOUS });
  await anvil.client.mine({ blocks: 1 });
});
afterAll(() => anvil?.[Symbol.asyncDispose]());

/** Reads one call, or several, through these endpoints. */
function read(rpc: readonly string[], settings: Partial<Chain> = {}, calls: ContractCall[] = [CALL], now = Date.now) {
  const chain: Chain = {
    ...{ id, rpc: [...rpc], finality: 'latest' as const, timeoutMs: TIMEOUT_MS, staleSeconds: 3_600 },
    ...settings,
  };
  const view = createHostChains([chain], { now, warn: () => undefined }).view(BigInt(chain.id))!;
  return view.read(calls);
}

const endpoint = (answering: Answering) => startRpc(onTestFinished, anvil.url, answering);
const code = (value: string, message = /^/) =>
  expect.objectContaining({ code: value, message: expect.stringMatching(message) });

test('a chain that is not configured is not there', () => {
  expect(createHostChains([], { now: Date.now, warn: () => undefined }).view(1n)).toBeUndefined();
});

describe('which block counts', () => {
  const account = (name: string) => `0x${keccak256(toHex(name)).slice(26)}` as const;
  const say = async (name: string): Promise<ContractCall[]> => {
    await anvil.client.mine({ blocks: 1 });
    await anvil.client.setCode({ address: account(name), bytecode: CREDULOUS }); // in the newest block
    return [{ to: account(name), data: CALL.data }];
  };

  test('the newest', async () => {
    expect(await read([anvil.url], {}, await say('newest'))).toEqual([YES]);
  });

  test('the one that is deep enough', async () => {
    const calls = await say('deep');
    await anvil.client.mine({ blocks: 2 });
    expect(await read([anvil.url], { finality: 3 }, calls)).toEqual(['0x']);
    await anvil.client.mine({ blocks: 1 });
    expect(await read([anvil.url], { finality: 3 }, calls)).toEqual([YES]);
    await expect(read([anvil.url], { finality: 100_000 }, calls)).rejects.toEqual(code('CHAIN_UNAVAILABLE', /fewer/));
  });

  test('the last one that the chain calls final', async () => {
    const calls = await say('final');
    expect(await read([anvil.url], { finality: 'finalized' }, calls)).toEqual(['0x']);
    await anvil.client.mine({ blocks: 64 });
    expect(await read([anvil.url], { finality: 'finalized' }, calls)).toEqual([YES]);
  });

  test('the same for all questions of a request', async () => {
    const [asked] = await say('first');
    const chain = { id, rpc: [anvil.url], finality: 'latest' as const, timeoutMs: TIMEOUT_MS, staleSeconds: 3_600 };
    const view = createHostChains([chain], { now: Date.now, warn: () => undefined }).view(BigInt(id))!;
    expect(await view.read([asked!])).toEqual([YES]);
    const later = await say('second');
    expect(await view.read(later)).toEqual(['0x']);
  });

  test('none that is old', async () => {
    const later = () => Date.now() + 2 * 3_600_000;
    await expect(read([anvil.url], {}, [CALL], later)).rejects.toEqual(code('CHAIN_STALE', /72\d\d s old/));
  });

  test('none of another chain', async () => {
    await expect(read([anvil.url], { id: 1 })).rejects.toEqual(code('CHAIN_UNAVAILABLE', /is of chain 31337, not 1/));
  });
});

test.each(Object.entries(UNWILLING))('a contract that %s does not say yes', async (name, bytecode) => {
  const address: Hex = `0x${keccak256(toHex(name)).slice(26)}`;
  await anvil.client.setCode({ address, bytecode });
  await anvil.client.mine({ blocks: 1 });
  expect(await read([anvil.url], {}, [{ to: address, data: CALL.data }, CALL])).not.toEqual([YES, YES]);
});

/** Ways of an endpoint to give no answer, and what is told about it. */
const USELESS: Readonly<Record<string, readonly [Answering, RegExp]>> = {
  'answers under other ids': [async (_, chain) => (await chain()).map((each) => ({ ...each, id: 7 })), /other calls/],
  'exchanges ids for texts': [
    async (_, chain) => (await chain()).map((each) => ({ ...each, id: `${each.id}` })),
    /batch/,
  ],
  'answers twice': [async (_, chain) => [...(await chain()), ...(await chain())], /batch/],
  'answers half': [async (_, chain) => (await chain()).slice(1), /batch/],
  'answers no JSON': [(_, __, response) => void response.end('<html>'), /no JSON$/],
  'answers an object': [() => ({ jsonrpc: '2.0', id: 0, result: '0x1' }), /batch/],
  'refuses with 429': [(_, __, response) => void response.writeHead(429).end(), /status 429/],
  'never answers': [() => undefined, /in time/],
  'hangs up': [(_, __, response) => void response.destroy(), /cannot be reached/],
  'sends us elsewhere': [
    (_, __, response) => void response.writeHead(307, { location: anvil.url }).end(),
    /cannot be reached/,
  ],
  'answers without end': [
    (_, __, response) => {
      const more = () => void (response.writable && response.write(' '.repeat(2 ** 16), () => setImmediate(more)));
      more();
    },
    /more than \d+ bytes|in time/,
  ],
  'begins an answer and stops': [(_, __, response) => void response.write('[{"id":0,'), /in time/],
  'refuses every call': [
    (calls) => calls.map(({ id: call }) => ({ id: call, error: { code: -32_005, message: 'limit exceeded' } })),
    /refuses: limit exceeded/,
  ],
  'knows no block': [changing('eth_getBlockByNumber', () => null), /no such block/],
  'knows no number': [changing('eth_blockNumber', () => 'latest'), /than a number/],
  'gives a block another hash': [
    changing('eth_getBlockByNumber', () => ({ hash: '0x', timestamp: '0x1' })),
    /than a block/,
  ],
  'calls contracts in vain': [changing('eth_call', () => 1), /than bytes/],
  'sends half a byte': [changing('eth_call', () => '0x1'), /than bytes/],
};

describe.each(Object.entries(USELESS))('an endpoint that %s', (_name, [answering, problem]) => {
  test('is of no use, and its URL, which may hold a key, is not told', async () => {
    const url = await endpoint(answering);
    const failed = await read([`${url}/v2/provider-key`]).catch((error: unknown) => error);
    expect(failed).toEqual(code('CHAIN_UNAVAILABLE', problem));
    expect(String(failed)).not.toMatch(/provider-key|127\.0\.0\.1/);
  });

  test('is outvoted by two others, or by the one that must answer', async () => {
    const url = await endpoint(answering);
    await Promise.all([
      expect(read([url, anvil.url], { quorum: 1 })).resolves.toEqual([YES]),
      expect(read([anvil.url, url, anvil.url])).resolves.toEqual([YES]),
      expect(read([url, anvil.url])).rejects.toEqual(code('CHAIN_UNAVAILABLE', problem)),
    ]);
  });
});

describe('endpoints that say different things', () => {
  test.each<[string, Answering, RegExp]>([
    ['about a contract', changing('eth_call', () => `0x${'0'.repeat(64)}`), /what a contract answers/],
    ['about whether it fails', changing('eth_call', () => `0x${'0'.repeat(64)}${'00'.repeat(2_000)}`), /contract/],
    [
      'about a block',
      changing('eth_getBlockByNumber', (block) => ({ ...(block as object), hash: `0x${'11'.repeat(32)}` })),
      /block \d+/,
    ],
    [
      'about its time',
      changing('eth_getBlockByNumber', (block) => ({ ...(block as object), timestamp: '0x1' })),
      /block \d+/,
    ],
  ])('%s: nothing is decided', async (_name, answering, what) => {
    const url = await endpoint(answering);
    await expect(read([anvil.url, url])).rejects.toEqual(code('CHAIN_DISAGREES', what));
    await expect(read([anvil.url, anvil.url, url], { quorum: 1 })).rejects.toEqual(code('CHAIN_DISAGREES', what));
  });

  test('one that lags behind holds the others back, and agrees', async () => {
    const url = await endpoint(
      changing('eth_blockNumber', (number) => `0x${(BigInt(number as string) - 1n).toString(16)}`),
    );
    expect(await read([anvil.url, url])).toEqual([YES]);
  });
});

test('whatever an endpoint sends, the answer is a refusal with a code', async () => {
  let sent: unknown;
  const url = await startRpc(onTestFinished, anvil.url, (calls) => {
    return Array.isArray(sent) && sent[0] === 'ids'
      ? calls.map(({ id: call }) => ({ id: call, result: sent }))
      : (sent ?? 0);
  });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.jsonValue(),
        fc.array(fc.jsonValue()).map((values) => ['ids', ...values]),
      ),
      async (value) => {
        sent = value;
        await expect(read([url])).rejects.toEqual(code('CHAIN_UNAVAILABLE'));
      },
    ),
    { numRuns: 60 },
  );
});
