/** What is published: small, without TFHE and Node's modules, and it works where there are browser globals only. */
import vm from 'node:vm';
import { gzipSync } from 'node:zlib';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { ALL_TYPES } from '../../wire/test/support/committee.ts';
import { bundleOf, ENTRIES, type Entry } from '../build.ts';
import type * as ClientEntry from '../src/client.ts';
import { DAPP_CONTRACT, KEY_ID, startUserNetwork } from './support/user-network.ts';

/** Well below the 100 kB that a decrypt-only page may cost. */
const GZIP_BYTES_MAX = 80_000;

test.each<[string, readonly Entry[]]>([
  ['to decrypt', ['decrypt', 'permit']],
  ['everything', ENTRIES],
])('%s: small, and whole without other modules', async (_, entries) => {
  const files = await bundleOf('esm', entries);
  const bytes = files.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
  expect(bytes).toBeLessThan(GZIP_BYTES_MAX);
  const own = new Set(files.map(({ fileName }) => fileName));
  expect(files.flatMap(({ imports }) => imports).filter((name) => !own.has(name))).toEqual([]);
  const modules = files.flatMap(({ moduleIds }) => moduleIds);
  expect(modules.filter((id) => /wasm|node-tfhe|node:/.test(id))).toEqual([]);
});

/** What pages and workers have; no process, no Buffer, no require. */
function browserGlobals() {
  const { crypto, fetch, TextEncoder, TextDecoder, URL, AbortController, AbortSignal, performance } = globalThis;
  const { setTimeout, clearTimeout, btoa, atob, Response } = globalThis;
  const web = { crypto, fetch, TextEncoder, TextDecoder, URL, AbortController, AbortSignal, performance, Response };
  return { ...web, setTimeout, clearTimeout, btoa, atob };
}

test('CommonJS with browser globals only: a permit, and values from four nodes of which one lies', async () => {
  const [file] = await bundleOf('cjs', ['client']);
  const context = vm.createContext({ ...browserGlobals(), exports: {} });
  vm.runInContext(file!.code, context);
  const { createClient } = context.exports as typeof ClientEntry;
  await using network = await startUserNetwork({ n: 4, t: 1 }, ALL_TYPES, { 2: { lie: 'random shares' } });
  const client = createClient(network.options);
  const account = privateKeyToAccount(generatePrivateKey());
  const permit = await client.createPermit({
    userAddress: account.address,
    contractAddresses: [DAPP_CONTRACT],
    hostChainId: 1,
    durationDays: 1,
    sign: (typed) => account.signTypedData(typed),
  });
  const decryption = client.decryptForUser(permit, { keyId: KEY_ID, ciphertexts: network.ciphertexts });
  const values = await decryption.agreed;
  expect([...values].map(({ value }) => value)).toEqual(ALL_TYPES.map(({ value }) => value));
  const { nodes } = await decryption.finished;
  expect([...nodes].map(({ verdict }) => verdict)).toEqual(['agreed', 'wrong', 'agreed', 'agreed']);
});
