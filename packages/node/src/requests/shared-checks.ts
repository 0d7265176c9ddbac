/**
 * The checks of one request, run once for all its copies: a client asks every node, and each of them forwards to all
 * others, so that n copies arrive while the first is being checked, which takes seconds where proofs are verified. Each
 * peer has one copy of a content in turn: it may have spoilt what shows the provenance, and others wait behind it.
 */
import type { PartyId } from '@keyquorum/mpc/transport';
import { ApiError } from '../errors/api-error.ts';

/** A copy of a request: what it asks, and the peer that forwarded it, if one did. */
export interface Copy {
  readonly hash: Uint8Array;
  readonly from: PartyId | undefined;
}

/** Runs `check`, unless that of a copy with the same content hash succeeds meanwhile. Throws BUSY. */
export type SharedChecks<T> = (copy: Copy, check: () => Promise<T>) => Promise<T>;

/** @param most copies whose checks are under way or waited for at once: their bodies are in memory */
export function createSharedChecks<T>(most: number): SharedChecks<T> {
  const running = new Map<string, Promise<T>>();
  /** Peer and content. */
  const forwarded = new Set<string>();
  let copies = 0;

  async function run(id: string, check: () => Promise<T>): Promise<T> {
    try {
      return await check();
    } finally {
      running.delete(id);
    }
  }

  async function share(id: string, check: () => Promise<T>): Promise<T> {
    // What shows the provenance is not in the hash: where it is not enough in one copy, it may be in the next.
    for (let other = running.get(id); other; other = running.get(id)) {
      const result = await other.then((value) => ({ value })).catch(() => undefined);
      if (result) return result.value;
    }
    const own = run(id, check);
    running.set(id, own);
    return own;
  }

  return async ({ hash, from }, check) => {
    if (copies >= most) throw new ApiError('BUSY', `${copies} requests are being checked, the limit of this node`);
    const id = Buffer.from(hash).toString('hex');
    const name = `${from}/${id}`;
    if (forwarded.has(name)) throw new ApiError('BUSY', 'the copy that this party sent before is being checked');
    if (from !== undefined) forwarded.add(name);
    copies++;
    try {
      return await share(id, check);
    } finally {
      copies--;
      forwarded.delete(name);
    }
  };
}
