/** What an operator is told when a ceremony ends badly: code, cause, who is proven corrupt, who was silent. */
import type { PartyId } from '@keyquorum/mpc/transport';
import { OpeningError } from '../closed/opening.ts';
import type { CeremonyFailure } from './ceremony.ts';

export function failureOf(error: unknown, culprits: readonly PartyId[] = []): CeremonyFailure {
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown } | undefined)?.code;
  return {
    code: typeof code === 'string' ? code : 'CEREMONY_FAILED',
    message,
    culprits,
    absent: error instanceof OpeningError ? error.absent : [],
  };
}
