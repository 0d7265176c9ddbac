/**
 * Asks a coordinator instead of every node: one connection, for pages that cannot reach all nodes. The result counts
 * with the signatures of t+1 nodes under it, as if they had been asked. Not promised under development keys: that it is
 * the result of these ciphertexts (user-coordinator.ts says why). Nor that a value has the type that the coordinator
 * says, unless the request names it: nodes sign words, not types (answer.ts).
 */
import { checkAnswer } from './answer.ts';
import { type AskOptions, endingOf } from './ask-all.ts';
import { type Committee, requireCommittee } from './committee.ts';
import { AnswerError, type PublicDecryptionRequest, readCoordinatedAnswer, readCoordinatedSlots } from './contract.ts';
import { askNode } from './conversation.ts';
import { coordinatorError } from './coordinator-error.ts';
import { publicQuestion, type SignedDecryption, withProof } from './public-decryption.ts';
import { batchBody, createSlots, type SlotOutcome, slotRequests } from './slots.ts';

/**
 * @param url of the coordinator, without a path
 * @throws ClientError COMMITTEE_INVALID, REQUEST_REFUSED, ANSWERS_TOO_FEW, ABORTED
 */
export async function askCoordinator(
  configured: Committee,
  url: string,
  request: PublicDecryptionRequest,
  options: AskOptions,
): Promise<SignedDecryption> {
  const committee = requireCommittee(configured);
  const { authorization, attachments = [], fetch, signal } = options;
  const outcome = await askNode({
    url,
    question: { ...publicQuestion(request), authorization, attachments, ...(fetch && { fetch }) },
    signal: endingOf(options),
    read: (body) => readAgreement(committee, request, body),
  });
  if (outcome.kind === 'answered') return outcome.answer;
  throw coordinatorError(outcome, signal);
}

/** Of what a coordinator says about one ciphertext, beside the value: signatures and verdicts of at most 15 nodes. */
const SLOT_BYTES_MAX = 32 * 1_024;

export interface SlotOptions extends Omit<AskOptions, 'authorization'> {
  /** The caller's Authorization header for the nodes, or how it is made from a request. */
  readonly authorization: string | ((request: PublicDecryptionRequest) => string);
}

/**
 * Every ciphertext by itself: one that the nodes refuse does not sink the others. Each result comes with the signatures
 * of t+1 nodes over that handle alone. At most `SLOTS_MAX` ciphertexts.
 * @returns one outcome per ciphertext, in request order; never rejects for what nodes or the coordinator do
 * @throws ClientError COMMITTEE_INVALID
 */
export async function askCoordinatorForSlots(
  configured: Committee,
  url: string,
  request: PublicDecryptionRequest,
  options: SlotOptions,
): Promise<SlotOutcome<SignedDecryption>[]> {
  const committee = requireCommittee(configured);
  const requests = slotRequests(request);
  const slots = createSlots<SignedDecryption>(request.ciphertexts);
  async function hear(body: unknown): Promise<void> {
    for (const [index, slot] of readCoordinatedSlots(body, requests.length).entries()) {
      const part = requests[index];
      slots.missed(index, slot);
      if (part === undefined || slot.state !== 'succeeded') continue;
      await slots.settle(index, () => readAgreement(committee, part, slot.body));
    }
  }
  const { attachments = [], fetch, signal } = options;
  const headerOf = (asked: PublicDecryptionRequest) => {
    return typeof options.authorization === 'string' ? options.authorization : options.authorization(asked);
  };
  const authorization = headerOf(request);
  const { bytesMax, ...question } = publicQuestion(request);
  const outcome = await askNode({
    url,
    question: {
      ...question,
      body: batchBody(request, authorization, requests.map(headerOf)),
      bytesMax: bytesMax + SLOT_BYTES_MAX * requests.length,
      ...{ authorization, attachments, ...(fetch && { fetch }) },
    },
    signal: endingOf(options),
    readPending: hear,
    read: async (body) => {
      await hear(body);
      return 'heard' as const;
    },
  });
  return slots.outcomes(outcome, signal);
}

/** The signatures that are valid, if they are t+1 of different nodes. */
function readAgreement(committee: Committee, request: PublicDecryptionRequest, body: unknown): SignedDecryption {
  const { values, abiEncoded, signatures } = readCoordinatedAnswer(body);
  const valid = committee.nodes.flatMap(({ party, url, signer }) => {
    const signature = signatures.find((candidate) => candidate.party === party)?.signature;
    if (signature === undefined) return [];
    const { requestId } = request;
    const check = checkAnswer(committee, { party, url, signer }, request);
    try {
      check({ requestId, state: 'succeeded', values, abiEncoded, signature, signer });
      return [{ party, signer, signature }];
    } catch (error) {
      if (error instanceof AnswerError) return [];
      throw error;
    }
  });
  if (valid.length > committee.threshold) return withProof({ values, abiEncoded, signatures: valid }, request);
  throw new AnswerError(`${valid.length} valid signatures of nodes, want ${committee.threshold + 1}`);
}
