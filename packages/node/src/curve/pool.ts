/**
 * Threads for long computations on the curve, so that the node answers meanwhile. A pool serves one contribution, and
 * ends with it: memory that held a secret is gone with its thread. Or it serves all checks of a ceremony: a start costs
 * 0.3 s of a core for each thread, and the first pairing of each as much.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { CurveJobs, CurveResults, CurveWorkers, JobKind } from '@keyquorum/crs/workers';
import type { CurveAnswer, CurveQuestion } from './worker.ts';

interface Task {
  readonly question: CurveQuestion;
  resolve(result: CurveResults[JobKind]): void;
  reject(error: Error): void;
}

/** One thread per core unless said otherwise. */
export function startCurvePool(lanes = availableParallelism()): CurveWorkers {
  const waiting: Task[] = [];
  const idle: Worker[] = [];
  const running = new Map<Worker, Task>();
  let ended: Error | undefined;
  const threads = Array.from({ length: lanes }, startThread);

  function startThread(): Worker {
    const thread = new Worker(new URL('./worker.ts', import.meta.url), { execArgv: [] });
    thread.on('message', (answer: CurveAnswer) => {
      const task = running.get(thread);
      running.delete(thread);
      idle.push(thread);
      if ('error' in answer) task?.reject(new Error(answer.error));
      else task?.resolve(answer.result);
      next();
    });
    thread.on('error', (error) => end(new Error('a computation on the curve failed', { cause: error })));
    idle.push(thread);
    return thread;
  }

  function next(): void {
    while (waiting.length > 0 && idle.length > 0) {
      const [task, thread] = [waiting.shift()!, idle.pop()!];
      running.set(thread, task);
      thread.postMessage(task.question, buffersOf(task.question));
    }
  }

  function end(reason: Error): void {
    ended ??= reason;
    for (const { reject } of [...running.values(), ...waiting]) reject(ended);
    running.clear();
    waiting.length = 0;
  }

  return {
    lanes,
    run<K extends JobKind>(kind: K, job: CurveJobs[K]): Promise<CurveResults[K]> {
      if (ended !== undefined) return Promise.reject(ended);
      return new Promise((resolve, reject) => {
        const question = { kind, job } as CurveQuestion; // the kind and its job came together
        waiting.push({ question, resolve: (result) => resolve(result as CurveResults[K]), reject });
        next();
      });
    },
    async close() {
      end(new Error('the workers are closed'));
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

/** Arrays of their own go to the thread instead of a copy: a secret is then nowhere else. */
function buffersOf({ job }: CurveQuestion): ArrayBuffer[] {
  return Object.values(job).flatMap((field: unknown) =>
    field instanceof Uint8Array && field.buffer instanceof ArrayBuffer && field.byteLength === field.buffer.byteLength
      ? [field.buffer]
      : [],
  );
}
