/** From a node's shares to the answer that only the user can read, signed for contracts (docs/rest.md). */
import type { UserShares } from '@keyquorum/protocols/decryption/job';
import { type CiphertextValue, fheTypeId, fheTypeName } from '@keyquorum/tfhe/ciphertext';
import { createResponse, type ResponseParty } from '@keyquorum/wire/response';
import { ApiError } from '../errors/api-error.ts';
import type { UserContent } from './content.ts';
import { type AnswerSigner, distinctFaults } from './public-answer.ts';
import type { UserAnswer } from './record.ts';

export interface ShareSigner extends AnswerSigner, Omit<ResponseParty, 'signer'> {}

/** Number of a type that clients can read after a re-encryption. Throws ApiError TYPE_UNSUPPORTED for the others. */
export function userTypeOf({ type }: CiphertextValue): number {
  const number = fheTypeId(type);
  if (number !== undefined) return number;
  throw new ApiError('TYPE_UNSUPPORTED', `${fheTypeName(type)} has no number that clients know`);
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Erases the shares. Encapsulates anew at every call: an answer is made once and remembered. */
export async function userAnswer(
  { user, ciphertexts, extraData }: UserContent,
  { values, shares }: { values: readonly CiphertextValue[]; shares: UserShares },
  { domain, ...party }: ShareSigner,
): Promise<UserAnswer> {
  const { encryptionKey, userAddress } = user;
  const shared = shares.values.map(({ packingFactor, elements }, index) => ({
    handle: new Uint8Array(Buffer.from(ciphertexts[index]!.handle, 'hex')),
    fheType: userTypeOf(values[index]!),
    ...{ packingFactor, elements },
  }));
  try {
    const response = await createResponse({ domain, encryptionKey, userAddress, extraData }, shared, party);
    return {
      payload: hexOf(response.payload),
      signature: hexOf(response.signature),
      extraData: hexOf(response.extraData),
      faults: distinctFaults(shares),
    };
  } finally {
    shares.erase();
  }
}
