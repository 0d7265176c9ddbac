/** Waits for the pools of a network: what is measured must not compete with the making of material. */
import { statusOf } from '../network/committee.ts';
import type { LocalNetwork } from '../network/local-network.ts';
import { waitFor } from '../network/rest.ts';
import { poolHolds } from '../network/temporary-network.ts';

const BATCH_WITHIN_MS = 300_000;

export interface Filling {
  readonly network: LocalNetwork;
  readonly say: (text: string) => void;
}

/** Fills the pool of a new network; blocks per second, as party 1 saw it. Nothing else runs meanwhile. */
export async function fillPool(filling: Filling): Promise<number> {
  const started = performance.now();
  const { pool } = await statusOf(filling.network, 1);
  await waitForPool(filling, pool.target);
  return (pool.target - pool.available) / ((performance.now() - started) / 1_000);
}

export async function waitForPool({ network, say }: Filling, blocks: number): Promise<void> {
  say(`waiting for ${blocks} blocks in the pool`);
  await poolHolds(network, 1, blocks);
}

interface CeremonyList {
  readonly ceremonies: readonly { readonly kind: string; readonly state: string }[];
}

/** Resolves when no batch of material is being made: on two cores it competes with what is measured. */
export async function poolRests({ network }: Pick<Filling, 'network'>): Promise<void> {
  await waitFor({ what: 'the end of a batch', withinMs: BATCH_WITHIN_MS }, async () => {
    const { ceremonies } = await network.rest(1).get<CeremonyList>('/v1/ceremonies');
    const running = ceremonies.some(({ kind, state }) => {
      return kind === 'preprocessing' && (state === 'running' || state === 'pending');
    });
    return running ? undefined : true;
  });
}
