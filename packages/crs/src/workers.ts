/**
 * Long computations on lists of points as jobs, so that they can run elsewhere: in this thread for tests and tools, on
 * other threads in a node, whose event loop must stay free. A job is plain data; so is its result.
 */
import type { Bls446, CurveGroup, RandomBytes } from '@keyquorum/kernel/bls446';
import { asG1Points, asG2Points, type G1Points, type G2Points, type Scalars } from '@keyquorum/kernel/bls446-encoding';
import { equalPairings, type PointPair } from './pairing.ts';

export type GroupName = 'g1' | 'g2';

interface OnPoints {
  readonly group: GroupName;
  readonly points: Uint8Array;
}

interface WithPowers extends OnPoints {
  readonly base: Scalars;
  readonly firstExponent: number;
}

export interface CurveJobs {
  /** Point i times base^(firstExponent + i). `base` is SECRET: whoever runs the job erases the copy that it got. */
  readonly powers: WithPowers;
  /** The sum of all points i times base^(firstExponent + i). `base` is public. */
  readonly combine: WithPowers;
  /** Are all points on the curve, and in the group of prime order? Infinity counts as both. */
  readonly check: OnPoints;
  /** e(left) = e(right)? */
  readonly pairing: { readonly left: PointPair; readonly right: PointPair };
}

export interface CurveResults {
  readonly powers: Uint8Array;
  readonly combine: Uint8Array;
  readonly check: 'good' | 'off-curve' | 'outside-group';
  readonly pairing: boolean;
}

export type JobKind = keyof CurveJobs;

export interface CurveWorkers {
  /** Jobs that run at the same time; long work is split into at least as many. */
  readonly lanes: number;
  /** Jobs begin in order. Rejects when the workers are closed. Arrays of the job may be taken over. */
  run<K extends JobKind>(kind: K, job: CurveJobs[K]): Promise<CurveResults[K]>;
  /** Ends whatever runs; its memory is gone when it resolves. */
  close(): Promise<void>;
}

/** Runs a job here and now. */
export function runJob<K extends JobKind>(
  curve: Bls446,
  random: RandomBytes,
  kind: K,
  job: CurveJobs[K],
): CurveResults[K] {
  const run: { readonly [Each in JobKind]: (job: CurveJobs[Each]) => CurveResults[Each] } = {
    powers: (powers) => onGroup(curve, powers, (group, points) => powersOf(group, points, powers)),
    combine: (terms) => onGroup(curve, terms, (group, points) => combine(curve, group, points, terms)),
    check: (list) => onGroup(curve, list, (group, points) => check(group, points, random)),
    pairing: ({ left, right }) => equalPairings(left, right),
  };
  return run[kind](job);
}

/** Workers without threads. */
export function inThisThread(curve: Bls446, random: RandomBytes): CurveWorkers {
  return {
    lanes: 1,
    run: async (kind, job) => runJob(curve, random, kind, job),
    close: async () => undefined,
  };
}

function onGroup<T>(
  curve: Bls446,
  { group, points }: OnPoints,
  work: <P extends G1Points | G2Points>(group: CurveGroup<P>, points: P) => T,
): T {
  return group === 'g1' ? work(curve.g1, asG1Points(points)) : work(curve.g2, asG2Points(points));
}

function powersOf<P extends G1Points | G2Points>(group: CurveGroup<P>, points: P, job: CurveJobs['powers']): P {
  try {
    return group.multiplyByPowers(points, job.base, job.firstExponent);
  } finally {
    job.base.fill(0);
  }
}

function combine<P extends G1Points | G2Points>(
  curve: Bls446,
  group: CurveGroup<P>,
  points: P,
  { base, firstExponent }: CurveJobs['combine'],
): P {
  const count = points.length / group.pointBytes;
  return group.multiScalar(points, curve.scalars.powers(base, firstExponent, count));
}

function check<P extends G1Points | G2Points>(
  group: CurveGroup<P>,
  points: P,
  random: RandomBytes,
): CurveResults['check'] {
  if (group.firstOffCurve(points) >= 0) return 'off-curve';
  return group.inSubgroup(points, random) ? 'good' : 'outside-group';
}
