/**
 * Places for what a coordinator does at once: requests under way, callers that wait. Bounded in all and per caller; who
 * finds none is told when one is likely to be free, by how long places were held so far.
 */
import { CoordinationError } from './errors.ts';

/** Weight of the newest time in the mean, as in RFC 6298. */
const NEWEST_WEIGHT = 1 / 8;
const RETRY_SECONDS_MAX = 120;

export interface PlacesLimits {
  readonly inAll: number;
  readonly perCaller: number;
}

export interface Places {
  /** Takes `size` places; call the result to give them back. Throws BUSY, also when `size` can never fit. */
  enter(caller: string, size?: number): () => void;
  taken(): number;
}

interface Options extends PlacesLimits {
  /** What a place is for, in words. */
  readonly purpose: string;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs?: () => number;
}

export function createPlaces({ purpose, inAll, perCaller, nowMs = () => performance.now() }: Options): Places {
  const byCaller = new Map<string, number>();
  /** When each holder came, oldest first. */
  const holders = new Set<{ readonly sinceMs: number }>();
  let taken = 0;
  let meanHeldMs: number | undefined;

  /** Everybody who holds a place now has probably gone after the mean time; before any has gone, ages say more. */
  function retrySeconds(): number {
    const [oldest] = holders;
    const expectedMs = meanHeldMs ?? (oldest ? nowMs() - oldest.sinceMs : 0);
    return Math.min(RETRY_SECONDS_MAX, Math.max(1, Math.ceil(expectedMs / 1_000)));
  }

  function requireRoom(used: number, size: number, limit: number, whose: string): void {
    if (used + size <= limit) return;
    const message = `${purpose}: ${used} of ${limit} taken ${whose}, ${size} more wanted`;
    throw new CoordinationError('BUSY', message, { retrySeconds: retrySeconds() });
  }

  return {
    taken: () => taken,
    enter(caller, size = 1) {
      const own = byCaller.get(caller) ?? 0;
      requireRoom(own, size, perCaller, 'by this caller');
      requireRoom(taken, size, inAll, 'by all callers');
      const holder = { sinceMs: nowMs() };
      holders.add(holder);
      byCaller.set(caller, own + size);
      taken += size;
      return () => {
        if (!holders.delete(holder)) return;
        const heldMs = nowMs() - holder.sinceMs;
        meanHeldMs = meanHeldMs === undefined ? heldMs : meanHeldMs + NEWEST_WEIGHT * (heldMs - meanHeldMs);
        taken -= size;
        const left = (byCaller.get(caller) ?? 0) - size;
        if (left > 0) byCaller.set(caller, left);
        else byCaller.delete(caller);
      };
    },
  };
}
