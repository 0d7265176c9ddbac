/** What an operator is told when a ceremony ends badly: code, cause, who is proven corrupt, who was silent. */
import type { PartyId } from '@keyquorum/mpc/transport';
import { StalledOpening } from '../closed/opening-error.ts';
import type { CeremonyFailure } from './ceremony.ts';

/** A party that the ceremony needs has lost its memory of it: waiting for the deadline would not help. */
export class PeerRestartedError extends Error {
  override readonly name = 'PeerRestartedError';
  readonly code = 'PEER_RESTARTED';
  readonly absent: readonly PartyId[];
  constructor(peer: PartyId) {
    super(`party ${peer} was restarted while the ceremony was under way; start a new one`);
    this.absent = [peer];
  }
}

/** Two nodes were asked for different things under one id: no party takes part in both. */
export class OtherContentError extends Error {
  override readonly name = 'OtherContentError';
  readonly code = 'CEREMONY_CONFLICT';
  constructor(peer: PartyId) {
    super(`party ${peer} announced something else under this id; start again with a new id, at one node`);
  }
}

/** What a ceremony that cannot be gone on with ends with when its process was lost. */
export const NODE_RESTARTED: CeremonyFailure = {
  code: 'NODE_RESTARTED',
  message: 'the node was restarted while the ceremony was under way; start a new one',
  culprits: [],
  absent: [],
};

export function failureOf(error: unknown, culprits: readonly PartyId[] = []): CeremonyFailure {
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown } | undefined)?.code;
  return {
    code: typeof code === 'string' ? code : 'CEREMONY_FAILED',
    message,
    culprits,
    absent: error instanceof StalledOpening || error instanceof PeerRestartedError ? error.absent : [],
  };
}

/** An operator should not look for a cause in the protocol when somebody was not there when it began. */
export function withMissing(failure: CeremonyFailure, parties: readonly PartyId[] = []): CeremonyFailure {
  if (parties.length === 0) return failure;
  const names = parties.map((party) => `party ${party}`).join(', ');
  const message = `${failure.message}; ${names} did not start: down, too slow, or refusing, as its log says`;
  return { ...failure, message, absent: [...new Set([...failure.absent, ...parties])].sort((a, b) => a - b) };
}
