/**
 * What the ceremonies need from a disk. Everything secret goes through `SecretStore` and nothing else does; the owner
 * of the implementation (`@keyquorum/node`) encrypts it at rest and can shred it.
 */

/** Secret bytes by name, encrypted at rest. */
export interface SecretStore {
  /** Durable (on disk) when it resolves. The caller keeps and erases its own copy. */
  put(name: string, secret: Uint8Array): Promise<void>;
  /** A fresh copy that the caller erases, or undefined. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Makes the secret unrecoverable (its data key is overwritten, not only its record). */
  shred(name: string): Promise<void>;
  /** Names with this prefix, in order. */
  names(prefix: string): Promise<string[]>;
}

/** Public bytes by name: opened values of pool batches, key material, transcripts, evidence. */
export interface PublicStore {
  /** Durable and complete, or absent: never half written. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** @throws when what is there is not what was put */
  get(name: string): Promise<Uint8Array | undefined>;
  delete(name: string): Promise<void>;
  names(prefix: string): Promise<string[]>;
}
