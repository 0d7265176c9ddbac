/** Ed25519 (RFC 8032) outside of sessions: cards and requesters. Sessions sign through `@keyquorum/mpc`. */
import { createPublicKey, verify } from 'node:crypto';

export { createSigner, type Identity } from '@keyquorum/mpc/runtime/identity';

/** Header of a raw key as SubjectPublicKeyInfo (RFC 8410). */
const PUBLIC_DER_HEADER = Buffer.from('302a300506032b6570032100', 'hex');
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** Checks signatures of one key. */
export type Verifier = (message: Uint8Array, signature: Uint8Array) => boolean;

/** The key is read once, which costs as much as one signature's check. A key of another length verifies nothing. */
export function createVerifier(publicKey: Uint8Array): Verifier {
  if (publicKey.length !== PUBLIC_KEY_BYTES) return () => false;
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_DER_HEADER, publicKey]), format: 'der', type: 'spki' });
  return (message, signature) => signature.length === SIGNATURE_BYTES && verify(null, message, key, signature);
}
