/**
 * A client's side of a re-encryption: checks and decrypts what each node answered, then combines the shares of 2t+1
 * parties into the values. Whatever at most t parties send, the values are right or there are none yet; an answer that
 * fails a check costs only its own party. Does nothing but compute: asking nodes is the business of the caller.
 */
import type { Gr128 } from '@keyquorum/kernel/batch';
import { decodeEncryptionKey, type UserKeyPair } from './encryption-key.ts';
import { decodePackedShare, type PackingFactor, unpackValue } from './packed-share.ts';
import { createResponseCheck, type ExpectedResponses, type SignedPayload } from './response-check.ts';
import { decodeShares } from './share-decoding.ts';
import { unsigncrypt } from './signcryption.ts';

/** A party's shares, decrypted and authenticated. Secret: `elements` are erased by whoever holds this. */
export interface OpenedResponse {
  readonly party: number;
  readonly values: readonly {
    readonly fheType: number;
    readonly packingFactor: PackingFactor;
    readonly elements: Gr128;
  }[];
}

export interface CombinedValue {
  readonly fheType: number;
  /** bool is 0 or 1, addresses are 160-bit integers. */
  readonly value: bigint;
}

export interface Combination {
  /** In request order. */
  readonly values: readonly CombinedValue[];
  /** Parties whose authenticated shares were wrong, ascending. */
  readonly wrong: readonly number[];
}

/** Checks and decrypts the answers of single parties to one request. */
export interface ResponseOpener {
  /**
   * `party` is the one that was asked; an answer of another one is refused.
   * @throws WireError that says what is wrong with the answer
   */
  open(party: number, response: SignedPayload): Promise<OpenedResponse>;
}

/** @param expected without the encryption key, which is that of `keys` */
export function createResponseOpener(
  expected: Omit<ExpectedResponses, 'encryptionKey'>,
  keys: UserKeyPair,
): ResponseOpener {
  const { encryptionKey } = keys;
  const check = createResponseCheck({ ...expected, encryptionKey });
  const recipient = { encapsulationKey: decodeEncryptionKey(encryptionKey), userAddress: expected.userAddress };
  return {
    async open(party, response) {
      const { verificationKey, linker, values } = check(party, response);
      const senderKey = verificationKey.subarray(8);
      const opened: OpenedResponse['values'][number][] = [];
      for (const { fheType, signcrypted, packingFactor } of values) {
        const { decapsulationKey } = keys;
        const share = await unsigncrypt(signcrypted, { recipient, decapsulationKey, senderKey, fheType, linker });
        opened.push({ fheType, packingFactor, elements: decodePackedShare(share, fheType, packingFactor) });
      }
      return { party, values: opened };
    },
  };
}

/**
 * The values that 2t+1 of the parties agree on, or undefined: more answers are needed. At most one response per party.
 * @throws WireError VALUE_OUT_OF_RANGE when they agree on something that is no value
 */
export function combineResponses(opened: readonly OpenedResponse[], threshold: number): Combination | undefined {
  const count = opened[0]?.values.length ?? 0;
  const wrong = new Set<number>();
  const values: CombinedValue[] = [];
  for (let index = 0; index < count; index++) {
    const combined = combineValue(opened, index, threshold);
    if (combined === undefined) return undefined;
    values.push({ fheType: combined.fheType, value: combined.value });
    for (const party of combined.wrong) wrong.add(party);
  }
  if (values.length === 0) return undefined;
  return { values, wrong: [...wrong].sort((left, right) => left - right) };
}

/** Honest parties agree on type and packing, too: only parties that say the same are combined. */
function combineValue(opened: readonly OpenedResponse[], index: number, threshold: number) {
  const kindOf = ({ values }: OpenedResponse) => `${values[index]!.fheType} ${values[index]!.packingFactor}`;
  for (const kind of new Set(opened.map(kindOf))) {
    const group = opened.filter((response) => kindOf(response) === kind);
    const { fheType, packingFactor } = group[0]!.values[index]!;
    const shares = new Map(group.map(({ party, values }) => [party, values[index]!.elements]));
    const decoded = decodeShares(shares, threshold);
    if (decoded === undefined) continue;
    const others = opened.filter((response) => !group.includes(response)).map(({ party }) => party);
    const value = unpackValue(fheType, packingFactor, decoded.elements);
    return { fheType, value, wrong: [...decoded.wrong, ...others] };
  }
  return undefined;
}
