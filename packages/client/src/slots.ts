/**
 * A batch of which every ciphertext counts by itself: one that nodes refuse does not sink the others. A coordinator
 * asks the nodes for each as a request of its own; its id follows from that of the batch, so that the same batch, asked
 * again, is the same requests to the nodes, which bind each id to its content.
 */
import { parseAuthorization } from '@keyquorum/wire/authorization';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { AnswerError, type CoordinatedSlot } from './contract.ts';
import type { Outcome } from './conversation.ts';
import { coordinatorError } from './coordinator-error.ts';
import { ClientError } from './errors.ts';

/** Ciphertexts of a batch: nodes count each as one request. */
export const SLOTS_MAX = 64;

const LABEL = 'KEYQUORUM/client/slot/v1';

interface Batch {
  readonly requestId: string;
  readonly ciphertexts: readonly { readonly handle: string }[];
}

/** What became of one ciphertext. */
export type SlotOutcome<T> = { readonly handle: string } & (
  | { readonly result: T; readonly error?: undefined }
  | { readonly error: ClientError; readonly result?: undefined }
);

/** The requests to nodes that a batch is made of, one per ciphertext, in order; signed requests sign each of them. */
export function slotRequests<Request extends Batch>(batch: Request): Request[] {
  return batch.ciphertexts.map((ciphertext, index) => ({
    ...batch,
    requestId: bytesToHex(sha256(utf8ToBytes(`${LABEL}|${batch.requestId}|${index}`))),
    ciphertexts: [ciphertext],
  }));
}

/**
 * A batch as coordinators take it: what is signed goes with a signature of each request to nodes.
 * @param parts Authorization of the requests of `slotRequests`
 */
export function batchBody(batch: Batch, authorization: string, parts: readonly string[]): string {
  const signed = parseAuthorization(authorization)?.scheme === 'signed';
  return JSON.stringify({ ...batch, slots: true, ...(signed && { slotAuthorizations: parts }) });
}

/** Outcomes of a batch as they become known; the first of each slot counts. */
export interface Slots<T> {
  /** Takes what `read` makes of an answer, if that is anything; an AnswerError or ClientError is an outcome, too. */
  settle(index: number, read: () => T | undefined | Promise<T | undefined>): Promise<void>;
  /** Takes the coordinator's word that there is no result: it could withhold one as well. */
  missed(index: number, slot: CoordinatedSlot): void;
  has(index: number): boolean;
  /** All of them; slots without an outcome share that of the conversation. */
  outcomes(conversation: Outcome<unknown>, signal: AbortSignal | undefined): SlotOutcome<T>[];
}

export function createSlots<T>(ciphertexts: readonly { readonly handle: string }[]): Slots<T> {
  const known = new Map<number, { readonly result: T } | { readonly error: ClientError }>();
  const record = (index: number, outcome: { readonly result: T } | { readonly error: ClientError }) => {
    if (!known.has(index)) known.set(index, outcome);
  };
  const fail = (index: number, error: ClientError) => record(index, { error });
  return {
    has: (index) => known.has(index),
    async settle(index, read) {
      if (known.has(index)) return;
      try {
        const result = await read();
        if (result !== undefined) record(index, { result });
      } catch (error) {
        if (error instanceof ClientError) return fail(index, error);
        if (!(error instanceof AnswerError)) throw error;
        fail(index, coordinatorError({ kind: 'wrong', reason: error.message }, undefined));
      }
    },
    missed(index, { state, errorCode = 'unknown' }) {
      if (state === 'failed') fail(index, coordinatorError({ kind: 'refused', reason: errorCode }, undefined));
    },
    outcomes(conversation, signal) {
      const silence = { kind: 'wrong', reason: 'nothing about this ciphertext' } as const;
      const missed = conversation.kind === 'answered' ? silence : conversation;
      return ciphertexts.map(({ handle }, index) => {
        return { handle, ...(known.get(index) ?? { error: coordinatorError(missed, signal) }) };
      });
    },
  };
}
