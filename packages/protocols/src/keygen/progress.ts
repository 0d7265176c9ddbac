/** Progress of a key generation as one scale: every phase is a unit, the bodies as many as they have chunks. */
import type { Clock } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { Change } from '../ceremony/board.ts';
import { KEYGEN_PHASES, type KeygenPhase } from './keygen.ts';

/** After the protocol, a node describes what it publishes. */
const PHASES = [...KEYGEN_PHASES, 'publish'] as const;
export type CeremonyPhase = KeygenPhase | 'publish';

const BODIES = PHASES.indexOf('bodies');

export function totalUnits(chunks: number): number {
  return PHASES.length - 1 + chunks;
}

/** Whether messages of all parties are still to come in this phase; later a quorum is enough. */
export function needsEverybody(phase: string): boolean {
  const at = PHASES.map(String).indexOf(phase);
  return at >= 0 && at <= BODIES;
}

/** Turns what the protocol tells into changes of its ceremony. `chunks`: of the key set. */
export function createProgress(clock: Clock, chunks: number, tell: (change: Change) => void) {
  let [done, firstMs] = [0, 0];
  return {
    onPhase(phase: CeremonyPhase) {
      const at = PHASES.indexOf(phase);
      done = at > BODIES ? at + chunks - 1 : at;
      firstMs = clock.now();
      tell({ phase, done, waitingFor: [], etaSeconds: null });
    },
    onOpened(opened: number) {
      done = BODIES + opened;
      const etaSeconds = ((clock.now() - firstMs) / 1_000) * ((chunks - opened) / opened);
      tell({ done, etaSeconds: Math.ceil(etaSeconds) });
    },
    onWaiting: (waitingFor: readonly PartyId[]) => tell({ done, waitingFor }),
  };
}
