/** The ceremonies that all parties begin together, by kind: who accepts an announcement, enters it, and cancels. */
import type { PartyId } from '@keyquorum/mpc/transport';
import type { CrsCeremonies } from '../crs/ceremony.ts';
import type { Epochs } from '../epoch/ceremony.ts';
import type { KeygenCeremonies } from '../keygen/ceremony.ts';
import type { CrsRequest, KeygenRequest } from '../services.ts';
import type { Board } from './board.ts';
import { type Ceremony, CeremonyError, isFinal } from './ceremony.ts';
import type { Starters } from './starting.ts';

/** This node's own policy for what other nodes were asked for; throws to refuse. Without it, all is admitted. */
export interface AdmissionPolicy {
  readonly admitKeygen?: (request: KeygenRequest, from: PartyId) => void;
  readonly admitCrs?: (request: CrsRequest, from: PartyId) => void;
}

/** Ceremonies that one party may have begun and that are not over. Each is minutes, and up to a gigabyte of disk. */
const RUNNING_PER_PARTY_MAX = 2;

export interface JointCeremonies extends Starters {
  /** Begins a ceremony that this node was asked for. @throws CeremonyError CEREMONIES_RUNNING, or what `begin` does */
  ask(id: string, begin: () => Ceremony): Ceremony;
  /** @throws CeremonyError CEREMONY_UNKNOWN */
  cancel(id: string): void;
}

export function createJointCeremonies(
  { board, self }: { readonly board: Board; readonly self: PartyId },
  kinds: { readonly epoch: Epochs; readonly keygen: KeygenCeremonies; readonly crs: CrsCeremonies },
  policy: AdmissionPolicy,
): JointCeremonies {
  const { epoch, keygen, crs } = kinds;
  /** Who announced what is running here. */
  const announcers = new Map<string, PartyId>();

  function isRunning(id: string): boolean {
    const ceremony = board.get(id);
    return ceremony !== undefined && !isFinal(ceremony);
  }

  /** Nobody keeps all nodes busy, or fills their disks. What this node knows of already is no new ceremony. */
  function requireFew(id: string, announcer: PartyId): void {
    for (const known of announcers.keys()) if (!isRunning(known)) announcers.delete(known);
    if (board.get(id) !== undefined) return;
    const running = [...announcers.values()].filter((party) => party === announcer).length;
    if (running < RUNNING_PER_PARTY_MAX) return;
    const problem = `${running} ceremonies that party ${announcer} announced are running, and no more may`;
    throw new CeremonyError('CEREMONIES_RUNNING', problem);
  }

  return {
    ask(id, begin) {
      requireFew(id, self);
      const ceremony = begin();
      if (!announcers.has(id)) announcers.set(id, self); // others may have announced what this node is asked for
      return ceremony;
    },
    accept(announcement, from) {
      const { kind, id } = announcement;
      if (kind === 'epoch') return epoch.accept(announcement);
      requireFew(id, from);
      // Each kind has its own rules, also when this node has no policy.
      if (kind === 'keygen') {
        const request = keygen.accept(announcement, from);
        policy.admitKeygen?.(request, from);
      } else {
        const request = crs.accept(announcement);
        policy.admitCrs?.(request, from);
      }
      if (board.get(id) === undefined) announcers.set(id, from);
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
