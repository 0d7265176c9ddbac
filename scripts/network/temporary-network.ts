/** A network that lives as long as the block that uses it: then its processes end and its folder is removed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { statusOf } from './committee.ts';
import { createLocalNetwork, type LocalNetwork, type NetworkOptions } from './local-network.ts';
import { waitFor } from './rest.ts';

/** On a busy machine. */
const POOL_WITHIN_MS = 300_000;

/** A directory that is removed afterwards. */
export async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'keyquorum-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export interface TemporaryNetwork extends LocalNetwork, AsyncDisposable {}

/** Configured, not started: its files may be changed before. */
export async function temporaryNetwork(
  { parties, threshold }: Pick<NetworkOptions, 'parties' | 'threshold'> = { parties: 4, threshold: 1 },
): Promise<TemporaryNetwork> {
  await using cleanup = new AsyncDisposableStack();
  const { path: dir } = cleanup.use(await temporaryDirectory());
  const network = await createLocalNetwork({ parties, threshold, dir });
  cleanup.defer(() => network.stopAll());
  const stack = cleanup.move();
  return { ...network, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Starts all nodes; resolves when they are ready and each could decrypt so many blocks now. */
export async function bringUp(network: LocalNetwork, blocks: number): Promise<void> {
  await network.startAll();
  await network.allReady();
  // Before anything else: on two cores it makes the rounds of a key generation late, and late rounds are repeated.
  await Promise.all(network.nodes.map(({ party }) => poolHolds(network, party, blocks)));
}

/** Resolves when the party could decrypt that many blocks now. The pool may stay a batch below its target. */
export async function poolHolds(network: LocalNetwork, party: number, blocks: number): Promise<void> {
  await waitFor({ what: `pool of party ${party}`, withinMs: POOL_WITHIN_MS }, async () => {
    const { pool } = await statusOf(network, party);
    if (pool.available >= blocks) return true;
    throw new Error(`${pool.available} of ${blocks} blocks: ${pool.reason}`);
  });
}
