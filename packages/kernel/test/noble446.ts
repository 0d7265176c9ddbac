/** BLS12-446 on the generic builders of @noble/curves: an independent implementation, the oracle of the curve tests. */
import { Field } from '@noble/curves/abstract/modular.js';
import { type Fp2 as Fp2Element, type Fp12, tower12 } from '@noble/curves/abstract/tower.js';
import { type WeierstrassPoint, weierstrass } from '@noble/curves/abstract/weierstrass.js';
import {
  asG1Points,
  asG2Points,
  coordinatesFromBytes,
  coordinatesToBytes,
  G1_GENERATOR,
  type G1Points,
  G2_GENERATOR,
  type G2Points,
  P,
  R,
  X,
} from '../src/bls446-encoding.ts';

export type Oracle1 = WeierstrassPoint<bigint>;
export type Oracle2 = WeierstrassPoint<Fp2Element>;

const COFACTOR_1 = (X - 1n) ** 2n / 3n;
const COFACTOR_2 =
  (X ** 8n - 4n * X ** 7n + 5n * X ** 6n - 4n * X ** 4n + 6n * X ** 3n - 4n * X ** 2n - 4n * X + 13n) / 9n;

const mod = (a: bigint) => ((a % P) + P) % P;

export const { Fp, Fp2 } = tower12({
  ORDER: P,
  X_LEN: 75,
  FP2_NONRESIDUE: [1n, 1n],
  Fp2mulByB: ({ c0, c1 }: Fp2Element) => ({ c0: mod(c0 - c1), c1: mod(c0 + c1) }),
  Fp12finalExponentiate: (value: Fp12) => value, // pairings are not tested here
});
const Fn = Field(R);

const [gx, gy] = coordinatesFromBytes(G1_GENERATOR) as [bigint, bigint];
const [hx0, hx1, hy0, hy1] = coordinatesFromBytes(G2_GENERATOR) as [bigint, bigint, bigint, bigint];

export const Curve1 = weierstrass(
  { p: P, n: R, h: COFACTOR_1, a: 0n, b: 1n, Gx: gx, Gy: gy },
  { Fp, Fn, allowInfinityPoint: true },
);
export const Curve2 = weierstrass(
  {
    p: Fp2.ORDER,
    n: R,
    h: COFACTOR_2,
    a: Fp2.ZERO,
    b: { c0: 1n, c1: 1n },
    Gx: { c0: hx0, c1: hx1 },
    Gy: { c0: hy0, c1: hy1 },
  },
  { Fp: Fp2, Fn, allowInfinityPoint: true },
);

export function toG1(points: readonly Oracle1[]): G1Points {
  const coordinates = points.flatMap((point) => {
    if (point.is0()) return [0n, 0n];
    const { x, y } = point.toAffine();
    return [x, y];
  });
  return asG1Points(coordinatesToBytes(coordinates));
}

export function toG2(points: readonly Oracle2[]): G2Points {
  const coordinates = points.flatMap((point) => {
    if (point.is0()) return [0n, 0n, 0n, 0n];
    const { x, y } = point.toAffine();
    return [x.c0, x.c1, y.c0, y.c1];
  });
  return asG2Points(coordinatesToBytes(coordinates));
}
