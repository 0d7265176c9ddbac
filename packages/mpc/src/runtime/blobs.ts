/**
 * Bytes that one party offers and others pull by hash: bodies of broadcasts, opened values, transcripts. Everything
 * here is public among the parties; a secret must never be offered. One exchange serves all sessions of one store.
 *
 * A fetch asks the parties in the given order. The next one is asked when the last refused, or after HEDGE_MS without
 * an answer, so that one silent party costs 150 ms and not a timeout.
 */
import { fromHex, HASH_BYTES, sha256Hex, toHex } from '../bytes.ts';
import type { Clock } from '../session.ts';
import { ENVELOPE_BODY_BYTES_MAX, type Exchange, type PartyId, type SessionId, type Transport } from '../transport.ts';
import { SessionError } from './session-error.ts';

/** Session 32 bytes | SHA-256 32 bytes. */
export const BLOB_REQUEST_BYTES = 2 * HASH_BYTES;
/** The response are the bytes. */
export const BLOB_EXCHANGE: Exchange = {
  name: 'blob',
  requestBytesMax: BLOB_REQUEST_BYTES,
  responseBytesMax: ENVELOPE_BODY_BYTES_MAX,
};

/** Several round trips between continents. */
const HEDGE_MS = 150;
/** 8 MiB over a slow link; a peer that needs longer is passed over. */
const FETCH_TIMEOUT_MS = 30_000;

/** Bytes that are held, or read again when somebody asks. */
type Offer = Uint8Array | (() => Promise<Uint8Array | undefined>);

export interface BlobStore {
  /** `hash`: SHA-256 of the bytes. */
  offer(session: SessionId, blob: { readonly bytes: Uint8Array; readonly hash: Uint8Array }): void;
  /** Replaces the held bytes by a way to read them; undefined withdraws the offer. */
  replace(session: SessionId, hash: Uint8Array, load: (() => Promise<Uint8Array | undefined>) | undefined): void;
  withdrawAll(session: SessionId): void;
  fetch(session: SessionId, request: BlobRequest): Promise<Uint8Array>;
}

export interface BlobRequest {
  readonly hash: Uint8Array;
  readonly from: readonly PartyId[];
  readonly bytesMax: number;
  readonly signal: AbortSignal;
}

interface BlobModules {
  readonly transport: Transport;
  readonly clock: Clock;
}

/** @param exchange another one for blobs of another size; it is served from now on */
export function createBlobStore({ transport, clock }: BlobModules, exchange: Exchange = BLOB_EXCHANGE): BlobStore {
  const offers = new Map<SessionId, Map<string, Offer>>();
  const find = async (session: SessionId, hash: Uint8Array): Promise<Uint8Array | undefined> => {
    const offer = offers.get(session)?.get(toHex(hash));
    return typeof offer === 'function' ? offer() : offer;
  };

  transport.serve(exchange, async (_from, request) => {
    const bytes = await find(toHex(request.subarray(0, HASH_BYTES)), request.subarray(HASH_BYTES));
    if (!bytes) throw new SessionError('BLOB_UNAVAILABLE', 'this party does not offer these bytes');
    return bytes;
  });

  return {
    offer(session, { bytes, hash }) {
      if (bytes.length > exchange.responseBytesMax) {
        throw new RangeError(`offer: ${bytes.length} bytes, at most ${exchange.responseBytesMax}`);
      }
      const offered = offers.get(session) ?? new Map<string, Offer>();
      offers.set(session, offered.set(toHex(hash), bytes));
    },
    replace(session, hash, load) {
      if (load) offers.get(session)?.set(toHex(hash), load);
      else offers.get(session)?.delete(toHex(hash));
    },
    withdrawAll: (session) => void offers.delete(session),
    async fetch(session, { hash, from, bytesMax, signal }) {
      const own = await find(session, hash);
      if (own) return own;
      const body = new Uint8Array(BLOB_REQUEST_BYTES);
      body.set(fromHex(session));
      body.set(hash, HASH_BYTES);
      const ask = async (peer: PartyId, cancel: AbortSignal) => {
        const bytes = await transport.request(peer, exchange, body, cancel);
        if (bytes.length > bytesMax || sha256Hex(bytes) !== toHex(hash)) {
          throw new SessionError('BLOB_UNAVAILABLE', `party ${peer} answered with other bytes`);
        }
        return bytes;
      };
      const peers = from.filter((peer) => peer !== transport.self);
      const answer = await firstAnswer(peers, ask, clock, signal);
      if (answer) return answer;
      signal.throwIfAborted();
      throw new SessionError('BLOB_UNAVAILABLE', `none of parties ${peers.join(', ')} has bytes ${toHex(hash)}`);
    },
  };
}

/** The first success among the peers, asked one after the other with hedging; undefined when all failed. */
async function firstAnswer(
  peers: readonly PartyId[],
  ask: (peer: PartyId, cancel: AbortSignal) => Promise<Uint8Array>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const done = new AbortController();
  const cancel = AbortSignal.any([signal, done.signal]);
  const pending = new Set<Promise<Uint8Array | undefined>>();
  const start = (peer: PartyId) => {
    const attempt: Promise<Uint8Array | undefined> = withTimeout(peer, ask, clock, cancel)
      .catch(() => undefined) // refused, late or wrong: the next peer is asked
      .finally(() => pending.delete(attempt));
    pending.add(attempt);
  };
  try {
    for (const peer of peers) {
      if (cancel.aborted) return undefined;
      start(peer);
      const hedge = clock.until(clock.now() + HEDGE_MS, cancel).catch(() => undefined);
      const answer = await Promise.race([...pending, hedge]);
      if (answer) return answer;
    }
    while (pending.size > 0) {
      const answer = await Promise.race(pending);
      if (answer) return answer;
    }
    return undefined;
  } finally {
    done.abort();
  }
}

async function withTimeout(
  peer: PartyId,
  ask: (peer: PartyId, cancel: AbortSignal) => Promise<Uint8Array>,
  clock: Clock,
  cancel: AbortSignal,
): Promise<Uint8Array> {
  const own = new AbortController();
  const signal = AbortSignal.any([cancel, own.signal]);
  clock.until(clock.now() + FETCH_TIMEOUT_MS, signal).then(
    () => own.abort(),
    () => undefined,
  );
  return ask(peer, signal).finally(() => own.abort());
}
