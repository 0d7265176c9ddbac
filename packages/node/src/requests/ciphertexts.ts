/**
 * Where the bytes of ciphertexts come from that requests only name: from what the requester handed over to this node,
 * or, when the request came from another node, from that one or its peers, once, checked against the digest. What was
 * pulled is kept as if it had been handed over here.
 *
 * A node pulls only for a request that a requester has signed, digests included (forwarding.ts), and offers only what
 * requests that it was asked for are about, while they run.
 */
import { createHash } from 'node:crypto';
import { toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { partiesOf } from '@keyquorum/mpc/roster';
import { BLOB_REQUEST_BYTES, type BlobRequest, createBlobStore } from '@keyquorum/mpc/runtime/blobs';
import { SessionError } from '@keyquorum/mpc/runtime/session-error';
import type { Exchange, PartyId, SessionId } from '@keyquorum/mpc/transport';
import { CIPHERTEXT_BYTES_MAX, type CiphertextShelf, createCiphertextShelf } from '@keyquorum/wire/ciphertext-shelf';
import { WireError } from '@keyquorum/wire/error';
import type { Limits } from '../config/schema.ts';
import type { Ciphertext, Content, NamedCiphertext } from './content.ts';

const EXCHANGE: Exchange = {
  name: 'ciphertext',
  requestBytesMax: BLOB_REQUEST_BYTES,
  responseBytesMax: CIPHERTEXT_BYTES_MAX,
};
/** A pull from all peers, one after the other. */
const PULL_MS = 60_000;

/** Bytes of a named ciphertext. Throws CIPHERTEXT_UNKNOWN. */
export type CiphertextSource = (ciphertext: NamedCiphertext) => Uint8Array;

export interface Ciphertexts {
  /** What came with requests or was handed over here. */
  own(requester: string): CiphertextSource;
  /** The same, and what a request names that another node sent: asks that one, then its peers. Throws as the source. */
  pull(peer: PartyId, content: Content): Promise<CiphertextSource>;
  /** Lets peers pull what the request names. Returns the end of that. */
  offer(content: Content, ciphertexts: readonly Ciphertext[]): () => void;
}

export function createShelf(limits: Limits): CiphertextShelf {
  return createCiphertextShelf({
    limits: {
      bytesMax: limits.ciphertextBytes,
      ownerBytesMax: limits.ciphertextBytesPerRequester,
      keptMs: limits.ciphertextSeconds * 1000,
    },
    newSha256: () => createHash('sha256'),
    now: () => performance.now(),
  });
}

/** @param bytesMax of the ciphertexts of one request */
export function createCiphertexts(party: Party, shelf: CiphertextShelf, bytesMax: number): Ciphertexts {
  const blobs = createBlobStore(party, EXCHANGE);
  /** The newest offer for each request. */
  const offers = new Map<SessionId, object>();
  const others = (first: PartyId) => partiesOf(party.roster).filter((id) => id !== first && id !== party.self);
  const here = (requester: string, { bytes, digest }: NamedCiphertext) => bytes ?? shelf.get(requester, toHex(digest));

  async function pulled(session: SessionId, request: Omit<BlobRequest, 'signal'>): Promise<Uint8Array | undefined> {
    const signal = AbortSignal.timeout(PULL_MS);
    try {
      return await blobs.fetch(session, { ...request, signal });
    } catch (error) {
      if (error instanceof SessionError || signal.aborted) return undefined;
      throw error;
    }
  }

  return {
    own: (requester) => (ciphertext) => here(requester, ciphertext) ?? unknown(requester, ciphertext),
    async pull(peer, content) {
      const { requester, ciphertexts } = content;
      const found = new Map<string, Uint8Array>();
      let bytesLeft = bytesMax;
      for (const ciphertext of ciphertexts) {
        const digest = toHex(ciphertext.digest);
        const held = found.get(digest) ?? here(requester, ciphertext);
        if (held !== undefined) found.set(digest, held); // it may be driven out before it is read
        if (held !== undefined) continue;
        const request = { hash: ciphertext.digest, from: [peer, ...others(peer)], bytesMax: bytesLeft };
        const bytes = await pulled(toHex(content.hash), request);
        if (bytes === undefined) return unknown(requester, ciphertext);
        bytesLeft -= bytes.length;
        found.set(digest, bytes);
        shelf.put(requester, digest, bytes);
      }
      return (ciphertext) => found.get(toHex(ciphertext.digest)) ?? unknown(requester, ciphertext);
    },
    offer(content, ciphertexts) {
      const session = toHex(content.hash);
      for (const { digest: hash, bytes } of ciphertexts) blobs.offer(session, { hash, bytes });
      const turn = {};
      offers.set(session, turn);
      return () => {
        if (offers.get(session) !== turn) return; // the request failed and is tried again
        offers.delete(session);
        blobs.withdrawAll(session);
      };
    },
  };
}

function unknown(requester: string, { digest }: NamedCiphertext): never {
  const problem = `${toHex(digest)} is not among the ciphertexts that requester ${requester} handed over to this node`;
  throw new WireError('CIPHERTEXT_UNKNOWN', `${problem}, or not any more`);
}
