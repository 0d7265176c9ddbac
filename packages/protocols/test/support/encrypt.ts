/** LWE encryption with a known secret key: the textbook, in BigInt, for tests that have reconstructed the key. */
import type { CiphertextValue } from '@keyquorum/tfhe/ciphertext';

const MODULUS = 1n << 64n;
const DELTA = 1n << 59n;

/** Encrypts 4-bit (or, with the padding bit, 5-bit) messages; `noise` is added to each phase. */
export function encryptMessages(
  bits: Uint8Array,
  {
    messages,
    key,
    noise,
    random,
  }: { messages: readonly number[]; key: 'pke' | 'big'; noise: bigint; random: () => bigint },
): CiphertextValue {
  const dimension = bits.length;
  const masks = new BigUint64Array(messages.length * dimension);
  const bodies = new BigUint64Array(messages.length);
  messages.forEach((message, block) => {
    let body = BigInt(message) * DELTA + noise;
    for (let index = 0; index < dimension; index++) {
      const word = BigInt.asUintN(64, random());
      masks[block * dimension + index] = word;
      if (bits[index] === 1) body += word;
    }
    bodies[block] = ((body % MODULUS) + MODULUS) % MODULUS;
  });
  return {
    type: { kind: 'uint', bits: 2 * messages.length },
    key,
    dimension,
    masks: new Uint8Array(masks.buffer),
    bodies: new Uint8Array(bodies.buffer),
    blockBits: messages.map(() => 4),
    pieces: messages.map((_, block) => ({ block, shift: 0, bits: 4 })),
  };
}
