/**
 * Asks one node for one result until it has a final answer or the caller's signal fires. The node may be down,
 * restarting, slow, or lying: every kind of trouble ends as an `Outcome`, never as an exception.
 */
import { AnswerError, type NodeState, readErrorCode, readState } from './contract.ts';
import { type Answer, type Exchange, exchange, HttpProblem } from './http.ts';
import { delay } from './timing.ts';

const WAIT_SECONDS = 20;
/** A node that keeps answering "pending" at once, or not at all, is asked ever more rarely. */
const PAUSE_MS_MIN = 10;
const PAUSE_MS_MAX = 1_000;

/**
 * Ends that say nothing about the request: the node was stopping or restarting, and takes it again under the same id.
 */
const CUT_OFF: ReadonlySet<string> = new Set([
  ...['NODE_RESTARTED', 'DECRYPTION_ABORTED', 'STOPPING'],
  'REQUEST_INTERRUPTED', // a coordinator was, and does not keep API keys
]);

/** What became of one node. `answer` is there only when format, content and signature were checked. */
export type Outcome<T> =
  | { readonly kind: 'answered'; readonly answer: T }
  | { readonly kind: 'refused' | 'wrong' | 'late' | 'absent'; readonly reason: string };

export interface Question {
  /** Of the collection of requests, like `/v1/public-decryptions`. */
  readonly path: string;
  readonly requestId: string;
  /** The request as it goes over the wire, serialised once for all nodes. */
  readonly body: string;
  /** The caller's own Authorization header: each node authorises the caller itself. */
  readonly authorization: string;
  /** Of an answer. */
  readonly bytesMax: number;
  readonly fetch?: typeof fetch;
}

export interface Conversation<T> {
  /** Of the node, without a path. */
  readonly url: string;
  readonly question: Question;
  readonly signal: AbortSignal;
  /** Called once, after the first attempt to submit, however it ended. */
  onTried?(): void;
  /** More of the query of a poll, like `&responses=4`. */
  pollQuery?(): string;
  /** Sees what is shown of a result that is not there yet. @throws AnswerError */
  readPending?(body: unknown): void | Promise<void>;
  /**
   * Undefined when more must come: it is polled again.
   * @throws AnswerError when the body is not the signed answer of this node to this request
   */
  read(body: unknown): T | undefined | Promise<T | undefined>;
}

/** What to do after an answer: stop with an outcome, submit (again), or poll (again). */
type Step<T> = Outcome<T> | 'submit' | 'poll';

export async function askNode<T>(ask: Conversation<T>): Promise<Outcome<T>> {
  const seen = { reached: false };
  try {
    return await converse(ask, seen);
  } catch (error) {
    if (!ask.signal.aborted) throw error;
    if (seen.reached) return { kind: 'late', reason: 'no result before the deadline' };
    return { kind: 'absent', reason: 'never reached' };
  }
}

async function converse<T>(ask: Conversation<T>, seen: { reached: boolean }): Promise<Outcome<T>> {
  let step: 'submit' | 'poll' = 'submit';
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
    const next: Step<T> = await take(step, ask, seen);
    if (pauseMs === PAUSE_MS_MIN) ask.onTried?.();
    if (typeof next === 'object') return next;
    // The first poll follows the submission at once: this is the path whose latency counts.
    const accepted = step === 'submit' && next === 'poll';
    step = next;
    if (!accepted) await delay(pauseMs, ask.signal);
  }
}

async function take<T>(step: 'submit' | 'poll', ask: Conversation<T>, seen: { reached: boolean }): Promise<Step<T>> {
  try {
    const answer = await exchange(step === 'submit' ? submission(ask) : poll(ask));
    seen.reached = true;
    return step === 'submit' ? readSubmission(answer) : await readPoll(ask, answer);
  } catch (error) {
    if (error instanceof AnswerError) return { kind: 'wrong', reason: error.message };
    if (!(error instanceof HttpProblem)) throw error;
    return error.code === 'UNREACHABLE' ? step : { kind: 'wrong', reason: error.message };
  }
}

function submission<T>({ url, question, signal }: Conversation<T>): Exchange {
  const { path, ...rest } = question;
  return { ...rest, method: 'POST', url: new URL(path, url).href, signal };
}

function poll<T>({ url, question, signal, pollQuery }: Conversation<T>): Exchange {
  const { path, requestId, body: _, ...rest } = question;
  const place = new URL(`${path}/${requestId}?wait=${WAIT_SECONDS}${pollQuery?.() ?? ''}`, url).href;
  return { ...rest, method: 'GET', url: place, signal };
}

/** Overload and restarts pass; everything else a node says against a request is final, for today at least. */
function isPassing({ status, body }: Answer): boolean {
  if (status === 429) return readErrorCode(body) !== 'QUOTA_EXCEEDED';
  return status >= 500;
}

function refusal({ status, body }: Answer): { readonly kind: 'refused' | 'wrong'; readonly reason: string } {
  const code = readErrorCode(body);
  if (code === undefined) return { kind: 'wrong', reason: `status ${status} without a documented error` };
  return { kind: 'refused', reason: code };
}

function readSubmission<T>(answer: Answer): Step<T> {
  if (answer.status < 300) return 'poll';
  return isPassing(answer) ? 'submit' : refusal(answer);
}

async function readPoll<T>(ask: Conversation<T>, answer: Answer): Promise<Step<T>> {
  const { status, body } = answer;
  if (status === 404) return 'submit'; // it restarted and lost the request
  if (isPassing(answer)) return 'poll';
  if (status >= 300) return refusal(answer);
  const { requestId, state, errorCode }: NodeState = readState(body);
  if (requestId !== ask.question.requestId) throw new AnswerError('answer to another request');
  if (state === 'pending' || state === 'running') {
    await ask.readPending?.(body);
    return 'poll';
  }
  if (state === 'succeeded') {
    const read = await ask.read(body);
    return read === undefined ? 'poll' : { kind: 'answered', answer: read };
  }
  const code = errorCode ?? state;
  return CUT_OFF.has(code) ? 'submit' : { kind: 'refused', reason: code };
}
