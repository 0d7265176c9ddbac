/**
 * What ends a running key generation from outside: an operator cancels it, or a party cannot take part any more. The
 * word of a peer ends it while the ceremony needs that peer: until all is opened a single party can stall it anyway, so
 * this gives it no power that it did not have a moment before, and the others need not wait for the deadline. From then
 * on a quorum finishes the key, which t corrupt parties must not prevent: it takes cancellations of t+1. Who gives up
 * tells the others, so that nobody waits for a quorum that cannot form any more.
 */
import type { PartyId } from '@keyquorum/mpc/transport';
import type { Board } from '../ceremony/board.ts';
import type { Cancelling } from '../ceremony/cancel-exchange.ts';
import { CeremonyError } from '../ceremony/ceremony.ts';
import type { ProvenParties } from '../closed/proven.ts';
import { needsEverybody } from './progress.ts';

export interface Endings extends Cancelling {
  /** Aborted when the ceremony is cancelled; and, for this attempt only, when it has lost a party that it needs. */
  attempt(id: string): { readonly cancelled: AbortSignal; readonly crippled: AbortSignal };
  /** This party does not take part in the ceremony any more, or in all that are running. */
  lose(peer: PartyId, reason: Error, id?: string): void;
}

interface Running {
  readonly cancelled: AbortController;
  /** Of the newest attempt. */
  crippled: AbortController;
  readonly cancelledBy: Set<PartyId>;
}

export function createEndings({ board, proven, t }: { board: Board; proven: ProvenParties; t: number }): Endings {
  const ceremonies = new Map<string, Running>();

  function known(id: string): Running {
    const running = ceremonies.get(id);
    if (running === undefined) throw new CeremonyError('CEREMONY_UNKNOWN', `no key generation ${id} on this node`);
    return running;
  }

  function needs(peer: PartyId, id: string): boolean {
    const { state, phase } = board.get(id)!;
    return state === 'running' && needsEverybody(phase) && !proven.list().includes(peer);
  }

  return {
    attempt(id) {
      const crippled = new AbortController();
      const { cancelled } = ceremonies.get(id) ?? { cancelled: new AbortController() };
      const cancelledBy = ceremonies.get(id)?.cancelledBy ?? new Set();
      ceremonies.set(id, { cancelled, crippled, cancelledBy });
      return { cancelled: cancelled.signal, crippled: crippled.signal };
    },
    cancel: (id) => known(id).cancelled.abort(new Error('cancelled by the operator')),
    cancelBy(peer, id) {
      const { cancelled, cancelledBy } = known(id);
      cancelledBy.add(peer);
      if (cancelled.signal.aborted || (!needs(peer, id) && cancelledBy.size <= t)) return false;
      cancelled.abort(new Error(`cancelled by party ${[...cancelledBy].join(', party ')}`));
      return true;
    },
    lose(peer, reason, only) {
      for (const [id, { crippled }] of ceremonies) {
        if ((only === undefined || only === id) && needs(peer, id)) crippled.abort(reason);
      }
    },
  };
}
