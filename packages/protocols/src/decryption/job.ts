/** What a decryption takes and gives, after a node has authorised it. No HTTP, no policy, no wire format here. */
import type { Gr128 } from '@keyquorum/kernel/batch';
import type { Fault } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { CiphertextValue, FheType } from '@keyquorum/tfhe/ciphertext';

export interface DecryptionJob {
  /** Chosen by the caller, 64 hex characters. */
  readonly requestId: string;
  readonly keyId: string;
  /** SHA-256 over everything the request asks (ciphertext bytes included); equal at every node that admitted it. */
  readonly contentHash: Uint8Array;
  readonly values: readonly CiphertextValue[];
  /**
   * The party that was asked and so has the request first: it binds the material, which saves the others a message
   * delay. A hint only; without it the parties take turns by the hash of the request id.
   */
  readonly first?: PartyId;
  /** When it is given up; by default after the node's limit for decryptions. */
  readonly deadlineMs?: number;
}

export interface DecryptionOutcome {
  /** Per value: the opened 4-bit message of each of its LWE ciphertexts. */
  readonly messages: readonly Uint8Array[];
  /** Parties whose message was wrong, late or missing in this request. */
  readonly faults: readonly Fault[];
}

/** Who learns the values: everybody, or only a user, who gets every party's share. */
export type Output = 'public' | 'user';

/**
 * This party's share of one value, laid out as it goes to the user. Secret until it is encrypted to the user's key: t+1
 * of them are the value.
 */
export interface OwnShare {
  readonly type: FheType;
  /** A block holds the value's next 2 * packingFactor bits; with factor 1 carries on top of them count too. */
  readonly packingFactor: 1 | 2;
  readonly blocks: number;
  /**
   * Block j stands in coordinate j mod 4 of element floor(j/4), 0 behind the last. The polynomials of degree t through
   * all parties' shares have the value m * 2^123 at 0; of squashed values m * 2^123 plus noise below 2^122.
   */
  readonly elements: Gr128;
}

/** Equal requests give equal shares, bit for bit, at any time of one PRSS epoch. */
export interface UserShares {
  readonly degree: number;
  readonly values: readonly OwnShare[];
  /** Parties whose message was wrong, late or missing in this request. */
  readonly faults: readonly Fault[];
  /** Zeroes all elements, which are the caller's own copies. */
  erase(): void;
}

export type DecryptionErrorCode =
  | 'POOL_EMPTY' //         not enough preprocessed material anywhere; it is being made or a party is missing
  | 'KEY_UNKNOWN' //        this node holds no share of the key
  | 'KEY_PART_MISSING' //   the key was generated without the part that a value is encrypted under
  | 'FLOODING_UNSOUND_SIZE' // n and t are such that flooding noise could change messages
  | 'REQUEST_CONFLICT' //   the id was used for other content
  | 'DECRYPTION_TIMEOUT' // fewer than 2t+1 parties answered before the deadline
  | 'DECRYPTION_ABORTED'; // the node is stopping

export class DecryptionError extends Error {
  override readonly name = 'DecryptionError';
  readonly code: DecryptionErrorCode;
  /** Parties that were silent, when that is the cause. */
  readonly parties: readonly number[];
  constructor(code: DecryptionErrorCode, message: string, parties: readonly number[] = []) {
    super(message);
    this.code = code;
    this.parties = parties;
  }
}

export interface PoolStatus {
  /** Bundles (one bundle decrypts one LWE ciphertext) that this node could help to bind now, over all stripes. */
  readonly available: number;
  readonly target: number;
  readonly batches: number;
  /** All batches on disk are loaded, and others have told what an earlier life of this process used of them. */
  readonly settled: boolean;
  /** Bundles per second over the last finished batches; 0 before the first. */
  readonly refillPerSecond: number;
  /** Why the pool is not being refilled, e.g. 'waiting for party 3'; '' when it is full or filling. */
  readonly reason: string;
}
