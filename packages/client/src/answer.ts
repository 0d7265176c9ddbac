/**
 * Decides whether an answer of a node counts: it answers this request handle by handle, its ABI words say the same as
 * its values, and the EIP-712 signature over them (docs of the wire package) is by the key of that party.
 *
 * Types are not signed, and other types can be read into the same words: -1 is 2^256-1, two words are one value or two.
 * So an answer must have the types that the request names.
 */
import { type FheType, fheTypeName, fheTypeOfId, parseFheType } from '@keyquorum/tfhe/fhe-type';
import { signedWords } from '@keyquorum/wire/abi';
import { publicDecryptionDigest } from '@keyquorum/wire/eip712';
import { equalBytes } from '@keyquorum/wire/equal-bytes';
import { signedExtraData } from '@keyquorum/wire/extra-data';
import { recoverSigner } from '@keyquorum/wire/signer';
import { hexToBytes } from '@noble/hashes/utils.js';
import type { Committee, CommitteeNode } from './committee.ts';
import { AnswerError, type NodeAnswer, type PlainValue, type PublicDecryptionRequest } from './contract.ts';

/** The check of one node's answers to one request; it throws AnswerError. */
export function checkAnswer(committee: Committee, node: CommitteeNode, request: PublicDecryptionRequest) {
  const domain = { chainId: committee.gatewayChainId, verifyingContract: committee.decryptionContract };
  const handles = request.ciphertexts.map(({ handle }) => hexToBytes(handle));
  return (answer: NodeAnswer): void => {
    requireHandles(answer.values, request);
    requireTypes(answer.values, request);
    const words = encodedValues(answer.values);
    if (!equalBytes(words, hexToBytes(answer.abiEncoded))) throw new AnswerError('abiEncoded does not say the values');
    const extraData = signedExtraData(hexToBytes(request.extraData ?? ''));
    const digest = publicDecryptionDigest(domain, { handles, decryptedResult: words, extraData });
    const signer = recoverSigner(digest, hexToBytes(answer.signature));
    if (signer?.toLowerCase() !== node.signer.toLowerCase()) throw new AnswerError(`not signed by ${node.signer}`);
  };
}

function requireHandles(values: readonly PlainValue[], { ciphertexts }: PublicDecryptionRequest): void {
  const equal =
    values.length === ciphertexts.length && values.every((value, i) => value.handle === ciphertexts[i]?.handle);
  if (!equal) throw new AnswerError('values are not those of the handles asked for');
}

function requireTypes(values: readonly PlainValue[], { ciphertexts }: PublicDecryptionRequest): void {
  for (const [index, { fheType }] of values.entries()) {
    const wanted = ciphertexts[index]?.fheType;
    if (wanted === undefined || fheTypeName(requireType(fheType)) === fheTypeName(requireType(wanted))) continue;
    throw new AnswerError(`value ${index} is of type ${fheType}, and ${wanted} was asked for`);
  }
}

function encodedValues(values: readonly PlainValue[]): Uint8Array {
  const typed = values.map(({ fheType, value }) => ({ type: requireType(fheType), value: BigInt(value) }));
  try {
    return signedWords(typed);
  } catch (error) {
    if (error instanceof RangeError) throw new AnswerError(error.message);
    throw error;
  }
}

function requireType(fheType: PlainValue['fheType']): FheType {
  const type = typeof fheType === 'number' ? fheTypeOfId(fheType) : parseFheType(fheType);
  if (!type) throw new AnswerError(`unknown type ${fheType}`);
  return type;
}
