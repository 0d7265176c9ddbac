/** What an operator is told when a ceremony ends badly: code, cause, who is proven corrupt, who was silent. */
import type { PartyId } from '@keyquorum/mpc/transport';
import { StalledOpening } from '../closed/opening-error.ts';
import type { CeremonyFailure } from './ceremony.ts';

export function failureOf(error: unknown, culprits: readonly PartyId[] = []): CeremonyFailure {
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown } | undefined)?.code;
  return {
    code: typeof code === 'string' ? code : 'CEREMONY_FAILED',
    message,
    culprits,
    absent: error instanceof StalledOpening ? error.absent : [],
  };
}
