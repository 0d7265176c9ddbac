/** Work on whole lists, cut into jobs: many for multiplications, whose progress is shown, one per lane for the rest. */
import { G1_BYTES, G2_BYTES, type Scalars } from '@keyquorum/kernel/bls446-encoding';
import type { CurveResults, CurveWorkers, GroupName } from './workers.ts';

/** A tenth of a second of multiplications in G1. */
const POINTS_PER_JOB = 256;

export const POINT_BYTES: Readonly<Record<GroupName, number>> = { g1: G1_BYTES, g2: G2_BYTES };

interface List {
  readonly group: GroupName;
  readonly points: Uint8Array;
}

/** Told after each job how many points are done. */
export type OnPointsDone = (points: number) => void;

/** Point i times base^(i + 1). `base` is secret and stays the caller's to erase. */
export async function multiplyByPowers(
  workers: CurveWorkers,
  list: List,
  base: Scalars,
  onDone: OnPointsDone,
): Promise<Uint8Array> {
  const results = await Promise.all(
    cut(list, POINTS_PER_JOB).map(async ({ first, count, points }) => {
      const job = { group: list.group, points, base: base.slice() as Scalars, firstExponent: first + 1 };
      const result = await workers.run('powers', job);
      onDone(count);
      return result;
    }),
  );
  return joined(results);
}

/** Partial sums of the points i times base^i, one per job. */
export async function combine(workers: CurveWorkers, list: List, base: Scalars): Promise<Uint8Array[]> {
  const { group } = list;
  return Promise.all(
    cut(list, perLane(workers, list)).map(({ first, points }) =>
      workers.run('combine', { group, points, base: base.slice() as Scalars, firstExponent: first }),
    ),
  );
}

/** The worst that is found. */
export async function checkPoints(workers: CurveWorkers, list: List): Promise<CurveResults['check']> {
  const { group } = list;
  const found = await Promise.all(
    cut(list, perLane(workers, list)).map(({ points }) => workers.run('check', { group, points })),
  );
  if (found.includes('off-curve')) return 'off-curve';
  return found.includes('outside-group') ? 'outside-group' : 'good';
}

function perLane({ lanes }: CurveWorkers, { group, points }: List): number {
  return Math.ceil(points.length / POINT_BYTES[group] / lanes);
}

/** Copies, so that a job that is sent elsewhere takes its own points along and no others. */
function cut({ group, points }: List, pointsPerJob: number) {
  const pointBytes = POINT_BYTES[group];
  const count = points.length / pointBytes;
  return Array.from({ length: Math.ceil(count / pointsPerJob) }, (_, index) => {
    const first = index * pointsPerJob;
    const end = Math.min(count, first + pointsPerJob);
    return { first, count: end - first, points: points.slice(first * pointBytes, end * pointBytes) };
  });
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
