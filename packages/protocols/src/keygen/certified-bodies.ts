/**
 * The bodies of a finished key as a quorum certified them. Whatever is read is compared with the certified digests, so
 * what a disk has changed or lost is noticed before anybody gets it.
 */
import { decodeCertificate, verifyCertificate } from '@keyquorum/mpc/agreement/certificate';
import { decisionSubject } from '@keyquorum/mpc/agreement/decision';
import { equalBytes, fromHex, HASH_BYTES, sha256 } from '@keyquorum/mpc/bytes';
import { quorumOf, type Roster } from '@keyquorum/mpc/roster';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import { announcedSession } from '../ceremony/starting.ts';
import { MaterialDamagedError } from '../material/public-object.ts';
import type { UndescribedRecord } from '../services.ts';
import { type BodyStore, digestOfChunk, keySetDigest } from './bodies.ts';
import { type BodyChunk, bodyChunks, chunkBytes } from './chunks.ts';
import { encodeContent } from './content.ts';

export interface CertifiedBodies {
  /** SHA-256 of every chunk in order. @throws MaterialDamagedError when the disk has not what the quorum signed */
  digests(): Promise<Uint8Array>;
  /** @throws MaterialDamagedError when the disk has not what the quorum signed */
  chunk(index: number): Promise<Uint8Array>;
}

export function certifiedBodies(roster: Roster, record: UndescribedRecord, store: BodyStore): CertifiedBodies {
  let verified: Uint8Array | undefined;

  async function digests(): Promise<Uint8Array> {
    if (verified !== undefined) return verified;
    try {
      const stored = await store.digests();
      if (stored === undefined) throw new Error('missing');
      verifyRecord(roster, record, stored);
      verified = stored;
      return stored;
    } catch (cause) {
      throw new MaterialDamagedError(`key ${record.keyId}: the digests of its public parts are damaged`, { cause });
    }
  }

  return {
    digests,
    async chunk(index) {
      const values = await intactChunk(store, index, digestOfChunk(await digests(), index));
      if (values instanceof Error) {
        const message = `key ${record.keyId}: chunk ${index} of its public parts is damaged`;
        throw new MaterialDamagedError(message, { cause: values });
      }
      return values;
    },
  };
}

/** The chunk as its digest wants it, or what is wrong with it: a disk may fail in any way. */
async function intactChunk(store: BodyStore, index: number, right: Uint8Array): Promise<Uint8Array | Error> {
  try {
    const values = await store.get(index);
    if (values === undefined) return new Error('missing');
    return equalBytes(sha256(values), right) ? values : new Error('other bytes than those of its digest');
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/**
 * Stores every chunk of which the disk has no right copy, then the digests; how many chunks there were. `fetchChunk`
 * gives bytes that fit, or throws.
 */
export async function completeBodies(
  { parameters }: Pick<UndescribedRecord, 'parameters'>,
  { store, digests }: { store: BodyStore; digests: Uint8Array },
  fetchChunk: (index: number, fits: (values: Uint8Array) => boolean) => Promise<Uint8Array>,
): Promise<number> {
  const chunks = bodyChunks(keySetChoice(parameters));
  let fetched = 0;
  for (const chunk of chunks) {
    const right = digestOfChunk(digests, chunk.index);
    if (!((await intactChunk(store, chunk.index, right)) instanceof Error)) continue;
    const values = await fetchChunk(chunk.index, (bytes) => fitsChunk(chunk, right, bytes));
    await store.put(chunk.index, values);
    fetched += 1;
  }
  await store.putDigests(Uint8Array.from(digests));
  return fetched;
}

function fitsChunk(chunk: BodyChunk, right: Uint8Array, values: Uint8Array): boolean {
  return values.length === chunkBytes(chunk) && equalBytes(sha256(values), right);
}

/** @throws Error unless a quorum signed COMPLETE for exactly this seed and these bodies in this session */
export function verifyRecord(roster: Roster, record: UndescribedRecord, digests: Uint8Array): void {
  const { keyId: id, attempt, startMs, parameters } = record;
  // The session id hashes what was agreed, purpose included, so a peer cannot hand us a key of another purpose.
  const announced = announcedSession(roster, { kind: 'keygen', id, attempt, startMs, content: encodeContent(record) });
  if (announced !== record.session) throw new Error(`key ${id}: the record is not of this ceremony`);
  if (digests.length !== HASH_BYTES * bodyChunks(keySetChoice(parameters)).length) {
    throw new Error(`key ${id}: wrong number of chunks`);
  }
  const subject = decisionSubject(record.session, 'complete', keySetDigest(fromHex(record.seed), digests));
  const certificate = decodeCertificate(fromHex(record.certificate));
  if (!verifyCertificate(roster, subject, certificate, quorumOf(roster))) {
    throw new Error(`key ${id}: a quorum did not sign it`);
  }
}
