/**
 * The primitives where there is no Node: the curve and ML-KEM in JavaScript, AES of WebCrypto. They cost a page few
 * bytes and no WebAssembly. BigInt arithmetic takes time that depends on its operands: nodes, whose keys are worth more
 * and whose machines others may share, do not use it.
 */
import { secp256k1 as curve } from '@noble/curves/secp256k1.js';
import { ml_kem512 } from '@noble/post-quantum/ml-kem.js';
import type { Aes256Gcm, MlKem512, Secp256k1 } from './primitives.ts';

export const secp256k1: Secp256k1 = {
  isSecretKey: (bytes) => curve.utils.isValidSecretKey(bytes),
  publicKey: (secretKey) => curve.getPublicKey(secretKey, true),
  uncompressed: (publicKey) => unlessRefused(() => curve.Point.fromBytes(publicKey).toBytes(false)),
  sign(digest, secretKey) {
    const recovered = curve.sign(digest, secretKey, { prehash: false, lowS: true, format: 'recovered' });
    return { signature: recovered.subarray(1), recovery: recovered[0] ?? 0 };
  },
  recover(digest, signature, recovery) {
    return unlessRefused(() => {
      const parsed = curve.Signature.fromBytes(signature, 'compact').addRecoveryBit(recovery);
      return parsed.recoverPublicKey(digest).toBytes(false);
    });
  },
  verify(digest, signature, publicKey) {
    const options = { prehash: false, lowS: true, format: 'compact' } as const;
    return unlessRefused(() => curve.verify(signature, digest, publicKey, options)) ?? false;
  },
};

/** The curve library throws plain errors for what is out of range or off the curve. */
function unlessRefused<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch {
    return undefined;
  }
}

export const mlKem512: MlKem512 = {
  encapsulate(encapsulationKey) {
    const { cipherText: ciphertext, sharedSecret } = ml_kem512.encapsulate(encapsulationKey);
    return { ciphertext, sharedSecret };
  },
  decapsulate: (ciphertext, decapsulationKey) => ml_kem512.decapsulate(ciphertext, decapsulationKey),
};

export const aes256Gcm: Aes256Gcm = {
  async seal(key, nonce, plain) {
    const imported = await aesKey(key, 'encrypt');
    const iv = new Uint8Array(nonce);
    return new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, imported, new Uint8Array(plain)));
  },
  async open(key, nonce, sealed) {
    const imported = await aesKey(key, 'decrypt');
    const algorithm = { name: 'AES-GCM', iv: new Uint8Array(nonce) };
    try {
      return new Uint8Array(await crypto.subtle.decrypt(algorithm, imported, new Uint8Array(sealed)));
    } catch {
      return undefined; // WebCrypto says nothing but OperationError, on purpose
    }
  },
};

async function aesKey(secret: Uint8Array, use: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new Error('WebCrypto is missing: browsers have it on pages served over https and on localhost only');
  }
  const raw = new Uint8Array(secret);
  try {
    return await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, [use]);
  } finally {
    raw.fill(0);
  }
}
