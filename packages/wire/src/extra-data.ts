/**
 * extraData of decryption requests: which context (committee) and epoch the caller addresses. Its bytes are part of
 * what is signed, with one exception that all deployed clients share: a single zero byte is signed as empty.
 */
import { WireError } from './error.ts';

export type ExtraData =
  | { readonly version: 0 }
  | { readonly version: 1; readonly contextId: bigint }
  | { readonly version: 2; readonly contextId: bigint; readonly epochId: bigint };

const ID_BYTES = 32;
const LENGTH = { 1: 1 + ID_BYTES, 2: 1 + 2 * ID_BYTES };

/**
 * Empty or 00: the current context; 01 || context; 02 || context || epoch (32 bytes each, big endian, context not 0).
 * @throws WireError EXTRA_DATA_VERSION, EXTRA_DATA_MALFORMED
 */
export function parseExtraData(bytes: Uint8Array): ExtraData {
  const [version = 0] = bytes;
  const want = 'want nothing, 00, 01 with 32 bytes, or 02 with 64 bytes';
  if (version === 0 && bytes.length <= 1) return { version: 0 };
  if (version > 2) throw new WireError('EXTRA_DATA_VERSION', `extraData: got version ${version}, ${want}`);
  if ((version !== 1 && version !== 2) || bytes.length !== LENGTH[version]) {
    throw new WireError('EXTRA_DATA_MALFORMED', `extraData: got version ${version} in ${bytes.length} bytes, ${want}`);
  }
  const contextId = bigEndian(bytes.subarray(1, LENGTH[1]));
  if (contextId === 0n) throw new WireError('EXTRA_DATA_MALFORMED', 'extraData: got context 0, want a context id');
  return version === 1 ? { version, contextId } : { version, contextId, epochId: bigEndian(bytes.subarray(LENGTH[1])) };
}

/** The one encoding of each; the current context is empty. */
export function encodeExtraData(data: ExtraData): Uint8Array {
  if (data.version === 0) return new Uint8Array(0);
  const ids = data.version === 1 ? [data.contextId] : [data.contextId, data.epochId];
  const text = ids.map((id) => {
    if (id < 0n || id >> 256n) throw new RangeError('extraData: want ids of at most 256 bits');
    return id.toString(16).padStart(2 * ID_BYTES, '0');
  });
  return Uint8Array.from(`0${data.version}${text.join('')}`.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/**
 * The bytes to put under a signature for a request's extraData: the same, but a single 00 becomes empty.
 * @throws WireError EXTRA_DATA_VERSION, EXTRA_DATA_MALFORMED
 */
export function signedExtraData(bytes: Uint8Array): Uint8Array {
  return parseExtraData(bytes).version === 0 ? new Uint8Array(0) : new Uint8Array(bytes);
}

function bigEndian(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
