/**
 * One party's share of one value, signed and then encrypted to a user's key, byte for byte as the KMS core does it.
 *
 *   message   = u64 length || share || i32 type || u64 32 || linker
 *   signature = ECDSA (secp256k1, SHA-256, low s) over "USER_DEC" || message || user address || H(encapsulation key)
 *   content   = message || r || s || H(verification key),   H(x) = SHAKE-256("SIGNCRYP" || u64 length || x)
 *   (ciphertext, secret) = ML-KEM-512.Encaps(encapsulation key)
 *   out       = nonce || u64 768 || ciphertext || u64 length || AES-256-GCM(secret, nonce, content)
 *
 * The secret is used for this one message only, so that any nonce would do.
 */
import { decode, encode, encodeSecret, u32 } from '@keyquorum/codec/codec';
import { bytes, fixedBytes, struct } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import { sha256 } from '@noble/hashes/sha2.js';
import { hexToBytes } from 'viem';
import { aes256Gcm, mlKem512, secp256k1 } from '#primitives';
import { DIGEST_BYTES, DIGEST_LABEL, labelledDigest } from './digest.ts';
import { KEM_CIPHERTEXT_BYTES } from './encryption-key.ts';
import { equalBytes } from './equal-bytes.ts';
import { WireError } from './error.ts';
import { PACKED_SHARE_BYTES_MAX } from './packed-share.ts';
import type { Signer } from './signer.ts';

const INNER_SIGNATURE_BYTES = 64;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Lengths of share and linker, and the type. */
const MESSAGE_FRAME_BYTES = 8 + 4 + 8 + DIGEST_BYTES;
const CONTENT_BYTES_MAX = MESSAGE_FRAME_BYTES + PACKED_SHARE_BYTES_MAX + INNER_SIGNATURE_BYTES + DIGEST_BYTES;
const ENCRYPTED_BYTES_MAX = CONTENT_BYTES_MAX + TAG_BYTES;
export const SIGNCRYPTED_BYTES_MAX = NONCE_BYTES + 8 + KEM_CIPHERTEXT_BYTES + 8 + ENCRYPTED_BYTES_MAX;

const signcryption = struct({
  nonce: fixedBytes(NONCE_BYTES),
  encapsulated: bytes(KEM_CIPHERTEXT_BYTES),
  encrypted: bytes(ENCRYPTED_BYTES_MAX),
});

/** `fheType` is an i32 in the original; the numbers in use are the same as u32. */
const message = struct({ share: bytes(PACKED_SHARE_BYTES_MAX), fheType: u32, linker: bytes(DIGEST_BYTES) });

const content = struct({
  message,
  signature: fixedBytes(INNER_SIGNATURE_BYTES),
  sender: fixedBytes(DIGEST_BYTES),
});

export interface SigncryptedShare {
  /** See packed-share.ts. */
  readonly share: Uint8Array;
  readonly fheType: number;
  /** `userDecryptionLinker` of the request. */
  readonly linker: Uint8Array;
}

export interface Recipient {
  /** 800 bytes, from `decodeEncryptionKey`. */
  readonly encapsulationKey: Uint8Array;
  readonly userAddress: `0x${string}`;
}

/** @param random that many secure random bytes; called for each message anew */
export async function signcrypt(
  value: SigncryptedShare,
  { encapsulationKey, userAddress }: Recipient,
  signer: Signer,
  random: (count: number) => Uint8Array,
): Promise<Uint8Array> {
  const body = encodeSecret(message, value);
  const signed = toSign(body, { encapsulationKey, userAddress });
  const signature = signer.sign(sha256(signed)).subarray(0, INNER_SIGNATURE_BYTES);
  const plain = encodeSecret(content, { message: value, signature, sender: keyHash(signer.publicKey) });
  const { ciphertext: encapsulated, sharedSecret } = mlKem512.encapsulate(encapsulationKey);
  const nonce = random(NONCE_BYTES);
  const encrypted = await aes256Gcm.seal(sharedSecret, nonce, plain);
  for (const secret of [body, signed, plain, sharedSecret]) secret.fill(0);
  return encode(signcryption, { nonce, encapsulated, encrypted });
}

export interface Unsigncryption {
  readonly recipient: Recipient;
  /** 1632 bytes. */
  readonly decapsulationKey: Uint8Array;
  /** 33 bytes, compressed: who must have signed. */
  readonly senderKey: Uint8Array;
  readonly fheType: number;
  readonly linker: Uint8Array;
}

/**
 * The share in a signcryption, in its own buffer, if the sender made it for this recipient, request and type.
 * @throws WireError SIGNCRYPTION_MALFORMED, _UNREADABLE, _SENDER, _REQUEST
 */
export async function unsigncrypt(signcrypted: Uint8Array, expected: Unsigncryption): Promise<Uint8Array> {
  const plain = await decrypt(signcrypted, expected.decapsulationKey);
  try {
    const { message: said, signature, sender } = canonical(content, plain, 'content');
    if (!equalBytes(sender, keyHash(expected.senderKey))) {
      throw new WireError('SIGNCRYPTION_SENDER', 'signcryption names another sender than the party that answers');
    }
    const signed = toSign(plain.subarray(0, plain.length - INNER_SIGNATURE_BYTES - DIGEST_BYTES), expected.recipient);
    const valid = secp256k1.verify(sha256(signed), signature, expected.senderKey);
    signed.fill(0);
    if (!valid) {
      throw new WireError('SIGNCRYPTION_SENDER', 'signcryption without a valid signature of the party that answers');
    }
    if (!equalBytes(said.linker, expected.linker) || said.fheType !== expected.fheType) {
      throw new WireError('SIGNCRYPTION_REQUEST', 'signcryption was made for another request or type');
    }
    return new Uint8Array(said.share);
  } finally {
    plain.fill(0);
  }
}

async function decrypt(signcrypted: Uint8Array, decapsulationKey: Uint8Array): Promise<Uint8Array> {
  const { nonce, encapsulated, encrypted } = canonical(signcryption, signcrypted, 'signcryption');
  if (encapsulated.length !== KEM_CIPHERTEXT_BYTES) {
    const what = `signcryption with a KEM ciphertext of ${encapsulated.length} bytes, want ${KEM_CIPHERTEXT_BYTES}`;
    throw new WireError('SIGNCRYPTION_MALFORMED', what);
  }
  const secret = mlKem512.decapsulate(encapsulated, decapsulationKey);
  const plain = await aes256Gcm.open(secret, nonce, encrypted);
  secret.fill(0);
  if (plain !== undefined) return plain;
  throw new WireError('SIGNCRYPTION_UNREADABLE', 'signcryption: not for this key, or changed');
}

function toSign(body: Uint8Array, { userAddress, encapsulationKey }: Recipient): Uint8Array {
  const parts = [new TextEncoder().encode(LABEL), body, hexToBytes(userAddress), keyHash(encapsulationKey)];
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Domain separator of the inner signature. */
const LABEL = 'USER_DEC';
const keyBytes = bytes(1_024);

function keyHash(key: Uint8Array): Uint8Array {
  return labelledDigest(DIGEST_LABEL.signcryption, encode(keyBytes, key));
}

function canonical<T>(codec: Parameters<typeof decode<T>>[0], data: Uint8Array, what: string): T {
  try {
    return decode(codec, data);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    // The offset tells nothing about the share; its value is in no message of the codec.
    throw new WireError('SIGNCRYPTION_MALFORMED', `${what}: ${error.message}`, { cause: error });
  }
}
