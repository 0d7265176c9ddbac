/** Asks all nodes of a committee the same question at once, until the deadline, and records the outcome of each. */
import type { Committee, CommitteeNode } from './committee.ts';
import { askNode, type Outcome, type Question } from './conversation.ts';
import type { Attachment } from './handing-over.ts';
import { deferred, delay } from './timing.ts';

/** Longest head start of the first node: one that is slow or down must not hold up the others. */
const HEAD_START_MS = 100;

export interface AskOptions {
  /** The caller's Authorization header for the nodes. */
  readonly authorization: string;
  /** Ciphertexts that the request names, for nodes that do not hold them. */
  readonly attachments?: readonly Attachment[];
  /** From now; nodes that are silent until then are late or absent. */
  readonly deadlineMs: number;
  /** Ends everything early. */
  readonly signal?: AbortSignal;
  /** The global one when absent. */
  readonly fetch?: typeof fetch;
  /** Called after the outcome of each node was recorded. */
  readonly onOutcome?: () => void;
}

/** Fires at the deadline or with the caller's signal. */
export function endingOf({ deadlineMs, signal }: Pick<AskOptions, 'deadlineMs' | 'signal'>): AbortSignal {
  const deadline = AbortSignal.timeout(deadlineMs);
  return signal ? AbortSignal.any([deadline, signal]) : deadline;
}

/** How the nodes of one question are dealt with. */
export interface Hearing<T> {
  /** Reads and checks an answer of the node. Throws AnswerError. */
  read(node: CommitteeNode, body: unknown): T | Promise<T>;
  /** Called once per node; `ms` since the question was sent. */
  record(party: number, outcome: Outcome<T>, ms: number): void;
}

/** Resolves when every node has an outcome. */
export async function askAll<T>(
  { nodes }: Committee,
  question: Omit<Question, 'authorization' | 'attachments' | 'fetch'>,
  options: AskOptions,
  { read, record }: Hearing<T>,
): Promise<void> {
  const { authorization, attachments = [], fetch } = options;
  const ending = endingOf(options);
  const sentAt = performance.now();
  const asked = { ...question, authorization, attachments, ...(fetch && { fetch }) };
  const ask = async (node: CommitteeNode, onTried?: () => void): Promise<void> => {
    const outcome = await askNode<T>({
      url: node.url,
      question: asked,
      signal: ending,
      ...(onTried && { onTried }),
      read: (body) => read(node, body),
    });
    onTried?.(); // also when the deadline came before any answer
    record(node.party, outcome, Math.round(performance.now() - sentAt));
    options.onOutcome?.();
  };
  const [first, ...others] = inTurn(nodes, question.requestId);
  if (first === undefined) return;
  const tried = deferred<void>();
  const asking = ask(first, tried.resolve);
  await Promise.race([tried.promise, delay(HEAD_START_MS)]);
  await Promise.all([asking, ...others.map((node) => ask(node))]);
}

/**
 * The nodes, beginning with one that depends on the request. It is asked a moment before the others: the node that is
 * asked first binds one-time material to the request, and several at once would each bind some.
 */
function inTurn(nodes: readonly CommitteeNode[], requestId: string): CommitteeNode[] {
  const start = Number.parseInt(requestId.slice(0, 8), 16) % Math.max(1, nodes.length);
  return [...nodes.slice(start), ...nodes.slice(0, start)];
}
