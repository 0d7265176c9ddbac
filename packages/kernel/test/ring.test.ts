/** Galois ring operations against BigInt, and the laws of a commutative ring, for both word sizes. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asGr64, asGr128, type Gr64, type Gr128, type Matrix } from '../src/batch.ts';
import { KernelError } from '../src/errors.ts';
import {
  decodeGr64,
  decodeGr128,
  encodeGr64,
  encodeGr128,
  GR_ONE,
  GR_ZERO,
  type GrBits,
  type GrElement,
  grAdd,
  grFromPoint,
  grInverse,
  grMul,
  grResidue,
  grSub,
} from '../src/gr.ts';
import { createKernel } from '../src/kernel.ts';
import type { Ring } from '../src/ring.ts';
import { gr64Batch, gr128Batch, seededBytes } from './arbitraries.ts';

const kernel = createKernel();

interface Case<E> {
  readonly bits: GrBits;
  readonly ring: Ring<E>;
  readonly batch: (count: number) => fc.Arbitrary<E>;
  readonly cast: (bytes: Uint8Array) => E;
  readonly encode: (elements: readonly GrElement[]) => E;
  readonly decode: (batch: E) => GrElement[];
}

const gr64: Case<Gr64> = {
  bits: 64,
  ring: kernel.gr64,
  batch: gr64Batch,
  cast: asGr64,
  encode: encodeGr64,
  decode: decodeGr64,
};
const gr128: Case<Gr128> = {
  bits: 128,
  ring: kernel.gr128,
  batch: gr128Batch,
  cast: asGr128,
  encode: encodeGr128,
  decode: decodeGr128,
};

function ringSuite<E extends Uint8Array>({ bits, ring, batch, cast, encode, decode }: Case<E>): void {
  const coefficient = fc.tuple(batch(5), batch(5), batch(5));

  test('add, sub and mul equal BigInt arithmetic', () => {
    fc.assert(
      fc.property(coefficient, ([a, b]) => {
        const [x, y] = [decode(a), decode(b)];
        expect(decode(ring.add(a, b))).toEqual(x.map((v, i) => grAdd(v, y[i]!, bits)));
        expect(decode(ring.sub(a, b))).toEqual(x.map((v, i) => grSub(v, y[i]!, bits)));
        expect(decode(ring.mul(a, b))).toEqual(x.map((v, i) => grMul(v, y[i]!, bits)));
      }),
    );
  });

  test('the laws of a commutative ring hold', () => {
    fc.assert(
      fc.property(coefficient, ([a, b, c]) => {
        expect(ring.mul(a, b)).toEqual(ring.mul(b, a));
        expect(ring.mul(ring.mul(a, b), c)).toEqual(ring.mul(a, ring.mul(b, c)));
        expect(ring.mul(a, ring.add(b, c))).toEqual(ring.add(ring.mul(a, b), ring.mul(a, c)));
        expect(ring.sub(ring.add(a, b), b)).toEqual(a);
        expect(ring.mul(a, encode(new Array(5).fill(GR_ONE)))).toEqual(a);
      }),
    );
  });

  test('scale and addScaled multiply by one constant', () => {
    fc.assert(
      fc.property(batch(1), batch(3), batch(3), (constant, acc, a) => {
        const [k, x, y] = [decode(constant)[0]!, decode(acc), decode(a)];
        expect(decode(ring.scale(constant, a))).toEqual(y.map((v) => grMul(k, v, bits)));
        expect(decode(ring.addScaled(acc, constant, a))).toEqual(
          x.map((v, i) => grAdd(v, grMul(k, y[i]!, bits), bits)),
        );
      }),
    );
  });

  test('evaluate is Horner at the point whose bits are the coefficients', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 15 }),
        fc.array(batch(2), { minLength: 1, maxLength: 6 }),
        (point, polynomial) => {
          const want = [0, 1].map((i) =>
            polynomial.reduceRight(
              (sum, c) => grAdd(grMul(sum, grFromPoint(point), bits), decode(c)[i]!, bits),
              GR_ZERO,
            ),
          );
          expect(decode(ring.evaluate(polynomial, point))).toEqual(want);
        },
      ),
    );
  });

  test('multiply is a matrix-vector product', () => {
    fc.assert(
      fc.property(batch(6), batch(2), batch(2), batch(2), (elements, a, b, c) => {
        const matrix: Matrix<E> = { rows: 2, cols: 3, elements };
        const [m, columns] = [decode(elements), [a, b, c].map(decode)];
        const want = [0, 1].map((r) =>
          [0, 1].map((i) =>
            columns.reduce((sum, column, j) => grAdd(sum, grMul(m[3 * r + j]!, column[i]!, bits), bits), GR_ZERO),
          ),
        );
        expect(ring.multiply(matrix, [a, b, c]).map(decode)).toEqual(want);
      }),
    );
  });

  test('pack4 multiplies by powers of X and unpack4 undoes it on base-ring elements', () => {
    fc.assert(
      fc.property(batch(8), (a) => {
        const x = decode(a);
        const power = (k: number) => grFromPoint(1 << k);
        const want = [0, 1].map((i) =>
          [0, 1, 2, 3].reduce((sum, k) => grAdd(sum, grMul(power(k), x[4 * i + k]!, bits), bits), GR_ZERO),
        );
        expect(decode(ring.pack4(a))).toEqual(want);
        const base = ring.embed(ring.coordinate(a, 2));
        expect(ring.unpack4(ring.pack4(base))).toEqual(base);
      }),
    );
  });

  test('embed, coordinate, isBaseRing and residue agree with the coefficients', () => {
    fc.assert(
      fc.property(batch(4), (a) => {
        const x = decode(a);
        for (const k of [0, 1, 2, 3] as const) {
          const embedded = ring.embed(ring.coordinate(a, k));
          expect(decode(embedded)).toEqual(x.map((v) => [v[k], 0n, 0n, 0n]));
          expect(ring.isBaseRing(embedded)).toBe(true);
        }
        expect(ring.isBaseRing(a)).toBe(x.every((v) => v[1] === 0n && v[2] === 0n && v[3] === 0n));
        expect([...ring.residue(a)]).toEqual(x.map(grResidue));
      }),
    );
  });

  test('one high bit outside coordinate 0 is no base-ring element', () => {
    for (let byte = bits / 8; byte < bits / 2; byte++) {
      const element = ring.zeros(1);
      element[byte] = 0x80;
      expect(ring.isBaseRing(element)).toBe(false);
    }
  });

  test('combineBits weighs by powers of two, with carries into the top', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: bits }), fc.integer({ min: 0, max: 255 }), (width, seed) => {
        const a = cast(seededBytes(seed, 2 * width * ring.bytesPerElement));
        const x = decode(a);
        const want = [0, 1].map((i) =>
          x
            .slice(i * width, (i + 1) * width)
            .reduce((sum, v, j) => grAdd(sum, grMul([1n << BigInt(j), 0n, 0n, 0n], v, bits), bits), GR_ZERO),
        );
        expect(decode(ring.combineBits(a, width))).toEqual(want);
      }),
      { numRuns: 30 },
    );
  });

  test('the wire keeps the low bytes and brings them back high', () => {
    fc.assert(
      fc.property(batch(3), fc.integer({ min: 1, max: bits / 8 }), (a, bytes) => {
        const keep = BigInt(8 * bytes);
        const wire = ring.toWire(a, bytes);
        expect(wire.length).toBe(3 * 4 * bytes);
        const high = ring.fromWire(wire, bytes);
        expect(decode(high)).toEqual(
          decode(a).map((v) => v.map((c) => BigInt.asUintN(bits, c << (BigInt(bits) - keep)))),
        );
        expect(decode(ring.lowBits(high, bytes))).toEqual(
          decode(a).map((v) => v.map((c) => BigInt.asUintN(Number(keep), c))),
        );
      }),
    );
  });

  test('batches longer than a chunk are computed whole', () => {
    const count = 10_007; // prime: no chunk size divides it
    const [a, b] = [
      cast(seededBytes(1, count * ring.bytesPerElement)),
      cast(seededBytes(2, count * ring.bytesPerElement)),
    ];
    const [x, y, product] = [decode(a), decode(b), decode(ring.mul(a, b))];
    for (let i = 0; i < count; i++)
      if (i % 97 === 0 || i > count - 20) expect(product[i]).toEqual(grMul(x[i]!, y[i]!, bits));
    expect(ring.sub(ring.add(a, b), b)).toEqual(a);
  });

  test('empty batches are fine and odd lengths are refused by code', () => {
    expect(ring.mul(ring.zeros(0), ring.zeros(0)).length).toBe(0);
    const code = (run: () => unknown) => {
      try {
        run();
      } catch (error) {
        return error instanceof KernelError ? error.code : 'other';
      }
      return 'none';
    };
    expect(code(() => ring.add(ring.zeros(1), ring.zeros(2)))).toBe('BATCH_LENGTH');
    expect(code(() => cast(new Uint8Array(33)))).toBe('BATCH_LENGTH');
    expect(code(() => ring.pack4(ring.zeros(5)))).toBe('BATCH_LENGTH');
    expect(code(() => ring.scale(ring.zeros(2), ring.zeros(2)))).toBe('BATCH_LENGTH');
    expect(code(() => ring.evaluate([ring.zeros(1)], 16))).toBe('RANGE');
    expect(code(() => ring.multiply({ rows: 1, cols: 2, elements: ring.zeros(3) }, []))).toBe('MATRIX_SHAPE');
    expect(code(() => ring.toWire(ring.zeros(1), bits / 8 + 1))).toBe('RANGE');
  });

  test('inputs stay as they were and results are not views of shared memory', () => {
    const a = cast(seededBytes(3, 4 * ring.bytesPerElement));
    const before = a.slice();
    const first = ring.mul(a, a);
    const kept = first.slice();
    ring.mul(first, first);
    expect(a).toEqual(before);
    expect(first).toEqual(kept);
    expect(first.buffer.byteLength).toBe(first.length);
  });
}

describe('GR(2^64,4)', () => ringSuite(gr64));
describe('GR(2^128,4)', () => ringSuite(gr128));

test('the BigInt inverse is an inverse for units and refuses the others', () => {
  fc.assert(
    fc.property(gr128Batch(1), (batch) => {
      const a = decodeGr128(batch)[0]!;
      if (grResidue(a) === 0) expect(() => grInverse(a, 128)).toThrow(KernelError);
      else expect(grMul(a, grInverse(a, 128), 128)).toEqual(GR_ONE);
    }),
  );
});
