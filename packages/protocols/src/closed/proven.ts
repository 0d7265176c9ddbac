/**
 * The parties proven corrupt by transferable evidence (SPEC R3). Proven parties are left out of openings of degree 2t;
 * silent ones never are. The list only grows within an epoch, and every entry has its evidence on disk, here or at one
 * of the t+1 parties that told of it.
 */
import type { Journal } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { EvidenceArchive } from '../evidence/archive.ts';
import type { Log } from '../log.ts';
import type { Proof } from './proof.ts';

export interface ProvenParties {
  list(): readonly PartyId[];
  /**
   * Enters parties with what proves them corrupt; durable when it resolves. One file of each party is kept: what a
   * proven party does after that would fill the disk.
   */
  add(proofs: readonly Proof[]): Promise<void>;
  /** The file that proves it, if this party has one. */
  file(party: PartyId): Promise<Uint8Array | undefined>;
  /** Enters parties that t+1 others name; durable when it resolves. */
  adopt(parties: readonly PartyId[]): Promise<void>;
}

const PREFIX = 'proven/';
/** In place of the id of the evidence. */
const TOLD = 't+1 parties';

export function createProvenParties(journal: Journal, archive: EvidenceArchive, log: Log): ProvenParties {
  /** Id of the file; undefined for a party that is not proven, or only told of. */
  function evidenceOf(party: PartyId): string | undefined {
    const entry = journal.get(`${PREFIX}${party}`);
    const id = entry && new TextDecoder().decode(entry);
    return id === TOLD ? undefined : id;
  }

  return {
    list: () => journal.keys(PREFIX).map((key) => Number(key.slice(PREFIX.length))),
    async add(proofs) {
      for (const { party: culprit, kind, evidence: file } of proofs) {
        if (evidenceOf(culprit) !== undefined) continue;
        const evidence = await archive.keep(file);
        journal.set(`${PREFIX}${culprit}`, new TextEncoder().encode(evidence));
        log({ level: 'error', message: 'a party is proven corrupt', culprit, kind, evidence });
      }
      await journal.sync();
    },
    async file(party) {
      const id = evidenceOf(party);
      return id === undefined ? undefined : archive.get(id);
    },
    async adopt(parties) {
      for (const party of parties) journal.set(`${PREFIX}${party}`, new TextEncoder().encode(TOLD));
      if (parties.length > 0) await journal.sync();
    },
  };
}
