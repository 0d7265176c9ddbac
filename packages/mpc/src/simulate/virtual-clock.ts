/** The clock of one incarnation of a simulated party: nothing it waits for happens after it died. */
import type { Clock } from '../session.ts';
import type { Scheduler } from './scheduler.ts';

/** One process of a simulated party, from start to crash. */
export interface Life {
  alive: boolean;
}

/**
 * `skewMs`: how far this clock is ahead of the simulation's own, now. When it is turned, what waits already keeps its
 * moment, like a timer of the system.
 */
export function createVirtualClock(scheduler: Scheduler, life: Life, skewMs: () => number = () => 0): Clock {
  const now = () => scheduler.now() + skewMs();
  const at = (timeMs: number, action: () => void) =>
    scheduler.at(timeMs - skewMs(), () => {
      if (life.alive) action();
    });
  return {
    now,
    until(timeMs, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (timeMs <= now()) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          cancel();
          reject(signal?.reason);
        };
        const cancel = at(timeMs, () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    },
    yield: () => new Promise((resolve) => void at(now(), resolve)),
  };
}
