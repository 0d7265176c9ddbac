/** Shares of all secret keys of a key set: bits modulo 2^128, one element each, key after key. */
import { asGr64, asGr128, type Gr64, type Gr128 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { SecretKeyName } from '@keyquorum/tfhe/key-set-components';
import { type KeySetChoice, type SecretKeyPlace, secretKeyPlaces } from '@keyquorum/tfhe/key-sets';

const GR128_BYTES = 64;

export interface SecretKeyShares {
  /** All of them, as they are stored. */
  readonly bits: Gr128;
  /** A copy of one key's shares, in the order of its LWE form; the caller erases it. */
  of(key: SecretKeyName): Gr128;
  erase(): void;
}

/** `bits` belongs to the result from now on. @throws RangeError when they are not the bits of this key set */
export function secretKeyShares(choice: KeySetChoice, bits: Gr128): SecretKeyShares {
  const places = secretKeyPlaces(choice);
  const { first, bits: count } = places.at(-1)!;
  if (bits.length !== (first + count) * GR128_BYTES) {
    throw new RangeError(`secret keys: ${bits.length} bytes of shares, want ${(first + count) * GR128_BYTES}`);
  }
  const place = (key: SecretKeyName): SecretKeyPlace => {
    const found = places.find((each) => each.key === key);
    if (found === undefined) throw new RangeError(`this key set has no ${key} key`);
    return found;
  };
  return {
    bits,
    of(key) {
      const at = place(key);
      return asGr128(bits.slice(at.first * GR128_BYTES, (at.first + at.bits) * GR128_BYTES));
    },
    erase: () => void bits.fill(0),
  };
}

/** The low 64 bits of every coefficient: shares modulo 2^128 are shares modulo 2^64. Erases its argument. */
export function modulo64(kernel: Kernel, shares: Gr128): Gr64 {
  const low = asGr64(kernel.gr128.toWire(shares, 8));
  shares.fill(0);
  return low;
}
