/**
 * AES-128-CTR keystream, the pseudo-random function of every non-interactive sharing. One key serves one stream: the
 * counter starts at 0, so a key must never be used twice (derive one per session, subset and purpose).
 * AES stays in node:crypto: hardware AES there is 30 times faster than constant-time AES in WASM.
 */
import { type Cipheriv, createCipheriv, createSecretKey } from 'node:crypto';
import { requireRange } from './errors.ts';
import { eraseBuffer } from './release.ts';

export interface Keystream {
  /** The next `bytes` bytes, in an array that the caller owns and should erase (release.ts) when done. */
  read(bytes: number): Uint8Array;
}

export const KEYSTREAM_KEY_BYTES = 16;
const ZEROS = new Uint8Array(256 * 1024);
const INITIAL_COUNTER = new Uint8Array(16);
const MAX_READ_BYTES = 2 ** 31 - 1;

/** `key`: 16 bytes, copied. The cipher is kept, since creating one costs as much as 100 KiB of keystream. */
export function createKeystream(key: Uint8Array): Keystream {
  requireRange('keystream key bytes', key.length, KEYSTREAM_KEY_BYTES, KEYSTREAM_KEY_BYTES);
  const cipher = createCipheriv('aes-128-ctr', createSecretKey(key), INITIAL_COUNTER);
  return {
    read(bytes) {
      requireRange('keystream read bytes', bytes, 0, MAX_READ_BYTES);
      return bytes <= ZEROS.length ? piece(cipher, bytes) : pieces(cipher, bytes);
    },
  };
}

function piece(cipher: Cipheriv, bytes: number): Uint8Array {
  const output = cipher.update(ZEROS.subarray(0, bytes));
  return new Uint8Array(output.buffer, output.byteOffset, output.length);
}

function pieces(cipher: Cipheriv, bytes: number): Uint8Array {
  const all = new Uint8Array(bytes);
  for (let offset = 0; offset < bytes; offset += ZEROS.length) {
    const part = piece(cipher, Math.min(ZEROS.length, bytes - offset));
    all.set(part, offset);
    eraseBuffer(part);
  }
  return all;
}
