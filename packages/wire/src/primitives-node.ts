/**
 * The primitives in Node: libsecp256k1 in WebAssembly (`tiny-secp256k1`), ML-KEM and AES of node:crypto, all written to
 * take the same time whatever the secret. Against `primitives-portable.ts` a signature takes a quarter of the processor
 * time, recovering or verifying one a seventh, ML-KEM a quarter; nothing waits for another thread.
 *
 * node:crypto signs no digests that it did not compute itself and draws nonces, so it cannot sign here. It has ML-KEM
 * since Node 24.7 with OpenSSL 3.5; before that the JavaScript one serves.
 */
import * as crypto from 'node:crypto';
import * as curve from 'tiny-secp256k1';
import type { Aes256Gcm, MlKem512, Secp256k1 } from './primitives.ts';
import { mlKem512 as portableMlKem512 } from './primitives-portable.ts';

export const secp256k1: Secp256k1 = {
  isSecretKey: (bytes) => curve.isPrivate(bytes),
  publicKey: (secretKey) => curve.pointFromScalar(secretKey, true)!, // null for no secret key, which throws before
  uncompressed: (publicKey) => (curve.isPointCompressed(publicKey) ? curve.pointCompress(publicKey, false) : undefined),
  sign(digest, secretKey) {
    const { signature, recoveryId } = curve.signRecoverable(digest, secretKey);
    return { signature, recovery: recoveryId };
  },
  recover(digest, signature, recovery) {
    try {
      return curve.recover(digest, signature, recovery, false) ?? undefined;
    } catch {
      return undefined; // r or s out of range, or r of no point
    }
  },
  verify(digest, signature, publicKey) {
    try {
      return curve.isPointCompressed(publicKey) && curve.verify(digest, publicKey, signature, true);
    } catch {
      return false; // r or s out of range
    }
  },
};

/** DER in front of the 800 bytes of an encapsulation key: SubjectPublicKeyInfo (RFC 9935). */
const PUBLIC_DER_HEADER = Buffer.from('30820332300b06096086480165030404010382032100', 'hex');
/** DER in front of the 1632 bytes of a decapsulation key: PKCS #8 with the expanded key (RFC 9935). */
const SECRET_DER_HEADER = Buffer.from('30820678020100300b06096086480165030404010482066404820660', 'hex');

const nativeMlKem512: MlKem512 = {
  encapsulate(encapsulationKey) {
    const key = Buffer.concat([PUBLIC_DER_HEADER, encapsulationKey]);
    const { ciphertext, sharedKey } = crypto.encapsulate(crypto.createPublicKey({ key, format: 'der', type: 'spki' }));
    return { ciphertext: new Uint8Array(ciphertext), sharedSecret: sharedKey };
  },
  decapsulate(ciphertext, decapsulationKey) {
    const key = Buffer.alloc(SECRET_DER_HEADER.length + decapsulationKey.length); // of its own memory, to be erased
    key.set(SECRET_DER_HEADER);
    key.set(decapsulationKey, SECRET_DER_HEADER.length);
    try {
      return crypto.decapsulate(crypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' }), ciphertext);
    } finally {
      key.fill(0);
    }
  },
};

function hasNativeMlKem(): boolean {
  try {
    crypto.generateKeyPairSync('ml-kem-512');
    return typeof crypto.encapsulate === 'function';
  } catch {
    return false; // an older Node or OpenSSL
  }
}

export const mlKem512: MlKem512 = hasNativeMlKem() ? nativeMlKem512 : portableMlKem512;

const AES = 'aes-256-gcm';
const TAG_BYTES = 16;

export const aes256Gcm: Aes256Gcm = {
  seal(key, nonce, plain) {
    const cipher = crypto.createCipheriv(AES, key, nonce);
    const text = cipher.update(plain);
    cipher.final();
    return new Uint8Array(Buffer.concat([text, cipher.getAuthTag()]));
  },
  open(key, nonce, sealed) {
    if (sealed.length < TAG_BYTES) return undefined;
    const decipher = crypto.createDecipheriv(AES, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const plain = decipher.update(sealed.subarray(0, -TAG_BYTES));
    try {
      decipher.final();
      return new Uint8Array(plain);
    } catch {
      return undefined;
    } finally {
      plain.fill(0);
    }
  },
};
