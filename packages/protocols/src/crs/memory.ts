/**
 * What a party remembers of a ceremony under way, so that a process that was killed can go on: all of it public, and
 * written before what depends on it is sent. The secret of a contribution is not among it; what is lost with a process
 * is drawn anew, and what was signed is sent again as it was.
 */
import type { Journal } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { type Announcement, decodeAnnouncement, encodeAnnouncement } from '../ceremony/starting.ts';
import type { PublicStore } from '../storage.ts';

export interface CrsMemory {
  /** Enters the first announcement, or a later one. On disk with the next `sync` of the journal. */
  enter(announcement: Announcement): void;
  /** The announcement that made a ceremony, and the last one that this party entered. */
  entered(id: string): { readonly start: Announcement; readonly attempt: Announcement } | undefined;
  /**
   * Test-and-set: true once for every turn of an attempt, and for none before. The vote may be sent after `sync` of
   * the journal.
   */
  mayVote(id: string, attempt: number, round: PartyId): boolean;
  /** This party's own signed contribution: kept before it is sent, and the only one ever. */
  keepOwn(id: string, message: Uint8Array): Promise<void>;
  own(id: string): Promise<Uint8Array | undefined>;
  /** The chain after its last accepted contribution, encoded. */
  keepChain(id: string, chain: Uint8Array): Promise<void>;
  chain(id: string): Promise<Uint8Array | undefined>;
  /** The ceremony has ended here. */
  forget(id: string): Promise<void>;
}

export function createCrsMemory(journal: Journal, publics: PublicStore): CrsMemory {
  const keys = (id: string) => ({ start: `crs-start/${id}`, attempt: `crs-attempt/${id}`, voted: `crs-voted/${id}` });
  const names = (id: string) => ({ own: `crs/${id}/own`, chain: `crs/${id}/chain` });
  const announcement = (key: string): Announcement | undefined => {
    const bytes = journal.get(key);
    return bytes && decodeAnnouncement(bytes);
  };

  return {
    enter(entered) {
      const { start, attempt } = keys(entered.id);
      journal.set(entered.attempt === 0 ? start : attempt, encodeAnnouncement(entered));
    },
    entered(id) {
      const start = announcement(keys(id).start);
      return start && { start, attempt: announcement(keys(id).attempt) ?? start };
    },
    mayVote(id, attempt, round) {
      const { voted } = keys(id);
      const bytes = journal.get(voted);
      const [lastAttempt, lastRound] = bytes ? readVoted(bytes) : [-1, 0];
      if (attempt < lastAttempt || (attempt === lastAttempt && round <= lastRound)) return false;
      journal.set(voted, writeVoted(attempt, round));
      return true;
    },
    keepOwn: (id, message) => publics.put(names(id).own, message),
    own: (id) => publics.get(names(id).own),
    keepChain: (id, chain) => publics.put(names(id).chain, chain),
    chain: (id) => publics.get(names(id).chain),
    async forget(id) {
      for (const key of Object.values(keys(id))) journal.delete(key);
      await journal.sync(); // it is not gone on with, before what was signed is forgotten
      for (const name of Object.values(names(id))) await publics.delete(name);
    },
  };
}

/** Layout: attempt u32 LE | turn u8. */
function writeVoted(attempt: number, round: PartyId): Uint8Array {
  return new Uint8Array([...new Uint8Array(Uint32Array.of(attempt).buffer), round]);
}

function readVoted(bytes: Uint8Array): readonly [attempt: number, round: PartyId] {
  return [new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true), bytes[4]!]; // written by `writeVoted`
}
