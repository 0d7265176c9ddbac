/** Progress of making a reference string: every turn is a unit, and so is the end. */
import { partiesOf, type Roster } from '@keyquorum/mpc/roster';
import type { Clock } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { Change } from '../ceremony/board.ts';
import type { Log } from '../log.ts';
import type { TurnPhase } from './turn.ts';

interface Sources {
  readonly roster: Roster;
  readonly clock: Clock;
  readonly id: string;
  readonly log: Log;
  /** The turn that it begins with. */
  readonly from: number;
  tell(change: Change): void;
}

export function unitsOf({ n }: Roster): number {
  return n + 1;
}

/** Turns what the protocol tells into changes of its ceremony. The estimate is that turns take as long as before. */
export function createCrsProgress({ roster, clock, id, log, from, tell }: Sources) {
  let done = from - 1;
  let firstMs: number | undefined;
  const etaSeconds = (): number | null => {
    const taken = done - (from - 1);
    if (taken === 0 || firstMs === undefined) return null;
    return Math.ceil((((clock.now() - firstMs) / taken) * (roster.n - done)) / 1_000);
  };
  return {
    onPhase(round: PartyId, phase: TurnPhase) {
      firstMs ??= clock.now();
      const waitingFor = phase === 'wait' ? [round] : [];
      tell({ phase: `party ${round}: ${phase}`, done, waitingFor, etaSeconds: etaSeconds() });
    },
    onTurn(round: PartyId, end: 'accepted' | 'skipped') {
      done += 1;
      const level = end === 'accepted' ? 'info' : 'warn';
      log({ level, message: 'a turn of making a reference string has ended', id, contributor: round, end });
      const phase = done === partiesOf(roster).length ? 'complete' : `party ${round}: ${end}`;
      tell({ phase, done, waitingFor: [], etaSeconds: etaSeconds() });
    },
    onWaiting: (waitingFor: readonly PartyId[]) => tell({ phase: 'complete', done, waitingFor }),
  };
}
