/** What a decryption takes and gives, after a node has authorised it. No HTTP, no policy, no wire format here. */
import type { Fault } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { CiphertextValue } from '@keyquorum/tfhe/ciphertext';

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
  /** Bundles per second over the last finished batches; 0 before the first. */
  readonly refillPerSecond: number;
  /** Why the pool is not being refilled, e.g. 'waiting for party 3'; '' when it is full or filling. */
  readonly reason: string;
}
