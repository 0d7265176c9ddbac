/** Oracles in plain BigInt arithmetic: secret keys out of client keys, LWE phases, negacyclic products, noise. */
import { type CiphertextValue, isSquashed, messageMasks, recompose } from '../../src/ciphertext-value.ts';
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
  let noise = 0n;
  const messages = Uint8Array.from(phasesOf(value, secret), (phase, index) => {
    const decoded = decode(phase, value);
    if (decoded.noise > noise) noise = decoded.noise;
    return decoded.message & wanted[index]!;
  });
  return { value: recompose(value, messages), messages, noise };
}

/** b - <a, s> of each ciphertext, not reduced. */
export function phasesOf(value: CiphertextValue, secret: Uint8Array): bigint[] {
  const limbsPerWord = isSquashed(value) ? 4 : 2;
  const masks = new Uint32Array(value.masks.buffer);
  const bodies = new Uint32Array(value.bodies.buffer);
  return value.blockBits.map((_, index) => {
    // Sums of 32-bit limbs stay exact numbers; few bigints per ciphertext.
    const sums = [...bodies.subarray(limbsPerWord * index, limbsPerWord * (index + 1))];
    for (let bit = 0; bit < secret.length; bit++) {
      if (!secret[bit]) continue;
      const at = limbsPerWord * (index * value.dimension + bit);
      for (let limb = 0; limb < limbsPerWord; limb++) sums[limb]! -= masks[at + limb]!;
    }
    return sums.reduce((phase, sum, limb) => phase + (BigInt(sum) << BigInt(32 * limb)), 0n);
  });
}

/** The four bits below the padding bit, rounded to a multiple of 2^deltaLog2, and the distance to that. */
function decode(phase: bigint, value: CiphertextValue): { message: number; noise: bigint } {
  const [wordBits, delta] = [isSquashed(value) ? 128 : 64, BigInt(value.deltaLog2)];
  const rounded = BigInt.asIntN(wordBits, (phase + (1n << (delta - 1n))) >> delta);
  const nearest = rounded << delta;
  const distance = BigInt.asIntN(wordBits, phase - nearest);
  const message = Number((nearest >> BigInt(wordBits - 5)) & 15n);
  return { message, noise: distance < 0n ? -distance : distance };
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
