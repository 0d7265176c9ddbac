/** The evidence files of a node, each named by its SHA-256. They are never deleted: they outlive network and keys. */
import { sha256Hex } from '@keyquorum/mpc/bytes';
import type { Roster } from '@keyquorum/mpc/roster';
import type { PublicStore } from '../storage.ts';
import { type EvidenceSummary, summarise } from './summary.ts';

export interface KeptEvidence extends EvidenceSummary {
  /** SHA-256 of the file, hex. */
  readonly id: string;
  readonly size: number;
}

export interface EvidenceArchive {
  /** Durable when it resolves, with the id of the file. */
  keep(file: Uint8Array): Promise<string>;
  list(): Promise<KeptEvidence[]>;
  get(id: string): Promise<Uint8Array | undefined>;
}

const PREFIX = 'evidence/';
/** An earlier version named them otherwise. */
const ID = /^[0-9a-f]{64}$/;

export function createEvidenceArchive(publics: PublicStore, roster: Roster): EvidenceArchive {
  const get = (id: string) => publics.get(PREFIX + id);
  /** Files never change, and are megabytes in large committees: each is read once. */
  const read = new Map<string, KeptEvidence>();
  return {
    async keep(file) {
      const id = sha256Hex(file);
      await publics.put(PREFIX + id, file);
      return id;
    },
    async list() {
      const ids = (await publics.names(PREFIX)).map((name) => name.slice(PREFIX.length));
      for (const id of ids.filter((each) => ID.test(each) && !read.has(each))) {
        const file = await get(id);
        if (file !== undefined) read.set(id, { id, size: file.length, ...summarise(roster, file) });
      }
      return [...read.values()];
    },
    get,
  };
}
