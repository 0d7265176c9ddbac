/**
 * Reads values for one user: sends a permit and ciphertexts to all nodes, checks and decrypts every answer, and is done
 * as soon as the shares of 2t+1 parties agree. Goes on listening until all have spoken or the deadline, so that it can
 * say who was late, absent or wrong. This entry needs no TFHE module and no WebAssembly.
 *
 * Promise: with at most t corrupt nodes and n >= 3t+1 the values are right, whatever nodes send; n-t honest nodes that
 * answer in time are enough. Nobody but the owner of the permit's private key learns the values.
 */
import { fheTypeId, fheTypeName, fheTypeOfId, parseFheType } from '@keyquorum/tfhe/fhe-type';
import { WireError } from '@keyquorum/wire/error';
import {
  type Combination,
  combineResponses,
  createResponseOpener,
  type OpenedResponse,
  type ResponseOpener,
} from '@keyquorum/wire/user-decryption';
import { checkUserRequest } from '@keyquorum/wire/user-request';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { type AskOptions, askAll } from './ask-all.ts';
import { type Committee, requireCommittee } from './committee.ts';
import {
  AnswerError,
  type NodeVerdict,
  type RequestCiphertext,
  readUserAnswer,
  type UserDecryptionBody,
  type Verdict,
} from './contract.ts';
import type { Outcome } from './conversation.ts';
import { ClientError } from './errors.ts';
import type { Permit } from './permit.ts';
import { deferred } from './timing.ts';

/** A payload has at most 3.2 kB per value. */
const PAYLOAD_BYTES_BASE = 1_024;
const PAYLOAD_BYTES_PER_VALUE = 4_096;
const ANSWER_FRAME_BYTES = 16 * 1_024;

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

export interface DecryptedValue {
  readonly handle: string;
  /** Like 'bool', 'uint64'; 'uint160' for addresses. */
  readonly fheType: string;
  /** bool is 0 or 1, addresses are 160-bit integers. */
  readonly value: bigint;
}

export interface UserDecryptionReport {
  readonly requestId: string;
  readonly state: 'pending' | 'succeeded' | 'failed';
  readonly nodes: NodeVerdict[];
  readonly error?: { readonly code: string; readonly message: string };
}

export interface UserDecryption {
  /** The values, in request order. Rejects with ClientError. */
  readonly agreed: Promise<readonly DecryptedValue[]>;
  /** Resolves when every node has answered or the deadline has passed. */
  readonly finished: Promise<UserDecryptionReport>;
  /** What is known now. */
  report(): UserDecryptionReport;
}

export interface DecryptOptions extends AskOptions {
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
  const committee = requireCommittee(configured);
  requireAllowed(committee, permit, request, options.nowMs());
  const opener = openerOf(committee, permit, request);
  const hearing = createHearing(committee, request, options.signal);
  const payloadBytesMax = PAYLOAD_BYTES_BASE + PAYLOAD_BYTES_PER_VALUE * request.ciphertexts.length;
  const question = {
    path: '/v1/user-decryptions',
    requestId: request.requestId,
    body: JSON.stringify(bodyOf(permit, request)),
    bytesMax: 2 * payloadBytesMax + ANSWER_FRAME_BYTES,
  };
  const asked = askAll<OpenedResponse>(committee, question, options, {
    async read({ party }, body) {
      const { payload, signature } = readUserAnswer(body, payloadBytesMax);
      try {
        return await opener.open(party, { payload: hexToBytes(payload), signature: hexToBytes(signature) });
      } catch (error) {
        if (error instanceof WireError) throw new AnswerError(`${error.code}: ${error.message}`);
        throw error;
      }
    },
    record: hearing.record,
  });
  asked.catch(hearing.fail); // a bug of ours must not leave the caller waiting
  const finished = asked.then(hearing.report).finally(hearing.erase);
  return { agreed: hearing.agreed, finished, report: hearing.report };
}

function requireAllowed(
  { decryptionContract }: Committee,
  { hostChainId, request, userAddress, signature }: Permit,
  { ciphertexts }: UserDecryptionRequest,
  nowMs: number,
): void {
  checkUserRequest({
    domain: { chainId: hostChainId, verifyingContract: decryptionContract },
    request,
    userAddress,
    signature,
    values: ciphertexts.map(({ contractAddress, fheType }) => {
      const type = typeNumber(fheType);
      return type === undefined ? { contractAddress } : { contractAddress, fheType: type };
    }),
    nowSeconds: nowMs / 1_000,
    toleranceSeconds: 0,
  });
}

function typeNumber(name: string | undefined): number | undefined {
  if (name === undefined) return undefined;
  const type = parseFheType(name);
  const number = type && fheTypeId(type);
  if (number === undefined) throw new WireError('TYPE_UNSUPPORTED', `FHE type ${name} is unknown`);
  return number;
}

function openerOf(committee: Committee, permit: Permit, { ciphertexts }: UserDecryptionRequest): ResponseOpener {
  const { gatewayChainId, decryptionContract, nodes, threshold } = committee;
  const expected = {
    domain: { chainId: gatewayChainId, verifyingContract: decryptionContract },
    userAddress: permit.userAddress,
    extraData: permit.request.extraData,
    handles: ciphertexts.map(({ handle }) => hexToBytes(handle)),
    fheTypes: ciphertexts.map(({ fheType }) => typeNumber(fheType)),
    signers: nodes.map(({ signer }) => signer),
    threshold,
  };
  return createResponseOpener(expected, permit.keys());
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

/** Collects what became of the nodes, and decides as soon as there is something to decide. */
function createHearing(committee: Committee, request: UserDecryptionRequest, signal: AbortSignal | undefined) {
  const { nodes, threshold } = committee;
  const votes = new Map<number, { readonly outcome: Outcome<OpenedResponse>; readonly ms: number }>();
  const agreed = deferred<readonly DecryptedValue[]>();
  agreed.promise.catch(() => {}); // a caller may look at `finished` only
  let combination: Combination | undefined;
  let failure: ClientError | undefined;

  function opened(): OpenedResponse[] {
    return [...votes.values()].flatMap(({ outcome }) => (outcome.kind === 'answered' ? [outcome.answer] : []));
  }

  function settle(): void {
    if (failure) return;
    try {
      combination = combineResponses(opened(), threshold) ?? combination;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      failure = new ClientError('VALUE_UNREADABLE', error.message, { cause: error });
    }
    if (combination) agreed.resolve(valuesOf(request, combination));
    else failure ??= failureOf();
    if (failure) agreed.reject(failure);
  }

  /** Why no values can come any more, or undefined while they can. */
  function failureOf(): ClientError | undefined {
    const answered = opened().length;
    const open = nodes.length - votes.size;
    if (open > 0 && answered + open >= 2 * threshold + 1) return undefined;
    if (signal?.aborted) return new ClientError('ABORTED', 'stopped before enough nodes had answered');
    const nodeCode = sharedRefusal();
    if (nodeCode !== undefined) {
      const message = `${threshold + 1} or more nodes refused with ${nodeCode}`;
      return new ClientError('REQUEST_REFUSED', message, { nodeCode });
    }
    const said = verdicts().map(({ party, verdict, reason }) => `${party} ${verdict}${reason ? ` (${reason})` : ''}`);
    const message = `want ${2 * threshold + 1} shares that agree; parties: ${said.join(', ')}`;
    return new ClientError('ANSWERS_TOO_FEW', message);
  }

  function sharedRefusal(): string | undefined {
    const codes = [...votes.values()].flatMap(({ outcome }) => (outcome.kind === 'refused' ? [outcome.reason] : []));
    return codes.find((code) => codes.filter((other) => other === code).length > threshold);
  }

  function verdictOf(party: number): NodeVerdict {
    const vote = votes.get(party);
    if (!vote) return { party, verdict: 'pending' };
    const { outcome, ms } = vote;
    if (outcome.kind !== 'answered') return { party, verdict: outcome.kind, reason: outcome.reason, ms };
    if (combination?.wrong.includes(party)) return { party, verdict: 'wrong', reason: 'share of another value', ms };
    const verdict: Verdict = combination ? 'agreed' : 'answered';
    return { party, verdict, ms };
  }

  const verdicts = (): NodeVerdict[] => nodes.map(({ party }) => verdictOf(party));

  return {
    agreed: agreed.promise,
    fail: agreed.reject,
    record(party: number, outcome: Outcome<OpenedResponse>, ms: number): void {
      votes.set(party, { outcome, ms });
      settle();
    },
    report(): UserDecryptionReport {
      const { requestId } = request;
      const state = combination ? 'succeeded' : failure ? 'failed' : 'pending';
      const error = failure && { code: failure.nodeCode ?? failure.code, message: failure.message };
      return { requestId, state, nodes: verdicts(), ...(error && { error }) };
    },
    /** The shares are as secret as the values. */
    erase(): void {
      for (const { values } of opened()) for (const { elements } of values) elements.fill(0);
    },
  };
}

function valuesOf({ ciphertexts }: UserDecryptionRequest, { values }: Combination): DecryptedValue[] {
  return values.map(({ fheType, value }, index) => {
    const type = fheTypeOfId(fheType);
    if (type === undefined) throw new Error(`FHE type ${fheType} passed the reader`); // it knows eight types
    return { handle: ciphertexts[index]?.handle ?? '', fheType: fheTypeName(type), value };
  });
}
