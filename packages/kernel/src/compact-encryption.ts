/**
 * Encryption under a compact public key (A, B = A * rev(S) + e), for trying a key with values of one's own. Gives the
 * list already expanded: one LWE ciphertext per plaintext, under S read as an LWE key.
 *   mask = A * rev(r) + e1,  body_i = (B * rev(r))_{N-1-i} + e2_i + m_i * 2^59,  ciphertext i = (mask * X^i, body_i),
 * r uniform bits, e1 and e2 TUniform (the encryption of tfhe-rs). Plaintexts and r are the caller's secrets.
 */
import type { Gr64 } from './batch.ts';
import { KernelError, requireRange } from './errors.ts';
import type { Keystream } from './keystream.ts';
import type { LweKernel } from './lwe.ts';
import type { Ring } from './ring.ts';

const WORD_BYTES = 8;
const DELTA_LOG2 = 59n;
const MAX_MESSAGE = 15;

export interface CompactPublicKey {
  /** N words of A and of B, u64 little endian. */
  readonly mask: Uint8Array;
  readonly body: Uint8Array;
  readonly noiseBoundLog2: number;
}

/**
 * Rows of N + 1 words, mask then body.
 * @param messages at most N values 0..15
 * @param randomness a fresh stream for this call alone
 */
export function encryptCompact(
  { gr64, lwe }: { readonly gr64: Ring<Gr64>; readonly lwe: LweKernel },
  key: CompactPublicKey,
  messages: readonly number[],
  randomness: Keystream,
): Uint8Array {
  const size = key.mask.length / WORD_BYTES;
  if (key.body.length !== key.mask.length) {
    throw new KernelError('BATCH_LENGTH', `compact key: mask of ${key.mask.length}, body of ${key.body.length} bytes`);
  }
  requireRange('messages', messages.length, 0, size);
  for (const message of messages) requireRange('message', message, 0, MAX_MESSAGE);
  const bits = gr64.embed(randomBits(randomness, size));
  const noise = (polynomial: Uint8Array) => {
    const samples = gr64.unpack4(gr64.noise(randomness, key.noiseBoundLog2 + 1, size / 4));
    const product = lwe.negacyclicProduct(polynomial, bits);
    return words(gr64.coordinate(gr64.add(product, samples), 0)).map((w) => w - (1n << BigInt(key.noiseBoundLog2)));
  };
  const [mask, body] = [noise(key.mask), noise(key.body)];
  bits.fill(0);
  const masks = lwe.compactMasks(new Uint8Array(mask.buffer), 0, messages.length);
  return rows(masks, body, messages);
}

/** The body polynomial is read backwards. */
function rows(masks: Uint8Array, body: BigUint64Array, messages: readonly number[]): Uint8Array {
  const maskBytes = body.length * WORD_BYTES;
  const out = new Uint8Array(messages.length * (maskBytes + WORD_BYTES));
  const view = new DataView(out.buffer);
  messages.forEach((message, i) => {
    const at = i * (maskBytes + WORD_BYTES);
    out.set(masks.subarray(i * maskBytes, (i + 1) * maskBytes), at);
    const word = body[body.length - 1 - i]! + (BigInt(message) << DELTA_LOG2);
    view.setBigUint64(at + maskBytes, BigInt.asUintN(64, word), true);
  });
  return out;
}

/** One u64 word per bit. The order does not matter: rev(r) is as uniform as r. */
function randomBits(randomness: Keystream, count: number): Uint8Array {
  const bytes = randomness.read(count);
  const out = new Uint8Array(count * WORD_BYTES);
  for (let i = 0; i < count; i++) out[i * WORD_BYTES] = bytes[i]! & 1;
  bytes.fill(0);
  return out;
}

function words(bytes: Uint8Array): BigUint64Array {
  return new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / WORD_BYTES);
}
