/** LWE encryption with a known secret key: the textbook, in BigInt, for tests that have reconstructed the key. */
import type { Value64, Value128 } from '@keyquorum/tfhe/ciphertext';

const MODULUS = 1n << 64n;

/** Where plaintexts stand: four bits above 2^59, or two above 2^61. */
const LAYOUTS = {
  pke: { deltaLog2: 59, shift: 0, bits: 4 },
  big: { deltaLog2: 59, shift: 0, bits: 4 },
  compression: { deltaLog2: 61, shift: 2, bits: 2 },
} as const;

export interface Plain {
  /** With the padding bit on top: below 32, or below 8 under the compression key. */
  readonly messages: readonly number[];
  readonly key: Value64['key'];
  /** Added to each phase. */
  readonly noise: bigint;
  readonly random: () => bigint;
}

export function encryptMessages(keyBits: Uint8Array, { messages, key, noise, random }: Plain): Value64 {
  const dimension = keyBits.length;
  const { deltaLog2, shift, bits } = LAYOUTS[key];
  const masks = new BigUint64Array(messages.length * dimension);
  const bodies = new BigUint64Array(messages.length);
  messages.forEach((message, block) => {
    let body = (BigInt(message) << BigInt(deltaLog2)) + noise;
    for (let index = 0; index < dimension; index++) {
      const word = BigInt.asUintN(64, random());
      masks[block * dimension + index] = word;
      if (keyBits[index] === 1) body += word;
    }
    bodies[block] = ((body % MODULUS) + MODULUS) % MODULUS;
  });
  return {
    type: { kind: 'uint', bits: 2 * messages.length },
    ...{ key, deltaLog2, dimension },
    masks: new Uint8Array(masks.buffer),
    bodies: new Uint8Array(bodies.buffer),
    blockBits: messages.map(() => bits),
    pieces: messages.map((_, block) => ({ block, shift, bits })),
  };
}

/**
 * A squashed value with these four-bit messages (with the padding bit on top: below 32), under a key of 128-bit words.
 * A type of 4 bits per block, so that every block counts.
 */
export function encryptSquashed(
  keyBits: Uint8Array,
  { messages, key, noise, random }: Omit<Plain, 'key'> & { readonly key: Value128['key'] },
): Value128 {
  const dimension = keyBits.length;
  const words: bigint[] = [];
  const bodies = messages.map((message) => {
    let body = (BigInt(message) << 123n) + noise;
    for (let index = 0; index < dimension; index++) {
      const word = BigInt.asUintN(64, random()) | (BigInt.asUintN(64, random()) << 64n);
      words.push(word);
      if (keyBits[index] === 1) body += word;
    }
    return body;
  });
  const pieces = messages.flatMap((_, block) =>
    [0, 2].map((shift) => ({ block, shift: shift as 0 | 2, bits: 2 as const })),
  );
  return {
    type: { kind: 'uint', bits: 4 * messages.length },
    ...{ key, deltaLog2: 123, dimension, pieces },
    masks: wideBytes(words),
    bodies: wideBytes(bodies),
    blockBits: messages.map(() => 4),
  };
}

/** Little endian, modulo 2^128. */
function wideBytes(words: readonly bigint[]): Uint8Array<ArrayBuffer> {
  const halves = words.flatMap((word) => [BigInt.asUintN(64, word), BigInt.asUintN(64, word >> 64n)]);
  return new Uint8Array(BigUint64Array.from(halves).buffer);
}
