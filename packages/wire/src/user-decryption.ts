/**
 * A client's side of a re-encryption: checks and decrypts what each node answered, then combines the shares of 2t+1
 * parties into the values. Whatever at most t parties send, the values are right or there are none yet; an answer that
 * fails a check costs only its own party. Does nothing but compute: asking nodes is the business of the caller.
 */
import type { Gr128 } from '@keyquorum/kernel/batch';
import { userDecryptionLinker, userDecryptionResponseDigest } from './eip712.ts';
import { decodeEncryptionKey, type UserKeyPair } from './encryption-key.ts';
import { equalBytes } from './equal-bytes.ts';
import { WireError } from './error.ts';
import { signedExtraData } from './extra-data.ts';
import { decodePackedShare, type PackingFactor, requirePackingFactor, unpackValue } from './packed-share.ts';
import { type AnsweredRequest, decodePayload, type ResponsePayload } from './response.ts';
import { decodeShares } from './share-decoding.ts';
import { unsigncrypt } from './signcryption.ts';
import { addressOfKey, requireSigner, verificationKeyBytes } from './signer.ts';

export interface ExpectedResponses extends Omit<AnsweredRequest, 'encryptionKey'> {
  /** In request order. */
  readonly handles: readonly Uint8Array[];
  /** Numbers by value; undefined where the caller does not know the type and takes what 2t+1 parties say. */
  readonly fheTypes?: readonly (number | undefined)[];
  /** Addresses of the parties' keys, party 1 first; 3t+1 or more. */
  readonly signers: readonly `0x${string}`[];
  readonly threshold: number;
}

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
  open(
    party: number,
    response: { readonly payload: Uint8Array; readonly signature: Uint8Array },
  ): Promise<OpenedResponse>;
}

export function createResponseOpener(expected: ExpectedResponses, keys: UserKeyPair): ResponseOpener {
  const { domain, handles, userAddress, signers } = expected;
  const publicKey = keys.encryptionKey;
  const encapsulationKey = decodeEncryptionKey(publicKey);
  const linker = userDecryptionLinker(domain, { publicKey, handles, userAddress });
  const extraData = signedExtraData(expected.extraData);

  /** The outside: who answers, and whether it is this request. */
  function checked(party: number, payload: Uint8Array, signature: Uint8Array): ResponsePayload {
    const signer = signers[party - 1];
    if (signer === undefined) throw new RangeError(`party ${party}, want 1..${signers.length}`);
    const answer = { publicKey, handles, userDecryptedShare: payload, extraData };
    requireSigner(userDecryptionResponseDigest(domain, answer), signature, signer);
    const decoded = decodePayload(payload);
    requireParty(decoded, { party, signer, threshold: expected.threshold });
    requireRequest(decoded, expected, linker);
    return decoded;
  }

  return {
    async open(party, { payload, signature }) {
      const { verificationKey, values } = checked(party, payload, signature);
      const senderKey = verificationKey.subarray(8);
      const recipient = { encapsulationKey, userAddress };
      const opened: OpenedResponse['values'][number][] = [];
      for (const { fheType, signcrypted, packingFactor } of values) {
        const factor = requirePackingFactor(packingFactor, fheType);
        const { decapsulationKey } = keys;
        const share = await unsigncrypt(signcrypted, { recipient, decapsulationKey, senderKey, fheType, linker });
        opened.push({ fheType, packingFactor: factor, elements: decodePackedShare(share, fheType, factor) });
      }
      return { party, values: opened };
    },
  };
}

function requireParty(
  { party: said, degree, verificationKey }: ResponsePayload,
  { party, signer, threshold }: { party: number; signer: string; threshold: number },
): void {
  if (said !== party || degree !== threshold) {
    const want = `want party ${party} and degree ${threshold}`;
    throw new WireError('RESPONSE_PARTY', `payload of party ${said} and degree ${degree}, ${want}`);
  }
  const key = verificationKey.subarray(8);
  if (key.length !== 33 || !equalBytes(verificationKeyBytes(key), verificationKey)) {
    throw new WireError('RESPONSE_MALFORMED', 'payload: verification key is no compressed key with its length');
  }
  if (addressOfKey(key).toLowerCase() !== signer.toLowerCase()) {
    throw new WireError('RESPONSE_PARTY', `payload with a verification key of somebody else than ${signer}`);
  }
}

function requireRequest(
  { linker, values }: ResponsePayload,
  { handles, fheTypes }: ExpectedResponses,
  expectedLinker: Uint8Array,
): void {
  const other = (what: string) => new WireError('RESPONSE_REQUEST', `payload answers another request: ${what} differs`);
  if (!equalBytes(linker, expectedLinker)) throw other('linker');
  if (values.length !== handles.length) throw other('number of values');
  values.forEach(({ handle, fheType }, index) => {
    if (!equalBytes(handle, handles[index]!)) throw other(`handle ${index}`);
    const type = fheTypes?.[index];
    if (type !== undefined && type !== fheType) throw other(`FHE type ${index}`);
  });
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
