/**
 * secp256k1 signatures for the outside (contracts, SDKs): 65 bytes r || s || v over a 32-byte digest, low s, v 27 or
 * 28, nonces of RFC 6979. One spelling per signature: what `recoverSigner` accepts is what contracts accept.
 */
import { bytesToHex, hexToBytes } from 'viem';
import { publicKeyToAddress } from 'viem/accounts';
import { secp256k1 } from '#primitives';
import { WireError } from './error.ts';

export const SIGNATURE_BYTES = 65;
const RECOVERY_BASE = 27;

export interface Signer {
  /** EIP-55 address of the key. */
  readonly address: `0x${string}`;
  /** 33 bytes, compressed SEC1. */
  readonly publicKey: Uint8Array;
  /** Signs a 32-byte digest. */
  sign(digest: Uint8Array): Uint8Array;
}

/** @param secretKey 32 bytes; kept by reference, so erase it only when the signer is no longer needed */
export function createSigner(secretKey: Uint8Array): Signer {
  if (!secp256k1.isSecretKey(secretKey)) throw new RangeError('signing key: want 32 bytes in 1..n-1');
  const publicKey = secp256k1.publicKey(secretKey);
  return {
    address: addressOfKey(publicKey),
    publicKey,
    sign(digest) {
      requireDigest(digest);
      const { signature, recovery } = secp256k1.sign(digest, secretKey);
      return Uint8Array.of(...signature, RECOVERY_BASE + recovery);
    },
  };
}

/**
 * The EIP-55 address whose key signed `digest`, or undefined when the signature is not of the one accepted form
 * (length, range of r and s, low s, v 27 or 28) or belongs to no key. Compare addresses as checksummed text.
 */
export function recoverSigner(digest: Uint8Array, signature: Uint8Array): `0x${string}` | undefined {
  try {
    return signerOf(digest, signature);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/**
 * Refuses a signature over `digest` that is not by the key of `address` (any case), and says why.
 * @throws WireError SIGNATURE_LENGTH, SIGNATURE_V, SIGNATURE_HIGH_S, SIGNATURE_INVALID, SIGNER_WRONG
 */
export function requireSigner(digest: Uint8Array, signature: Uint8Array, address: string): void {
  const signer = signerOf(digest, signature);
  if (signer.toLowerCase() === address.toLowerCase()) return;
  // Over another message than was signed, an arbitrary address comes out: this one helps to see which key signed.
  throw new WireError('SIGNER_WRONG', `signature of ${signer} or over something else, want one of ${address}`);
}

/**
 * The EIP-55 address whose key signed `digest`. Over another message than was signed, an arbitrary address comes out.
 * @throws WireError SIGNATURE_LENGTH, SIGNATURE_V, SIGNATURE_HIGH_S, SIGNATURE_INVALID
 */
export function signerOf(digest: Uint8Array, signature: Uint8Array): `0x${string}` {
  requireDigest(digest);
  if (signature.length !== SIGNATURE_BYTES) {
    throw new WireError('SIGNATURE_LENGTH', `signature of ${signature.length} bytes, want ${SIGNATURE_BYTES}`);
  }
  const v = signature[64] ?? 0;
  const recovery = v - RECOVERY_BASE;
  if (recovery !== 0 && recovery !== 1) throw new WireError('SIGNATURE_V', `signature with v ${v}, want 27 or 28`);
  const key = secp256k1.recover(digest, signature.subarray(0, 64), recovery);
  if (key === undefined) throw new WireError('SIGNATURE_INVALID', 'signature: r or s is out of range, or no key fits');
  if (isHigh(signature.subarray(32, 64))) {
    throw new WireError('SIGNATURE_HIGH_S', 'signature with s above half the order, want the other spelling');
  }
  return addressOf(key);
}

/** (n-1)/2, for the order n of the curve. */
const HALF_ORDER = hexToBytes('0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0');

function isHigh(s: Uint8Array): boolean {
  const index = s.findIndex((byte, at) => byte !== HALF_ORDER[at]);
  return index >= 0 && s[index]! > HALF_ORDER[index]!;
}

/** Field `verification_key` of answers: u64 length 33, then the compressed key. */
export function verificationKeyBytes(publicKey: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + publicKey.length);
  bytes[0] = publicKey.length;
  bytes.set(publicKey, 8);
  return bytes;
}

/**
 * EIP-55 address of a compressed public key.
 * @throws WireError SIGNATURE_INVALID when it is no point of the curve
 */
export function addressOfKey(publicKey: Uint8Array): `0x${string}` {
  const key = secp256k1.uncompressed(publicKey);
  if (key !== undefined) return addressOf(key);
  throw new WireError('SIGNATURE_INVALID', 'verification key: no point of secp256k1');
}

function addressOf(uncompressedKey: Uint8Array): `0x${string}` {
  return publicKeyToAddress(bytesToHex(uncompressedKey));
}

function requireDigest(digest: Uint8Array): void {
  if (digest.length !== 32) throw new RangeError(`digest: got ${digest.length} bytes, want 32`);
}
