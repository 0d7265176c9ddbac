/**
 * The opened bodies of one key generation on this party's disk, chunk by chunk. A chunk is public once it is opened;
 * together with the seed the chunks are the whole public key set.
 */
import { sha256 } from '@keyquorum/mpc/bytes';
import type { SessionId } from '@keyquorum/mpc/transport';
import { concat } from '../concat.ts';
import type { PublicStore } from '../storage.ts';

const DIGEST_BYTES = 32;

export interface BodyStore {
  /** Durable when it resolves. */
  put(index: number, values: Uint8Array): Promise<void>;
  get(index: number): Promise<Uint8Array | undefined>;
  /** SHA-256 of every chunk in order, once all are there: what COMPLETE was signed over, besides the seed. */
  putDigests(digests: Uint8Array): Promise<void>;
  digests(): Promise<Uint8Array | undefined>;
  /** Removes all of it: the session did not make a key. */
  discard(): Promise<void>;
}

const PREFIX = 'bodies/';

/** All sessions of which chunks are stored. */
export async function sessionsWithBodies(publics: PublicStore): Promise<ReadonlySet<SessionId>> {
  return new Set((await publics.names(PREFIX)).map((name) => name.slice(PREFIX.length).split('/', 1)[0]!));
}

export function bodyStore(publics: PublicStore, session: SessionId): BodyStore {
  const prefix = `${PREFIX}${session}/`;
  return {
    put: (index, values) => publics.put(`${prefix}${index}`, values),
    get: (index) => publics.get(`${prefix}${index}`),
    putDigests: (digests) => publics.put(`${prefix}digests`, digests),
    digests: () => publics.get(`${prefix}digests`),
    async discard() {
      for (const name of await publics.names(prefix)) await publics.delete(name);
    },
  };
}

/** The digests of chunks 0, 1, .. one after the other. */
export const joinDigests = concat;

export function digestOfChunk(digests: Uint8Array, index: number): Uint8Array {
  return digests.slice(DIGEST_BYTES * index, DIGEST_BYTES * (index + 1));
}

/** What COMPLETE is signed over: the SHA-256 of seed and digests, which determine every public object. */
export function keySetDigest(seed: Uint8Array, digests: Uint8Array): Uint8Array {
  return sha256(concat([seed, digests]));
}
