/**
 * Carries the answers of all nodes to one user decryption: asks every node, checks the outside of what it answers, and
 * keeps what is signed by that node for this request. The shares inside can be read and judged by the user only.
 *
 * Promise: an answer that is passed on was signed by the key of its party, over these handles and for this user. With
 * at most t corrupt nodes, n-t honest ones that answer in time are enough for 2t+1 such answers.
 */
import { type AskOptions, askAll } from '@keyquorum/client/ask-all';
import { type Committee, requireCommittee } from '@keyquorum/client/committee';
import type { ClientError } from '@keyquorum/client/errors';
import { checkedAnswer, expectedResponses, payloadBytesMax, userQuestion } from '@keyquorum/client/user-question';
import { createVotes, noResult } from '@keyquorum/client/votes';
import { signedExtraData } from '@keyquorum/wire/extra-data';
import { createResponseCheck, type SignedPayload } from '@keyquorum/wire/response-check';
import type { CoordinatedUserDecryption, UserDecryptionRequest } from './contract.ts';

export interface UserCoordination {
  /** Resolves when every node has answered or the deadline has passed. */
  readonly finished: Promise<CoordinatedUserDecryption>;
  /** What is known now. */
  report(): CoordinatedUserDecryption;
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/**
 * Starts at once.
 * @throws ClientError COMMITTEE_INVALID; WireError when a type or extraData of the request cannot be answered
 */
export function coordinateUserDecryption(
  configured: Committee,
  body: UserDecryptionRequest,
  options: AskOptions,
): UserCoordination {
  const committee = requireCommittee(configured);
  const { threshold, nodes } = committee;
  const quorum = 2 * threshold + 1;
  const { requestId } = body;
  const expected = expectedResponses(committee, body);
  const check = createResponseCheck(expected);
  const extraData = hexOf(signedExtraData(expected.extraData)); // what the signatures cover
  const bytesMax = payloadBytesMax(body);
  const votes = createVotes<SignedPayload>(nodes.map(({ party }) => party));
  let failure: ClientError | undefined;

  const verdicts = () => votes.verdicts(() => ({ verdict: 'answered' }));

  function report(): CoordinatedUserDecryption {
    const answers = votes.answers();
    const state = failure ? 'failed' : answers.length >= quorum ? 'succeeded' : 'pending';
    const error = failure && { code: failure.nodeCode ?? failure.code, message: failure.message };
    const responses = answers.map(({ party, answer: { payload, signature } }) => {
      return { party, payload: hexOf(payload), signature: hexOf(signature), extraData };
    });
    return { requestId, state, responses, nodes: verdicts(), ...(error && { error }) };
  }

  const asked = askAll<SignedPayload>(committee, userQuestion(body), options, {
    read: ({ party }, answer) =>
      checkedAnswer(answer, bytesMax, (response) => {
        check(party, response);
        return response;
      }),
    record(party, outcome, ms) {
      votes.record(party, outcome, ms);
      if (votes.answers().length + votes.open() >= quorum) return;
      failure ??= noResult(verdicts(), { threshold, wanted: `${quorum} signed answers`, signal: options.signal });
    },
  });
  return { finished: asked.then(report), report };
}
