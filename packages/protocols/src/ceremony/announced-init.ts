/**
 * The PRSS-Init of an announced ceremony. Whom it proves corrupt is entered, with evidence that convinces others,
 * before anything is made of its keys: from the certified broadcasts, the same at all parties, and from two broadcasts
 * that one party signed, at whoever saw both (docs/protocols/prss.md, "Who is proven corrupt").
 */
import { enterSession } from '@keyquorum/mpc/agreement/decision';
import type { Evidence } from '@keyquorum/mpc/agreement/evidence';
import type { Family } from '@keyquorum/mpc/prss/family';
import { initPrss, type PrssInit } from '@keyquorum/mpc/prss/init';
import { PrssInitError } from '@keyquorum/mpc/prss/init-error';
import type { AgreedInit } from '@keyquorum/mpc/prss/init-judge';
import { certifiedInit } from '@keyquorum/mpc/prss/init-transcript';
import { eraseKeys } from '@keyquorum/mpc/prss/keys';
import { SessionError } from '@keyquorum/mpc/runtime/session-error';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { type Proof, proofOf } from '../closed/proof.ts';
import { announcedRoot } from '../evidence/file.ts';
import { type Announcement, prssInitTimes } from './starting.ts';

export interface AnnouncedInit {
  readonly announcement: Announcement;
  readonly families: readonly Family[];
  readonly roundMs: number;
  /** Enters whom these prove corrupt; durable when it resolves. */
  readonly prove: (proofs: readonly Proof[]) => Promise<void>;
}

/** @throws PrssInitError, SessionError SESSION_ID_USED, the session's reason, or what `prove` or the disk says */
export async function initAnnounced(session: Session, options: AnnouncedInit): Promise<PrssInit> {
  const { announcement, families, roundMs, prove } = options;
  const { startMs, content: context } = announcement;
  await enterOnce(session);
  const doubles = new Map<PartyId, Evidence>();
  const onEvidence = (found: Evidence): void => void doubles.set(found.party, found);
  const conclude = async (agreed: AgreedInit | undefined): Promise<void> => {
    const proofs = proofsOf(session, announcement, { doubles: [...doubles.values()], agreed });
    if (proofs.length > 0) await prove(proofs);
  };
  const times = prssInitTimes({ startMs, roundMs }, session.t);
  const init = await initPrss(session, { families, context, ...times, onEvidence }).catch(async (error) => {
    session.signal.throwIfAborted();
    await conclude(error instanceof PrssInitError ? error.agreed : undefined);
    throw error;
  });
  await conclude(init).catch((error) => {
    eraseInit(init);
    throw error;
  });
  return init;
}

/**
 * What this party broadcasts in a session it draws once: a process that was restarted and is told the same
 * announcement again would sign other keys, and convict an honest party. Durable before the first broadcast; a later
 * process then also knows that this party never signs COMPLETE of the session.
 */
async function enterOnce({ journal, id }: Session): Promise<void> {
  if (!enterSession(journal, id)) throw new SessionError('SESSION_ID_USED', `session ${id} was entered before`);
  await journal.sync();
}

export function eraseInit({ keys, contributions }: PrssInit): void {
  for (const each of keys.values()) eraseKeys(each);
  contributions.erase();
}

function proofsOf(
  { roster }: Session,
  announcement: Announcement,
  { doubles, agreed }: { readonly doubles: readonly Evidence[]; readonly agreed: AgreedInit | undefined },
): Proof[] {
  const ceremony = announcedRoot(announcement);
  const proofs = doubles.map((value) => proofOf(roster, ceremony, { kind: 'double-signature', value }));
  if (agreed === undefined) return proofs;
  const init = certifiedInit(agreed);
  const broken = agreed.proven.map((party) => {
    return proofOf(roster, ceremony, { kind: 'broken-init', value: { party, init } });
  });
  return [...proofs, ...broken];
}
