/**
 * Noise records as they arrive over TCP, without three wastes of the Noise package: it copies each record to have a
 * place for the plaintext, which OpenSSL does not use; it throws an exception, stack and all, whenever a read ends with
 * a record; and what was read stays in memory until it is collected.
 */

import { releaseBuffer } from '@keyquorum/kernel/release';
import type { MessageStream } from '@libp2p/interface';
import type { Uint8ArrayList } from 'uint8arraylist';

const LENGTH_BYTES = 2;
const TAG_BYTES = 16;
/** Longer than any record that could follow: "not yet complete" to the decoder. */
const RECORD_BYTES_MAX = 65_535;

/** What is used of @chainsafe/libp2p-noise 17.0.0 beyond the MessageStream interface. */
interface NoiseStream {
  readonly decoder: { lengthDecoder(bytes: Uint8ArrayList): number };
  readonly handshake: { decrypt(record: Uint8ArrayList): Uint8Array | Uint8ArrayList };
  decrypt(record: Uint8ArrayList): Uint8Array | Uint8ArrayList;
}

/**
 * Changes this one stream, whose reads must belong to it alone. False for a stream that is not what we know: it stays
 * unchanged.
 */
export function readRecordsLean(stream: MessageStream): boolean {
  const target: unknown = stream;
  if (!isNoise(target)) return false;
  const { decoder, handshake } = target;
  const lengthOf = decoder.lengthDecoder;
  decoder.lengthDecoder = (bytes) => (bytes.byteLength < LENGTH_BYTES ? RECORD_BYTES_MAX : lengthOf(bytes));
  let kept: ArrayBufferLike | undefined;
  target.decrypt = (record) => {
    if (record.byteLength < TAG_BYTES) throw new Error(`Noise record of ${record.byteLength} bytes, want at least 16`);
    const plaintext = handshake.decrypt(record); // the WASM cipher, too, then makes a buffer of its own
    for (const part of record) {
      // The stream is read in order and by nobody else, so whoever reads the last byte of a buffer is done with it.
      // The first buffer may also hold bytes that went to others, before we were asked.
      kept ??= part.buffer;
      if (part.buffer !== kept) releaseBuffer(part, Number.POSITIVE_INFINITY);
    }
    return plaintext;
  };
  return true;
}

function isNoise(target: unknown): target is NoiseStream {
  const { decoder, handshake, decrypt } = target as Partial<NoiseStream>;
  return [decoder?.lengthDecoder, handshake?.decrypt, decrypt].every((method) => typeof method === 'function');
}
