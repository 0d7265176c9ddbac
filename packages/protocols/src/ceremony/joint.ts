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
      if (kind === 'epoch') return epoch.accept(announcement);
      // Each kind has its own rules, also when this node has no policy.
      if (kind === 'keygen') {
        const request = keygen.accept(announcement, from);
        policy.admitKeygen?.(request, from);
      } else {
        const request = crs.accept(announcement);
        policy.admitCrs?.(request, from);
      }
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
