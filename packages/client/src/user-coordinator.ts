/**
 * Reads values for one user through a coordinator: one connection, for pages that cannot reach all nodes. It carries
 * what the nodes encrypted to the user and signed; a value counts when the shares of 2t+1 of them agree, as if they had
 * been asked. A coordinator that drops, changes, exchanges or repeats responses brings about no value.
 *
 * Not promised under development keys: nodes sign for handles, not for the ciphertexts behind them. A coordinator that
 * can ask nodes on its own account, as a requester or because it is shown a Bearer key, can ask for other ciphertexts
 * under these handles. Under a production key a handle names the one ciphertext that coprocessors attested.
 */
import type { OpenedResponse } from '@keyquorum/wire/user-decryption';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { endingOf } from './ask-all.ts';
import type { Committee } from './committee.ts';
import { AnswerError, readCoordinatedResponses, readCoordinatedSlots, type UserDecryptionBody } from './contract.ts';
import { askNode, type Outcome } from './conversation.ts';
import { coordinatorError } from './coordinator-error.ts';
import { type DecryptOptions, type Prepared, prepare, type UserDecryptionRequest } from './decrypt.ts';
import { ClientError } from './errors.ts';
import { digestOf } from './handing-over.ts';
import type { Permit } from './permit.ts';
import { batchBody, createSlots, type SlotOutcome, slotRequests } from './slots.ts';
import type { DecryptedValue } from './user-hearing.ts';
import { checkedAnswer, payloadBytesMax, userQuestion } from './user-question.ts';

/**
 * @param url of the coordinator, without a path
 * @throws ClientError COMMITTEE_INVALID, PERMIT_ERASED, HANDLE_REUSED, REQUEST_REFUSED, ANSWERS_TOO_FEW,
 *   VALUE_UNREADABLE, ABORTED; WireError when the permit does not allow this request
 */
export async function askCoordinatorForUser(
  configured: Committee,
  url: string,
  permit: Permit,
  request: UserDecryptionRequest,
  options: DecryptOptions,
): Promise<readonly DecryptedValue[]> {
  const prepared = prepare(configured, permit, request, options);
  const { body, authorization, hearing } = prepared;
  const { nodes, threshold } = prepared.committee;
  requireSameNames(permit, body);
  const { attachments = [], fetch, signal } = options;
  const sentAt = performance.now();
  let carried = 2 * threshold;
  try {
    const outcome = await askNode<'decided'>({
      url,
      question: { ...userQuestion(body, nodes.length), authorization, attachments, ...(fetch && { fetch }) },
      signal: endingOf(options),
      waitQuery: () => `&responses=${Math.min(carried + 1, nodes.length)}`,
      async read(answer) {
        carried = await hear(prepared, answer, Math.round(performance.now() - sentAt));
        return hearing.report().state === 'pending' ? undefined : 'decided';
      },
    });
    if (outcome.kind !== 'answered') throw coordinatorError(outcome, signal);
    return await hearing.agreed;
  } finally {
    hearing.erase();
  }
}

/**
 * Every ciphertext by itself: one that the nodes refuse does not sink the others. Each value counts when the shares of
 * 2t+1 nodes agree. At most `SLOTS_MAX` ciphertexts.
 * @returns one outcome per ciphertext, in request order; never rejects for what nodes or the coordinator do
 * @throws ClientError COMMITTEE_INVALID, PERMIT_ERASED, HANDLE_REUSED; WireError when the permit does not allow this
 *   request
 */
export async function askCoordinatorForUserSlots(
  configured: Committee,
  url: string,
  permit: Permit,
  request: UserDecryptionRequest,
  options: DecryptOptions,
): Promise<SlotOutcome<DecryptedValue>[]> {
  const batch = prepare(configured, permit, request, options);
  requireSameNames(permit, batch.body);
  const { nodes, threshold } = batch.committee;
  const parts = slotRequests(request).map((part) => ({
    ...prepare(configured, permit, part, options),
    carried: 2 * threshold,
  }));
  const slots = createSlots<DecryptedValue>(request.ciphertexts);
  const sentAt = performance.now();
  const undecided = () => parts.filter((_, index) => !slots.has(index));

  async function hearAll(answer: unknown): Promise<'decided' | undefined> {
    const ms = Math.round(performance.now() - sentAt);
    for (const [index, slot] of readCoordinatedSlots(answer, parts.length).entries()) {
      const part = parts[index];
      if (part === undefined || slots.has(index)) continue;
      slots.missed(index, slot);
      await slots.settle(index, async () => {
        part.carried = await hear(part, slot.body, ms);
        return part.hearing.report().state === 'pending' ? undefined : (await part.hearing.agreed)[0];
      });
    }
    return undecided().length === 0 ? 'decided' : undefined;
  }

  const { attachments = [], fetch, signal } = options;
  const { authorization } = batch;
  const { path, requestId } = userQuestion(batch.body);
  const body = batchBody(
    batch.body,
    authorization,
    parts.map((part) => part.authorization),
  );
  const bytesMax = parts.reduce((sum, part) => sum + userQuestion(part.body, nodes.length).bytesMax, 0);
  try {
    const outcome = await askNode<'decided'>({
      url,
      question: { path, requestId, body, bytesMax, authorization, attachments, ...(fetch && { fetch }) },
      signal: endingOf(options),
      waitQuery: () => {
        const carried = Math.min(...undecided().map((part) => part.carried));
        return `&responses=${Math.min(carried + 1, nodes.length)}`;
      },
      readPending: async (answer) => void (await hearAll(answer)),
      read: hearAll,
    });
    return slots.outcomes(outcome, signal);
  } finally {
    for (const { hearing } of parts) hearing.erase();
  }
}

/** Opens what is new in an answer of the coordinator, every party once. How many responses it has. */
async function hear({ committee, body, opener, hearing }: Prepared, answer: unknown, ms: number): Promise<number> {
  const { responses, verdicts } = readCoordinatedResponses(answer);
  const bytesMax = payloadBytesMax(body);
  for (const { party } of committee.nodes) {
    const response = responses.get(party);
    if (response === undefined || hearing.has(party)) continue;
    if (hearing.report().state !== 'pending') break;
    hearing.record(
      party,
      await outcomeOf(checkedAnswer(response, bytesMax, (signed) => opener.open(party, signed))),
      ms,
    );
  }
  for (const { party } of committee.nodes) {
    const said = verdicts.get(party);
    if (said !== undefined && !hearing.has(party)) hearing.record(party, said, ms);
  }
  return responses.size;
}

async function outcomeOf(opening: Promise<OpenedResponse>): Promise<Outcome<OpenedResponse>> {
  try {
    return { kind: 'answered', answer: await opening };
  } catch (error) {
    if (error instanceof AnswerError) return { kind: 'wrong', reason: error.message };
    throw error;
  }
}

/** What every handle named in requests to coordinators, by permit: a digest of key and ciphertext. */
const named = new WeakMap<Permit, Map<string, string>>();

/**
 * Responses are bound to key and handles. Were a handle to name another ciphertext later, responses of the earlier
 * request could be passed off as those of the later one: all of their shares agree.
 */
function requireSameNames(permit: Permit, { keyId, ciphertexts }: UserDecryptionBody): void {
  const names = named.get(permit) ?? new Map<string, string>();
  named.set(permit, names);
  for (const [index, { handle, format, slot = 0, ...ciphertext }] of ciphertexts.entries()) {
    const digest = bytesToHex(digestOf(ciphertext, `ciphertexts.${index}`));
    const content = bytesToHex(sha256(utf8ToBytes(JSON.stringify([keyId, format, digest, slot]))));
    if ((names.get(handle) ?? content) !== content) {
      throw new ClientError('HANDLE_REUSED', `handle ${handle} named another ciphertext before; make a new permit`);
    }
    names.set(handle, content);
  }
}
