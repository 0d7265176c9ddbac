/**
 * Which records exist, as one number. A database that loses a record (a damaged log block is dropped without an error)
 * or serves an old one would make a node forget a decision and take it again, so every batch also writes a head:
 *
 *   generation u64 | count u64 | sum 32 | HMAC-SHA-256 over label and the first 48 bytes
 *
 * `sum` is the sum modulo 2^256 of the tags of all records (a keyed additive multiset hash, Clarke et al., ASIACRYPT
 * 2003, "Incremental multiset hash functions"), updated in constant time per record. The head lies in the database,
 * written in the same atomic batch, and in a file of its own, written after it: the database may be ahead of the file,
 * never behind.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { LABELS } from '../labels.ts';

export const TAG_BYTES = 32;
const BODY_BYTES = 16 + TAG_BYTES;
export const HEAD_BYTES = BODY_BYTES + TAG_BYTES;
const MODULUS = 1n << 256n;

export interface Head {
  /** Number of batches ever written. */
  readonly generation: bigint;
  readonly count: bigint;
  readonly sum: bigint;
}

export const EMPTY_HEAD: Head = { generation: 0n, count: 0n, sum: 0n };

export function tagNumber(tag: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(tag.buffer, tag.byteOffset, tag.byteLength).toString('hex')}`);
}

export function addTag(head: Head, tag: Uint8Array): Head {
  return { ...head, count: head.count + 1n, sum: (head.sum + tagNumber(tag)) % MODULUS };
}

export function removeTag(head: Head, tag: Uint8Array): Head {
  return { ...head, count: head.count - 1n, sum: (head.sum - tagNumber(tag) + MODULUS) % MODULUS };
}

function headTag(integrityKey: Uint8Array, body: Uint8Array): Buffer {
  return createHmac('sha256', integrityKey).update(`${LABELS.head}|`).update(body).digest();
}

export function encodeHead(integrityKey: Uint8Array, head: Head): Uint8Array {
  const body = Buffer.alloc(BODY_BYTES);
  body.writeBigUInt64LE(head.generation, 0);
  body.writeBigUInt64LE(head.count, 8);
  body.write(head.sum.toString(16).padStart(2 * TAG_BYTES, '0'), 16, 'hex');
  return new Uint8Array(Buffer.concat([body, headTag(integrityKey, body)]));
}

/** Undefined when the bytes are not a head that this store wrote. */
export function decodeHead(integrityKey: Uint8Array, bytes: Uint8Array): Head | undefined {
  if (bytes.length !== HEAD_BYTES) return undefined;
  const body = Buffer.from(bytes.subarray(0, BODY_BYTES));
  if (!timingSafeEqual(headTag(integrityKey, body), bytes.subarray(BODY_BYTES))) return undefined;
  return {
    generation: body.readBigUInt64LE(0),
    count: body.readBigUInt64LE(8),
    sum: tagNumber(body.subarray(16)),
  };
}
