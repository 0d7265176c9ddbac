/**
 * Points as tfhe-rs stores them in files and proofs, to and from the bytes of the kernel. Uncompressed only: compressed
 * ones need a square root each, and nobody publishes them. Whether a point is on its curve is not looked at.
 */
import type { Decoded } from '@keyquorum/codec/codec';
import {
  asG1Points,
  asG2Points,
  COORDINATE_BYTES,
  G1_BYTES,
  type G1Points,
  G2_BYTES,
  type G2Points,
  isInfinity,
} from '@keyquorum/kernel/bls446-encoding';
import { KernelError } from '@keyquorum/kernel/errors';
import type { g1 as g1Codec, g2 as g2Codec } from '@keyquorum/tfhe/schema/proof';

type G1File = Decoded<typeof g1Codec>;
type G2File = Decoded<typeof g2Codec>;

/** @throws KernelError NOT_AN_ELEMENT unless all are infinity, or uncompressed with coordinates below p */
export function g1FromFile(points: readonly G1File[]): G1Points {
  return asG1Points(joined(points.map(g1Limbs), G1_BYTES));
}

/** @throws KernelError NOT_AN_ELEMENT, as above */
export function g2FromFile(points: readonly G2File[]): G2Points {
  return asG2Points(joined(points.map(g2Limbs), G2_BYTES));
}

/** The points behind each other, one by one. */
export function g1ToFile(points: G1Points): G1File[] {
  return split(points, G1_BYTES).map((point) => {
    if (isInfinity(point)) return { kind: 'Infinity', value: null };
    const [x, y] = coordinates(point);
    return { kind: 'Uncompressed', value: { x: x!, y: y! } };
  });
}

export function g2ToFile(points: G2Points): G2File[] {
  return split(points, G2_BYTES).map((point) => {
    if (isInfinity(point)) return { kind: 'Infinity', value: null };
    const [x0, x1, y0, y1] = coordinates(point);
    return { kind: 'Uncompressed', value: { x: { c0: x0!, c1: x1! }, y: { c0: y0!, c1: y1! } } };
  });
}

function g1Limbs(point: G1File, index: number): readonly Uint8Array[] {
  if (point.kind === 'Infinity') return [];
  requireUncompressed(point.kind, index);
  const { x, y } = (point as Extract<G1File, { kind: 'Uncompressed' }>).value;
  return limbsOf([x, y], index);
}

function g2Limbs(point: G2File, index: number): readonly Uint8Array[] {
  if (point.kind === 'Infinity') return [];
  requireUncompressed(point.kind, index);
  const { x, y } = (point as Extract<G2File, { kind: 'Uncompressed' }>).value;
  return limbsOf([x.c0, x.c1, y.c0, y.c1], index);
}

/** The coordinates of one point; (0, 0) is no other spelling of infinity. */
function limbsOf(fields: readonly { readonly limbs: Uint8Array }[], index: number): readonly Uint8Array[] {
  const limbs = fields.map((field) => field.limbs);
  if (limbs.some(({ length }) => length !== COORDINATE_BYTES) || limbs.every(isInfinity)) {
    const problem = `point ${index}: want coordinates of ${COORDINATE_BYTES} bytes, not all 0`;
    throw new KernelError('NOT_AN_ELEMENT', problem);
  }
  return limbs;
}

function requireUncompressed(kind: string, index: number): void {
  if (kind === 'Uncompressed') return;
  const problem = `point ${index} is compressed: not supported, publish uncompressed points`;
  throw new KernelError('NOT_AN_ELEMENT', problem);
}

function coordinates(point: Uint8Array): { readonly limbs: Uint8Array }[] {
  return split(point, COORDINATE_BYTES).map((limbs) => ({ limbs }));
}

function split(all: Uint8Array, each: number): Uint8Array[] {
  return Array.from({ length: all.length / each }, (_, index) => all.subarray(index * each, (index + 1) * each));
}

function joined(points: readonly (readonly Uint8Array[])[], pointBytes: number): Uint8Array {
  const all = new Uint8Array(points.length * pointBytes);
  points.forEach((limbs, index) => {
    limbs.forEach((limb, place) => {
      all.set(limb, index * pointBytes + place * COORDINATE_BYTES);
    });
  });
  return all;
}
