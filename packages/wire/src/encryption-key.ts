/**
 * The key that a user has values re-encrypted to: ML-KEM-512 (FIPS 203) in the envelope of the KMS core, 869 bytes, the
 * `publicKey` of every request and answer. The older envelope with ML-KEM-1024 is refused: clients drop it.
 */
import { ml_kem512 } from '@noble/post-quantum/ml-kem.js';
import { hexToBytes } from 'viem';
import { WireError } from './error.ts';

/** FIPS 203, table 3. */
export const ENCAPSULATION_KEY_BYTES = 800;
export const DECAPSULATION_KEY_BYTES = 1632;
export const KEM_CIPHERTEXT_BYTES = 768;
const KEY_SEED_BYTES = 64;
const MODULUS = 3329;
/** The key without its seed: coefficients of 12 bits each, two in three bytes. */
const COEFFICIENT_BYTES = 768;

/**
 * tfhe-rs safe_serialize: "0.5", u32 0 (versioned), "0.1", "UnifiedPublicEncKey"; version 0, variant 0 (ML-KEM-512);
 * u64 800. Strings have a u64 length before them.
 */
const HEADER = hexToBytes(
  `0x0300000000000000302e35${'00000000'}0300000000000000302e31\
1300000000000000556e69666965645075626c6963456e634b6579${'00000000'}${'00000000'}2003000000000000`,
);
export const ENCRYPTION_KEY_BYTES = HEADER.length + ENCAPSULATION_KEY_BYTES;

export interface UserKeyPair {
  /** The envelope, 869 bytes; public. */
  readonly encryptionKey: Uint8Array;
  /** 1632 bytes, FIPS 203 form. Secret: the owner erases it. */
  readonly decapsulationKey: Uint8Array;
}

/** @param seed 64 random bytes, d || z of FIPS 203; the caller erases them */
export function createUserKeyPair(seed: Uint8Array): UserKeyPair {
  if (seed.length !== KEY_SEED_BYTES) throw new RangeError(`seed of ${seed.length} bytes, want ${KEY_SEED_BYTES}`);
  const { publicKey, secretKey } = ml_kem512.keygen(seed);
  return { encryptionKey: encodeEncryptionKey(publicKey), decapsulationKey: secretKey };
}

/** @param encapsulationKey 800 bytes */
export function encodeEncryptionKey(encapsulationKey: Uint8Array): Uint8Array {
  if (encapsulationKey.length !== ENCAPSULATION_KEY_BYTES) {
    throw new RangeError(`encapsulation key of ${encapsulationKey.length} bytes, want ${ENCAPSULATION_KEY_BYTES}`);
  }
  const bytes = new Uint8Array(ENCRYPTION_KEY_BYTES);
  bytes.set(HEADER);
  bytes.set(encapsulationKey, HEADER.length);
  return bytes;
}

/**
 * The encapsulation key in the envelope, 800 bytes, as a view. Every coefficient is below the modulus: what is not
 * reduced is another spelling of the same key, which FIPS 203 (7.2) refuses.
 * @throws WireError ENCRYPTION_KEY_MALFORMED, ENCRYPTION_KEY_NOT_REDUCED
 */
export function decodeEncryptionKey(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== ENCRYPTION_KEY_BYTES || HEADER.some((byte, index) => bytes[index] !== byte)) {
    const want = `want ${ENCRYPTION_KEY_BYTES} bytes of an ML-KEM-512 key in its envelope`;
    throw new WireError('ENCRYPTION_KEY_MALFORMED', `encryption key: got ${bytes.length} bytes, ${want}`);
  }
  const key = bytes.subarray(HEADER.length);
  for (let at = 0; at < COEFFICIENT_BYTES; at += 3) {
    const middle = key[at + 1]!;
    const first = key[at]! | ((middle & 15) << 8);
    const second = (middle >> 4) | (key[at + 2]! << 4);
    if (first >= MODULUS || second >= MODULUS) {
      const what = `encryption key: a coefficient near byte ${at} is not below ${MODULUS}`;
      throw new WireError('ENCRYPTION_KEY_NOT_REDUCED', what);
    }
  }
  return key;
}
