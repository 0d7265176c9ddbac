/**
 * Asks one node for one result until it has a final answer or the caller's signal fires. The node may be down,
 * restarting, slow, or lying: every kind of trouble ends as an `Outcome`, never as an exception.
 */
import { AnswerError, type NodeState, readErrorCode, readState } from './contract.ts';
import { type Attachment, handOver } from './handing-over.ts';
import { type Answer, type Exchange, exchange, HttpProblem } from './http.ts';
import { delay } from './timing.ts';

const WAIT_SECONDS = 20;
/** Most results are there in less. Not longer: until it has said something a node counts as never reached. */
const SUBMIT_WAIT_SECONDS = 1;
/** A node that forgets what it was just given has no room for it. */
const HAND_OVERS_MAX = 3;
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
  /** Ciphertexts that the request names, for nodes that do not hold them. */
  readonly attachments?: readonly Attachment[];
  /** Of an answer. */
  readonly bytesMax: number;
  readonly fetch?: typeof fetch;
}

export interface Conversation<T> {
  /** Of the node, without a path. */
  readonly url: string;
  readonly question: Question;
  readonly signal: AbortSignal;
  /** Called once, after the first attempt to submit, however it ended: then the submission does not wait. */
  onTried?(): void;
  /** More of the query of a call that waits, like `&responses=4`. */
  waitQuery?(): string;
  /** Sees what is shown of a result that is not there yet. @throws AnswerError */
  readPending?(body: unknown): void | Promise<void>;
  /**
   * Undefined when more must come: it is polled again.
   * @throws AnswerError when the body is not the signed answer of this node to this request
   */
  read(body: unknown): T | undefined | Promise<T | undefined>;
}

/** What to do after an answer: stop with an outcome, submit (again), hand over what is attached, or poll (again). */
type Step<T> = Outcome<T> | Move;
type Move = 'submit' | 'hand over' | 'poll';

interface Seen {
  reached: boolean;
  handedOver: number;
}

export async function askNode<T>(ask: Conversation<T>): Promise<Outcome<T>> {
  const seen: Seen = { reached: false, handedOver: 0 };
  try {
    return await converse(ask, seen);
  } catch (error) {
    if (!ask.signal.aborted) throw error;
    if (seen.reached) return { kind: 'late', reason: 'no result before the deadline' };
    return { kind: 'absent', reason: 'never reached' };
  }
}

async function converse<T>(ask: Conversation<T>, seen: Seen): Promise<Outcome<T>> {
  let step: Move = 'submit';
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
    const next: Step<T> = await take(step, ask, seen);
    if (pauseMs === PAUSE_MS_MIN) ask.onTried?.();
    if (typeof next === 'object') return next;
    // What follows a submission follows at once: this is the path whose latency counts.
    const accepted = step !== 'poll' && next !== step;
    step = next;
    if (!accepted) await delay(pauseMs, ask.signal);
  }
}

async function take<T>(step: Move, ask: Conversation<T>, seen: Seen): Promise<Step<T>> {
  try {
    if (step === 'hand over') return await handOverAll(ask, seen);
    const answer = await exchange(step === 'submit' ? submission(ask) : poll(ask));
    seen.reached = true;
    return step === 'submit' && answer.status !== 200 ? readSubmission(ask, answer, seen) : await readPoll(ask, answer);
  } catch (error) {
    if (error instanceof AnswerError) return { kind: 'wrong', reason: error.message };
    if (!(error instanceof HttpProblem)) throw error;
    return error.code === 'UNREACHABLE' ? step : { kind: 'wrong', reason: error.message };
  }
}

function submission<T>(ask: Conversation<T>): Exchange {
  const { path, attachments: _, ...rest } = ask.question;
  const place = new URL(`${path}${ask.onTried ? '' : waitFor(SUBMIT_WAIT_SECONDS, ask)}`, ask.url).href;
  return { ...rest, method: 'POST', url: place, signal: ask.signal };
}

function poll<T>(ask: Conversation<T>): Exchange {
  const { path, requestId, body: _, attachments: __, ...rest } = ask.question;
  const place = new URL(`${path}/${requestId}${waitFor(WAIT_SECONDS, ask)}`, ask.url).href;
  return { ...rest, method: 'GET', url: place, signal: ask.signal };
}

function waitFor<T>(seconds: number, { waitQuery }: Conversation<T>): string {
  return `?wait=${seconds}${waitQuery?.() ?? ''}`;
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

/** Of one that was not answered at once. */
function readSubmission<T>({ question }: Conversation<T>, answer: Answer, { handedOver }: Seen): Step<T> {
  if (answer.status < 300) return 'poll';
  if (isPassing(answer)) return 'submit';
  const { kind, reason } = refusal(answer);
  const isAttached = reason === 'CIPHERTEXT_UNKNOWN' && (question.attachments ?? []).length > 0;
  return isAttached && handedOver < HAND_OVERS_MAX ? 'hand over' : { kind, reason };
}

async function handOverAll<T>({ url, question, signal }: Conversation<T>, seen: Seen): Promise<Step<T>> {
  const { attachments = [], fetch } = question;
  const refused = await handOver(attachments, { url, signal, ...(fetch && { fetch }) });
  if (refused) return isPassing(refused) ? 'hand over' : refusal(refused);
  seen.handedOver += 1;
  return 'submit';
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
