/**
 * The three broadcasts of PRSS-Init as bytes (SPEC R2; docs/protocols/prss.md, steps I0 to I2), and the view that names
 * which broadcasts were delivered. Every length follows from the scope and the earlier broadcasts: nothing is allocated
 * from a length that somebody sent.
 */
import { CodecError } from '@keyquorum/codec/error';
import { Reader } from '@keyquorum/codec/reader';
import { Writer } from '@keyquorum/codec/writer';
import { HASH_BYTES, sha256 } from '../bytes.ts';
import { LABELS } from '../labels.ts';
import type { PartyId } from '../transport.ts';
import { BOX_KEY_BYTES, BOX_OVERHEAD_BYTES } from './init-box.ts';
import { type BySet, bySet, type InitScope, writePartyMask, writeText } from './init-scope.ts';

export const NONCE_BYTES = 32;
export const COMMITMENT_BYTES = HASH_BYTES;
/** s and o of one set. */
export const SECRET_BYTES = 32;
export const OPENING_BYTES = 2 * SECRET_BYTES;

/** Bodies of one broadcast by sender. */
export type Bodies = ReadonlyMap<PartyId, Uint8Array>;

/** I0: a nonce, and one public key for each other party as a sender. Layout: nonce 32 | keys, 32 each, by sender. */
export interface KeyAnnouncement {
  readonly nonce: Uint8Array;
  readonly keys: ReadonlyMap<PartyId, Uint8Array>;
}

/** I1. Layout: view 32 | commitments, 32 per set | per receiver: sealed box of the openings of the common sets. */
export interface Contribution {
  readonly commitments: BySet;
  readonly boxes: ReadonlyMap<PartyId, Uint8Array>;
}

/** I2. Layout: view 32 | count u8 | per complaint: sender u8, the one-time private key for it 32; ascending. */
export type Complaints = ReadonlyMap<PartyId, Uint8Array>;

/** Longest body of each of the three broadcasts. */
export function bodyBytesMax(scope: InitScope): readonly [number, number, number] {
  const { n } = scope;
  const parties = othersOf(scope, 0);
  const contributions = parties.map((sender) => contributionBytes(scope, sender, othersOf(scope, sender)));
  return [
    NONCE_BYTES + (n - 1) * BOX_KEY_BYTES,
    Math.max(...contributions),
    HASH_BYTES + 1 + (n - 1) * (1 + BOX_KEY_BYTES),
  ];
}

function contributionBytes(scope: InitScope, sender: PartyId, receivers: readonly PartyId[]): number {
  const commitments = scope.common(sender, sender).length * COMMITMENT_BYTES;
  return receivers.reduce((sum, receiver) => sum + boxBytes(scope, sender, receiver), HASH_BYTES + commitments);
}

function boxBytes(scope: InitScope, sender: PartyId, receiver: PartyId): number {
  return BOX_OVERHEAD_BYTES + scope.common(sender, receiver).length * OPENING_BYTES;
}

export function othersOf({ n }: Pick<InitScope, 'n'>, self: PartyId): PartyId[] {
  return Array.from({ length: n }, (_, index) => index + 1).filter((party) => party !== self);
}

export function encodeKeys({ nonce, keys }: KeyAnnouncement): Uint8Array {
  const writer = new Writer();
  writer.raw(nonce);
  for (const [, key] of ascending(keys)) writer.raw(key);
  return writer.finish();
}

export function decodeKeys(scope: InitScope, self: PartyId, body: Uint8Array): KeyAnnouncement | undefined {
  return tryRead(body, (reader) => ({
    nonce: new Uint8Array(reader.take(NONCE_BYTES)),
    keys: new Map(othersOf(scope, self).map((sender) => [sender, reader.take(BOX_KEY_BYTES)])),
  }));
}

export function encodeContribution(view: Uint8Array, { commitments, boxes }: Contribution): Uint8Array {
  const writer = new Writer();
  writer.raw(view);
  for (const [, commitment] of ascending(commitments)) writer.raw(commitment);
  for (const [, box] of ascending(boxes)) writer.raw(box);
  return writer.finish();
}

/** `receivers`: the others whose keys were delivered. */
export function decodeContribution(
  scope: InitScope,
  sender: PartyId,
  receivers: readonly PartyId[],
  body: Uint8Array,
): Contribution | undefined {
  return tryRead(body, (reader) => {
    reader.take(HASH_BYTES); // the view was compared before
    const sets = scope.common(sender, sender);
    const commitments = bySet(sets, reader.take(sets.length * COMMITMENT_BYTES), COMMITMENT_BYTES)!;
    const box = (receiver: PartyId) => reader.take(boxBytes(scope, sender, receiver));
    return { commitments, boxes: new Map(receivers.map((receiver) => [receiver, box(receiver)])) };
  });
}

export function encodeComplaints(view: Uint8Array, complaints: Complaints): Uint8Array {
  const writer = new Writer();
  writer.raw(view);
  writer.u8(complaints.size);
  for (const [sender, secretKey] of ascending(complaints)) {
    writer.u8(sender);
    writer.raw(secretKey);
  }
  return writer.finish();
}

export function decodeComplaints(scope: InitScope, self: PartyId, body: Uint8Array): Complaints | undefined {
  return tryRead(body, (reader) => {
    reader.take(HASH_BYTES);
    const complaints = new Map<PartyId, Uint8Array>();
    let last = 0;
    for (let left = reader.u8(); left > 0; left--) {
      const sender = reader.u8();
      if (sender <= last || sender > scope.n || sender === self)
        throw reader.error('CODEC_VALUE', 'want other parties, ascending');
      complaints.set(sender, reader.take(BOX_KEY_BYTES));
      last = sender;
    }
    return complaints;
  });
}

/** True for a body whose sender had this view. Whoever had another one is not to blame: the network may be. */
export function hasView(body: Uint8Array, view: Uint8Array): boolean {
  return body.length >= HASH_BYTES && view.every((byte, index) => byte === body[index]);
}

/**
 * The deliveries of the steps so far. Layout: u8 + label | scope 32 | per step: senders u16 LE | per sender the SHA-256
 * of its body. The SHA-256 of these bytes is the view.
 */
export function encodeManifest(scope: InitScope, steps: readonly Bodies[]): Uint8Array {
  const digests = steps.map((bodies) => new Map([...bodies].map(([sender, body]) => [sender, sha256(body)])));
  const writer = new Writer();
  writeText(writer, LABELS.prssView);
  writer.raw(scope.digest);
  for (const step of digests) {
    writePartyMask(writer, step.keys());
    for (const [, digest] of ascending(step)) writer.raw(digest);
  }
  return writer.finish();
}

export function manifestBytesMax({ n }: Pick<InitScope, 'n'>): number {
  return 1 + LABELS.prssView.length + HASH_BYTES + 3 * (2 + n * HASH_BYTES);
}

/** The digests of the bodies by step and sender; undefined when the bytes are no manifest of this scope. */
export function decodeManifest(scope: InitScope, bytes: Uint8Array): ReadonlyMap<PartyId, Uint8Array>[] | undefined {
  return tryRead(bytes, (reader) => {
    const head = encodeManifest(scope, []);
    const at = reader.take(head.length);
    if (!head.every((byte, index) => byte === at[index])) throw reader.error('CODEC_VALUE', 'want this scope', 0);
    return [0, 1, 2].map(() => {
      const mask = reader.u8() | (reader.u8() << 8);
      if (mask >> scope.n) throw reader.error('CODEC_VALUE', `want parties up to ${scope.n}`);
      const senders = othersOf(scope, 0).filter((party) => mask & (1 << (party - 1)));
      return new Map(senders.map((sender) => [sender, new Uint8Array(reader.take(HASH_BYTES))]));
    });
  });
}

function tryRead<T>(bytes: Uint8Array, read: (reader: Reader) => T): T | undefined {
  const reader = new Reader(bytes);
  try {
    const value = read(reader);
    reader.end();
    return value;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return undefined;
  }
}

function ascending<T>(entries: ReadonlyMap<number, T>): [number, T][] {
  return [...entries].sort(([left], [right]) => left - right);
}
