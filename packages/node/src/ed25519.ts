/** Ed25519 (RFC 8032) outside of sessions: cards and requesters. Sessions sign through `@keyquorum/mpc`. */
import { createPublicKey, verify } from 'node:crypto';

export { createSigner, type Identity } from '@keyquorum/mpc/runtime/identity';

/** Header of a raw key as SubjectPublicKeyInfo (RFC 8410). */
const PUBLIC_DER_HEADER = Buffer.from('302a300506032b6570032100', 'hex');
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

export function verifySignature({
  publicKey,
  message,
  signature,
}: {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_DER_HEADER, publicKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
}
