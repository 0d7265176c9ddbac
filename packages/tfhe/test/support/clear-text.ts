/** Oracles in plain BigInt arithmetic: secret keys out of client keys, LWE phases, negacyclic products, noise. */
import { type CiphertextValue, messageMasks, recompose } from '../../src/ciphertext-value.ts';
import { safeDeserialize, TYPE_NAME } from '../../src/safe-serialize.ts';
import { clientKey } from '../../src/schema/keys.ts';

/** Key bits, one per entry. */
export interface SecretKeys {
  readonly big: Uint8Array;
  readonly small: Uint8Array;
  readonly pke: Uint8Array;
}

/** The secret keys of a serialised client key. */
export function secretKeysOf(bytes: Uint8Array): SecretKeys {
  const { key } = safeDeserialize(TYPE_NAME.clientKey, clientKey, bytes);
  const standard = key.key.key.atomicPattern.value;
  return {
    big: bitsOf(standard.glweSecretKey.data),
    small: bitsOf(standard.lweSecretKey.data),
    pke: bitsOf(key.compactPrivateKey!.key.key.key.data),
  };
}

function bitsOf(words: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: words.length / 8 }, (_, index) => words[8 * index]!);
}

export function wordsOf(bytes: Uint8Array): BigUint64Array {
  return new BigUint64Array(new Uint8Array(bytes).buffer);
}

export function bytesOf(words: BigUint64Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

export interface Opened {
  readonly value: bigint;
  readonly messages: Uint8Array;
  /** Largest distance of a phase from the next multiple of 2^deltaLog2. */
  readonly noise: bigint;
}

/** Decrypts with the key bits: b - <a, s>, rounded to a multiple of 2^deltaLog2; wanted bits only. */
export function openValue(
  value: CiphertextValue,
  keys: Readonly<Partial<Record<CiphertextValue['key'], Uint8Array>>>,
): Opened {
  const secret = keys[value.key];
  if (secret === undefined) throw new Error(`the ${value.key} key is not known`);
  const wanted = messageMasks(value);
  const halves = new Uint32Array(value.masks.buffer);
  const bodies = wordsOf(value.bodies);
  let noise = 0n;
  const messages = Uint8Array.from(bodies, (body, index) => {
    // Sums of 32-bit halves stay exact integers; only one bigint per ciphertext.
    let low = 0;
    let high = 0;
    for (let bit = 0; bit < secret.length; bit++) {
      if (!secret[bit]) continue;
      const at = 2 * (index * value.dimension + bit);
      low += halves[at]!;
      high += halves[at + 1]!;
    }
    const phase = body - BigInt(low) - (BigInt(high) << 32n);
    const decoded = decode(phase, value.deltaLog2);
    if (decoded.noise > noise) noise = decoded.noise;
    return decoded.message & wanted[index]!;
  });
  return { value: recompose(value, messages), messages, noise };
}

/** Bits 59..62 of the phase, rounded to a multiple of 2^deltaLog2, and the distance to that. */
function decode(phase: bigint, deltaLog2: number): { message: number; noise: bigint } {
  const rounded = BigInt.asIntN(64 - deltaLog2, (phase + (1n << BigInt(deltaLog2 - 1))) >> BigInt(deltaLog2));
  const nearest = rounded << BigInt(deltaLog2);
  return { message: Number((nearest >> 59n) & 15n), noise: wordDistance(phase, nearest) };
}

/** a(X) * rev(s)(X) mod X^N + 1 with rev(s)_j = s_{N-1-j}: the product of compact public keys. */
export function reversedProduct(a: BigUint64Array, s: Uint8Array): BigUint64Array {
  const n = a.length;
  const product = new BigUint64Array(n);
  for (let j = 0; j < n; j++) {
    if (!s[n - 1 - j]) continue;
    for (let i = 0; i < n; i++) {
      if (i + j < n) product[i + j]! += a[i]!;
      else product[i + j - n]! -= a[i]!;
    }
  }
  return product;
}

/** Distance of two words on the circle of 2^64. */
export function wordDistance(left: bigint, right: bigint): bigint {
  const distance = BigInt.asIntN(64, left - right);
  return distance < 0n ? -distance : distance;
}
