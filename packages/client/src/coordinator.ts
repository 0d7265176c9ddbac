/**
 * Asks a coordinator instead of every node: one connection, for pages that cannot reach all nodes. The result counts
 * with the signatures of t+1 nodes under it, as if they had been asked. Not promised under development keys: that it is
 * the result of these ciphertexts (user-coordinator.ts says why).
 */
import { checkAnswer } from './answer.ts';
import { type AskOptions, endingOf } from './ask-all.ts';
import { type Committee, requireCommittee } from './committee.ts';
import { AnswerError, type PublicDecryptionRequest, readCoordinatedAnswer } from './contract.ts';
import { askNode, type Outcome } from './conversation.ts';
import { ClientError } from './errors.ts';
import { publicQuestion, type SignedDecryption, withProof } from './public-decryption.ts';

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
  const { authorization, fetch, signal } = options;
  const outcome = await askNode({
    url,
    question: { ...publicQuestion(request), authorization, ...(fetch && { fetch }) },
    signal: endingOf(options),
    read: (body) => readAgreement(committee, request, body),
  });
  if (outcome.kind === 'answered') return outcome.answer;
  throw coordinatorError(outcome, signal);
}

/** Why a coordinator brought no result. */
export function coordinatorError(
  { kind, reason }: Exclude<Outcome<unknown>, { kind: 'answered' }>,
  signal: AbortSignal | undefined,
): ClientError {
  if (signal?.aborted) return new ClientError('ABORTED', 'stopped before the coordinator had answered');
  if (kind === 'refused') return new ClientError('REQUEST_REFUSED', `refused with ${reason}`, { nodeCode: reason });
  return new ClientError('ANSWERS_TOO_FEW', `coordinator ${kind}: ${reason}`);
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
