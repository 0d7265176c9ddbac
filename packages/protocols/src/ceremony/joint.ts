/** The ceremonies that all parties begin together, by kind: who accepts an announcement, enters it, and cancels. */
import type { PartyId } from '@keyquorum/mpc/transport';
import type { CrsCeremonies } from '../crs/ceremony.ts';
import type { Epochs } from '../epoch/ceremony.ts';
import type { KeygenCeremonies } from '../keygen/ceremony.ts';
import type { CrsRequest, KeygenRequest } from '../services.ts';
import type { Board } from './board.ts';
import { CeremonyError } from './ceremony.ts';
import type { Starters } from './starting.ts';

/** This node's own policy for what other nodes were asked for; throws to refuse. Without it, all is admitted. */
export interface AdmissionPolicy {
  readonly admitKeygen?: (request: KeygenRequest, from: PartyId) => void;
  readonly admitCrs?: (request: CrsRequest, from: PartyId) => void;
}

export interface JointCeremonies extends Starters {
  /** @throws CeremonyError CEREMONY_UNKNOWN */
  cancel(id: string): void;
}

export function createJointCeremonies(
  board: Board,
  kinds: { readonly epoch: Epochs; readonly keygen: KeygenCeremonies; readonly crs: CrsCeremonies },
  policy: AdmissionPolicy,
): JointCeremonies {
  const { epoch, keygen, crs } = kinds;
  return {
    accept(announcement, from) {
      const { kind } = announcement;
      // Each kind has its own rules; then this node may have a policy, too.
      if (kind === 'epoch') epoch.accept(announcement);
      else if (kind === 'keygen') policy.admitKeygen?.(keygen.accept(announcement, from), from);
      else policy.admitCrs?.(crs.accept(announcement), from);
    },
    enter: (announcement) => kinds[announcement.kind].enter(announcement),
    cancel(id) {
      const kind = board.get(id)?.kind;
      if (kind === 'keygen') keygen.cancel(id);
      else if (kind === 'crs') crs.cancel(id);
      else throw new CeremonyError('CEREMONY_UNKNOWN', `no ceremony ${id} on this node that can be cancelled`);
    },
  };
}
