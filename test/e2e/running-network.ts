/** A network of real processes with one development key, for one test file. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Committee } from '@keyquorum/client/committee';
import { committeeOf, statusOf } from '../../scripts/network/committee.ts';
import { createEncryptor, type Encryptor } from '../../scripts/network/encryption.ts';
import { fetchObject, finishedKey, generateKey, type KeyState } from '../../scripts/network/key-generation.ts';
import { createLocalNetwork, type LocalNetwork } from '../../scripts/network/local-network.ts';
import { waitFor } from '../../scripts/network/rest.ts';

/** All processes, the epoch and one key, on a busy machine. */
export const START_MS = 240_000;
const KEY_WITHIN_MS = 60_000;
const POOL_WITHIN_MS = 120_000;
export const PARTIES = [1, 2, 3, 4] as const;

export interface RunningNetwork extends AsyncDisposable {
  readonly network: LocalNetwork;
  readonly committee: Committee;
  readonly key: KeyState;
  readonly publicKey: Uint8Array;
  readonly encryptor: Encryptor;
}

/** A directory that is removed afterwards. */
export async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'keyquorum-e2e-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface StartOptions {
  /** Material that every party has before the key is made. */
  readonly blocks: number;
  /** Changes the configuration before the nodes start. */
  readonly configure?: (network: LocalNetwork) => Promise<void>;
}

/** Four parties, t = 1, all ready; every one knows one development key. */
export async function startNetwork({ blocks, configure }: StartOptions): Promise<RunningNetwork> {
  await using cleanup = new AsyncDisposableStack();
  const { path: dir } = cleanup.use(await temporaryDirectory());
  const network = await createLocalNetwork({ parties: PARTIES.length, threshold: 1, dir });
  cleanup.defer(() => network.stopAll());
  await configure?.(network);
  await network.startAll();
  await network.allReady();
  // Filled first: on two cores it makes the rounds of a key generation late, and late rounds are repeated.
  await Promise.all(PARTIES.map((party) => poolHolds(network, party, blocks)));
  const key = await generateKey(network.rest(1), { parameters: 'base', purpose: 'development' });
  await Promise.all(PARTIES.map((party) => finishedKey(network.rest(party), key.requestId, KEY_WITHIN_MS)));
  const publicKey = await fetchObject(network.rest(2), key, 'CompactPublicKey');
  const committee = await committeeOf(network);
  const stack = cleanup.move();
  const encryptor = createEncryptor(publicKey);
  return { network, committee, key, publicKey, encryptor, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Resolves when the party could decrypt that many blocks now. */
export async function poolHolds(network: LocalNetwork, party: number, blocks: number): Promise<void> {
  await waitFor({ what: `pool of party ${party}`, withinMs: POOL_WITHIN_MS }, async () => {
    const { pool } = await statusOf(network, party);
    if (pool.available >= blocks) return true;
    throw new Error(`${pool.available} of ${blocks} blocks: ${pool.reason}`);
  });
}

/** Replaces text in a file of the configuration; the text must be there. */
export async function editFile(path: string, from: string | RegExp, to: string): Promise<void> {
  const before = await readFile(path, 'utf8');
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${path} has no ${from}`);
  await writeFile(path, after);
}
