/**
 * A subject as bytes inside certificates and evidence. Layout: u8 + domain | session 32 | u8 + tag | receiver u8 |
 * length u64 LE | digest 32. Accepts exactly one spelling: texts are printable ASCII with their length in front.
 */
import type { Reader } from '@keyquorum/codec/reader';
import type { Writer } from '@keyquorum/codec/writer';
import { equalBytes, fromHex, HASH_BYTES, toHex } from '../bytes.ts';
import { DOMAIN_LENGTH_MAX, type Subject } from '../runtime/statement.ts';
import { TAG_LENGTH_MAX } from '../transport.ts';

const RECEIVER_MAX = 15;

export type Scope = Omit<Subject, 'length' | 'digest'>;

export function writeScope(writer: Writer, { domain, session, tag, receiver }: Scope): void {
  writeText(writer, domain);
  writer.raw(fromHex(session));
  writeText(writer, tag);
  writer.u8(receiver);
}

/** @throws CodecError */
export function readScope(reader: Reader): Scope {
  return {
    domain: readText(reader, 'domain', DOMAIN_LENGTH_MAX),
    session: toHex(reader.take(HASH_BYTES)),
    tag: readText(reader, 'tag', TAG_LENGTH_MAX),
    receiver: readUpTo(reader, 'receiver', RECEIVER_MAX),
  };
}

export function writeClaim(writer: Writer, { length, digest }: Pick<Subject, 'length' | 'digest'>): void {
  writer.size(length);
  writer.raw(digest);
}

/** @throws CodecError */
export function readClaim(reader: Reader): Pick<Subject, 'length' | 'digest'> {
  return { length: reader.size(Number.MAX_SAFE_INTEGER), digest: new Uint8Array(reader.take(HASH_BYTES)) };
}

export function equalSubjects(left: Subject, right: Subject): boolean {
  return equalScopes(left, right) && left.length === right.length && equalBytes(left.digest, right.digest);
}

export function equalScopes(left: Scope, right: Scope): boolean {
  return (
    left.domain === right.domain &&
    left.session === right.session &&
    left.tag === right.tag &&
    left.receiver === right.receiver
  );
}

function writeText(writer: Writer, text: string): void {
  writer.u8(text.length);
  writer.raw(new TextEncoder().encode(text));
}

function readText(reader: Reader, field: string, lengthMax: number): string {
  return reader.within(field, () => {
    const length = readUpTo(reader, 'length', lengthMax);
    const at = reader.offset;
    const text = String.fromCharCode(...reader.take(length));
    if (!/^[\x20-\x7e]+$/.test(text)) throw reader.error('CODEC_VALUE', 'want printable ASCII, not empty', at);
    return text;
  });
}

function readUpTo(reader: Reader, field: string, max: number): number {
  return reader.within(field, () => {
    const at = reader.offset;
    const value = reader.u8();
    if (value > max) throw reader.error('CODEC_LENGTH', `got ${value}, want at most ${max}`, at);
    return value;
  });
}
