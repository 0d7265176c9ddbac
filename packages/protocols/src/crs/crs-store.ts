/**
 * The reference strings of a node, all public: the file, durable before COMPLETE is signed; the transcript; and a
 * record in the journal, once a quorum has signed.
 */
import { crsDigest } from '@keyquorum/crs/crs-file';
import { toHex } from '@keyquorum/mpc/bytes';
import type { Journal } from '@keyquorum/mpc/session';
import { DIGEST_LABEL } from '@keyquorum/wire/digest';
import { MaterialDamagedError, type PublicObject } from '../material/public-object.ts';
import type { CrsRecord } from '../services.ts';
import type { PublicStore } from '../storage.ts';
import type { VerifiedTranscript } from './transcript.ts';

const RECORD_PREFIX = 'crs-record/';

export interface CrsStore {
  records(): CrsRecord[];
  record(id: string): CrsRecord | undefined;
  /** Durable when it resolves; not yet published. */
  keepFile(id: string, file: Uint8Array): Promise<void>;
  file(id: string): Promise<Uint8Array | undefined>;
  /** Publishes the file that is kept, which `verified` was checked to be about. */
  publish(verified: VerifiedTranscript, transcript: Uint8Array): Promise<void>;
  transcript(id: string): Promise<Uint8Array | undefined>;
  /** The files that are published. */
  objects(): PublicObject[];
  /** One of them by its digest. */
  material(digest: string): PublicObject | undefined;
  /** Forgets the file of a ceremony that did not succeed. */
  discard(id: string): Promise<void>;
}

export function createCrsStore(journal: Journal, publics: PublicStore): CrsStore {
  const fileName = (id: string) => `crs/${id}/file`;
  const transcriptName = (id: string) => `crs/${id}/transcript`;
  const record = (id: string): CrsRecord | undefined => {
    const bytes = journal.get(RECORD_PREFIX + id);
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as CrsRecord); // written by `publish`
  };
  const records = (): CrsRecord[] => journal.keys(RECORD_PREFIX).map((key) => record(key.slice(RECORD_PREFIX.length))!);

  return {
    records,
    record,
    keepFile: (id, file) => publics.put(fileName(id), file),
    file: (id) => publics.get(fileName(id)),
    async publish({ announcement, content, contributors, file: digest }, transcript) {
      const { id } = announcement;
      const file = await publics.get(fileName(id));
      if (file === undefined) throw new Error(`reference string ${id}: its file is missing on this disk`);
      await publics.put(transcriptName(id), transcript);
      const published: CrsRecord = { crsId: id, ...content, digest: toHex(digest), size: file.length, contributors };
      journal.set(RECORD_PREFIX + id, new TextEncoder().encode(JSON.stringify(published)));
      await journal.sync();
    },
    transcript: async (id) => (record(id) ? publics.get(transcriptName(id)) : undefined),
    objects: () => records().map(objectOf),
    material: (digest) =>
      records()
        .filter((each) => each.digest === digest)
        .map(objectOf)[0],
    async discard(id) {
      if (record(id) === undefined) await publics.delete(fileName(id));
    },
  };

  function objectOf({ crsId, digest, size }: CrsRecord): PublicObject {
    async function* read(start = 0, end = size): AsyncGenerator<Uint8Array> {
      const file = await publics.get(fileName(crsId));
      if (file === undefined || toHex(crsDigest(file)) !== digest) {
        throw new MaterialDamagedError(`the file of reference string ${crsId} is missing on this disk, or has changed`);
      }
      yield file.subarray(start, end);
    }
    return { type: 'CompactPkeCrs', label: DIGEST_LABEL.crs, digest, size, read };
  }
}
