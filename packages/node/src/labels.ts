/**
 * Every domain label of this package (SPEC R17): no two operations hash, derive or sign equal bytes. A changed layout
 * gets a new number; a retired label is never used again.
 */
export const LABELS = {
  /** HKDF info of the key that encrypts data keys. */
  storeWrapping: 'KEYQUORUM/node/store-wrapping/v1',
  /** HKDF info of the key that authenticates records and public files. */
  storeIntegrity: 'KEYQUORUM/node/store-integrity/v1',
  /** Prefixes of what the integrity key authenticates, and of additional data of the sealed boxes. */
  record: 'KEYQUORUM/node/record/v1',
  head: 'KEYQUORUM/node/head/v1',
  publicFile: 'KEYQUORUM/node/public-file/v1',
  masterKey: 'KEYQUORUM/node/master-key/v1',
  dataKey: 'KEYQUORUM/node/data-key/v1',
  secretFile: 'KEYQUORUM/node/secret-file/v1',
  /** Ed25519 statement of a node card. */
  card: 'KEYQUORUM/node/card/v1',
  /** Digest over everything that all nodes of a network must agree on. */
  networkDigest: 'KEYQUORUM/node/network/v1',
  /** Digest of the ciphertext that a handle names. */
  namedCiphertext: 'KEYQUORUM/node/named-ciphertext/v1',
} as const;
