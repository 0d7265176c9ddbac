/**
 * What nodes give each other of a finished key: its record with the digests of its chunks, and single chunks. What a
 * peer sends is compared with a certificate of the quorum; what this node sends is what it would accept. Of an attempt
 * that has made no key here: whether this node signed COMPLETE, or never will.
 */
import { decode, encode, u32 } from '@keyquorum/codec/codec';
import { bytes, fixedBytes, option, struct, text } from '@keyquorum/codec/composites';
import { completedDigest, decisionSubject, neverCompletes, signDecision } from '@keyquorum/mpc/agreement/decision';
import { fromHex, HASH_BYTES, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { SIGNATURE_BYTES, verifyStatement } from '@keyquorum/mpc/runtime/statement';
import type { Exchange, PartyId, SessionId } from '@keyquorum/mpc/transport';
import { ask } from '../ask.ts';
import { MaterialDamagedError } from '../material/public-object.ts';
import type { KeyRecord } from '../services.ts';
import { verifyRecord } from './certified-bodies.ts';
import type { KeyStore } from './key-store.ts';

const ANSWER_LIMIT_MS = 10_000;

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

/** COMPLETE of a session; none from a party that never signs it. */
const completeCodec = option(struct({ digest: fixedBytes(HASH_BYTES), signature: fixedBytes(SIGNATURE_BYTES) }));
const completeExchange: Exchange = {
  name: 'key/complete',
  requestBytesMax: HASH_BYTES,
  responseBytesMax: 1 + HASH_BYTES + SIGNATURE_BYTES,
};

export interface SignedComplete {
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

export interface CertifiedRecord {
  readonly record: KeyRecord;
  /** SHA-256 of every chunk, which the certificate of the record is about. */
  readonly digests: Uint8Array;
}

export interface KeyExchange {
  /** The answer of a peer, not yet looked at. @throws TransportError, PEER_REFUSED when it has no such key */
  askRecord(peer: PartyId, keyId: string): Promise<Uint8Array>;
  /**
   * The peer's COMPLETE of a session, verified, or 'never', which this peer alone vouches for. @throws Error also when
   * it says neither
   */
  askComplete(peer: PartyId, session: SessionId): Promise<SignedComplete | 'never'>;
  /** @throws Error unless the peer has a chunk that fits */
  chunk(peer: PartyId, chunk: WantedChunk): Promise<Uint8Array>;
}

export interface WantedChunk {
  readonly keyId: string;
  readonly index: number;
  fits(values: Uint8Array): boolean;
}

export interface KeyExchangeModules {
  readonly party: Party;
  readonly keys: KeyStore;
  readonly signal: AbortSignal;
  /** A peer asked for something that this disk has lost. */
  onDamaged(keyId: string): void;
}

/** Answers peers, and asks them. */
export function createKeyExchange({ party, keys, signal, onDamaged }: KeyExchangeModules): KeyExchange {
  const { transport } = party;

  const noticing = (keyId: string) => (error: unknown) => {
    if (error instanceof MaterialDamagedError) onDamaged(keyId);
    throw error;
  };

  transport.serve(recordExchange, async (_from, body) => {
    const keyId = toHex(body);
    const record = keys.record(keyId);
    if (record === undefined) throw new Error('no such key');
    // Not refused: who looks for a finished key must not take it for the answer that there is none.
    const damaged = () => new Uint8Array(0);
    const digests = await keys.certified(keyId).digests().catch(noticing(keyId)).catch(damaged);
    return encode(recordCodec, { record: JSON.stringify(record), digests });
  });
  transport.serve(chunkExchange, async (_from, body) => {
    const { keyId: id, index } = decode(chunkCodec, body);
    const keyId = toHex(id);
    return keys.certified(keyId).chunk(index).catch(noticing(keyId));
  });

  transport.serve(completeExchange, async (_from, body) => {
    const said = await completeOf(party, toHex(body));
    if (said === undefined) throw new Error('nothing was decided');
    return encode(completeCodec, said === 'never' ? null : said);
  });

  return {
    askRecord(to, keyId) {
      const body = fromHex(keyId);
      return ask(party, { to, exchange: recordExchange, body, limitMs: ANSWER_LIMIT_MS, signal });
    },
    async askComplete(to, session) {
      const question = { to, exchange: completeExchange, body: fromHex(session), limitMs: ANSWER_LIMIT_MS, signal };
      const said = decode(completeCodec, await ask(party, question));
      if (said === null) return 'never';
      const subject = decisionSubject(session, 'complete', said.digest);
      if (!verifyStatement(party.roster, to, subject, said.signature)) throw new Error(`bad signature of party ${to}`);
      return said;
    },
    async chunk(to, { keyId, index, fits }) {
      const body = encode(chunkCodec, { keyId: fromHex(keyId), index });
      const values = await ask(party, { to, exchange: chunkExchange, body, limitMs: ANSWER_LIMIT_MS, signal });
      if (!fits(values)) throw new Error(`chunk ${index} has other bytes`);
      return values;
    },
  };
}

/** This party's COMPLETE of a session, 'never', or undefined while it may yet sign it. Durable when it resolves. */
export async function completeOf(party: Party, session: SessionId): Promise<SignedComplete | 'never' | undefined> {
  const digest = completedDigest(party.journal, session);
  const signature = digest && (await signDecision(party, session, 'complete', digest));
  if (digest !== undefined && signature !== undefined) return { digest, signature };
  if (!neverCompletes(party.journal, session)) return undefined;
  await party.journal.sync();
  return 'never';
}

/** @throws Error, CodecError or SyntaxError unless a quorum certified this answer of a peer */
export function certifiedRecord({ roster }: Party, answer: Uint8Array): CertifiedRecord {
  const { record, digests } = decode(recordCodec, answer);
  const parsed = JSON.parse(record) as KeyRecord; // its certificate decides; wrong fields fail to verify
  verifyRecord(roster, parsed, digests);
  return { record: parsed, digests };
}
