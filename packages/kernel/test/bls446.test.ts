/** Both groups against an independent implementation, and against their laws where that would be too slow. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CurveGroup, createBls446 } from '../src/bls446.ts';
import {
  asG1Points,
  asG2Points,
  coordinatesToBytes,
  type G1Points,
  type G2Points,
  isInfinity,
  P,
  R,
  SCALAR_BYTES,
  type Scalars,
  scalarsFromBytes,
  scalarsToBytes,
  X,
} from '../src/bls446-encoding.ts';
import { createGroup, SUBSET_POINTS_MIN } from '../src/bls446-group.ts';
import { groupExports, instantiateBls446 } from '../src/bls446-wasm.ts';
import { KernelError } from '../src/errors.ts';
import { createKeystream } from '../src/keystream.ts';
import { createMemory } from '../src/memory.ts';
import { seededBytes } from './arbitraries.ts';
import { Curve1, Curve2, Fp2, toG1, toG2 } from './noble446.ts';

const { g1, g2, scalars } = createBls446();

/** What the suite needs to know of one group. */
interface Subject<Q extends G1Points | G2Points> {
  readonly name: 'g1' | 'g2';
  readonly group: CurveGroup<Q>;
  readonly brand: (bytes: Uint8Array) => Q;
  /** [scalars_i] ([dlogs_i] generator) by the oracle. */
  readonly oracle: (dlogs: readonly bigint[], scalars: readonly bigint[]) => Q;
  /** Oracle multiplications a test may spend. */
  readonly samples: number;
  /** One point each that is on the curve but not in the group. */
  readonly outsiders: Readonly<Record<string, Q>>;
  /** The factor of the endomorphism: scalars near its powers have extreme digits. */
  readonly factor: bigint;
}

const scalar = fc.bigInt({ min: 0n, max: R - 1n });
const randomOf = (seed: number) => {
  const keystream = createKeystream(new Uint8Array(16).fill(seed));
  return (byteCount: number) => keystream.read(byteCount);
};

/** Scalars at which decompositions and digits are at their limits. */
function edgeScalars(factor: bigint): bigint[] {
  const powers = [1n, factor, factor ** 2n, factor ** 3n];
  const around = powers.flatMap((power) => [power - 1n, power, power + 1n]);
  const eights = [0x8n, 0x88n, 0x7777n, 0x9999n, BigInt(`0x${'8'.repeat(74)}`)];
  // 1 + (L - 1) L = 0 in G1: with these the last sum there meets two equal points
  const doubling = [1n, 2n, 3n, 5n, 8n].map((digit) => 1n + (factor - 1n - 2n * digit) * factor);
  return [...around, ...eights, ...doubling, R - 1n, R - factor, R >> 1n].filter((k) => k >= 0n && k < R);
}

function suite<Q extends G1Points | G2Points>(subject: Subject<Q>): void {
  const { name, group, brand, oracle, samples, outsiders, factor } = subject;
  const { pointBytes, generator } = group;
  const infinity = brand(new Uint8Array(pointBytes));
  const join = (parts: readonly Uint8Array[]) => brand(new Uint8Array(Buffer.concat(parts)));
  const pointAt = (points: Q, i: number) => brand(points.subarray(i * pointBytes, (i + 1) * pointBytes));
  const repeat = (point: Q, count: number) => join(Array.from({ length: count }, () => point));
  /** [dlogs_i] generator */
  const points = (dlogs: readonly bigint[]) =>
    group.multiply(repeat(generator, dlogs.length), scalarsToBytes(dlogs.map((dlog) => ((dlog % R) + R) % R)));

  test('the generator has order r', () => {
    expect(group.firstOutsideSubgroup(generator)).toBe(-1);
    expect(points([R - 1n])).toEqual(group.negate(generator));
    expect(oracle([1n], [1n])).toEqual(generator);
  });

  test('multiply agrees with the oracle', () => {
    const edges = edgeScalars(factor);
    const list = fc.sample(scalar, { numRuns: samples, seed: 446 }).concat(edges);
    const dlogs = list.map((_, i) => BigInt(i + 1));
    expect(group.multiply(points(dlogs), scalarsToBytes(list))).toEqual(oracle(dlogs, list));
  });

  test('multiply is a homomorphism of scalars and of points', () => {
    fc.assert(
      fc.property(scalar, scalar, scalar, (a, b, c) => {
        const [p, q] = [points([c]), points([a])];
        const [pa, pb, pab, psum, qb] = [
          group.multiply(p, scalarsToBytes([a])),
          group.multiply(p, scalarsToBytes([b])),
          group.multiply(p, scalarsToBytes([(a * b) % R])),
          group.multiply(p, scalarsToBytes([(a + b) % R])),
          group.multiply(q, scalarsToBytes([b])),
        ];
        expect(group.add(pa, pb)).toEqual(psum);
        expect(group.multiply(pa, scalarsToBytes([b]))).toEqual(pab);
        expect(group.multiply(group.add(p, q), scalarsToBytes([b]))).toEqual(group.add(pb, qb));
      }),
      { numRuns: 15 },
    );
  });

  test('zero, infinity and every place of a batch', () => {
    const dlogs = Array.from({ length: 40 }, (_, i) => (i % 7 === 3 ? 0n : BigInt(i * i + 1)));
    const list = dlogs.map((_, i) => (i % 5 === 2 ? 0n : R - BigInt(3 * i)) % R);
    const all = points(dlogs);
    const products = group.multiply(all, scalarsToBytes(list));
    for (const [i, dlog] of dlogs.entries()) {
      const alone = group.multiply(pointAt(all, i), scalarsToBytes([list[i]!]));
      expect(pointAt(products, i)).toEqual(alone);
      expect(isInfinity(alone)).toBe(dlog === 0n || list[i] === 0n);
    }
    expect(products).toEqual(points(dlogs.map((dlog, i) => dlog * list[i]!)));
    expect(group.multiply(brand(new Uint8Array(0)), scalarsToBytes([])).length).toBe(0);
  });

  test('addition: neutral element, inverses, doubling, commutative and associative', () => {
    const small = fc.bigInt({ min: 0n, max: 5n }); // equal, opposite and infinite operands often
    fc.assert(
      fc.property(fc.array(fc.tuple(small, small, small), { minLength: 1, maxLength: 5 }), (rows) => {
        const [a, b, c] = [0, 1, 2].map((k) => points(rows.map((row) => row[k]! - 2n))) as [Q, Q, Q];
        expect(group.add(a, b)).toEqual(points(rows.map(([x, y]) => x + y - 4n)));
        expect(group.add(a, b)).toEqual(group.add(b, a));
        expect(group.add(group.add(a, b), c)).toEqual(group.add(a, group.add(b, c)));
        expect(isInfinity(group.add(a, group.negate(a)))).toBe(true);
      }),
      { numRuns: 15 },
    );
    expect(group.negate(infinity)).toEqual(infinity);
  });

  test('powers of a secret, in one piece and in ranges', () => {
    const base = scalarsToBytes([R - 987654321n]);
    const count = 70;
    const all = points(Array.from({ length: count }, (_, i) => (i === 33 ? 0n : BigInt(i + 2))));
    const whole = group.multiplyByPowers(all, base, 1);
    expect(whole).toEqual(group.multiply(all, scalars.powers(base, 1, count)));
    const cut = 41;
    const [head, tail] = [all.subarray(0, cut * pointBytes), all.subarray(cut * pointBytes)].map(brand) as [Q, Q];
    expect(join([group.multiplyByPowers(head, base, 1), group.multiplyByPowers(tail, base, 1 + cut)])).toEqual(whole);
    expect(isInfinity(pointAt(whole, 33))).toBe(true);
  });

  test('sums with public scalars, of every size and with every kind of term', () => {
    const term = fc.tuple(
      fc.bigInt({ min: -3n, max: 3n }), // few points, so that buckets meet equal and opposite ones
      fc.oneof(scalar, fc.constantFrom(...edgeScalars(factor))),
    );
    fc.assert(
      fc.property(fc.array(term, { maxLength: 60 }), (terms) => {
        const dlogs = terms.map(([dlog]) => dlog);
        const list = terms.map(([, k]) => k);
        const expected = terms.reduce((sum, [dlog, k]) => sum + dlog * k, 0n);
        expect(group.multiScalar(points(dlogs), scalarsToBytes(list))).toEqual(points([expected]));
      }),
      { numRuns: 12 },
    );
    expect(group.multiScalar(brand(new Uint8Array(0)), scalarsToBytes([]))).toEqual(infinity);
  });

  test('a sum over more points than one chunk holds', () => {
    const count = 2 ** 21 / ((pointBytes / 7) * 8) + 3;
    const few = points([1n, 2n, 3n, 0n, R - 1n]);
    const list = scalars.powers(scalarsToBytes([0xabcdefn]), 1, count);
    const all = new Uint8Array(count * pointBytes);
    let expected = 0n;
    for (const [i, k] of scalarsFromBytes(list).entries()) {
      all.set(pointAt(few, i % 5), i * pointBytes);
      expected += k * [1n, 2n, 3n, 0n, R - 1n][i % 5]!;
    }
    expect(group.multiScalar(brand(all), list)).toEqual(points([expected]));
  });

  test('points off the curve are found, wherever they are', () => {
    const good = points(Array.from({ length: 20 }, (_, i) => BigInt(i)));
    expect(group.firstOffCurve(good)).toBe(-1);
    for (const at of [0, 7, 19]) {
      for (let coordinate = 0; coordinate < pointBytes / 56; coordinate++) {
        const bad = good.slice();
        const place = at * pointBytes + coordinate * 56;
        bad[place] = bad[place]! ^ 1;
        expect(group.firstOffCurve(brand(bad))).toBe(at);
        expect(group.firstOutsideSubgroup(brand(bad))).toBe(at);
        expect(group.inSubgroup(brand(bad), randomOf(1))).toBe(false);
      }
    }
    const zeroX = coordinatesToBytes(Array.from({ length: pointBytes / 56 }, (_, i) => (i === 0 ? 1n : 0n)));
    expect(group.firstOffCurve(brand(zeroX))).toBe(0);
  });

  test.each(Object.entries(outsiders))('outside the group: %s', (_, outsider) => {
    expect(group.firstOffCurve(outsider)).toBe(-1);
    expect(group.firstOutsideSubgroup(outsider)).toBe(0);
    expect(group.inSubgroup(outsider, randomOf(2))).toBe(false);
    const mixed = points([5n, 0n, 7n, 9n]);
    mixed.set(outsider, 2 * pointBytes);
    expect(group.firstOutsideSubgroup(mixed)).toBe(2);
    expect(group.inSubgroup(mixed, randomOf(3))).toBe(false);
  });

  test.each(Object.entries(outsiders).filter(([what]) => /^order \d+$/.test(what)))(
    'affine sums hold for all points of the curve: %s',
    (what, outsider) => {
      const order = Number(what.split(' ')[1]);
      const ones = scalarsToBytes(Array.from({ length: order }, () => 1n));
      expect(isInfinity(group.multiScalar(repeat(outsider, order), ones))).toBe(true);
      expect(isInfinity(group.add(outsider, group.negate(outsider)))).toBe(true);
      expect(isInfinity(group.add(outsider, outsider))).toBe(order === 2);
      expect(group.add(group.add(outsider, outsider), group.negate(outsider))).toEqual(outsider);
      expect(group.add(outsider, infinity)).toEqual(outsider);
      expect(group.add(infinity, outsider)).toEqual(outsider);
    },
  );

  test('the batch test accepts what the exact test accepts', () => {
    const batch = repeat(points([0n, 1n, 2n, R - 2n, 12345n]), SUBSET_POINTS_MIN / 4);
    expect(group.firstOutsideSubgroup(batch)).toBe(-1);
    expect(group.inSubgroup(batch, randomOf(4))).toBe(true);
    expect(group.inSubgroup(brand(new Uint8Array(0)), randomOf(4))).toBe(true);
  });

  test.each(Object.entries(outsiders))('a large batch with one or two of them is refused: %s', (_, outsider) => {
    const batch = repeat(points([1n, 2n, 3n, 4n]), SUBSET_POINTS_MIN / 4);
    batch.set(outsider, 77 * pointBytes);
    expect(group.inSubgroup(batch, randomOf(5))).toBe(false);
    batch.set(group.negate(outsider), 200 * pointBytes); // cancels in the sum of all
    expect(group.inSubgroup(batch, randomOf(6))).toBe(false);
  });

  test.each(Object.entries(outsiders))('one random subset in two shows one of them: %s', (_, outsider) => {
    const wasm = instantiateBls446();
    const raw = groupExports(wasm, name);
    const memory = createMemory(wasm);
    const count = 24;
    const batch = points(Array.from({ length: count }, (_, i) => BigInt(i + 1)));
    batch.set(outsider, 5 * pointBytes);
    const [limbs, projective] = [(pointBytes / 7) * 8, (pointBytes / 7) * 12];
    const rounds = 24;
    let shown = 0;
    memory.use((scratch) => {
      const [stored, affine] = [scratch.reserve(batch.length), scratch.reserve(count * limbs)];
      const [choices, sums, buckets] = [count, 8 * projective, 256 * projective].map(scratch.reserve) as [
        number,
        number,
        number,
      ];
      scratch.write(stored, batch);
      raw.unpack(affine, stored, count);
      for (let round = 0; round < rounds; round++) {
        scratch.write(choices, seededBytes(round, count));
        raw.subsetSums(sums, affine, choices, count, buckets);
        for (let j = 0; j < 8; j++) if (raw.firstSumOutside(sums + j * projective, 1) === 0) shown++;
      }
    });
    // 192 fair coins: 5 standard deviations around the half
    expect(Math.abs(shown - 4 * rounds)).toBeLessThan(2.5 * Math.sqrt(8 * rounds));
  });

  test('refuses batches that do not fit together', () => {
    const two = points([1n, 2n]);
    const one = scalarsToBytes([1n]);
    expect(() => group.multiply(two, one)).toThrow(/80/);
    expect(() => group.multiScalar(two, one)).toThrow(KernelError);
    expect(() => group.multiplyByPowers(two, scalarsToBytes([1n, 2n]), 1)).toThrow(/one scalar/);
    expect(() => group.multiplyByPowers(two, one, 2 ** 31 - 1)).toThrow(/exponents/);
    expect(() => group.add(two, generator)).toThrow(KernelError);
    expect(() => group.inSubgroup(repeat(generator, SUBSET_POINTS_MIN), () => new Uint8Array(1))).toThrow(
      /random bytes/,
    );
  });

  test('every call leaves WASM memory as it was at creation', () => {
    const wasm = instantiateBls446();
    const fresh = createGroup<Q>({ pointBytes, generator, wasm: groupExports(wasm, name), memory: createMemory(wasm) });
    const bytes = new Uint8Array(wasm.memory.buffer);
    const atCreation = bytes.slice();
    const batch = repeat(points([1n, 2n]), SUBSET_POINTS_MIN / 2);
    const list = scalars.fromWideBytes(seededBytes(9, SUBSET_POINTS_MIN * 56));
    const secret = list.slice(0, SCALAR_BYTES) as Uint8Array as Scalars;
    const calls: Record<string, () => unknown> = {
      multiply: () => fresh.multiply(batch, list),
      multiplyByPowers: () => fresh.multiplyByPowers(batch, secret, 1),
      multiScalar: () => fresh.multiScalar(batch, list),
      firstOutsideSubgroup: () => fresh.firstOutsideSubgroup(batch),
      inSubgroup: () => fresh.inSubgroup(batch, randomOf(7)),
      add: () => fresh.add(batch, batch),
      negate: () => fresh.negate(batch),
    };
    for (const [call, run] of Object.entries(calls)) {
      run();
      expect(Buffer.compare(bytes, atCreation), call).toBe(0);
    }
    expect(() => fresh.inSubgroup(batch, () => new Uint8Array(1))).toThrow(KernelError);
    expect(Buffer.compare(bytes, atCreation), 'a call that throws').toBe(0);
  });
}

const order2 = asG1Points(coordinatesToBytes([P - 1n, 0n])); // the oracle refuses y = 0
const order3 = asG1Points(coordinatesToBytes([0n, 1n]));

describe('G1', () => {
  const onCurve = Curve1.fromAffine(firstPoint1());
  suite<G1Points>({
    name: 'g1',
    group: g1,
    brand: asG1Points,
    oracle: (dlogs, list) => toG1(dlogs.map((dlog, i) => Curve1.BASE.multiplyUnsafe(dlog).multiplyUnsafe(list[i]!))),
    samples: 30,
    outsiders: {
      'order 2': order2,
      'order 3': order3,
      'order 2 and a point of the group': g1.add(g1.generator, order2),
      'order 3 and a point of the group': g1.add(g1.generator, order3),
      'a point of full order': toG1([onCurve]),
      'its component outside': toG1([onCurve.multiplyUnsafe(R - 1n).add(onCurve)]),
    },
    factor: X ** 2n,
  });
});

describe('G2', () => {
  const onCurve = Curve2.fromAffine(firstPoint2());
  const component = onCurve.multiplyUnsafe(R - 1n).add(onCurve);
  suite<G2Points>({
    name: 'g2',
    group: g2,
    brand: asG2Points,
    oracle: (dlogs, list) => toG2(dlogs.map((dlog, i) => Curve2.BASE.multiplyUnsafe(dlog).multiplyUnsafe(list[i]!))),
    samples: 10,
    outsiders: {
      'a point of full order': toG2([onCurve]),
      'its component outside': toG2([component]),
      'order 2029': toG2([multiplyAny(component, Curve2.CURVE().h / 2029n)]),
    },
    factor: -X,
  });
});

/** The first point of the curve with a small x. */
function firstPoint1(): { x: bigint; y: bigint } {
  for (let x = 5n; ; x++) {
    const y = squareRoot(x ** 3n + 1n);
    if (y !== undefined) return { x, y };
  }
}

function squareRoot(a: bigint): bigint | undefined {
  const root = power(a, (P + 1n) / 4n); // p = 3 mod 4
  return (root * root - a) % P === 0n ? root : undefined;
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base % P];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

function firstPoint2(): { x: { c0: bigint; c1: bigint }; y: { c0: bigint; c1: bigint } } {
  for (let c0 = 1n; ; c0++) {
    const x = { c0, c1: 3n };
    const right = Fp2.add(Fp2.mul(Fp2.sqr(x), x), { c0: 1n, c1: 1n });
    try {
      return { x, y: Fp2.sqrt(right) };
    } catch {
      // not a square: next x
    }
  }
}

/** The oracle refuses scalars above r. */
function multiplyAny<T extends { double(): T; add(other: T): T; subtract(other: T): T }>(point: T, scalar: bigint): T {
  let result = point.subtract(point);
  for (const bit of scalar.toString(2)) {
    result = result.double();
    if (bit === '1') result = result.add(point);
  }
  return result;
}
