/**
 * The package as strangers get it, from `npm pack`: a strict TypeScript project compiles against it, Node loads it both
 * ways, Vite and webpack build pages with it, and a page that only decrypts stays small and loads no TFHE.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build as vite } from 'vite';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import webpack from 'webpack';
import { buildPackage, ENTRIES } from '../build.ts';

/** Compilers and bundlers, on a busy machine; 15 s in all on a quiet one. */
const BUSY_MS = 120_000;
vi.setConfig({ testTimeout: BUSY_MS, hookTimeout: BUSY_MS });
const GZIP_BYTES_MAX = 100_000;
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const run = promisify(execFile);

/** Programs that are compiled. */
const PROGRAMS = {
  'decrypts.mts': `
    import { decryptForUser, type UserDecryption } from '@keyquorum/client/decrypt';
    import { createPermit, type Permit } from '@keyquorum/client/permit';
    export const both: readonly unknown[] = [decryptForUser, createPermit];
    export type Both = [UserDecryption, Permit];
  `,
  'encrypts.mts': `
    import { type Client, createClient } from '@keyquorum/client/client';
    import { ClientError } from '@keyquorum/client/errors';
    import type { LocalAccount } from 'viem';

    export async function round(options: Parameters<typeof createClient>[0], account: LocalAccount): Promise<bigint> {
      const client: Client = createClient(options);
      const { default: init, ...tfhe } = await import('tfhe');
      await init();
      const [encrypted] = await client.encrypt(tfhe, 'ab'.repeat(32), [{ fheType: 'uint64', value: 41n }]);
      if (!encrypted) throw new ClientError('VALUE_UNSUPPORTED', 'nothing');
      const permit = await client.createPermit({
        ...{ userAddress: account.address, contractAddresses: [account.address], hostChainId: 1, durationDays: 1 },
        sign: (typed) => account.signTypedData(typed),
      });
      const ciphertexts = [{ ...encrypted, contractAddress: account.address }];
      const [value] = await client.decryptForUser(permit, { keyId: 'ab'.repeat(32), ciphertexts }).agreed;
      // @ts-expect-error: a value is a bigint, if there is one
      const wrong: number = value.value;
      return value?.value ?? BigInt(wrong);
    }
  `,
  'requires.cts': `
    import permit = require('@keyquorum/client/permit');
    const make: (...given: never[]) => Promise<permit.Permit> = permit.createPermit;
    export = make;
  `,
};

/** Pages that are built. */
const PAGES = {
  'decrypts.mjs': `
    import { decryptForUser } from '@keyquorum/client/decrypt';
    import { createPermit } from '@keyquorum/client/permit';
    globalThis.page = { decryptForUser, createPermit };
  `,
  'decrypts.cjs': `
    globalThis.page = { ...require('@keyquorum/client/decrypt'), ...require('@keyquorum/client/permit') };
  `,
  'encrypts.mjs': `
    import { createClient } from '@keyquorum/client/client';
    globalThis.page = { createClient, loadTfhe: () => import('tfhe') };
  `,
};

let project: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'keyquorum-stranger-'));
  const modules = join(project, 'node_modules');
  await buildPackage(join(project, 'dist'));
  await run('npm', ['pack', '--silent', '--pack-destination', project, join(project, 'dist')]);
  const [packed] = (await readdir(project)).filter((name) => name.endsWith('.tgz'));
  await mkdir(join(modules, '@keyquorum/client'), { recursive: true });
  const into = ['-C', join(modules, '@keyquorum/client'), '--strip-components=1'];
  await run('tar', ['-xzf', join(project, packed!), ...into]);
  await symlink(join(ROOT, 'node_modules/tfhe'), join(modules, 'tfhe'));
  await symlink(join(ROOT, 'node_modules/viem'), join(modules, 'viem'));
  for (const [name, source] of Object.entries({ ...PROGRAMS, ...PAGES })) await writeFile(join(project, name), source);
});
afterAll(() => rm(project, { recursive: true, force: true }));

test.each([
  ['nodenext', { skipLibCheck: false }, ['decrypts.mts', 'encrypts.mts', 'requires.cts']],
  ['bundler', { module: 'esnext', skipLibCheck: true }, ['decrypts.mts', 'encrypts.mts']],
])('a strict TypeScript project compiles with %s resolution', async (moduleResolution, options, files) => {
  const strict = { strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true };
  const fixed = { noEmit: true, types: [], target: 'esnext' };
  const compilerOptions = { module: moduleResolution, moduleResolution, ...strict, ...fixed, ...options };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [compiler, '-p', project]).catch((error) => error);
  expect(stdout).toBe('');
});

test('Node imports and requires every entry and gets the same', async () => {
  const names = JSON.stringify(ENTRIES.map((entry) => `@keyquorum/client/${entry}`));
  const script = `
    const { createRequire } = await import('node:module');
    const require = createRequire(${JSON.stringify(join(project, 'x.js'))});
    for (const name of ${names}) {
      const [required, imported] = [require(name), await import(name)];
      console.log(name, Object.keys(required).sort().join() === Object.keys(imported).sort().join());
    }`;
  await writeFile(join(project, 'loads.mjs'), script);
  const { stdout } = await run(process.execPath, [join(project, 'loads.mjs')]);
  expect(stdout.trim().split('\n')).toEqual(ENTRIES.map((entry) => `@keyquorum/client/${entry} true`));
});

interface Built {
  /** What the page loads at once. */
  readonly first: readonly string[];
  readonly wasm: readonly string[];
}

async function builtWithVite(entry: string): Promise<Built> {
  const rolldownOptions = { input: join(project, entry), preserveEntrySignatures: 'strict' } as const;
  const output = await vite({
    ...{ root: project, configFile: false, logLevel: 'error' },
    worker: { format: 'es' },
    build: { write: false, rolldownOptions, chunkSizeWarningLimit: 5_000 },
  });
  if (!('output' in output)) throw new Error('one output was asked for');
  const chunks = output.output.filter((file) => file.type === 'chunk');
  const reached = new Set(chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
  for (const name of reached) {
    for (const imported of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) reached.add(imported);
  }
  const first = chunks.filter(({ fileName }) => reached.has(fileName)).map(({ code }) => code);
  return { first, wasm: output.output.map(({ fileName }) => fileName).filter((name) => name.endsWith('.wasm')) };
}

async function builtWithWebpack(entry: string): Promise<Built> {
  const path = join(project, 'webpack', entry);
  const compiler = webpack({
    ...{ mode: 'production', context: project, entry: join(project, entry), target: 'web', devtool: false },
    output: { path, filename: 'main.js', clean: true },
    resolve: { symlinks: false },
    optimization: { minimize: false },
    performance: { hints: false },
  });
  const stats = await promisify(compiler.run.bind(compiler))();
  expect(stats?.toJson({ all: false, errors: true, warnings: true })).toMatchObject({ errors: [], warnings: [] });
  const names = await readdir(path);
  const first = [await readFile(join(path, 'main.js'), 'utf8')];
  return { first, wasm: names.filter((name) => name.endsWith('.wasm')) };
}

const BUNDLERS = [
  ['Vite', builtWithVite],
  ['webpack', builtWithWebpack],
] as const;

describe.each(BUNDLERS)('%s', (_, built) => {
  test.each(['decrypts.mjs', 'decrypts.cjs'])('%s is small and knows no TFHE', async (entry) => {
    const { first, wasm } = await built(entry);
    const code = first.join('');
    expect(code).toContain('UserDecryptRequestVerification'); // what the wallet signs is in the page
    expect(gzipSync(code).length).toBeLessThan(GZIP_BYTES_MAX);
    expect([code.includes('CompactCiphertextList'), wasm]).toEqual([false, []]);
  });

  test('encrypts.mjs loads TFHE later', async () => {
    const { first, wasm } = await built('encrypts.mjs');
    const code = first.join('');
    expect(code).toContain('CompactPublicKey');
    expect(gzipSync(code).length).toBeLessThan(GZIP_BYTES_MAX);
    expect([code.includes('__wbg_'), wasm.length]).toEqual([false, 1]);
  });
});
