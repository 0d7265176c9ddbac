/**
 * Galois ring arithmetic on BigInt: constants and cold paths only (about 100 times slower than the kernel, and not
 * constant-time, so public values only). GR(2^bits,4) = (Z/2^bits)[X]/(X^4+X+1).
 */
import { asGr64, asGr128, type Gr64, type Gr128 } from './batch.ts';
import { KernelError, requireRange } from './errors.ts';
import { field16Inverse } from './field16.ts';

/** Coefficients of 1, X, X^2, X^3, each in [0, 2^bits). */
export type GrElement = readonly [bigint, bigint, bigint, bigint];
export type GrBits = 64 | 128;

export const GR_ZERO: GrElement = [0n, 0n, 0n, 0n];
export const GR_ONE: GrElement = [1n, 0n, 0n, 0n];

/** The exceptional point of an index 0..15: bit k is the coefficient of X^k. Differences of two points are units. */
export function grFromPoint(index: number): GrElement {
  requireRange('point', index, 0, 15);
  return [BigInt(index & 1), BigInt((index >> 1) & 1), BigInt((index >> 2) & 1), BigInt((index >> 3) & 1)];
}

export function grAdd(a: GrElement, b: GrElement, bits: GrBits): GrElement {
  return reduce([a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]], bits);
}

export function grSub(a: GrElement, b: GrElement, bits: GrBits): GrElement {
  return reduce([a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]], bits);
}

export function grMul(a: GrElement, b: GrElement, bits: GrBits): GrElement {
  const d4 = a[1] * b[3] + a[2] * b[2] + a[3] * b[1]; // X^4 = -X-1
  const d5 = a[2] * b[3] + a[3] * b[2]; // X^5 = -X^2-X
  const d6 = a[3] * b[3]; // X^6 = -X^3-X^2
  return reduce(
    [
      a[0] * b[0] - d4,
      a[0] * b[1] + a[1] * b[0] - d4 - d5,
      a[0] * b[2] + a[1] * b[1] + a[2] * b[0] - d5 - d6,
      a[0] * b[3] + a[1] * b[2] + a[2] * b[1] + a[3] * b[0] - d6,
    ],
    bits,
  );
}

/** The element of GF(16) below `a`: coefficients mod 2 as bits. */
export function grResidue(a: GrElement): number {
  return Number((a[0] & 1n) | ((a[1] & 1n) << 1n) | ((a[2] & 1n) << 2n) | ((a[3] & 1n) << 3n));
}

/** Inverse of a unit: in GF(16), then Newton y <- y(2 - ay), which doubles the precision. Else NOT_AN_ELEMENT. */
export function grInverse(a: GrElement, bits: GrBits): GrElement {
  let inverse = grFromPoint(field16Inverse(grResidue(a)));
  for (let precision = 1; precision < bits; precision *= 2) {
    inverse = grMul(inverse, grSub([2n, 0n, 0n, 0n], grMul(a, inverse, bits), bits), bits);
  }
  return inverse;
}

/** Batch layout: 4 little-endian coefficients of bits/8 bytes per element. */
export function encodeGr64(elements: readonly GrElement[]): Gr64 {
  return asGr64(encode(elements, 64));
}
export function encodeGr128(elements: readonly GrElement[]): Gr128 {
  return asGr128(encode(elements, 128));
}

export function decodeGr64(batch: Gr64): GrElement[] {
  return decode(batch, 64);
}
export function decodeGr128(batch: Gr128): GrElement[] {
  return decode(batch, 128);
}

function encode(elements: readonly GrElement[], bits: GrBits): Uint8Array {
  const words = bits / 64;
  const view = new DataView(new ArrayBuffer(elements.length * 32 * words));
  elements.flat().forEach((coefficient, i) => {
    for (let w = 0; w < words; w++) {
      view.setBigUint64((i * words + w) * 8, BigInt.asUintN(64, coefficient >> BigInt(64 * w)), true);
    }
  });
  return new Uint8Array(view.buffer);
}

function decode(batch: Uint8Array, bits: GrBits): GrElement[] {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const bytes = bits / 8;
  const coefficient = (offset: number) => {
    const low = view.getBigUint64(offset, true);
    return bits === 64 ? low : low | (view.getBigUint64(offset + 8, true) << 64n);
  };
  return Array.from({ length: batch.length / (4 * bytes) }, (_, i) => {
    const at = i * 4 * bytes;
    return [coefficient(at), coefficient(at + bytes), coefficient(at + 2 * bytes), coefficient(at + 3 * bytes)];
  });
}

function reduce([a, b, c, d]: GrElement, bits: GrBits): GrElement {
  return [BigInt.asUintN(bits, a), BigInt.asUintN(bits, b), BigInt.asUintN(bits, c), BigInt.asUintN(bits, d)];
}

/** Throws unless the points are distinct indices 0..15. */
export function requireDistinctPoints(points: readonly number[]): void {
  for (const point of points) requireRange('point', point, 0, 15);
  if (new Set(points).size !== points.length)
    throw new KernelError('RANGE', `points ${points.join(',')} are not distinct`);
}
