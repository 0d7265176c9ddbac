/**
 * The parties proven corrupt by transferable evidence (SPEC R3). Proven parties are left out of openings of degree 2t;
 * silent ones never are. The list only grows within an epoch, and every entry has its evidence on disk, here or at one
 * of the t+1 parties that told of it.
 */
import { sha256Hex } from '@keyquorum/mpc/bytes';
import type { Journal } from '@keyquorum/mpc/session';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import type { PublicStore } from '../storage.ts';
import type { Proof } from './burn.ts';

export interface ProvenParties {
  list(): readonly PartyId[];
  /** Enters the proofs of a burnt session; durable when it resolves. */
  add(session: SessionId, proofs: readonly Proof[]): Promise<void>;
  /** Enters parties that t+1 others name; durable when it resolves. */
  adopt(parties: readonly PartyId[]): Promise<void>;
}

const PREFIX = 'proven/';
/** In place of the name of the evidence. */
const TOLD = 't+1 parties';

export function createProvenParties(journal: Journal, publics: PublicStore): ProvenParties {
  return {
    list: () => journal.keys(PREFIX).map((key) => Number(key.slice(PREFIX.length))),
    async add(session, proofs) {
      for (const { party, kind, evidence } of proofs) {
        const name = `evidence/${session}-${party}-${kind}-${sha256Hex(evidence).slice(0, 16)}`;
        await publics.put(name, evidence);
        journal.set(`${PREFIX}${party}`, new TextEncoder().encode(name));
      }
      await journal.sync();
    },
    async adopt(parties) {
      for (const party of parties) journal.set(`${PREFIX}${party}`, new TextEncoder().encode(TOLD));
      if (parties.length > 0) await journal.sync();
    },
  };
}
