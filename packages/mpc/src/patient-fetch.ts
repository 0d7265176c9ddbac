/**
 * Bytes that an honest party is known to have offered. Its link may be down for a moment, or it may be busy, so one
 * round of refusals says nothing: all are asked again until somebody answers, or nobody needs it any more.
 */
import type { Session } from './session.ts';
import type { PartyId } from './transport.ts';

export interface Sought {
  readonly hash: Uint8Array;
  /** One of them is honest and has it. */
  readonly from: readonly PartyId[];
  readonly bytesMax: number;
  /** Between two rounds of asking. */
  readonly everyMs: number;
  /** Nobody is asked after it; by default the session's end is the only limit. */
  readonly deadlineMs?: number;
  /** Ends the search, besides the session's end. */
  readonly signal?: AbortSignal;
}

/** @throws SessionError BLOB_UNAVAILABLE at the deadline, or the reason of the signal or the session when it ends */
export async function fetchPatiently(session: Session, sought: Sought): Promise<Uint8Array> {
  const { hash, from, bytesMax, everyMs, deadlineMs = Number.POSITIVE_INFINITY, signal = session.signal } = sought;
  const { clock } = session;
  const ended = AbortSignal.any([signal, session.signal]);
  for (;;) {
    try {
      return await session.fetch(hash, from, bytesMax);
    } catch (error) {
      ended.throwIfAborted();
      if (clock.now() >= deadlineMs) throw error;
    }
    await clock.until(Math.min(clock.now() + everyMs, deadlineMs), ended);
  }
}
