/**
 * One sealed box: X25519 between two keys that serve this box only, HKDF-SHA256, AES-256-GCM (RFC 7748, RFC 5869, NIST
 * SP 800-38D). The key depends on both public keys, sender, receiver and scope. A public key fixes the shared secret,
 * so publishing the receiver's private key shows everybody the one content of the box (docs/protocols/prss.md, step
 * I2). Layout: ephemeral public key 32 | ciphertext | tag 16. About 0.3 ms to seal or open.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { LABELS } from '../labels.ts';
import type { PartyId } from '../transport.ts';

export const BOX_KEY_BYTES = 32;
const TAG_BYTES = 16;
export const BOX_OVERHEAD_BYTES = BOX_KEY_BYTES + TAG_BYTES;

/** DER headers of RFC 8410: a 32-byte private key as PKCS #8, a 32-byte public key as SubjectPublicKeyInfo. */
const PRIVATE_DER_HEADER = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_DER_HEADER = Buffer.from('302a300506032b656e032100', 'hex');
/** Every key encrypts one message. */
const NONCE = new Uint8Array(12);

/** Whose box it is; part of its key. */
export interface BoxOwners {
  /** Names the run of the protocol, 32 bytes. */
  readonly scope: Uint8Array;
  readonly sender: PartyId;
  readonly receiver: PartyId;
}

/** The public key of 32 secret random bytes. */
export function boxPublicKey(secretKey: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKeyObject(secretKey)).export({ format: 'der', type: 'spki' });
  return new Uint8Array(spki.subarray(PUBLIC_DER_HEADER.length));
}

/**
 * `ephemeralSecretKey`: 32 fresh random bytes, which the caller erases. A receiver's key of small order, which no
 * private key has, gets a box of zeros: nobody can open it or complain about it.
 */
export function sealBox(
  owners: BoxOwners,
  receiverKey: Uint8Array,
  ephemeralSecretKey: Uint8Array,
  content: Uint8Array,
): Uint8Array {
  const box = new Uint8Array(BOX_OVERHEAD_BYTES + content.length);
  const ephemeralKey = boxPublicKey(ephemeralSecretKey);
  const key = boxKey(owners, { secretKey: ephemeralSecretKey, peerKey: receiverKey, ephemeralKey, receiverKey });
  if (!key) return box;
  const cipher = createCipheriv('aes-256-gcm', key, NONCE);
  box.set(ephemeralKey);
  box.set(cipher.update(content), BOX_KEY_BYTES);
  cipher.final();
  box.set(cipher.getAuthTag(), box.length - TAG_BYTES);
  key.fill(0);
  return box;
}

/** The content in an array of its own; undefined for a box that was not made for this key and these owners. */
export function openBox(owners: BoxOwners, receiverSecretKey: Uint8Array, box: Uint8Array): Uint8Array | undefined {
  if (box.length < BOX_OVERHEAD_BYTES) return undefined;
  const ephemeralKey = box.subarray(0, BOX_KEY_BYTES);
  const receiverKey = boxPublicKey(receiverSecretKey);
  const key = boxKey(owners, { secretKey: receiverSecretKey, peerKey: ephemeralKey, ephemeralKey, receiverKey });
  if (!key) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, NONCE, { authTagLength: TAG_BYTES });
  key.fill(0);
  decipher.setAuthTag(box.subarray(box.length - TAG_BYTES));
  const content = decipher.update(box.subarray(BOX_KEY_BYTES, box.length - TAG_BYTES));
  try {
    decipher.final();
    return Uint8Array.from(content);
  } catch {
    return undefined;
  } finally {
    content.fill(0);
  }
}

interface KeyParts {
  readonly secretKey: Uint8Array;
  readonly peerKey: Uint8Array;
  readonly ephemeralKey: Uint8Array;
  readonly receiverKey: Uint8Array;
}

/** Undefined when the peer's key is of small order. */
function boxKey({ scope, sender, receiver }: BoxOwners, parts: KeyParts): Uint8Array | undefined {
  const shared = sharedSecret(parts.secretKey, parts.peerKey);
  if (!shared) return undefined;
  const label = new TextEncoder().encode(LABELS.prssBox);
  const info = Buffer.concat([label, scope, Uint8Array.of(sender, receiver), parts.ephemeralKey, parts.receiverKey]);
  const key = new Uint8Array(hkdfSync('sha256', shared, new Uint8Array(0), info, BOX_KEY_BYTES));
  shared.fill(0);
  return key;
}

function sharedSecret(secretKey: Uint8Array, peerKey: Uint8Array): Uint8Array | undefined {
  const publicKey = createPublicKey({ key: Buffer.concat([PUBLIC_DER_HEADER, peerKey]), format: 'der', type: 'spki' });
  try {
    return diffieHellman({ privateKey: privateKeyObject(secretKey), publicKey });
  } catch {
    return undefined; // OpenSSL refuses the all-zero secret (RFC 7748, section 6.1)
  }
}

function privateKeyObject(secretKey: Uint8Array): KeyObject {
  const der = Buffer.alloc(PRIVATE_DER_HEADER.length + BOX_KEY_BYTES); // alloc, unlike from, never uses the shared pool
  der.set(PRIVATE_DER_HEADER);
  der.set(secretKey, PRIVATE_DER_HEADER.length);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  return key;
}
