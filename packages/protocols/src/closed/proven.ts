/**
 * The parties proven corrupt by transferable evidence (SPEC R3). Proven parties are left out of openings of degree 2t;
 * silent ones never are. The list only grows within an epoch, and every entry has its evidence on disk.
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
}

const PREFIX = 'proven/';

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
  };
}
