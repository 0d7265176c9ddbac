/**
 * The attempts of key generations. Each is a session of its own and takes the place of the one before; but a party
 * signs COMPLETE in one attempt at most, so that no two quorums can make two keys of one id, whoever announces what and
 * when.
 */
import { decide, isCompleted } from '@keyquorum/mpc/agreement/decision';
import { HASH_BYTES } from '@keyquorum/mpc/bytes';
import type { Clock, Journal } from '@keyquorum/mpc/session';
import type { SessionId } from '@keyquorum/mpc/transport';

/** Stands for "this attempt is given up here" in the place of a burnt step. */
const ABANDONED = new Uint8Array(HASH_BYTES);

/** From now on this party signs no COMPLETE of the session. False when it did already. */
export function abandon(journal: Journal, session: SessionId): boolean {
  decide(journal, session, 'burn', ABANDONED); // no effect if it was burnt
  return !isCompleted(journal, session);
}

export interface Attempts {
  /** True when this party signed COMPLETE in some attempt: it takes part in no later one. */
  hasCompleted(id: string): boolean;
  /** Runs an attempt once the one before has ended, at its start at the latest. `run` ends soon after the signal. */
  begin(
    attempt: { readonly id: string; readonly session: SessionId; readonly startMs: number },
    run: (replaced: AbortSignal) => Promise<void>,
  ): void;
}

interface Attempt {
  readonly session: SessionId;
  readonly replaced: AbortController;
  /** Never rejects. */
  readonly ended: Promise<void>;
}

interface Modules {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onError(id: string, error: unknown): void;
}

export function createAttempts({ journal, clock, signal, onError }: Modules): Attempts {
  const attempts = new Map<string, Attempt[]>();
  const of = (id: string): Attempt[] => attempts.get(id) ?? [];

  /** Lets the earlier attempt end by itself while there is time: it may be about to prove who must be left out. */
  async function replace(earlier: readonly Attempt[], startMs: number): Promise<boolean> {
    const last = earlier.at(-1);
    if (last === undefined) return true;
    await Promise.race([last.ended, clock.until(startMs, signal)]);
    if (!earlier.every(({ session }) => abandon(journal, session))) return false;
    last.replaced.abort(new Error('a later attempt has begun'));
    return true;
  }

  return {
    hasCompleted: (id) => of(id).some(({ session }) => isCompleted(journal, session)),
    begin({ id, session, startMs }, run) {
      const replaced = new AbortController();
      const earlier = of(id);
      const ended = replace(earlier, startMs)
        .then((goesOn) => (goesOn ? run(replaced.signal) : undefined))
        .catch((error) => onError(id, error));
      attempts.set(id, [...earlier, { session, replaced, ended }]);
    },
  };
}
