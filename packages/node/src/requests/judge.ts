/**
 * Checks of one node before it takes part in a decryption (SPEC R13): the key is known, its purpose allows the request,
 * every ciphertext parses as one canonical value under exactly that key's parameters, and bounds hold. Runs at every
 * node on its own copy of the bytes.
 */
import type { KeyRecord, Services } from '@keyquorum/protocols/services';
import {
  CiphertextError,
  type CiphertextValue,
  type FheType,
  fheTypeId,
  fheTypeName,
  isSquashed,
  readCiphertext,
} from '@keyquorum/tfhe/ciphertext';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import type { ParameterSet } from '@keyquorum/tfhe/parameters';
import { parseExtraData } from '@keyquorum/wire/extra-data';
import type { Limits, Requester } from '../config/schema.ts';
import { ApiError } from '../errors/api-error.ts';
import type { Ciphertext, Content } from './content.ts';

/** A squashed block has the words of four to twelve others, up to 96 KiB. */
const SQUASHED_WEIGHT = 4;

/** The values of a request that may run. Throws ApiError, CiphertextError or WireError. */
export function judge(
  content: Content,
  { requester, keys, limits }: { requester: Requester; keys: ReturnType<Services['keys']>; limits: Limits },
): CiphertextValue[] {
  if (!requester.apps.includes(content.app)) {
    throw new ApiError('FORBIDDEN', `requester ${requester.name} has no application "${content.app}"`);
  }
  parseExtraData(content.extraData);
  const parameters = usableParameters(content, keys);
  const count = content.ciphertexts.length;
  if (count > limits.ciphertextsPerRequest) {
    throw new ApiError('REQUEST_TOO_LARGE', `${count} ciphertexts, want at most ${limits.ciphertextsPerRequest}`);
  }
  let blocks = 0;
  return content.ciphertexts.map((ciphertext, index) => {
    const value = inContext(index, () => readValue(ciphertext, parameters));
    blocks += value.blockBits.length * (isSquashed(value) ? SQUASHED_WEIGHT : 1);
    if (blocks > limits.blocksPerRequest) {
      throw new ApiError('REQUEST_TOO_LARGE', `more than ${limits.blocksPerRequest} blocks in one request`);
    }
    return value;
  });
}

function usableParameters({ keyId }: Content, keys: readonly KeyRecord[]): ParameterSet {
  const key = keys.find((candidate) => candidate.keyId === keyId);
  if (!key) throw new ApiError('KEY_UNKNOWN', `this node has no key ${keyId}`);
  if (key.purpose === 'production') {
    throw new ApiError('PROVENANCE_REQUIRED', `key ${keyId} is for production: raw ciphertexts are refused`);
  }
  return keySetChoice(key.parameters).parameters;
}

function readValue({ format, bytes, slot, fheType }: Ciphertext, parameters: ParameterSet): CiphertextValue {
  const value = readCiphertext(format, bytes, { parameters, slot });
  if (fheType === undefined || agrees(value.type, fheType)) return value;
  const problem = `fheType: got ${fheType}, but the object holds ${fheTypeName(value.type)}`;
  throw new CiphertextError('CIPHERTEXT_TYPE', problem, { field: 'fheType' });
}

function agrees(type: FheType, claimed: string | number): boolean {
  return typeof claimed === 'number' ? fheTypeId(type) === claimed : fheTypeName(type) === claimed;
}

/** Says which ciphertext of the request is to blame. */
function inContext<T>(index: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CiphertextError)) throw error;
    throw new ApiError(error.code, `ciphertexts.${index}: ${error.message}`);
  }
}
