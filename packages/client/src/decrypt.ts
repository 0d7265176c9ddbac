/**
 * Reads values for one user: sends a permit and ciphertexts to all nodes, checks and decrypts every answer, and is done
 * as soon as the shares of 2t+1 parties agree. Goes on listening until all have spoken or the deadline, so that it can
 * say who was late, absent or wrong. This entry needs no TFHE module, and in browsers no WebAssembly.
 *
 * Promise: with at most t corrupt nodes and n >= 3t+1 the values are right, whatever nodes send; n-t honest nodes that
 * answer in time are enough. Nobody but the owner of the permit's private key learns the values.
 */
import { createResponseOpener, type OpenedResponse, type ResponseOpener } from '@keyquorum/wire/user-decryption';
import { checkUserRequestTerms } from '@keyquorum/wire/user-request';
import { bytesToHex } from '@noble/hashes/utils.js';
import { type AskOptions, askAll } from './ask-all.ts';
import { type Committee, requireCommittee } from './committee.ts';
import type { RequestCiphertext, UserDecryptionBody } from './contract.ts';
import { type Permit, requireSignature } from './permit.ts';
import { createHearing, type DecryptedValue, type Hearing, type UserDecryptionReport } from './user-hearing.ts';
import { checkedAnswer, expectedResponses, payloadBytesMax, typeNumber, userQuestion } from './user-question.ts';

export interface UserCiphertext extends RequestCiphertext {
  /** Must be one of the permit's. */
  readonly contractAddress: `0x${string}`;
  /** Like 'uint64'; checked against what the nodes say. Taken from 2t+1 of them when absent. */
  readonly fheType?: string;
}

export interface UserDecryptionRequest {
  /** 64 hex characters, new for every request. */
  readonly requestId: string;
  readonly keyId: string;
  /** Default "default". */
  readonly app?: string;
  readonly ciphertexts: readonly UserCiphertext[];
}

export interface UserDecryption {
  /** The values, in request order. Rejects with ClientError. */
  readonly agreed: Promise<readonly DecryptedValue[]>;
  /** Resolves when every node has answered or the deadline has passed. */
  readonly finished: Promise<UserDecryptionReport>;
  /** What is known now. */
  report(): UserDecryptionReport;
}

export interface DecryptOptions extends Omit<AskOptions, 'authorization'> {
  /** The caller's Authorization header for the nodes, or how it is made from the body of the request. */
  readonly authorization: string | ((body: UserDecryptionBody) => string);
  /** Milliseconds since 1970, to refuse a permit that is not valid now. */
  readonly nowMs: () => number;
}

/**
 * Starts at once.
 * @throws ClientError COMMITTEE_INVALID, PERMIT_ERASED; WireError when the permit does not allow this request
 */
export function decryptForUser(
  configured: Committee,
  permit: Permit,
  request: UserDecryptionRequest,
  options: DecryptOptions,
): UserDecryption {
  const { committee, body, authorization, opener, hearing } = prepare(configured, permit, request, options);
  const bytesMax = payloadBytesMax(body);
  const asked = askAll<OpenedResponse>(
    committee,
    userQuestion(body),
    { ...options, authorization },
    {
      read: ({ party }, answer) => checkedAnswer(answer, bytesMax, (response) => opener.open(party, response)),
      record: hearing.record,
    },
  );
  asked.catch(hearing.fail); // a bug of ours must not leave the caller waiting
  const finished = asked.then(hearing.report).finally(hearing.erase);
  return { agreed: hearing.agreed, finished, report: hearing.report };
}

/** All that a user decryption needs before anybody is asked. */
export interface Prepared {
  readonly committee: Committee;
  readonly body: UserDecryptionBody;
  readonly authorization: string;
  readonly opener: ResponseOpener;
  readonly hearing: Hearing;
}

/** @throws ClientError COMMITTEE_INVALID, PERMIT_ERASED; WireError when the permit does not allow this request */
export function prepare(
  configured: Committee,
  permit: Permit,
  request: UserDecryptionRequest,
  { authorization, nowMs, signal }: DecryptOptions,
): Prepared {
  const committee = requireCommittee(configured);
  requireAllowed(committee, permit, request, nowMs());
  const body = bodyOf(permit, request);
  const opener = createResponseOpener(expectedResponses(committee, body), permit.keys());
  const hearing = createHearing(committee, request, signal);
  const header = typeof authorization === 'string' ? authorization : authorization(body);
  return { committee, body, authorization: header, opener, hearing };
}

function requireAllowed(
  { decryptionContract }: Committee,
  permit: Permit,
  { ciphertexts }: UserDecryptionRequest,
  nowMs: number,
): void {
  const { hostChainId, request, userAddress } = permit;
  const domain = { chainId: hostChainId, verifyingContract: decryptionContract };
  checkUserRequestTerms({
    ...{ domain, request, userAddress },
    values: ciphertexts.map(({ contractAddress, fheType }) => {
      const type = typeNumber(fheType);
      return type === undefined ? { contractAddress } : { contractAddress, fheType: type };
    }),
    nowSeconds: nowMs / 1_000,
    toleranceSeconds: 0,
  });
  requireSignature(domain, permit);
}

function bodyOf(permit: Permit, { requestId, keyId, app = 'default', ciphertexts }: UserDecryptionRequest) {
  const { request, hostChainId, signature, userAddress } = permit;
  const body: UserDecryptionBody = {
    requestId,
    keyId,
    app,
    ciphertexts,
    userAddress,
    encryptionKey: bytesToHex(request.publicKey),
    request: {
      hostChainId: `${hostChainId}`,
      contractAddresses: request.contractAddresses,
      startTimestamp: `${request.startTimestamp}`,
      durationDays: `${request.durationDays}`,
      extraData: bytesToHex(request.extraData),
      ...(request.kind === 'delegated' && { delegatorAddress: request.delegatorAddress }),
    },
    userSignature: bytesToHex(signature),
  };
  return body;
}
