/**
 * COMPLETE: the end of a closed session (SPEC R5.6). It is signed once per session and never beside BURN, durably
 * before it is sent; a quorum of signatures activates what the session made.
 */
import type { Certificate } from '@keyquorum/mpc/agreement/certificate';
import { decide, decisionSubject } from '@keyquorum/mpc/agreement/decision';
import { quorumOf } from '@keyquorum/mpc/roster';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import { untilDeadline } from './deadline.ts';
import { openVoteBox } from './vote-box.ts';

/** From now on this party signs no BURN of the session. @throws when it was decided otherwise */
export async function decideComplete(
  { id, journal }: Pick<Session, 'id' | 'journal'>,
  digest: Uint8Array,
): Promise<void> {
  const result = decide(journal, id, 'complete', digest);
  if (result === 'refused') throw new Error(`session ${id} was decided otherwise: it is abandoned here`);
  await journal.sync();
}

interface Completing {
  readonly digest: Uint8Array;
  readonly deadlineMs: number;
  readonly onWaiting?: (parties: readonly PartyId[]) => void;
  /** The session that is completed, if it is not the one that carries the signatures. */
  readonly of?: SessionId;
}

/**
 * Signs COMPLETE over the digest of what all steps of the session opened, and waits for a quorum. The caller has made
 * durable what the signature promises.
 * @throws StalledOpening, or the session's reason when it ends
 */
export async function complete(
  session: Session,
  { digest, of = session.id, ...wait }: Completing,
): Promise<Certificate> {
  const votes = openVoteBox(session, 'complete', (voted) => decisionSubject(of, 'complete', voted));
  await decideComplete({ id: of, journal: session.journal }, digest);
  votes.cast(digest);
  const all = { ...wait, tag: 'complete', waitingFor: () => votes.missing() };
  await untilDeadline(session, all, votes.reached(quorumOf(session.roster)));
  return votes.certificate(digest);
}
