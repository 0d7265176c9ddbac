/** The clock of a real process: Date.now, timers that never fire early, setImmediate for fairness. */
import type { Clock } from '../session.ts';

/** Longest delay of one setTimeout: 2^31 - 1 ms, about 24.8 days; longer waits are made of several. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const realClock: Clock = {
  now: () => Date.now(),
  async until(timeMs, signal) {
    // A timer may fire a millisecond before Date.now() agrees, hence the loop.
    for (let left = timeMs - Date.now(); left > 0; left = timeMs - Date.now()) await sleep(left, signal);
    signal?.throwIfAborted();
  },
  yield: () => new Promise((resolve) => setImmediate(resolve)),
};

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
      Math.min(Math.ceil(ms), TIMER_MS_MAX),
    );
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
