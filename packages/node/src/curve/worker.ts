/** A thread of pool.ts: runs the jobs that it is sent, one after the other. */
import { randomFillSync } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { type CurveJobs, type CurveResults, type JobKind, runJob } from '@keyquorum/crs/workers';
import { createBls446 } from '@keyquorum/kernel/bls446';

export type CurveQuestion = { readonly [K in JobKind]: { readonly kind: K; readonly job: CurveJobs[K] } }[JobKind];
export type CurveAnswer = { readonly result: CurveResults[JobKind] } | { readonly error: string };

const curve = createBls446();
const random = (bytes: number) => randomFillSync(new Uint8Array(bytes));

parentPort?.on('message', ({ kind, job }: CurveQuestion) => {
  parentPort?.postMessage(answer(() => runJob(curve, random, kind, job)));
});

function answer(run: () => CurveResults[JobKind]): CurveAnswer {
  try {
    return { result: run() };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
