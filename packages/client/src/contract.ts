/**
 * The part of a node's REST contract (version 1, docs/rest.md) that clients speak: what they send, and readers of what
 * nodes send. Readers bound every text and list and drop fields they do not know. Bytes are lower-case hex without 0x
 * unless said otherwise.
 */

/** Handles of one request; the nodes have a bound of their own, this one keeps hostile answers small. */
export const CIPHERTEXTS_MAX = 1_024;
/** Decimal digits of the largest plaintext, 2048 bits, and a sign. */
const VALUE_DIGITS_MAX = 618;
const TEXT_MAX = 2_000;
const FAULTS_MAX = 64;
const PARTY_MAX = 15;

const ID = /^[0-9a-f]{64}$/;
const HEX = /^([0-9a-f]{2})*$/;
const SIGNATURE = /^[0-9a-f]{130}$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** What is wrong with an answer, in words for the report. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
}

/** What shows where a ciphertext comes from; production keys want it (docs/rest.md). */
export interface CiphertextProvenance {
  /** Signatures of coprocessors, 65 bytes each: `attestationTypedData` of the wire package. */
  readonly attestations?: readonly string[];
  /** Of a proven list: the reference string, and the addresses that its proof was bound to. */
  readonly proof?: { readonly crsId: string; readonly contractAddress: string; readonly userAddress: string };
}

/** A ciphertext as requests carry it. */
export interface RequestCiphertext {
  /** 32 bytes by which the caller names it. */
  readonly handle: string;
  /** See docs/rest.md. */
  readonly format: string;
  /** Base64. Either this or `digest`. */
  readonly bytes?: string;
  /** SHA-256 of the bytes, which the nodes hold: see handing-over.ts. */
  readonly digest?: string;
  /** Index of the value in a list. */
  readonly slot?: number;
  /** Must agree with the object. To be named where a coordinator is asked: signatures do not cover types. */
  readonly fheType?: number | string;
  readonly provenance?: CiphertextProvenance;
}

export interface PublicDecryptionRequest {
  readonly requestId: string;
  readonly keyId: string;
  readonly app?: string;
  readonly ciphertexts: readonly RequestCiphertext[];
  readonly authorization?: unknown;
  readonly extraData?: string;
}

export interface UserDecryptionBody {
  readonly requestId: string;
  readonly keyId: string;
  readonly app: string;
  readonly ciphertexts: readonly (RequestCiphertext & { readonly contractAddress: string })[];
  readonly userAddress: string;
  readonly encryptionKey: string;
  readonly request: {
    readonly hostChainId: string;
    readonly contractAddresses: readonly string[];
    /** Seconds, decimal. */
    readonly startTimestamp: string;
    /** Decimal. */
    readonly durationDays: string;
    readonly extraData: string;
    readonly delegatorAddress?: string;
  };
  /** 65 bytes of a key, or what a contract wallet takes. */
  readonly userSignature: string;
}

export interface PlainValue {
  readonly handle: string;
  readonly fheType: number | string;
  /** Decimal; bool is 0 or 1. */
  readonly value: string;
}

export interface FaultReport {
  readonly party: number;
  readonly kind: string;
}

export interface NodeAnswer {
  readonly requestId: string;
  readonly state: 'succeeded';
  readonly values: readonly PlainValue[];
  readonly abiEncoded: string;
  /** 65 bytes. */
  readonly signature: string;
  readonly signer: string;
  readonly faults?: readonly FaultReport[];
}

/** A node's answer to a user decryption: see the wire package. */
export interface UserAnswer {
  readonly payload: string;
  readonly signature: string;
}

export interface NodeState {
  readonly requestId: string;
  readonly state: 'pending' | 'running' | 'succeeded' | 'failed' | 'aborted';
  readonly errorCode?: string;
}

export type Verdict = 'pending' | 'answered' | 'agreed' | 'wrong' | 'refused' | 'late' | 'absent';

export interface NodeVerdict {
  readonly party: number;
  /** `late`: reached, but no result in time; `absent`: not reached. */
  readonly verdict: Verdict;
  /** Code of the refusal, or what was wrong. */
  readonly reason?: string;
  /** From sending the request to the answer. */
  readonly ms?: number;
}

type Fields = Readonly<Record<string, unknown>>;

export function readState(body: unknown): NodeState {
  const { requestId, state, error } = fieldsOf(body, 'answer');
  const errorCode = error === undefined ? undefined : textOf(fieldsOf(error, 'error').code, 'error.code');
  return {
    requestId: textOf(requestId, 'requestId', ID),
    state: oneOf(state, 'state', ['pending', 'running', 'succeeded', 'failed', 'aborted']),
    ...(errorCode !== undefined && { errorCode }),
  };
}

/** The code of a refusal, or undefined when the body is no documented error. */
export function readErrorCode(body: unknown): string | undefined {
  try {
    return textOf(fieldsOf(fieldsOf(body, 'answer').error, 'error').code, 'error.code');
  } catch (error) {
    if (error instanceof AnswerError) return undefined;
    throw error;
  }
}

export function readNodeAnswer(body: unknown): NodeAnswer {
  const { requestId, state, values, abiEncoded, signature, signer, faults } = fieldsOf(body, 'answer');
  return {
    requestId: textOf(requestId, 'requestId', ID),
    state: oneOf(state, 'state', ['succeeded']),
    values: listOf(values, 'values', CIPHERTEXTS_MAX).map(readValue),
    abiEncoded: textOf(abiEncoded, 'abiEncoded', HEX, CIPHERTEXTS_MAX * 640),
    signature: textOf(signature, 'signature', SIGNATURE),
    signer: textOf(signer, 'signer', ADDRESS),
    ...(faults !== undefined && { faults: listOf(faults, 'faults', FAULTS_MAX).map(readFault) }),
  };
}

export interface CoordinatedAnswer {
  readonly values: readonly PlainValue[];
  readonly abiEncoded: string;
  readonly signatures: readonly { readonly party: number; readonly signature: string }[];
}

/** What a coordinator says of a request that succeeded. */
export function readCoordinatedAnswer(body: unknown): CoordinatedAnswer {
  const { values, abiEncoded, signatures } = fieldsOf(body, 'answer');
  return {
    values: listOf(values, 'values', CIPHERTEXTS_MAX).map(readValue),
    abiEncoded: textOf(abiEncoded, 'abiEncoded', HEX, CIPHERTEXTS_MAX * 640),
    signatures: listOf(signatures, 'signatures', PARTY_MAX).map((entry) => {
      const { party, signature } = fieldsOf(entry, 'signature');
      return { party: integerOf(party, 'party', PARTY_MAX), signature: textOf(signature, 'signature', SIGNATURE) };
    }),
  };
}

export interface CoordinatedSlot {
  readonly state: 'pending' | 'succeeded' | 'failed';
  readonly errorCode?: string;
  /** What the readers of whole requests take. */
  readonly body: unknown;
}

/** What a coordinator says of every ciphertext of a batch of `count`, in request order. */
export function readCoordinatedSlots(body: unknown, count: number): CoordinatedSlot[] {
  const slots = listOf(fieldsOf(body, 'answer').slots, 'slots', count);
  if (slots.length !== count) throw new AnswerError('answer breaks the contract: slots');
  return slots.map((slot) => {
    const { state } = fieldsOf(slot, 'slot');
    const errorCode = readErrorCode(slot);
    return {
      state: oneOf(state, 'slot.state', ['pending', 'succeeded', 'failed']),
      ...(errorCode !== undefined && { errorCode }),
      body: slot,
    };
  });
}

const MISSES = ['refused', 'wrong', 'late', 'absent'] as const;

/** What a coordinator carries for a user; the first entry of a party counts. */
export interface CoordinatedResponses {
  /** By party; read each with `readUserAnswer`. */
  readonly responses: ReadonlyMap<number, unknown>;
  /** What it says of parties that did not answer; proven by nothing. */
  readonly verdicts: ReadonlyMap<number, { readonly kind: (typeof MISSES)[number]; readonly reason: string }>;
}

export function readCoordinatedResponses(body: unknown): CoordinatedResponses {
  const { responses, nodes } = fieldsOf(body, 'answer');
  const partyOf = (entry: unknown) => integerOf(fieldsOf(entry, 'entry').party, 'party', PARTY_MAX);
  const byParty = <T>(entries: readonly (readonly [number, T])[]) => new Map([...entries].reverse());
  const missed = listOf(nodes, 'nodes', PARTY_MAX).flatMap((entry) => {
    const { verdict, reason } = fieldsOf(entry, 'verdict');
    const kind = MISSES.find((candidate) => candidate === verdict);
    return kind ? [[partyOf(entry), { kind, reason: textOf(reason ?? kind, 'reason') }] as const] : [];
  });
  return {
    responses: byParty(listOf(responses, 'responses', PARTY_MAX).map((entry) => [partyOf(entry), entry] as const)),
    verdicts: byParty(missed),
  };
}

export function readUserAnswer(body: unknown, payloadBytesMax: number): UserAnswer {
  const { payload, signature } = fieldsOf(body, 'answer');
  return {
    payload: textOf(payload, 'payload', HEX, 2 * payloadBytesMax),
    signature: textOf(signature, 'signature', SIGNATURE),
  };
}

export interface KeyObject {
  readonly type: string;
  readonly digest: string;
  readonly size: number;
  readonly signature: string;
}

export interface KeyAnswer {
  readonly requestId: string;
  readonly objects: readonly KeyObject[];
}

const KEY_OBJECTS_MAX = 16;

export function readKeyAnswer(body: unknown): KeyAnswer {
  const { requestId, objects } = fieldsOf(body, 'key');
  return {
    requestId: textOf(requestId, 'requestId', ID),
    objects: listOf(objects, 'objects', KEY_OBJECTS_MAX).map((object) => {
      const { type, digest, size, signature } = fieldsOf(object, 'object');
      return {
        type: textOf(type, 'type'),
        digest: textOf(digest, 'digest', ID),
        size: integerOf(size, 'size', Number.MAX_SAFE_INTEGER),
        signature: textOf(signature, 'signature', SIGNATURE),
      };
    }),
  };
}

function readValue(value: unknown): PlainValue {
  const { handle, fheType, value: plain } = fieldsOf(value, 'value');
  return {
    handle: textOf(handle, 'handle', ID),
    fheType: typeof fheType === 'number' ? integerOf(fheType, 'fheType', 255) : textOf(fheType, 'fheType'),
    value: textOf(plain, 'value', /^-?[0-9]+$/, VALUE_DIGITS_MAX),
  };
}

function readFault(fault: unknown): FaultReport {
  const { party, kind } = fieldsOf(fault, 'fault');
  return { party: integerOf(party, 'party', PARTY_MAX), kind: textOf(kind, 'kind') };
}

function fieldsOf(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null) throw new AnswerError(`answer breaks the contract: ${name}`);
  return value as Fields; // any object can be read like this; every field is checked on its own
}

function textOf(value: unknown, name: string, pattern = /^/, lengthMax = TEXT_MAX): string {
  if (typeof value === 'string' && value.length <= lengthMax && pattern.test(value)) return value;
  throw new AnswerError(`answer breaks the contract: ${name}`);
}

function integerOf(value: unknown, name: string, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new AnswerError(`answer breaks the contract: ${name}`);
}

function listOf(value: unknown, name: string, lengthMax: number): readonly unknown[] {
  if (Array.isArray(value) && value.length <= lengthMax) return value;
  throw new AnswerError(`answer breaks the contract: ${name}`);
}

function oneOf<T extends string>(value: unknown, name: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw new AnswerError(`answer breaks the contract: ${name}`);
  return choice;
}
