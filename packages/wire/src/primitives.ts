/**
 * The cryptographic primitives of this package that have two implementations, of one library each: `#primitives`, an
 * import map in package.json, is `primitives-node.ts` in Node and `primitives-portable.ts` everywhere else. They give
 * the same bytes for the same input, and refuse the same; only encapsulation draws its own randomness.
 */

/** ECDSA over secp256k1. Digests have 32 bytes, signatures 64: r || s. */
export interface Secp256k1 {
  /** Whether these are 32 bytes in 1..n-1. */
  isSecretKey(bytes: Uint8Array): boolean;
  /** 33 bytes, compressed SEC1. */
  publicKey(secretKey: Uint8Array): Uint8Array;
  /** 65 bytes, uncompressed SEC1; undefined when the 33 bytes are no point of the curve. */
  uncompressed(publicKey: Uint8Array): Uint8Array | undefined;
  /** Low s, nonce of RFC 6979. `recovery`: parity of the nonce's point. */
  sign(digest: Uint8Array, secretKey: Uint8Array): { readonly signature: Uint8Array; readonly recovery: number };
  /** The uncompressed key that made the signature, low s or high; undefined when there is none. */
  recover(digest: Uint8Array, signature: Uint8Array, recovery: 0 | 1): Uint8Array | undefined;
  /** `publicKey`: 33 bytes. False for high s, and for bytes that are no signature or key. */
  verify(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean;
}

/** ML-KEM-512 of FIPS 203; the caller has checked lengths and that keys are reduced. */
export interface MlKem512 {
  /** `sharedSecret`: 32 bytes, the caller's to erase. */
  encapsulate(encapsulationKey: Uint8Array): { readonly ciphertext: Uint8Array; readonly sharedSecret: Uint8Array };
  /** The shared secret; a pseudo-random one for what nobody encapsulated to this key. */
  decapsulate(ciphertext: Uint8Array, decapsulationKey: Uint8Array): Uint8Array;
}

/** AES-256-GCM with nonces of 12 bytes; the tag of 16 bytes stands behind the text. */
export interface Aes256Gcm {
  seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Undefined when the tag is wrong. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | Promise<Uint8Array | undefined> | undefined;
}

export interface Primitives {
  readonly secp256k1: Secp256k1;
  readonly mlKem512: MlKem512;
  readonly aes256Gcm: Aes256Gcm;
}
