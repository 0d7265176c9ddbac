/**
 * What the conformance test needs of a key set: its files, and somebody who decrypts under it. Where it comes from, a
 * dealer or a network, is not the test's business.
 */
import type { FheType } from '@keyquorum/tfhe/fhe-type';
import type { OptionalPart } from '@keyquorum/tfhe/key-set-components';
import type { ParameterSet } from '@keyquorum/tfhe/parameters';

/** Objects of tfhe-rs that hold results, by the network's names. */
export type ResultFormat = 'fhe' | 'compressed-list' | 'squashed' | 'compressed-squashed-list';

export interface Plain {
  readonly type: FheType;
  readonly value: bigint;
}

export interface KeySetUnderTest {
  readonly parameters: ParameterSet;
  readonly parts: readonly OptionalPart[];
  /** A CompactPublicKey, for node-tfhe. */
  readonly publicKey: Uint8Array;
  /** Writes the CompressedXofKeySet. */
  writeKeySet(path: string): Promise<void>;
  /**
   * Every value of the object, in order.
   * @throws CiphertextError, or RestError with such a code, when it is not to be decrypted
   */
  decrypt(format: ResultFormat, bytes: Uint8Array): Promise<readonly Plain[]>;
  /** The pseudo-random value of that seed, if whoever made the key set can foretell it. */
  random?(seed: bigint, type: FheType): bigint;
}
