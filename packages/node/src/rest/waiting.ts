/**
 * Long polls and event streams: bounded in number, ended by the caller's disconnection and by the stop of the node. No
 * caller has more than half of the places, and all who need not say who they are count as one: strangers that watch a
 * ceremony do not keep requesters from their answers.
 */
import { ApiError } from '../errors/api-error.ts';

/** In place of a requester's name. */
export const STRANGERS = '';

interface WaitOptions {
  /** Name of the requester, or STRANGERS. */
  readonly caller: string;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

export interface Waiting {
  /** Takes one of the places; call the result to give it back. Throws BUSY. */
  enter(caller: string): () => void;
  /** Resolves when `subscribe` calls back, when `seconds` have passed, the caller is gone, or the node stops. */
  until(subscribe: (wake: () => void) => () => void, options: WaitOptions): Promise<void>;
  /** Fires when the node stops. */
  readonly stopping: AbortSignal;
  /** Ends all waits. */
  stop(): void;
}

export function createWaiting(placesMax: number): Waiting {
  const controller = new AbortController();
  const perCaller = Math.ceil(placesMax / 2);
  const byCaller = new Map<string, number>();
  let taken = 0;

  function enter(caller: string): () => void {
    const own = byCaller.get(caller) ?? 0;
    if (taken >= placesMax || own >= perCaller) {
      throw new ApiError('BUSY', `${taken} callers are waiting, ${own} of them like this one: the limit of this node`);
    }
    taken++;
    byCaller.set(caller, own + 1);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      taken--;
      const left = (byCaller.get(caller) ?? 0) - 1;
      if (left > 0) byCaller.set(caller, left);
      else byCaller.delete(caller);
    };
  }

  return {
    enter,
    stopping: controller.signal,
    stop: () => controller.abort(),
    async until(subscribe, { caller, seconds, signal }) {
      const ended = AbortSignal.any([signal, controller.signal]);
      if (seconds <= 0 || ended.aborted) return;
      const leave = enter(caller);
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
