/** All that a dApp needs of one network, bound to its nodes: keys, encryption, decryption for all and for one user. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { type Committee, type CommitteeNode, requireCommittee } from './committee.ts';
import type { PublicDecryptionRequest } from './contract.ts';
import { askCoordinator, askCoordinatorForSlots } from './coordinator.ts';
import { createCredentials, type Requester } from './credentials.ts';
import { decryptForUser, type UserDecryption, type UserDecryptionRequest } from './decrypt.ts';
import { type EncryptedInput, encrypt, type PlainInput, type TfheModule } from './encrypt.ts';
import { createAttaching } from './handing-over.ts';
import { createMemoryCache, fetchKeyObject, type MaterialCache } from './key-material.ts';
import { createPermit, type Permit, type PermitOptions } from './permit.ts';
import { type Coordination, decryptPublic, type SignedDecryption } from './public-decryption.ts';
import type { SlotOutcome } from './slots.ts';
import { askCoordinatorForUser, askCoordinatorForUserSlots } from './user-coordinator.ts';
import type { DecryptedValue } from './user-hearing.ts';

const ID_BYTES = 32;
const DEADLINE_MS = 60_000;

export interface ClientOptions extends Requester {
  /** All nodes; `signer` is the address with which each signs, from the network's configuration or its contract. */
  readonly nodes: readonly CommitteeNode[];
  /** t: the network is right while at most t nodes are corrupt. */
  readonly threshold: number;
  /** EIP-712 domain of answers. */
  readonly gatewayChainId: bigint | number;
  readonly decryptionContract: `0x${string}`;
  /** How long nodes may take; default one minute. */
  readonly deadlineMs?: number;
  /** Default: in memory. */
  readonly cache?: MaterialCache;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
  /** That many secure random bytes; default WebCrypto's. */
  readonly random?: (count: number) => Uint8Array;
  /** Milliseconds since 1970; default the clock of this machine. */
  readonly nowMs?: () => number;
}

export interface Client {
  readonly committee: Committee;
  /**
   * The CompactPublicKey of a key: signed by t+1 nodes, its digest checked, cached.
   * @throws ClientError KEY_UNPROVEN, OBJECT_MISSING, MATERIAL_UNAVAILABLE
   */
  publicKey(keyId: string): Promise<Uint8Array>;
  /**
   * Encrypts with the TFHE module that is handed in, all values in one list, each under a fresh handle.
   * @throws ClientError as `publicKey`, and VALUE_UNSUPPORTED
   */
  encrypt(tfhe: TfheModule, keyId: string, inputs: readonly PlainInput[]): Promise<NamedInput[]>;
  /**
   * Has the user sign that values of some contracts may be read, with a key made for it.
   * @throws WireError with the code of the rule that is broken
   */
  createPermit(options: PermitOptions): Promise<Permit>;
  /** Values for the owner of the permit only. The promises of the result reject with ClientError. */
  decryptForUser(permit: Permit, request: UserRequest, options?: CallOptions): UserDecryption;
  /** Values for everybody, with signatures of at least t+1 nodes. The result's promises reject with ClientError. */
  decryptPublic(request: PublicRequest, options?: CallOptions): Coordination;
  /**
   * The same from a coordinator, which is believed no more than the t+1 signatures it shows.
   * @throws ClientError REQUEST_REFUSED, ANSWERS_TOO_FEW, ABORTED
   */
  askCoordinator(url: string, request: PublicRequest, options?: CallOptions): Promise<SignedDecryption>;
  /**
   * Values for the owner of the permit from a coordinator; see user-coordinator.ts for what it can and cannot do.
   * @throws ClientError HANDLE_REUSED, REQUEST_REFUSED, ANSWERS_TOO_FEW, VALUE_UNREADABLE, PERMIT_ERASED, ABORTED
   */
  askCoordinatorForUser(
    url: string,
    permit: Permit,
    request: UserRequest,
    options?: CallOptions,
  ): Promise<readonly DecryptedValue[]>;
  /**
   * Each ciphertext by itself, so that one which nodes refuse does not sink the others: an outcome per ciphertext, with
   * t+1 signatures over that handle alone, or the error.
   */
  askCoordinatorForSlots(
    url: string,
    request: PublicRequest,
    options?: CallOptions,
  ): Promise<readonly SlotOutcome<SignedDecryption>[]>;
  /**
   * The same for the owner of a permit.
   * @throws ClientError HANDLE_REUSED, PERMIT_ERASED
   */
  askCoordinatorForUserSlots(
    url: string,
    permit: Permit,
    request: UserRequest,
    options?: CallOptions,
  ): Promise<readonly SlotOutcome<DecryptedValue>[]>;
  /** A fresh id, for requests and handles: 64 hex characters. */
  randomId(): string;
}

/** `requestId` is made when absent; the same id and content give the same answer. */
export type PublicRequest = Omit<PublicDecryptionRequest, 'requestId'> & { readonly requestId?: string };
export type UserRequest = Omit<UserDecryptionRequest, 'requestId'> & { readonly requestId?: string };

/** As requests for decryption take it. */
export interface NamedInput extends EncryptedInput {
  /** Random; replace it by the handle that a contract gave. */
  readonly handle: string;
}

export interface CallOptions {
  /** Ends the call early. */
  readonly signal?: AbortSignal;
}

/** @throws ClientError COMMITTEE_INVALID */
export function createClient(options: ClientOptions): Client {
  const { nodes, threshold, decryptionContract, cache = createMemoryCache(), nowMs = Date.now } = options;
  const { random = (count) => crypto.getRandomValues(new Uint8Array(count)) } = options;
  const gatewayChainId = BigInt(options.gatewayChainId);
  const committee = requireCommittee({ nodes, threshold, gatewayChainId, decryptionContract });
  const { fetch, deadlineMs = DEADLINE_MS } = options;
  const credentials = createCredentials(options, nowMs);
  const asking = { deadlineMs, ...(fetch && { fetch }) };
  const asUser = { ...asking, authorization: credentials.forUser, nowMs };
  const randomId = () => bytesToHex(random(ID_BYTES));
  const attach = createAttaching(credentials.forCiphertext);
  const publicBody = (request: PublicRequest) => {
    return attach<PublicDecryptionRequest>({ requestId: randomId(), app: 'default', extraData: '', ...request });
  };
  const userBody = (request: UserRequest) => attach<UserDecryptionRequest>({ requestId: randomId(), ...request });
  const publicKey = (keyId: string) => {
    return fetchKeyObject(committee, { keyId, type: 'CompactPublicKey' }, { ...asking, cache });
  };
  return {
    committee,
    randomId,
    publicKey,
    async encrypt(tfhe, keyId, inputs) {
      return encrypt(tfhe, await publicKey(keyId), inputs).map((input) => ({ handle: randomId(), ...input }));
    },
    createPermit: (permit) => createPermit(permit, { decryptionContract, random, nowMs }),
    decryptForUser(permit, request, call = {}) {
      const { request: body, attachments } = userBody(request);
      return decryptForUser(committee, permit, body, { ...asUser, ...call, attachments });
    },
    decryptPublic(request, call = {}) {
      const { request: body, attachments } = publicBody(request);
      const authorization = credentials.forPublic(body);
      return decryptPublic(committee, body, { ...asking, ...call, attachments, authorization });
    },
    async askCoordinator(url, request, call = {}) {
      const { request: body, attachments } = publicBody(request);
      const authorization = credentials.forPublic(body);
      return askCoordinator(committee, url, body, { ...asking, ...call, attachments, authorization });
    },
    askCoordinatorForUser(url, permit, request, call = {}) {
      const { request: body, attachments } = userBody(request);
      return askCoordinatorForUser(committee, url, permit, body, { ...asUser, ...call, attachments });
    },
    askCoordinatorForSlots(url, request, call = {}) {
      const { request: body, attachments } = publicBody(request);
      const signing = { ...asking, ...call, attachments, authorization: credentials.forPublic };
      return askCoordinatorForSlots(committee, url, body, signing);
    },
    askCoordinatorForUserSlots(url, permit, request, call = {}) {
      const { request: body, attachments } = userBody(request);
      return askCoordinatorForUserSlots(committee, url, permit, body, { ...asUser, ...call, attachments });
    },
  };
}
