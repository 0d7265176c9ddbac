/**
 * What a node runs, seen from above: three long-lived services on one `Party`. A node authorises callers, stores
 * records and speaks HTTP; these services run the ceremonies and never see a caller.
 */
import type { PartyId } from '@keyquorum/mpc/transport';
import type { KeySetName } from '@keyquorum/tfhe/key-sets';
import type { Ceremony } from './ceremony/ceremony.ts';
import type { DecryptionJob, DecryptionOutcome, PoolStatus, UserShares } from './decryption/job.ts';
import type { KeptEvidence } from './evidence/archive.ts';
import type { ObjectType } from './keygen/objects.ts';
import type { MaterialHealth } from './material/caretaker.ts';
import type { PublicObject } from './material/public-object.ts';

export type KeyPurpose = 'development' | 'production';

export interface KeygenRequest {
  /** 64 hex characters chosen by the caller; becomes the key id. */
  readonly requestId: string;
  readonly parameters: KeySetName;
  readonly purpose: KeyPurpose;
}

export interface KeyObject {
  readonly type: ObjectType;
  readonly digest: string;
  readonly size: number;
}

/** What a node remembers of a finished key besides its shares (which stay in the SecretStore). */
export interface KeyRecord {
  readonly keyId: string;
  readonly epoch: number;
  readonly parameters: KeySetName;
  readonly purpose: KeyPurpose;
  /** Digest (SHAKE-256 under the label of keys, hex) and size of every public object, in the order of OBJECT_TYPES. */
  readonly objects: readonly KeyObject[];
  /** COMPLETE certificate of a quorum over the seed and the opened bodies, encoded, hex. */
  readonly certificate: string;
  /** Session of the ceremony: what the certificate is about. */
  readonly session: string;
  /** Seed of the public stream, 16 bytes, hex. */
  readonly seed: string;
  /** Agreed start of the ceremony, and which attempt succeeded: with the rest they determine `session`. */
  readonly startMs: number;
  readonly attempt: number;
}

/** A finished key before its objects are described. */
export type UndescribedRecord = Omit<KeyRecord, 'objects'>;

export interface CrsRequest {
  /** 64 hex characters chosen by the caller; becomes the id of the reference string. */
  readonly requestId: string;
  /** The key set whose compact public key proofs will be made for. */
  readonly parameters: KeySetName;
  /** Most bits in one proof: a power of two up to 2048. */
  readonly maxBits: number;
}

/** What a node remembers of a finished reference string; its transcript proves it. */
export interface CrsRecord {
  readonly crsId: string;
  readonly parameters: KeySetName;
  readonly maxBits: number;
  /** Digest of the file (SHAKE-256 under the label of reference strings, hex) and its bytes. */
  readonly digest: string;
  readonly size: number;
  /** Parties whose secrets are in it. */
  readonly contributors: readonly PartyId[];
}

export interface Services {
  /** Resolves when the services listen; the epoch may still be starting. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** 0 until this node holds the epoch's PRSS keys. */
  epoch(): number;
  /**
   * Starts (or finds) the ceremony; idempotent for equal content.
   * @throws CeremonyError CEREMONY_EXISTS for other content, CEREMONIES_RUNNING, UnsoundSizeError
   */
  generateKey(request: KeygenRequest): Ceremony;
  ceremonies(): Ceremony[];
  ceremony(id: string): Ceremony | undefined;
  /** Called at every change of any ceremony; returns the way to unsubscribe. */
  watch(listener: (ceremony: Ceremony) => void): () => void;
  /**
   * Stops a running ceremony here and asks the others to: they do as long as it needs this party, or when t+1 parties
   * ask. Throws CeremonyError CEREMONY_UNKNOWN.
   */
  cancel(id: string): void;
  keys(): KeyRecord[];
  /** All public objects of finished keys, and all reference strings. */
  objects(): readonly PublicObject[];
  /** A public object or reference string by its digest. @throws MaterialDamagedError while it is known to be damaged */
  material(digest: string): PublicObject | undefined;
  /** What is known about the public objects on this disk. */
  materialHealth(): MaterialHealth;
  /**
   * Starts (or finds) the ceremony; idempotent for equal content.
   * @throws CeremonyError CEREMONY_EXISTS for other content, CEREMONIES_RUNNING, CrsParametersError
   */
  generateCrs(request: CrsRequest): Ceremony;
  referenceStrings(): CrsRecord[];
  /** Who contributed to it and how that is proven: a file for anybody with the roster. */
  crsTranscript(id: string): Promise<Uint8Array | undefined>;
  /** Files that prove parties corrupt, and the bytes of one by its id. Anybody with the roster can verify them. */
  evidence(): Promise<KeptEvidence[]>;
  evidenceFile(id: string): Promise<Uint8Array | undefined>;
  /** Admits a job on this node. All nodes must admit it; whichever is the initiator binds material to it. */
  decrypt(job: DecryptionJob): Promise<DecryptionOutcome>;
  /**
   * The same for values that only a user may learn: resolves to this party's share of each, for the user to combine
   * with those of others. Takes the pool's material like `decrypt`, and a bundle more per 16 LWE ciphertexts; nothing
   * for squashed values, which need no other party. Asked again, it gives the same shares.
   */
  userShares(job: DecryptionJob): Promise<UserShares>;
  pool(): PoolStatus;
}

export interface ServiceLimits {
  /** Bundles the pool is kept at. 0, then on all nodes: nothing is decrypted, and new keys are not tried. */
  readonly poolTarget: number;
  /** Bundles of one preprocessing batch. */
  readonly batchBundles: number;
  /** Length of one synchronous broadcast round, milliseconds; must exceed twice the clock skew plus a network delay. */
  readonly roundMs: number;
  readonly keygenDeadlineMs: number;
  /** Most bytes that a key generation sends per second; undefined for no limit. */
  readonly keygenBytesPerSecond?: number;
  readonly decryptionDeadlineMs: number;
  /** How long the ceremony of a reference string waits for one contribution, and again for checks of it. */
  readonly crsTurnMs: number;
}
