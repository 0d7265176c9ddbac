/**
 * The steps of a reference string on the kernel's curves, and on noble's, which are BigInt: multiplication of a point
 * by a secret scalar to affine coordinates, and the public sum that checks are made of. On one thread.
 */
import { randomBytes } from 'node:crypto';
import { G1, G2 } from '@keyquorum/crs/pairing';
import { type CurveGroup, createBls446 } from '@keyquorum/kernel/bls446';
import {
  coordinatesFromBytes,
  type G1Points,
  type G2Points,
  type Scalars,
  scalarsFromBytes,
  WIDE_BYTES,
} from '@keyquorum/kernel/bls446-encoding';
import { pippenger } from '@noble/curves/abstract/curve.js';
import type { WeierstrassPoint, WeierstrassPointCons } from '@noble/curves/abstract/weierstrass.js';

/** What a job of a contribution has. */
const KERNEL_POINTS = 256;
const NOBLE_PRODUCTS = 16;
const NOBLE_SUMMANDS = 128;

export interface CurveCost {
  readonly step: string;
  /** Milliseconds per point. */
  readonly kernelMs: number;
  readonly nobleMs: number;
}

function perPoint(count: number, work: () => unknown): number {
  work(); // compiled
  const startMs = performance.now();
  work();
  return (performance.now() - startMs) / count;
}

/** What noble does with points whose coordinates are these. */
interface Noble {
  multiply(points: readonly bigint[][], scalars: readonly bigint[]): unknown;
  sum(points: readonly bigint[][], scalars: readonly bigint[]): unknown;
}

function measure<P extends G1Points | G2Points>(
  name: string,
  { group, scalars }: { group: CurveGroup<P>; scalars: Scalars },
  noble: Noble,
): CurveCost[] {
  const generators = new Uint8Array(KERNEL_POINTS * group.pointBytes) as P;
  for (let at = 0; at < KERNEL_POINTS; at++) generators.set(group.generator, at * group.pointBytes);
  const points = group.multiply(generators, scalars);
  const integers = scalarsFromBytes(scalars);
  const coordinates = integers.map((_, at) =>
    coordinatesFromBytes(points.subarray(at * group.pointBytes, (at + 1) * group.pointBytes)),
  );
  const some = (count: number) => [coordinates.slice(0, count), integers.slice(0, count)] as const;
  return [
    {
      step: `${name}: point times secret scalar, affine`,
      kernelMs: perPoint(KERNEL_POINTS, () => group.multiply(points, scalars)),
      nobleMs: perPoint(NOBLE_PRODUCTS, () => noble.multiply(...some(NOBLE_PRODUCTS))),
    },
    {
      step: `${name}: sum of points times public scalars`,
      kernelMs: perPoint(KERNEL_POINTS, () => group.multiScalar(points, scalars)),
      nobleMs: perPoint(NOBLE_SUMMANDS, () => noble.sum(...some(NOBLE_SUMMANDS))),
    },
  ];
}

function nobleOf<F>(curve: WeierstrassPointCons<F>, pointOf: (coordinates: bigint[]) => WeierstrassPoint<F>): Noble {
  return {
    multiply: (points, scalars) => points.map((each, at) => pointOf(each).multiply(scalars[at]!).toAffine()),
    sum: (points, scalars) => pippenger(curve, points.map(pointOf), [...scalars]),
  };
}

const noble1 = nobleOf(G1, ([x, y]) => G1.fromAffine({ x: x!, y: y! }));
const noble2 = nobleOf(G2, ([x0, x1, y0, y1]) => G2.fromAffine({ x: { c0: x0!, c1: x1! }, y: { c0: y0!, c1: y1! } }));

export function measureCurves(): CurveCost[] {
  const { g1, g2, scalars: field } = createBls446();
  const scalars = field.fromWideBytes(randomBytes(KERNEL_POINTS * WIDE_BYTES));
  return [...measure('G1', { group: g1, scalars }, noble1), ...measure('G2', { group: g2, scalars }, noble2)];
}
