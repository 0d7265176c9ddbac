/**
 * The checks of one request, run once for all its copies: a client asks every node, and each of them forwards to all
 * others, so that n copies arrive while the first is being checked, which takes seconds where proofs are verified.
 */
import { ApiError } from '../errors/api-error.ts';

/** Runs `check`, unless that of a copy with the same content hash succeeds meanwhile. Throws BUSY. */
export type SharedChecks<T> = (contentHash: Uint8Array, check: () => Promise<T>) => Promise<T>;

/** @param most copies whose checks are under way or waited for at once: their bodies are in memory */
export function createSharedChecks<T>(most: number): SharedChecks<T> {
  const running = new Map<string, Promise<T>>();
  let copies = 0;

  async function run(id: string, check: () => Promise<T>): Promise<T> {
    try {
      return await check();
    } finally {
      running.delete(id);
    }
  }

  async function share(contentHash: Uint8Array, check: () => Promise<T>): Promise<T> {
    const id = Buffer.from(contentHash).toString('hex');
    // What shows the provenance is not in the hash: where it is not enough in one copy, it may be in the next.
    for (let other = running.get(id); other; other = running.get(id)) {
      const result = await other.then((value) => ({ value })).catch(() => undefined);
      if (result) return result.value;
    }
    const own = run(id, check);
    running.set(id, own);
    return own;
  }

  return async (contentHash, check) => {
    if (copies >= most) throw new ApiError('BUSY', `${copies} requests are being checked, the limit of this node`);
    copies++;
    try {
      return await share(contentHash, check);
    } finally {
      copies--;
    }
  };
}
