/** What computes on the curve: single points here and now, whole lists on workers that live for one piece of work. */
import type { CurveTools } from '@keyquorum/crs/contribution';
import { type CurveWorkers, inThisThread } from '@keyquorum/crs/workers';
import { type Bls446, createBls446, type RandomBytes } from '@keyquorum/kernel/bls446';

export interface CurveModules {
  readonly curve: Bls446;
  /** Fresh workers: what they knew is gone with them. */
  startWorkers(): CurveWorkers;
}

/** Without threads: for tools and simulations. `random` as for `Bls446`. */
export function curvesInThisThread(random: RandomBytes): CurveModules {
  const curve = createBls446();
  return { curve, startWorkers: () => inThisThread(curve, random) };
}

/** Runs `work` with workers of its own, which end with it, or when `signal` fires: then it rejects. */
export async function withWorkers<T>(
  { curve, startWorkers }: CurveModules,
  signal: AbortSignal,
  work: (tools: CurveTools) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const workers = startWorkers();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  stopped.catch(() => undefined); // the work may end first
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work({ curve, workers }), stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
    await workers.close();
  }
}
