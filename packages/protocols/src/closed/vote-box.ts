/**
 * Votes on a digest inside one session: every party signs the digest it holds and sends the signature to all. A digest
 * with t+1 votes was checked by an honest party; at most one digest ever gets a quorum.
 */
import type { Certificate } from '@keyquorum/mpc/agreement/certificate';
import { HASH_BYTES, toHex } from '@keyquorum/mpc/bytes';
import { partiesOf } from '@keyquorum/mpc/roster';
import { SIGNATURE_BYTES, type Subject, signStatement, verifyStatement } from '@keyquorum/mpc/runtime/statement';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';

const VOTE_BYTES = HASH_BYTES + SIGNATURE_BYTES;

export interface Tally {
  readonly digest: Uint8Array;
  /** In party order. */
  readonly voters: readonly PartyId[];
}

interface Want {
  readonly count: number;
  wanted(digest: Uint8Array): boolean;
}

export interface VoteBox {
  /** Signs and sends this party's vote. Deterministic: casting the same digest again changes nothing. */
  cast(digest: Uint8Array): void;
  /** The first digest with `count` votes, of those that are wanted. Rejects when the session ends before. */
  reached(count: number, wanted?: (digest: Uint8Array) => boolean): Promise<Tally>;
  certificate(digest: Uint8Array): Certificate;
  /** Everybody whose vote has not arrived, whatever for. */
  missing(): PartyId[];
}

/**
 * Starts collecting the votes sent under this tag; `subjectOf` is what a vote for a digest signs. Votes with a bad
 * signature are reported and not counted.
 */
export function openVoteBox(session: Session, tag: string, subjectOf: (digest: Uint8Array) => Subject): VoteBox {
  const byDigest = new Map<string, { digest: Uint8Array; signatures: Map<PartyId, Uint8Array> }>();
  const waiters = new Set<Want & { resolve(tally: Tally): void; reject(reason: unknown): void }>();

  function find({ count, wanted }: Want): Tally | undefined {
    for (const { digest, signatures } of byDigest.values()) {
      if (signatures.size >= count && wanted(digest)) return { digest, voters: inOrder(signatures.keys()) };
    }
    return undefined;
  }

  function count(party: PartyId, digest: Uint8Array, signature: Uint8Array): void {
    const key = toHex(digest);
    const entry = byDigest.get(key) ?? { digest, signatures: new Map<PartyId, Uint8Array>() };
    byDigest.set(key, entry);
    entry.signatures.set(party, signature);
    for (const waiter of [...waiters]) {
      const tally = find(waiter);
      if (tally === undefined) continue;
      waiters.delete(waiter);
      waiter.resolve(tally);
    }
  }

  async function collect(): Promise<void> {
    for await (const { from, body } of session.receive(tag, { bytesMax: VOTE_BYTES })) {
      const digest = Uint8Array.from(body.subarray(0, HASH_BYTES));
      const signature = Uint8Array.from(body.subarray(HASH_BYTES));
      const wellFormed = body.length === VOTE_BYTES;
      if (wellFormed && verifyStatement(session.roster, from, subjectOf(digest), signature))
        count(from, digest, signature);
      else session.report({ party: from, kind: 'malformed', detail: `${tag}: bad signature` });
    }
  }
  collect().catch(() => undefined); // the session ended: its signal rejects the waiters
  session.signal.addEventListener('abort', () => {
    for (const waiter of waiters) waiter.reject(session.signal.reason);
    waiters.clear();
  });

  let cast = false;
  return {
    cast(digest) {
      if (cast) return;
      cast = true;
      const signature = signStatement(session, subjectOf(digest));
      session.sendAll(tag, Buffer.concat([digest, signature]));
      count(session.self, digest, signature);
    },
    reached(count, wanted = () => true) {
      const tally = find({ count, wanted });
      if (tally !== undefined) return Promise.resolve(tally);
      return new Promise((resolve, reject) => waiters.add({ count, wanted, resolve, reject }));
    },
    certificate: (digest) => ({
      subject: subjectOf(digest),
      signatures: byDigest.get(toHex(digest))?.signatures ?? new Map(),
    }),
    missing() {
      const voters = new Set([...byDigest.values()].flatMap(({ signatures }) => [...signatures.keys()]));
      return partiesOf(session.roster).filter((party) => !voters.has(party));
    },
  };
}

function inOrder(parties: Iterable<PartyId>): PartyId[] {
  return [...new Set(parties)].sort((left, right) => left - right);
}
