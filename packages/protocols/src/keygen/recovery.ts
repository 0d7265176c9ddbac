/**
 * How a node that missed the end of a key generation gets the key: from the record of a peer, whose certificate
 * decides, and the chunks of bodies that it did not see opened. Shares it has already, or it has no part in the key.
 */
import { decode, encode, u32 } from '@keyquorum/codec/codec';
import { bytes, fixedBytes, struct, text } from '@keyquorum/codec/composites';
import { equalBytes, fromHex, HASH_BYTES, sha256, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import type { Exchange, PartyId, SessionId } from '@keyquorum/mpc/transport';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import { ask } from '../ask.ts';
import type { Board } from '../ceremony/board.ts';
import type { Log } from '../log.ts';
import type { KeyRecord } from '../services.ts';
import { digestOfChunk } from './bodies.ts';
import { bodyChunks, chunkBytes } from './chunks.ts';
import { type KeyStore, verifyRecord } from './key-store.ts';

const RECORD_LIMIT_MS = 10_000;
const RECORD_RETRY_MS = 5_000;
/** This long after the deadline of a ceremony no other party ends it any more. */
const OTHERS_LATE_MS = 30_000;

const DIGESTS_BYTES_MAX = 2 ** 16;
const recordCodec = struct({ record: text(16_384), digests: bytes(DIGESTS_BYTES_MAX) });
const recordExchange: Exchange = {
  name: 'key/record',
  requestBytesMax: 32,
  responseBytesMax: DIGESTS_BYTES_MAX + 2 ** 15,
};

/** One chunk of the public parts of a finished key. */
const chunkCodec = struct({ keyId: fixedBytes(32), index: u32 });
const chunkExchange: Exchange = { name: 'key/chunk', requestBytesMax: 36, responseBytesMax: 2 ** 21 };

export interface RecoveryModules {
  readonly party: Party;
  readonly board: Board;
  readonly keys: KeyStore;
  readonly epoch: () => number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

export interface Recovery {
  /** True when the key was completed, or given up: all were asked, nobody has it and nobody can make it any more. */
  one(keyId: string, session: SessionId): Promise<boolean>;
  /** Everything unfinished, until each is completed or given up. */
  all(): Promise<void>;
}

/** Answers peers that missed the end, and asks them when this node did. */
export function createRecovery(modules: RecoveryModules): Recovery {
  const { party, board, keys, signal, log } = modules;
  const { clock, roster, transport } = party;

  transport.serve(recordExchange, async (_from, body) => {
    const record = keys.record(toHex(body));
    const digests = record && (await keys.bodies(record.session).digests());
    if (record === undefined || digests === undefined) throw new Error('no such key');
    return encode(recordCodec, { record: JSON.stringify(record), digests });
  });
  transport.serve(chunkExchange, async (_from, body) => {
    const { keyId, index } = decode(chunkCodec, body);
    const record = keys.record(toHex(keyId));
    const values = record && (await keys.bodies(record.session).get(index));
    if (values === undefined) throw new Error('no such chunk');
    return values;
  });

  async function recoverAll(): Promise<void> {
    for (;;) {
      const kept = (await keys.unfinished()).filter(({ keyId }) => board.get(keyId)?.state !== 'running');
      let early = false;
      for (const { keyId, session } of kept) {
        if (!(await recoverOne(keyId, session))) early ||= mayYetEnd(keyId);
      }
      if (!early) return;
      await clock.until(clock.now() + RECORD_RETRY_MS, signal);
    }
  }

  /** The others may still be at it: that nobody has the key now means nothing. */
  function mayYetEnd(keyId: string): boolean {
    return clock.now() < (board.get(keyId)?.deadlineMs ?? 0) + OTHERS_LATE_MS;
  }

  async function recoverOne(keyId: string, session: SessionId): Promise<boolean> {
    let refusals = 0;
    for (const peer of party.connected()) {
      const question = { to: peer, exchange: recordExchange, body: fromHex(keyId), limitMs: RECORD_LIMIT_MS, signal };
      const answer = await ask(party, question).catch((error) => {
        if ((error as { code?: unknown }).code === 'PEER_REFUSED') refusals += 1; // silence says nothing
        return undefined;
      });
      if (answer === undefined || !(await activateFrom(answer, keyId, session, peer))) continue;
      log({ level: 'info', message: 'completed a key from the record of a peer', keyId, from: peer });
      return true;
    }
    if (refusals < roster.n - 1 || mayYetEnd(keyId)) return false;
    await keys.discard(keyId, session);
    return true;
  }

  /** False when the answer of the peer is no certified record of this ceremony: the next peer is asked. */
  async function activateFrom(answer: Uint8Array, keyId: string, session: SessionId, peer: PartyId): Promise<boolean> {
    try {
      const { record, digests } = decode(recordCodec, answer);
      const parsed = JSON.parse(record) as KeyRecord; // its certificate decides; wrong fields fail to verify
      if (parsed.session !== session || parsed.keyId !== keyId) return false;
      verifyRecord(roster, parsed, digests);
      await completeBodies(parsed, digests, peer);
      await keys.activate({ ...parsed, epoch: modules.epoch() });
      return true;
    } catch (error) {
      log({ level: 'warn', message: 'a peer sent a bad record of a key', keyId, from: peer, error: String(error) });
      return false;
    }
  }

  /** Pulls what this node did not see opened. @throws when the peer has other bytes */
  async function completeBodies({ keyId, session, parameters }: KeyRecord, digests: Uint8Array, peer: PartyId) {
    const store = keys.bodies(session);
    const chunks = bodyChunks(keySetChoice(parameters));
    if (digests.length !== HASH_BYTES * chunks.length) throw new Error('wrong number of chunks');
    for (const chunk of chunks) {
      const { index } = chunk;
      const right = digestOfChunk(digests, index);
      const own = await store.get(index);
      if (own !== undefined && equalBytes(sha256(own), right)) continue;
      const body = encode(chunkCodec, { keyId: fromHex(keyId), index });
      const question = { to: peer, exchange: chunkExchange, body, limitMs: RECORD_LIMIT_MS, signal };
      const values = await ask(party, question);
      if (values.length !== chunkBytes(chunk) || !equalBytes(sha256(values), right)) {
        throw new Error(`chunk ${index} has other bytes`);
      }
      await store.put(index, values);
    }
    await store.putDigests(Uint8Array.from(digests));
  }

  return { one: recoverOne, all: recoverAll };
}
