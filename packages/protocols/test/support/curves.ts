/**
 * The curve for all tests of a file, in this thread: computations end before the clock of the simulator moves. All
 * parties of a simulation check the same contributions, so equal checks and pairings are computed once.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { CurveJobs, CurveResults, CurveWorkers, JobKind } from '@keyquorum/crs/workers';
import { type CurveModules, curvesInThisThread } from '../../src/crs/curve-modules.ts';

const { curve, startWorkers } = curvesInThisThread((count) => new Uint8Array(randomBytes(count)));
const workers = startWorkers();
const known = new Map<string, Promise<CurveResults[JobKind]>>();

function nameOf<K extends JobKind>(kind: K, job: CurveJobs[K]): string {
  const hash = createHash('sha256').update(kind);
  const add = (value: unknown): void => {
    if (value instanceof Uint8Array) hash.update(value);
    else if (typeof value === 'object' && value !== null) for (const field of Object.values(value)) add(field);
    else hash.update(String(value));
  };
  add(job);
  return hash.digest('hex');
}

const remembering: CurveWorkers = {
  ...workers,
  run<K extends JobKind>(kind: K, job: CurveJobs[K]): Promise<CurveResults[K]> {
    if (kind === 'powers') return workers.run(kind, job); // with a secret
    const name = nameOf(kind, job);
    const result = known.get(name) ?? workers.run(kind, job);
    known.set(name, result);
    return result as Promise<CurveResults[K]>; // the name tells the kind
  },
};

export const curves: CurveModules = { curve, startWorkers: () => remembering };
