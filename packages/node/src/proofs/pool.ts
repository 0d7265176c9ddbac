/**
 * Threads that verify proofs of encryption, half a second to two and a half seconds of one core each. Threads start
 * with the first list and end when nothing came for a minute, so a node that is not asked pays nothing. A thread takes
 * 100 MB, and half a second more for its first list.
 *
 * Whatever becomes of a thread, the caller gets an answer: refused, or PROOF_UNCHECKED when the thread was lost or took
 * too long. Nothing is retried, and a thread that was lost is replaced only for the next list.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ApiError } from '../errors/api-error.ts';
import { createFairQueue } from './fair-queue.ts';
import type { ProofAnswer, ProofQuestion } from './worker.ts';

/** One list: under which key and reference string, and what its proof must be bound to. */
export interface ProofCheck extends Omit<ProofQuestion, 'crsFile'> {
  /** Whose request it belongs to; requesters are served in turn. */
  readonly requester: string;
  /** Names the reference string. */
  readonly crsDigest: string;
  /** Its file, when a thread has another one or none. @throws when it cannot be read */
  crsFile(): Promise<Uint8Array>;
}

export interface ProofPool {
  /** Resolves when the list is well encrypted. @throws ApiError PROOF_*, CIPHERTEXT_*, BUSY */
  verify(check: ProofCheck): Promise<void>;
  /** Refuses what waits and runs. */
  close(): Promise<void>;
}

export interface ProofPoolOptions {
  readonly threads: number;
  /** Lists that wait for a thread, and those of one requester among them; more are refused. */
  readonly waiting: number;
  readonly waitingOfOne: number;
  /** Of one list, without waiting. */
  readonly checkMs: number;
  /** After which a thread without work ends. */
  readonly idleMs: number;
}

export const PROOF_POOL: ProofPoolOptions = {
  threads: Math.min(2, availableParallelism()),
  waiting: 64,
  waitingOfOne: 16,
  checkMs: 60_000,
  idleMs: 60_000,
};

/** Of a thread, besides what the curve computes in: several times what it takes. */
const HEAP_MIB = 512;

interface Task {
  readonly check: ProofCheck;
  resolve(): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  /** Of the reference string that it has. */
  crsDigest: string | undefined;
  task: Task | undefined;
  /** Ends it when its list takes too long, or when none comes. */
  timer: NodeJS.Timeout | undefined;
}

export function createProofPool(options = PROOF_POOL): ProofPool {
  const waiting = createFairQueue<Task>();
  const threads = new Set<Thread>();
  let closed = false;

  function startThread(): Thread {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    worker.unref(); // what waits for an answer has a server above it
    const thread: Thread = { worker, crsDigest: undefined, task: undefined, timer: undefined };
    worker.on('message', (answer: ProofAnswer) => finish(thread, refusalOf(answer)));
    worker.on('error', (error) => lose(thread, `its thread was lost: ${error.message}`));
    worker.on('exit', () => lose(thread, 'its thread ended'));
    threads.add(thread);
    return thread;
  }

  /** Ends the task of the thread, if it has one. */
  function settle(thread: Thread, error: Error | undefined): void {
    clearTimeout(thread.timer);
    const { task } = thread;
    thread.task = undefined;
    if (error) task?.reject(error);
    else task?.resolve();
  }

  function finish(thread: Thread, error: Error | undefined): void {
    settle(thread, error);
    thread.timer = setTimeout(() => lose(thread, 'nothing to do'), options.idleMs).unref();
    next();
  }

  function lose(thread: Thread, reason: string): void {
    if (!threads.delete(thread)) return;
    settle(thread, new ApiError('PROOF_UNCHECKED', `the proof could not be checked: ${reason}`));
    void thread.worker.terminate();
    next();
  }

  function next(): void {
    while (waiting.size > 0) {
      const idle = [...threads].find(({ task }) => task === undefined);
      if (idle === undefined && threads.size >= options.threads) return;
      void run(idle ?? startThread(), waiting.take()!);
    }
  }

  async function run(thread: Thread, task: Task): Promise<void> {
    const { requester: _, crsDigest, crsFile, ...question } = task.check;
    clearTimeout(thread.timer);
    thread.task = task;
    thread.timer = setTimeout(() => lose(thread, `not within ${options.checkMs} ms`), options.checkMs).unref();
    try {
      const file = thread.crsDigest === crsDigest ? undefined : await crsFile();
      if (thread.task !== task) return; // lost meanwhile
      thread.crsDigest = crsDigest;
      thread.worker.postMessage({ ...question, crsFile: file } satisfies ProofQuestion);
    } catch (error) {
      if (thread.task === task) finish(thread, error as Error);
    }
  }

  return {
    verify(check) {
      if (closed) return Promise.reject(new ApiError('STOPPING', 'this node is stopping'));
      const { requester } = check;
      const [all, own] = [waiting.size, waiting.sizeOf(requester)];
      if (all >= options.waiting || own >= options.waitingOfOne) {
        const problem = `${all} proofs wait to be checked, ${own} of them of ${requester}: the limit of this node`;
        return Promise.reject(new ApiError('BUSY', problem));
      }
      return new Promise((resolve, reject) => {
        waiting.add(requester, { check, resolve, reject });
        next();
      });
    },
    async close() {
      closed = true;
      for (let task = waiting.take(); task; task = waiting.take()) {
        task.reject(new ApiError('STOPPING', 'this node is stopping'));
      }
      const ended = [...threads].map(({ worker }) => worker.terminate());
      for (const thread of [...threads]) lose(thread, 'this node is stopping');
      await Promise.all(ended);
    },
  };
}

function refusalOf(answer: ProofAnswer): ApiError | undefined {
  return answer.refused ? new ApiError(answer.code, answer.message) : undefined;
}
