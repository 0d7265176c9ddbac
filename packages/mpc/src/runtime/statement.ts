/**
 * What an identity key signs (SPEC R17): never a bare payload, always a statement that names the operation, the
 * network, the session, the step, sender and receiver, and the length and digest of the payload. Injective by fixed
 * widths and length prefixes, so that no signature can be read as a different claim. Costs one SHA-256 and one Ed25519
 * operation.
 */
import { Writer } from '@keyquorum/codec/writer';
import { fromHex, HASH_BYTES, sha256 } from '../bytes.ts';
import { LABELS } from '../labels.ts';
import type { Roster } from '../roster.ts';
import type { Signer } from '../session.ts';
import { type PartyId, type SessionId, TAG_LENGTH_MAX } from '../transport.ts';
import { SIGNATURE_BYTES, verifierOf } from './identity.ts';

export { SIGNATURE_BYTES };

/** The receiver of a message that goes to all parties alike. Written '*' in the specification. */
export const EVERYONE = 0;
export const DOMAIN_LENGTH_MAX = 64;

/** What is claimed, without who claims it: several parties may sign one subject. */
export interface Subject {
  /** Domain label of the operation, printable ASCII. */
  readonly domain: string;
  readonly session: SessionId;
  readonly tag: string;
  readonly receiver: PartyId | typeof EVERYONE;
  /** Length in bytes and SHA-256 of the payload. */
  readonly length: number;
  readonly digest: Uint8Array;
}

export interface Statement extends Subject {
  /** Digest of the roster: network name, n, t and all public keys. */
  readonly network: Uint8Array;
  readonly sender: PartyId;
}

/** Who signs. A `Session` and a `Party` are speakers. */
export interface Speaker {
  readonly roster: Roster;
  readonly self: PartyId;
  readonly signer: Signer;
}

/** The subject of a payload: computes length and digest. */
export function subjectOf(scope: Omit<Subject, 'length' | 'digest'>, payload: Uint8Array): Subject {
  return { ...scope, length: payload.length, digest: sha256(payload) };
}

/**
 * Layout: u8 + frame label | u8 + domain | network 32 | session 32 | u8 + tag | sender u8 | receiver u8 (0 = everyone)
 * | length u64 LE | digest 32. Texts are printable ASCII with their length in front.
 * @throws RangeError for a field out of its range: callers validate what peers send before they get here.
 */
export function encodeStatement(statement: Statement): Uint8Array {
  const writer = new Writer();
  writeText(writer, 'frame', LABELS.statement, DOMAIN_LENGTH_MAX);
  writeText(writer, 'domain', statement.domain, DOMAIN_LENGTH_MAX);
  writeHash(writer, 'network', statement.network);
  writeHash(writer, 'session', fromHex(statement.session));
  writeText(writer, 'tag', statement.tag, TAG_LENGTH_MAX);
  writer.u8(statement.sender);
  writer.u8(statement.receiver);
  writer.size(statement.length);
  writeHash(writer, 'digest', statement.digest);
  return writer.finish();
}

export function signStatement(speaker: Speaker, subject: Subject): Uint8Array {
  const network = rosterDigest(speaker.roster);
  return speaker.signer.sign(encodeStatement({ ...subject, network, sender: speaker.self }));
}

/** True when `sender` signed `subject` in this network. Accepts any bytes as signature. */
export function verifyStatement(roster: Roster, sender: PartyId, subject: Subject, signature: Uint8Array): boolean {
  const message = encodeStatement({ ...subject, network: rosterDigest(roster), sender });
  return verifierOf(roster).verify(sender, message, signature);
}

const digests = new WeakMap<Roster, Uint8Array>();

/** Names the network and its members: equal only for equal name, n, t and public keys. Cached per roster object. */
export function rosterDigest(roster: Roster): Uint8Array {
  const known = digests.get(roster);
  if (known) return known;
  const writer = new Writer();
  writeText(writer, 'label', LABELS.roster, DOMAIN_LENGTH_MAX);
  const name = new TextEncoder().encode(roster.network);
  writer.u32(name.length);
  writer.raw(name);
  writer.u8(roster.n);
  writer.u8(roster.t);
  for (const key of roster.publicKeys) writeHash(writer, 'public key', key);
  const digest = sha256(writer.finish());
  digests.set(roster, digest);
  return digest;
}

function writeText(writer: Writer, field: string, text: string, lengthMax: number): void {
  if (!/^[\x20-\x7e]+$/.test(text) || text.length > lengthMax) {
    throw new RangeError(
      `statement ${field}: want 1..${lengthMax} printable ASCII characters, got ${JSON.stringify(text)}`,
    );
  }
  writer.u8(text.length);
  writer.raw(new TextEncoder().encode(text));
}

function writeHash(writer: Writer, field: string, bytes: Uint8Array): void {
  if (bytes.length !== HASH_BYTES)
    throw new RangeError(`statement ${field}: ${bytes.length} bytes, want ${HASH_BYTES}`);
  writer.raw(bytes);
}
