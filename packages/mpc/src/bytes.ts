/** Bytes as hex, compared, hashed. Results always own their buffer: nothing here hands out a slice of Node's pool. */
import { hash } from 'node:crypto';

export const HASH_BYTES = 32;

/** SHA-256, the one hash function of this package. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', bytes, 'buffer'));
}

/** SHA-256 as 64 lower-case hex characters, for map keys and messages. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** @throws RangeError unless `hex` is an even number of lower-case hex characters. */
export function fromHex(hex: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(hex)) throw new RangeError('got text that is not lower-case hex of whole bytes');
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** For public bytes only: not constant time. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
