/** One wait of a closed session: until its work is done, its deadline, or the end of the session. */
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { StalledOpening } from './opening-error.ts';

/** How often it is told who is waited for. */
const TELL_MS = 1_000;
/** Made once: an abort without a reason records a stack each time. */
const OVER = new Error('the wait is over');

export interface Wait {
  /** Names the step in the error. */
  readonly tag: string;
  readonly deadlineMs: number;
  waitingFor(): PartyId[];
  /** Told now and then who is waited for. */
  readonly onWaiting?: (parties: readonly PartyId[]) => void;
}

/** The result of `work`. @throws StalledOpening at the deadline, what `work` throws, the session's reason */
export async function untilDeadline<T>(session: Session, wait: Wait, work: Promise<T>): Promise<T> {
  const { clock } = session;
  const ended = new AbortController();
  const either = AbortSignal.any([session.signal, ended.signal]);
  const late = clock.until(wait.deadlineMs, either).then(() => {
    throw new StalledOpening(wait.tag, wait.waitingFor());
  });
  late.catch(() => undefined); // the work may have won
  const tell = async (): Promise<void> => {
    while (wait.onWaiting !== undefined && !either.aborted) {
      wait.onWaiting(wait.waitingFor());
      await clock.until(clock.now() + TELL_MS, either);
    }
  };
  tell().catch(() => undefined); // the wait has ended
  return Promise.race([work, late]).finally(() => ended.abort(OVER));
}
