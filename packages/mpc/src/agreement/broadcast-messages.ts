/**
 * Wire format of the signed broadcast (SPEC R1; docs/protocols/broadcast.md). Round 1 carries the sender's signature
 * and body, later rounds carry chains: a claim "S broadcast bytes with this length and digest" and who signed it.
 */
import { CodecError } from '@keyquorum/codec/error';
import { Reader } from '@keyquorum/codec/reader';
import { Writer } from '@keyquorum/codec/writer';
import { HASH_BYTES, sha256 } from '../bytes.ts';
import { LABELS } from '../labels.ts';
import { SIGNATURE_BYTES } from '../runtime/identity.ts';
import { EVERYONE, type Subject } from '../runtime/statement.ts';
import type { PartyId, SessionId } from '../transport.ts';
import { readSignatureSet, SIGNATURE_SET_BYTES_MAX, type SignatureSet, writeSignatureSet } from './signature-set.ts';

/** What the sender claims to have broadcast. */
export interface Claim {
  readonly sender: PartyId;
  readonly length: number;
  readonly digest: Uint8Array;
}

export interface Chain extends Claim {
  readonly signatures: SignatureSet;
}

/** An honest party relays at most this many values of one sender: two already prove that the sender lies. */
export const VALUES_PER_SENDER_MAX = 2;

const CHAIN_BYTES_MAX = 1 + 4 + HASH_BYTES + SIGNATURE_SET_BYTES_MAX;

export function batchBytesMax(n: number): number {
  return 1 + n * VALUES_PER_SENDER_MAX * CHAIN_BYTES_MAX;
}

export function roundTag(slot: string, round: number): string {
  return `broadcast/${slot}/${round}`;
}

/** Votes of parties that hold one value of everybody. */
export function heldTag(slot: string): string {
  return `broadcast/${slot}/held`;
}

/** The step that ends a broadcast early (endorsement.ts). */
export function unanimityTag(slot: string): string {
  return `broadcast/${slot}/unanimous`;
}

/** The slot whose round 1 a tag names; undefined for other tags. */
export function slotOfFirst(tag: string): string | undefined {
  return /^broadcast\/(.+)\/1$/.exec(tag)?.[1];
}

/** What `signer` signs about a claim: the sender under another label than those who relay. */
export function claimSubject(session: SessionId, slot: string, signer: PartyId, claim: Claim): Subject {
  const { sender, length, digest } = claim;
  const domain = signer === sender ? LABELS.broadcast : LABELS.broadcastRelay;
  return { domain, session, tag: `${slot}/${sender}`, receiver: EVERYONE, length, digest };
}

/** SHA-256 of what all n parties broadcast, in their order. Layout per claim: sender u8 | length u32 LE | digest 32. */
export function unanimousDigest(claims: Iterable<Claim>): Uint8Array {
  const writer = new Writer();
  for (const { sender, length, digest } of claims) {
    writer.u8(sender);
    writer.u32(length);
    writer.raw(digest);
  }
  return sha256(writer.finish());
}

/** Layout: signature 64 | body. */
export function encodeFirst(signature: Uint8Array, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(SIGNATURE_BYTES + body.length);
  message.set(signature);
  message.set(body, SIGNATURE_BYTES);
  return message;
}

export function decodeFirst(sender: PartyId, message: Uint8Array): { chain: Chain; body: Uint8Array } | undefined {
  if (message.length < SIGNATURE_BYTES) return undefined;
  const body = message.subarray(SIGNATURE_BYTES);
  const signatures = new Map([[sender, message.slice(0, SIGNATURE_BYTES)]]);
  return { chain: { sender, length: body.length, digest: sha256(body), signatures }, body };
}

/** Layout: count u8 | per chain: sender u8 | length u32 LE | digest 32 | signature set. */
export function encodeBatch(chains: readonly Chain[]): Uint8Array {
  const writer = new Writer();
  writer.u8(chains.length);
  for (const { sender, length, digest, signatures } of chains) {
    writer.u8(sender);
    writer.u32(length);
    writer.raw(digest);
    writeSignatureSet(writer, signatures);
  }
  return writer.finish();
}

/** Undefined when the bytes are not a batch for n parties. */
export function decodeBatch(n: number, bytes: Uint8Array): Chain[] | undefined {
  try {
    return readBatch(n, new Reader(bytes));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return undefined;
  }
}

function readBatch(n: number, reader: Reader): Chain[] {
  const count = reader.u8();
  if (count > n * VALUES_PER_SENDER_MAX) throw reader.error('CODEC_LENGTH', `got ${count} chains`, 0);
  const chains: Chain[] = [];
  for (let index = 0; index < count; index++) {
    const at = reader.offset;
    const sender = reader.u8();
    const length = reader.u32();
    const digest = new Uint8Array(reader.take(HASH_BYTES));
    const signatures = readSignatureSet(reader);
    if (sender < 1 || sender > n) throw reader.error('CODEC_VALUE', `got sender ${sender}, want 1..${n}`, at);
    chains.push({ sender, length, digest, signatures });
  }
  reader.end();
  return chains;
}
