/** What parties show of a burnt session, signed: so that others can see later what t+1 of them said. */
import { LABELS } from '@keyquorum/mpc/labels';
import { type Subject, subjectOf } from '@keyquorum/mpc/runtime/statement';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';

export interface SignedReveal {
  readonly signature: Uint8Array;
  readonly body: Uint8Array;
}

export type Reveals = ReadonlyMap<PartyId, SignedReveal>;

/** An honest party reveals once per session, for the step that failed. */
export function revealSubject(session: SessionId, step: string, body: Uint8Array): Subject {
  return subjectOf({ domain: LABELS.message, session, tag: `${step}/reveal`, receiver: 0 }, body);
}
