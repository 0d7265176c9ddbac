/** A user decryption on its way to nodes: what is asked, and what an answer must say to be one. */
import { fheTypeId, parseFheType } from '@keyquorum/tfhe/fhe-type';
import { WireError } from '@keyquorum/wire/error';
import type { ExpectedResponses, SignedPayload } from '@keyquorum/wire/response-check';
import { hexToBytes } from '@noble/hashes/utils.js';
import type { Committee } from './committee.ts';
import { AnswerError, readUserAnswer, type UserDecryptionBody } from './contract.ts';
import type { Question } from './conversation.ts';

/** A payload has at most 3.2 kB per value. */
const PAYLOAD_BYTES_BASE = 1_024;
const PAYLOAD_BYTES_PER_VALUE = 4_096;
const ANSWER_FRAME_BYTES = 16 * 1_024;

/** Of the answer of one node, in bytes. */
export function payloadBytesMax({ ciphertexts }: Pick<UserDecryptionBody, 'ciphertexts'>): number {
  return PAYLOAD_BYTES_BASE + PAYLOAD_BYTES_PER_VALUE * ciphertexts.length;
}

/** @param nodes whose answers come in one: 1, or n from a coordinator */
export function userQuestion(body: UserDecryptionBody, nodes = 1): Omit<Question, 'authorization'> {
  const { requestId } = body;
  const bytesMax = nodes * (2 * payloadBytesMax(body) + ANSWER_FRAME_BYTES);
  return { path: '/v1/user-decryptions', requestId, body: JSON.stringify(body), bytesMax };
}

/** @throws WireError TYPE_UNSUPPORTED */
export function expectedResponses(committee: Committee, body: UserDecryptionBody): ExpectedResponses {
  const { gatewayChainId, decryptionContract, nodes, threshold } = committee;
  return {
    domain: { chainId: gatewayChainId, verifyingContract: decryptionContract },
    encryptionKey: hexToBytes(body.encryptionKey),
    userAddress: body.userAddress.toLowerCase() as `0x${string}`, // a wrong checksum is for nodes to refuse
    extraData: hexToBytes(body.request.extraData),
    handles: body.ciphertexts.map(({ handle }) => hexToBytes(handle)),
    fheTypes: body.ciphertexts.map(({ fheType }) => typeNumber(fheType)),
    signers: nodes.map(({ signer }) => signer),
    threshold,
  };
}

/** @throws WireError TYPE_UNSUPPORTED */
export function typeNumber(name: string | number | undefined): number | undefined {
  if (name === undefined || typeof name === 'number') return name;
  const type = parseFheType(name);
  const number = type && fheTypeId(type);
  if (number === undefined) throw new WireError('TYPE_UNSUPPORTED', `FHE type ${name} is unknown`);
  return number;
}

/**
 * Reads a node's answer and hands it to `check`.
 * @throws AnswerError also for what `check` refuses with a WireError
 */
export async function checkedAnswer<T>(
  body: unknown,
  bytesMax: number,
  check: (response: SignedPayload) => T | Promise<T>,
): Promise<T> {
  const { payload, signature } = readUserAnswer(body, bytesMax);
  try {
    return await check({ payload: hexToBytes(payload), signature: hexToBytes(signature) });
  } catch (error) {
    if (error instanceof WireError) throw new AnswerError(`${error.code}: ${error.message}`);
    throw error;
  }
}
