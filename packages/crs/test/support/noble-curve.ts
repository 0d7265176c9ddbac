/**
 * The groups of BLS12-446 once more, on the BigInt arithmetic of noble: an oracle for the kernel, and small ceremonies
 * without it. Slow, and nothing here is constant-time.
 */
import type { Bls446, CurveGroup } from '@keyquorum/kernel/bls446';
import {
  asG1Points,
  asG2Points,
  coordinatesToBytes,
  G1_BYTES,
  G1_GENERATOR,
  type G1Points,
  G2_BYTES,
  G2_GENERATOR,
  type G2Points,
  R,
  SCALAR_BYTES,
  scalarsFromBytes,
  scalarsToBytes,
  WIDE_BYTES,
} from '@keyquorum/kernel/bls446-encoding';
import { G1, G2, g1Point, g2Point } from '../../src/pairing.ts';

type G1Point = typeof G1.BASE;
type G2Point = typeof G2.BASE;

interface NoblePoint<T> {
  add(other: T): T;
  negate(): T;
  is0(): boolean;
  multiplyUnsafe(scalar: bigint): T;
  isTorsionFree(): boolean;
}

export function g1Bytes(point: G1Point): G1Points {
  if (point.is0()) return asG1Points(new Uint8Array(G1_BYTES));
  const { x, y } = point.toAffine();
  return asG1Points(coordinatesToBytes([x, y]));
}

export function g2Bytes(point: G2Point): G2Points {
  if (point.is0()) return asG2Points(new Uint8Array(G2_BYTES));
  const { x, y } = point.toAffine();
  return asG2Points(coordinatesToBytes([x.c0, x.c1, y.c0, y.c1]));
}

function inGroup<T extends NoblePoint<T>>(point: T): boolean {
  try {
    return point.is0() || point.isTorsionFree();
  } catch {
    return false; // a multiple is a point of order 2, that noble has no place for
  }
}

/** y^2 = x^3 + 1. */
function g1OnCurve(point: G1Point): boolean {
  const { Fp } = G1;
  const { x, y } = point.toAffine();
  return Fp.eql(Fp.sqr(y), Fp.add(Fp.mul(Fp.sqr(x), x), 1n));
}

/** y^2 = x^3 + 1 + u. */
function g2OnCurve(point: G2Point): boolean {
  const { Fp } = G2;
  const { x, y } = point.toAffine();
  return Fp.eql(Fp.sqr(y), Fp.add(Fp.mul(Fp.sqr(x), x), { c0: 1n, c1: 1n }));
}

interface Encoding<P, T> {
  readonly pointBytes: number;
  readonly generator: P;
  readonly zero: T;
  read(bytes: Uint8Array): T;
  onCurve(point: T): boolean;
  write(point: T): Uint8Array;
  of(bytes: Uint8Array): P;
}

function group<P extends G1Points | G2Points, T extends NoblePoint<T>>(encoding: Encoding<P, T>): CurveGroup<P> {
  const { pointBytes, generator, zero, read, onCurve, write, of } = encoding;
  const cut = (points: P): Uint8Array[] =>
    Array.from({ length: points.length / pointBytes }, (_, i) => points.subarray(i * pointBytes, (i + 1) * pointBytes));
  const all = (points: readonly T[]): P => of(new Uint8Array(Buffer.concat(points.map(write))));
  const off = (bytes: Uint8Array): boolean => !(read(bytes).is0() || onCurve(read(bytes)));
  const outside = (bytes: Uint8Array): boolean => off(bytes) || !inGroup(read(bytes));
  const times = (points: P, scalars: readonly bigint[]): T[] =>
    cut(points).map((bytes, i) => read(bytes).multiplyUnsafe(scalars[i]!));
  return {
    pointBytes,
    generator,
    firstOffCurve: (points) => cut(points).findIndex(off),
    firstOutsideSubgroup: (points) => cut(points).findIndex(outside),
    inSubgroup: (points) => !cut(points).some(outside),
    multiply: (points, scalars) => all(times(points, scalarsFromBytes(scalars))),
    multiplyByPowers: (points, base, first) => all(times(points, powers(base, first, points.length / pointBytes))),
    multiScalar: (points, scalars) =>
      all([times(points, scalarsFromBytes(scalars)).reduce((left, right) => left.add(right), zero)]),
    add: (left, right) => {
      const addends = cut(right);
      return all(cut(left).map((bytes, i) => read(bytes).add(read(addends[i]!))));
    },
    negate: (points) => all(cut(points).map((bytes) => read(bytes).negate())),
  };
}

function powers(base: Uint8Array, first: number, count: number): bigint[] {
  const [value = 0n] = scalarsFromBytes(base as Parameters<typeof scalarsFromBytes>[0]);
  let power = 1n;
  for (let i = 0; i < first; i++) power = (power * value) % R;
  return Array.from({ length: count }, () => {
    const current = power;
    power = (power * value) % R;
    return current;
  });
}

/** 2^-448 mod r. */
const INVERSE = (() => {
  let value = 1n;
  for (let i = 0; i < 448; i++) value = (value % 2n === 0n ? value : value + R) / 2n;
  return value;
})();

export function nobleCurve(): Bls446 {
  return {
    g1: group<G1Points, G1Point>({
      ...{ pointBytes: G1_BYTES, generator: G1_GENERATOR, zero: G1.ZERO },
      ...{ read: g1Point, onCurve: g1OnCurve, write: g1Bytes, of: asG1Points },
    }),
    g2: group<G2Points, G2Point>({
      ...{ pointBytes: G2_BYTES, generator: G2_GENERATOR, zero: G2.ZERO },
      ...{ read: g2Point, onCurve: g2OnCurve, write: g2Bytes, of: asG2Points },
    }),
    scalars: {
      fromWideBytes: (bytes) =>
        scalarsToBytes(
          Array.from({ length: bytes.length / WIDE_BYTES }, (_, i) => {
            const digits = Uint8Array.from(bytes.subarray(i * WIDE_BYTES, (i + 1) * WIDE_BYTES)).reverse();
            const value = BigInt.asUintN(426, BigInt(`0x${Buffer.from(digits).toString('hex')}`));
            return (value * INVERSE) % R;
          }),
        ),
      multiplyAdd(a, b, c) {
        const [left, right, addend] = [a, b, c].map(scalarsFromBytes);
        return scalarsToBytes(left!.map((value, i) => (value * right![i]! + addend![i]!) % R));
      },
      powers: (base, first, count) => scalarsToBytes(powers(base.subarray(0, SCALAR_BYTES), first, count)),
    },
  };
}
