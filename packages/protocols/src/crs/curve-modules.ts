/** What computes on the curve: single points here and now, whole lists on workers. */
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
  try {
    return await unlessAborted(signal, work({ curve, workers }));
  } finally {
    await workers.close();
  }
}

/** Workers for what is public. To start them costs a second of a core: they are kept from one check to the next. */
export interface KeptWorkers {
  /** When `signal` fires the work rejects, and the workers end with whatever they do. */
  run<T>(signal: AbortSignal, work: (tools: CurveTools) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function keepWorkers({ curve, startWorkers }: CurveModules): KeptWorkers {
  let kept: CurveWorkers | undefined;

  async function close(): Promise<void> {
    const workers = kept;
    kept = undefined;
    await workers?.close();
  }

  return {
    async run(signal, work) {
      signal.throwIfAborted();
      kept ??= startWorkers();
      try {
        return await unlessAborted(signal, work({ curve, workers: kept }));
      } finally {
        if (signal.aborted) await close();
      }
    },
    close,
  };
}

async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  stopped.catch(() => undefined); // the work may end first
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
