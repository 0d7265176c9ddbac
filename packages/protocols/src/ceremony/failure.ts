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

/** An operator should not look for a cause in the protocol when somebody was not there when it began. */
export function withMissing(failure: CeremonyFailure, parties: readonly PartyId[] = []): CeremonyFailure {
  if (parties.length === 0) return failure;
  const names = parties.map((party) => `party ${party}`).join(', ');
  const message = `${failure.message}; ${names} did not start: down, too slow, or refusing, as its log says`;
  return { ...failure, message, absent: [...new Set([...failure.absent, ...parties])].sort((a, b) => a - b) };
}
