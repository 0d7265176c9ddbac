/** The clock of one incarnation of a simulated party: nothing it waits for happens after it died. */
import type { Clock } from '../session.ts';
import type { Scheduler } from './scheduler.ts';

/** One process of a simulated party, from start to crash. */
export interface Life {
  alive: boolean;
}

export function createVirtualClock(scheduler: Scheduler, life: Life): Clock {
  const at = (timeMs: number, action: () => void) =>
    scheduler.at(timeMs, () => {
      if (life.alive) action();
    });
  return {
    now: scheduler.now,
    until(timeMs, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (timeMs <= scheduler.now()) return Promise.resolve();
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
    yield: () => new Promise((resolve) => void at(scheduler.now(), resolve)),
  };
}
