/**
 * The released batches of this node: material in memory, opened values on disk, one binding per stripe. What reaches
 * the disk is public (opened values and their certificate); the shares are recomputed from the epoch's PRSS keys at
 * boot, so nothing of the pool is a secret at rest.
 */
import type { SessionId } from '@keyquorum/mpc/transport';
import { type Stripe, stripesOf } from './ledger.ts';
import { eraseMaterial, type Material, takeBundles } from './material.ts';
import type { ProposalItem } from './proposal.ts';
import { type BindingModules, StripeBinding } from './stripe-binding.ts';

interface PoolBatch {
  readonly id: SessionId;
  readonly bundles: number;
  readonly material: Material;
  readonly bindings: readonly StripeBinding[];
  spentMs?: number;
}

/** A bound request is answered within seconds; after this nobody asks for a spent batch any more. */
const LINGER_MS = 60_000;

export interface Pool {
  /** Puts a released batch to use. `mayEcho` as in `StripeBinding`. Adding a batch twice does nothing. */
  add(batch: { id: SessionId; material: Material }, mayEcho: Promise<void>): void;
  has(batch: SessionId): boolean;
  /** Binds what fits of the items to stripes this party owns, in as few proposals as possible; returns the rest. */
  propose(items: readonly ProposalItem[]): ProposalItem[];
  /** The material of a certified range. It can be taken once. */
  take(stripe: Stripe, low: number, count: number): Material | undefined;
  /** Bundles that are not bound, per owner (index 0 = party 1). */
  freeByOwner(): number[];
  /** Bundles that this party could help to bind now. */
  available(): number;
  /** True while this party may not bind bundles of some batch yet: after a restart. */
  recalling(): boolean;
  batches(): number;
  /**
   * Removes batches that have been spent for LINGER_MS, so that slow peers still find them; returns their ids. A batch
   * counts as spent, too, when newer ones hold `bundlesMax`: what parties that went away or rebooted leave behind is
   * not kept for ever.
   */
  removeSpent(nowMs: number, bundlesMax: number): SessionId[];
  close(): void;
}

export function createPool(modules: BindingModules): Pool {
  const { party } = modules;
  const pool = new Map<SessionId, PoolBatch>();

  const usable = (): PoolBatch[] => [...pool.values()].filter(({ spentMs }) => spentMs === undefined);

  /** Batches, oldest first, of which nothing will be bound any more. */
  function spent(bundlesMax: number): PoolBatch[] {
    let newer = 0;
    const isSpent = (batch: PoolBatch): boolean => {
      const dispensable = newer >= bundlesMax;
      newer += batch.bundles;
      return dispensable || batch.bindings.every((binding) => binding.spent);
    };
    return [...pool.values()].reverse().filter(isSpent).reverse();
  }

  function remove(batch: PoolBatch): void {
    for (const binding of batch.bindings) binding.close();
    eraseMaterial(batch.material);
    pool.delete(batch.id);
  }

  function propose(items: readonly ProposalItem[]): ProposalItem[] {
    let left = [...items];
    const own = usable()
      .map((batch) => batch.bindings[party.self - 1]!)
      .filter((each) => each.proposable);
    for (const binding of own) if (left.length > 0) left = binding.propose(left);
    return left;
  }

  return {
    add({ id, material }, mayEcho) {
      if (pool.has(id)) return;
      const stripes = stripesOf(id, material.bundles, party.roster.n);
      const parts = { ...modules, onBarred: propose };
      const bindings = stripes.map((stripe) => new StripeBinding(parts, stripe, mayEcho));
      pool.set(id, { id, bundles: material.bundles, material, bindings });
    },
    has: (id) => pool.has(id),
    propose,
    take(stripe, low, count) {
      const batch = pool.get(stripe.batch);
      return batch === undefined ? undefined : takeBundles(batch.material, low, count);
    },
    freeByOwner: () =>
      Array.from({ length: party.roster.n }, (_, index) =>
        usable().reduce((sum, batch) => sum + batch.bindings[index]!.free, 0),
      ),
    available: () =>
      usable()
        .flatMap((batch) => batch.bindings)
        .reduce((sum, binding) => sum + (binding.ready ? binding.free : 0), 0),
    recalling: () => usable().some((batch) => batch.bindings.some((binding) => !binding.ready)),
    batches: () => pool.size,
    removeSpent(nowMs, bundlesMax) {
      for (const batch of spent(bundlesMax)) batch.spentMs ??= nowMs;
      const gone = [...pool.values()].filter(({ spentMs = nowMs }) => nowMs - spentMs >= LINGER_MS);
      for (const batch of gone) remove(batch);
      return gone.map(({ id }) => id);
    },
    close() {
      for (const batch of [...pool.values()]) remove(batch);
    },
  };
}
