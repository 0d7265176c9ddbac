/** Square-root bits (SPEC R9): one opened value, one shared bit, the same at every party and in every ring. */
import { describe, expect, test } from 'vitest';
import { asGr64, asGr128, type Batches, type Gr64, type Gr128 } from '../src/batch.ts';
import { KernelError } from '../src/errors.ts';
import {
  decodeGr64,
  decodeGr128,
  encodeGr64,
  encodeGr128,
  type GrBits,
  type GrElement,
  grAdd,
  grMul,
  grResidue,
  grSub,
} from '../src/gr.ts';
import { createKernel } from '../src/kernel.ts';
import { openingMatrix } from '../src/lagrange.ts';
import type { Ring } from '../src/ring.ts';
import { seededBytes } from './arbitraries.ts';

const kernel = createKernel();
const COUNT = 64;
const POINTS = [1, 2, 3, 4, 5, 6, 7];
const T = 2;

// Computed apart, bit by bit: the root of r^2 + r = X^2 + X + 2 whose coordinate 0 is even.
const VECTOR_VALUE: GrElement = [2n, 1n, 1n, 0n];
const VECTOR_ROOT: GrElement = [0x3ba111043185b89en, 0xc3690446ac561db5n, 0xe54c1451bbcfaea8n, 0xafa54492157c9430n];

/** The protocol in one place: shares of a, degree-2t opening of a^2 + a cut to `bytes`, shares of the bits. */
function bitSharing<A extends 'gr64' | 'gr128'>(name: A, ring: Ring<Batches[A]>, bytes: number) {
  const cast = (name === 'gr64' ? asGr64 : asGr128) as (bytes: Uint8Array) => Batches[A];
  const polynomial = [1, 2, 3].map((seed) => cast(seededBytes(seed + 10 * bytes, ring.bytesPerElement * COUNT)));
  const own = POINTS.map((point) => ring.evaluate(polynomial, point));
  const wires = own.map((a) => ring.fromWire(ring.toWire(ring.add(ring.mul(a, a), a), bytes), bytes));
  const opened = ring.open(openingMatrix(POINTS, 2 * T, name), wires);
  expect(opened.firstInconsistent).toBe(-1);
  const v = ring.lowBits(opened.values, bytes);
  return { secret: polynomial[0]!, shares: own.map((a) => ring.bitShares(a, v, bytes)) };
}

function bitSuite<A extends 'gr64' | 'gr128'>(name: A, ring: Ring<Batches[A]>, width: number): void {
  test.each(Array.from({ length: width }, (_, i) => i + 1))(
    '%i bytes: a degree-t sharing of 0 or 1, not all alike',
    (bytes) => {
      const { shares } = bitSharing(name, ring, bytes);
      const cut = shares.map((share) => ring.fromWire(ring.toWire(share, bytes), bytes));
      const opened = ring.open(openingMatrix(POINTS, T, name), cut);
      expect(opened.firstInconsistent).toBe(-1);
      const bits = ring.lowBits(opened.values, bytes);
      expect(ring.isBaseRing(bits)).toBe(true);
      const values = bits.filter((_, i) => i % ring.bytesPerElement === 0);
      expect([...new Set(values)].sort()).toEqual([0, 1]);
      expect(bits.filter((byte) => byte > 1).length).toBe(0);

      const residues = kernel.gf16.open(openingMatrix(POINTS, T, 'gf16'), shares.map(ring.residue));
      expect(residues.firstInconsistent).toBe(-1);
      expect(residues.values).toEqual(new Uint8Array(values));
    },
  );
}

describe('bits over GR(2^64,4)', () => bitSuite<'gr64'>('gr64', kernel.gr64, 8));
describe('bits over GR(2^128,4)', () => bitSuite<'gr128'>('gr128', kernel.gr128, 16));

/** r = a or r = -1-a, whichever has residue coordinate 0 equal to 0: the bit is 0 iff a is that root. */
function canonicalBit(a: GrElement): bigint {
  return BigInt(grResidue(a) & 1);
}

describe('canonical root', () => {
  test.each([64, 128] as const)('the bit of a public a is the parity of its coordinate 0 (%i bits)', (bits: GrBits) => {
    const batch = bits === 64 ? asGr64(seededBytes(1, 32 * COUNT)) : asGr128(seededBytes(1, 64 * COUNT));
    const elements = bits === 64 ? decodeGr64(batch as Gr64) : decodeGr128(batch as Gr128);
    const values = elements.map((a) => grAdd(grMul(a, a, bits), a, bits));
    const got =
      bits === 64
        ? decodeGr64(kernel.gr64.bitShares(batch as Gr64, encodeGr64(values)))
        : decodeGr128(kernel.gr128.bitShares(batch as Gr128, encodeGr128(values)));
    expect(got).toEqual(elements.map((a) => [canonicalBit(a), 0n, 0n, 0n]));
  });

  test('vector: for v = X^2 + X + 2 the party whose a is the canonical root gets 0, the one with -1-a gets 1', () => {
    const v = encodeGr64([VECTOR_VALUE, VECTOR_VALUE]);
    const other = grSub([-1n, 0n, 0n, 0n], VECTOR_ROOT, 64);
    expect(grAdd(grMul(VECTOR_ROOT, VECTOR_ROOT, 64), VECTOR_ROOT, 64)).toEqual(VECTOR_VALUE);
    expect(decodeGr64(kernel.gr64.bitShares(encodeGr64([VECTOR_ROOT, other]), v))).toEqual([
      [0n, 0n, 0n, 0n],
      [1n, 0n, 0n, 0n],
    ]);
  });

  test('odd trace has no root: refused with the element index', () => {
    const v = encodeGr64([
      [0n, 0n, 0n, 2n],
      [5n, 4n, 3n, 1n],
    ]);
    expect(() => kernel.gr64.bitShares(kernel.gr64.zeros(2), v)).toThrow(KernelError);
    expect(() => kernel.gr64.bitShares(kernel.gr64.zeros(2), v)).toThrow(/element 1/);
  });
});
