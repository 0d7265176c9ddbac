/**
 * The pairing of BLS12-446, on the generic builders of noble: e: G1 x G2 -> GT. A verification compares two pairs of
 * pairings, 60 ms each; everything on whole lists is done by the kernel. Constants: tfhe-zk-pok, `curve_446`.
 * Public values only: BigInt arithmetic takes time that depends on them.
 */
import {
  asG1Points,
  asG2Points,
  coordinatesFromBytes,
  G1_BYTES,
  G1_GENERATOR,
  G2_BYTES,
  G2_GENERATOR,
  isInfinity,
  P,
  R,
  X,
} from '@keyquorum/kernel/bls446-encoding';
import { blsBasic } from '@noble/curves/abstract/bls.js';
import { Field } from '@noble/curves/abstract/modular.js';
import { tower12 } from '@noble/curves/abstract/tower.js';
import { weierstrass } from '@noble/curves/abstract/weierstrass.js';

const X_BITS = 75;
const X_ABSOLUTE = -X;
const G1_COFACTOR = (X - 1n) ** 2n / 3n;
const G2_COFACTOR =
  (X ** 8n - 4n * X ** 7n + 5n * X ** 6n - 4n * X ** 4n + 6n * X ** 3n - 4n * X ** 2n - 4n * X + 13n) / 9n;

/** Fp2 = Fp[u]/(u^2 + 1), Fp6 = Fp2[v]/(v^3 - (1 + u)), Fp12 = Fp6[w]/(w^2 - v). */
const { Fp, Fp2, Fp6, Fp12 } = tower12({
  ORDER: P,
  X_LEN: X_BITS,
  FP2_NONRESIDUE: [1n, 1n],
  /** By 1 + u, the constant of the curve of G2. */
  Fp2mulByB: ({ c0, c1 }: { readonly c0: bigint; readonly c1: bigint }) => ({ c0: Fp.sub(c0, c1), c1: Fp.add(c0, c1) }),
  Fp12finalExponentiate: finalExponentiation,
});
type Fp12Element = Parameters<typeof Fp12.inv>[0];

/** The addition chain of BLS12 curves with a negative parameter: easy part, then powers of X. */
function finalExponentiation(value: Fp12Element): Fp12Element {
  const square = Fp12._cyclotomicSquare.bind(Fp12);
  const conjugate = Fp12.conjugate.bind(Fp12);
  const powerOfX = (base: Fp12Element): Fp12Element => conjugate(Fp12._cyclotomicExp(base, X_ABSOLUTE));
  const frobenius = Fp12.frobeniusMap.bind(Fp12);
  const product = (...factors: Fp12Element[]): Fp12Element => factors.reduce((left, right) => Fp12.mul(left, right));
  const easy = Fp12.div(frobenius(value, 6), value);
  const t1 = product(frobenius(easy, 2), easy);
  const t2 = powerOfX(t1);
  const t3 = product(conjugate(square(t1)), t2);
  const t4 = powerOfX(t3);
  const t5 = powerOfX(t4);
  const t6 = product(powerOfX(t5), square(t2));
  const t7 = powerOfX(t6);
  return product(
    frobenius(product(t2, t5), 2),
    frobenius(product(t4, t1), 3),
    frobenius(product(t6, conjugate(t1)), 1),
    product(t7, conjugate(t3), t1),
  );
}

const [g1x, g1y] = coordinatesFromBytes(G1_GENERATOR) as [bigint, bigint];
const [g2x0, g2x1, g2y0, g2y1] = coordinatesFromBytes(G2_GENERATOR) as [bigint, bigint, bigint, bigint];
const Fr = Field(R);
export const G1 = weierstrass(
  { p: P, n: R, h: G1_COFACTOR, a: 0n, b: 1n, Gx: g1x, Gy: g1y },
  { Fp, Fn: Fr, allowInfinityPoint: true },
);
export const G2 = weierstrass(
  {
    ...{ p: Fp2.ORDER, n: R, h: G2_COFACTOR, a: Fp2.ZERO, b: Fp2.create({ c0: 1n, c1: 1n }) },
    ...{ Gx: Fp2.create({ c0: g2x0, c1: g2x1 }), Gy: Fp2.create({ c0: g2y0, c1: g2y1 }) },
  },
  { Fp: Fp2, Fn: Fr, allowInfinityPoint: true },
);
const { pairingBatch } = blsBasic({ Fp, Fp2, Fp6, Fp12, Fr }, G1, G2, {
  ateLoopSize: X_ABSOLUTE,
  xNegative: true,
  twistType: 'multiplicative',
});

/** One point of each group, 112 and 224 bytes. */
export interface PointPair {
  readonly g1: Uint8Array;
  readonly g2: Uint8Array;
}

/** Whether e(left.g1, left.g2) = e(right.g1, right.g2). All points must lie in their groups. */
export function equalPairings(left: PointPair, right: PointPair): boolean {
  return productIsOne({ factors: [left], divisors: [right] });
}

/** Whether the pairings of all factors, divided by those of the divisors, are 1. Points as above; 30 ms a pair. */
export function productIsOne({ factors, divisors }: Record<'factors' | 'divisors', readonly PointPair[]>): boolean {
  const inverses = divisors.map(pointsOf).map(({ g1, g2 }) => ({ g1: g1.negate(), g2 }));
  const pairs = [...factors.map(pointsOf), ...inverses];
  const finite = pairs.filter(({ g1, g2 }) => !g1.is0() && !g2.is0()); // the pairing of infinity is 1; noble has none
  return finite.length === 0 || Fp12.eql(pairingBatch(finite), Fp12.ONE);
}

function pointsOf({ g1, g2 }: PointPair) {
  requirePoint(asG1Points(g1), G1_BYTES);
  requirePoint(asG2Points(g2), G2_BYTES);
  return { g1: g1Point(g1), g2: g2Point(g2) };
}

/** Whether it is on the curve is not checked. */
export function g1Point(bytes: Uint8Array): InstanceType<typeof G1> {
  if (isInfinity(bytes)) return G1.ZERO;
  const [x, y] = coordinatesFromBytes(bytes) as [bigint, bigint];
  return G1.fromAffine({ x, y });
}

/** Whether it is on the curve is not checked. */
export function g2Point(bytes: Uint8Array): InstanceType<typeof G2> {
  if (isInfinity(bytes)) return G2.ZERO;
  const [x0, x1, y0, y1] = coordinatesFromBytes(bytes) as [bigint, bigint, bigint, bigint];
  return G2.fromAffine({ x: Fp2.create({ c0: x0, c1: x1 }), y: Fp2.create({ c0: y0, c1: y1 }) });
}

function requirePoint(bytes: Uint8Array, want: number): void {
  if (bytes.length !== want) throw new RangeError(`pairing: a point of ${bytes.length} bytes, want ${want}`);
}
