/** Long polls and event streams: bounded in number, ended by the caller's disconnection and by the stop of the node. */
import { ApiError } from '../errors/api-error.ts';

export interface Waiting {
  /** Takes one of the places; call the result to give it back. Throws BUSY. */
  enter(): () => void;
  /** Resolves when `subscribe` calls back, when `seconds` have passed, the caller is gone, or the node stops. */
  until(
    subscribe: (wake: () => void) => () => void,
    options: { readonly seconds: number; readonly signal: AbortSignal },
  ): Promise<void>;
  /** Fires when the node stops. */
  readonly stopping: AbortSignal;
  /** Ends all waits. */
  stop(): void;
}

export function createWaiting(placesMax: number): Waiting {
  const controller = new AbortController();
  let taken = 0;

  function enter(): () => void {
    if (taken >= placesMax) throw new ApiError('BUSY', `${taken} callers are waiting, the limit of this node`);
    taken++;
    let inside = true;
    return () => {
      if (inside) taken--;
      inside = false;
    };
  }

  return {
    enter,
    stopping: controller.signal,
    stop: () => controller.abort(),
    async until(subscribe, { seconds, signal }) {
      const ended = AbortSignal.any([signal, controller.signal]);
      if (seconds <= 0 || ended.aborted) return;
      const leave = enter();
      const woken = Promise.withResolvers<void>();
      const wake = () => woken.resolve();
      const timer = setTimeout(wake, seconds * 1000);
      ended.addEventListener('abort', wake, { once: true });
      const unsubscribe = subscribe(wake);
      try {
        await woken.promise;
      } finally {
        clearTimeout(timer);
        ended.removeEventListener('abort', wake);
        unsubscribe();
        leave();
      }
    },
  };
}
