/**
 * Asks one node for one public decryption until it has a final answer or the caller's signal fires. The node may be
 * down, restarting, slow, or lying: every kind of trouble ends as an `Outcome`, never as an exception.
 */
import { setTimeout as delay } from 'node:timers/promises';
import Compile from 'typebox/compile';
import { AnswerError } from './answer.ts';
import type { Outcome } from './ballot.ts';
import type { CommitteeNode } from './committee.ts';
import { NodeAnswer, NodeError, NodeState, type PublicDecryptionRequest } from './contract.ts';
import { type Answer, type Exchange, exchange, HttpProblem } from './http.ts';

/** An answer is at most a few kilobytes per ciphertext (2048-bit plaintexts, hex and decimal) and its frame. */
const ANSWER_BYTES_BASE = 64 * 1024;
const ANSWER_BYTES_PER_CIPHERTEXT = 4 * 1024;
const WAIT_SECONDS = 20;
/** A node that keeps answering "pending" at once, or not at all, is asked ever more rarely. */
const PAUSE_MS_MIN = 10;
const PAUSE_MS_MAX = 1_000;

/**
 * Ends that say nothing about the request: the node was stopping or restarting, and takes it again under the same id.
 */
const CUT_OFF: ReadonlySet<string> = new Set(['NODE_RESTARTED', 'DECRYPTION_ABORTED', 'STOPPING']);

const isAnswer = Compile(NodeAnswer);
const isState = Compile(NodeState);
const isError = Compile(NodeError);

export interface Ask {
  readonly node: CommitteeNode;
  readonly request: PublicDecryptionRequest;
  /** The request as it goes over the wire, serialised once for all nodes. */
  readonly body: string;
  /** The caller's own Authorization header: nodes authorise the caller, not the coordinator. */
  readonly authorization: string;
  readonly signal: AbortSignal;
  /** Called once, after the first attempt to submit, however it ended. */
  onTried?(): void;
  /** Throws AnswerError when the answer is not the signed answer of this node to this request. */
  check(answer: NodeAnswer): void;
}

/** What to do after an answer: stop with an outcome, submit (again), or poll (again). */
type Step = Outcome | 'submit' | 'poll';

export async function askNode(ask: Ask): Promise<Outcome> {
  const seen = { reached: false };
  try {
    return await converse(ask, seen);
  } catch (error) {
    if (!ask.signal.aborted) throw error;
    if (seen.reached) return { kind: 'late', reason: 'no result before the deadline' };
    return { kind: 'absent', reason: 'never reached' };
  }
}

async function converse(ask: Ask, seen: { reached: boolean }): Promise<Outcome> {
  let step: 'submit' | 'poll' = 'submit';
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
    const next: Step = await take(step, ask, seen);
    if (pauseMs === PAUSE_MS_MIN) ask.onTried?.();
    if (typeof next === 'object') return next;
    // The first poll follows the submission at once: this is the path whose latency counts.
    const accepted = step === 'submit' && next === 'poll';
    step = next;
    if (!accepted) await delay(pauseMs, undefined, { signal: ask.signal });
  }
}

async function take(step: 'submit' | 'poll', ask: Ask, seen: { reached: boolean }): Promise<Step> {
  try {
    const answer = await exchange(step === 'submit' ? submission(ask) : poll(ask));
    seen.reached = true;
    return step === 'submit' ? readSubmission(answer) : readPoll(ask, answer);
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    return error.code === 'UNREACHABLE' ? step : { kind: 'wrong', reason: error.message };
  }
}

function submission({ node, body, authorization, signal, request }: Ask): Exchange {
  const url = new URL('/v1/public-decryptions', node.url).href;
  return { method: 'POST', url, authorization, body, bytesMax: bytesMaxOf(request), signal };
}

function poll({ node, authorization, signal, request }: Ask): Exchange {
  const url = new URL(`/v1/public-decryptions/${request.requestId}?wait=${WAIT_SECONDS}`, node.url).href;
  return { method: 'GET', url, authorization, bytesMax: bytesMaxOf(request), signal };
}

function bytesMaxOf({ ciphertexts }: PublicDecryptionRequest): number {
  return ANSWER_BYTES_BASE + ANSWER_BYTES_PER_CIPHERTEXT * ciphertexts.length;
}

/** Overload and restarts pass; everything else a node says against a request is final. */
function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}

function refusal({ status, body }: Answer): Outcome {
  if (!isError.Check(body)) return { kind: 'wrong', reason: `status ${status} without a documented error` };
  return { kind: 'refused', reason: body.error.code };
}

function readSubmission(answer: Answer): Step {
  if (answer.status < 300) return 'poll';
  return isPassing(answer.status) ? 'submit' : refusal(answer);
}

function readPoll(ask: Ask, answer: Answer): Step {
  const { status, body } = answer;
  if (status === 404) return 'submit'; // it restarted and lost the request
  if (isPassing(status)) return 'poll';
  if (status >= 300) return refusal(answer);
  if (!isState.Check(body)) return { kind: 'wrong', reason: 'answer breaks the schema' };
  if (body.requestId !== ask.request.requestId) return { kind: 'wrong', reason: 'answer to another request' };
  if (body.state === 'pending' || body.state === 'running') return 'poll';
  if (body.state !== 'succeeded') {
    const code = body.error?.code ?? body.state;
    return CUT_OFF.has(code) ? 'submit' : { kind: 'refused', reason: code };
  }
  return readAnswer(ask, body);
}

function readAnswer(ask: Ask, body: unknown): Outcome {
  if (!isAnswer.Check(body)) return { kind: 'wrong', reason: 'answer breaks the schema' };
  try {
    ask.check(body);
    return { kind: 'answered', answer: body };
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error;
    return { kind: 'wrong', reason: error.message };
  }
}
