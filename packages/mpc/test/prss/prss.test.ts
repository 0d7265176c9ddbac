/**
 * PRSS values of all parties together: one polynomial of the promised degree, the promised secret, each stream once.
 */
import type { AlgebraName, Batches } from '@keyquorum/kernel/batch';
import { field16Inverse, field16Mul } from '@keyquorum/kernel/field16';
import { decodeGr64, decodeGr128, GR_ZERO, grAdd, grMul } from '@keyquorum/kernel/gr';
import { createKeystream } from '@keyquorum/kernel/keystream';
import { smallWeightAtZero } from '@keyquorum/kernel/weights';
import { describe, expect, test } from 'vitest';
import { LABELS } from '../../src/labels.ts';
import { familyA2, familyC } from '../../src/prss/family.ts';
import { derive, type PrssKeys, sessionKeys } from '../../src/prss/keys.ts';
import { createPrss, type Prss } from '../../src/prss/prss.ts';
import { openShares, type Shares } from '../../src/sharing/algebra.ts';
import { createPrng } from '../../src/simulate/prng.ts';
import { kernel, SIZES } from '../sharing/sharings.ts';
import { keysOfAll } from './keys-of-all.ts';

const COUNT = 6;
const SESSION = 'ab'.repeat(32);

function draw<A extends AlgebraName>(keys: Iterable<PrssKeys>, value: (prss: Prss) => Batches[A]): Shares<A> {
  return [...keys].map((own) => [own.self, value(createPrss(kernel, own))] as const);
}

/** Opens shares of all parties at exactly this degree: on it, and not on one below. */
function openAt<A extends AlgebraName>(algebra: A, shares: Shares<A>, degree: number): Batches[A] {
  const { values, firstInconsistent } = openShares(kernel, algebra, shares, degree);
  expect(firstInconsistent).toBe(-1);
  expect(openShares(kernel, algebra, shares, degree - 1).firstInconsistent).toBeGreaterThanOrEqual(0);
  return values;
}

const seedOf = (keys: PrssKeys, index: number, kind: string, label: string) =>
  derive(keys.bySubset.get(index)!, LABELS.prssStream, keys.family.name, kind, label).subarray(0, 16);

describe.each(SIZES)('n=$n, t=$t', ({ n, t }) => {
  const c = familyC({ n, t });
  const all = [...keysOfAll(c, n).values()];

  test('random values have degree t and differ between labels and algebras', () => {
    const one = openAt(
      'gr64',
      draw<'gr64'>(all, (prss) => prss.random64('a', COUNT)),
      t,
    );
    const other = openAt(
      'gr64',
      draw<'gr64'>(all, (prss) => prss.random64('b', COUNT)),
      t,
    );
    const wide = openAt(
      'gr128',
      draw<'gr128'>(all, (prss) => prss.random128('a', COUNT)),
      t,
    );
    expect(one).not.toEqual(other);
    expect(wide.subarray(0, one.length)).not.toEqual(one);
    openAt(
      'gf16',
      draw<'gf16'>(all, (prss) => prss.random16('a', 32)),
      t,
    );
  });

  test('the secret of a random value is the sum over the sets of g_A(0) times the stream of A', () => {
    const [opened] = decodeGr64(
      openAt(
        'gr64',
        draw<'gr64'>(all, (prss) => prss.random64('sum', 1)),
        t,
      ),
    );
    let sum = GR_ZERO;
    c.subsets.forEach((subset, index) => {
      const keys = all[subset[0]! - 1]!;
      const limbs = new Int16Array(
        createKeystream(seedOf(keys, index, 'random64', 'sum'))
          .read(32)
          .slice().buffer,
      );
      const psi = [0, 1, 2, 3].map((k) =>
        [0, 1, 2, 3].reduce((word, limb) => word + (BigInt(limbs[4 * limb + k]!) << BigInt(16 * limb)), 0n),
      ) as [bigint, bigint, bigint, bigint];
      sum = grAdd(sum, grMul(smallWeightAtZero(subset, n, 64), psi, 64), 64);
    });
    expect(opened).toEqual(sum);
  });

  test('zero sharings have degree 2t and secret 0, differ by label, and are random in every coefficient', () => {
    const check = <A extends AlgebraName>(algebra: A, value: (prss: Prss, label: string) => Batches[A]) => {
      const shares = draw<A>(all, (prss) => value(prss, 'z'));
      expect(openAt(algebra, shares, 2 * t).every((byte) => byte === 0)).toBe(true);
      expect(draw<A>(all, (prss) => value(prss, 'z'))).toEqual(shares);
      expect(draw<A>(all, (prss) => value(prss, 'y'))).not.toEqual(shares);
    };
    check('gr64', (prss, label) => prss.zero64(label, COUNT));
    check('gr128', (prss, label) => prss.zero128(label, COUNT));
    check('gf16', (prss, label) => prss.zero16(label, 64));
  });

  test.each([
    { family: c, degree: t },
    { family: familyA2({ n, t }), degree: 2 * t },
  ])(
    'noise of family $family.name has degree $degree and is the sum of one bounded sample per set',
    ({ family, degree }) => {
      const keys = [...keysOfAll(family, `noise ${n}`).values()];
      const width = 15;
      const opened = openAt(
        'gr64',
        draw<'gr64'>(keys, (prss) => prss.noise64('e', width, COUNT)),
        degree,
      );
      let sum = kernel.gr64.zeros(COUNT);
      family.subsets.forEach((subset, index) => {
        const seed = seedOf(keys[subset[0]! - 1]!, index, 'noise64', 'e');
        sum = kernel.gr64.add(sum, kernel.gr64.noise(createKeystream(seed), width, COUNT));
      });
      expect(opened).toEqual(sum);
      const words = new BigUint64Array(new Uint8Array(opened).buffer);
      for (const word of words) expect(word).toBeLessThanOrEqual(BigInt(family.subsets.length) << BigInt(width));
    },
  );

  test('flooding noise has degree t, and is the sum of two bounded samples per set; 0 behind the last', () => {
    const [boundLog2, samples] = [110, 6];
    const shares = draw<'gr128'>(all, (prss) => prss.flood128('f', boundLog2, samples));
    const opened = openAt('gr128', shares, t);
    let sum = kernel.gr128.zeros(2);
    c.subsets.forEach((subset, index) => {
      const stream = createKeystream(seedOf(all[subset[0]! - 1]!, index, 'flood128', 'f'));
      sum = kernel.gr128.add(sum, kernel.floodSamples(stream, { boundLog2, count: samples }));
    });
    expect(opened).toEqual(sum);
    const words = decodeGr128(opened).flat();
    const bound = BigInt(2 * c.subsets.length) << BigInt(boundLog2);
    for (const word of words) expect(BigInt.asIntN(128, word + bound)).toBeLessThan(2n * bound);
    expect(words.slice(samples)).toEqual([0n, 0n]);
  });

  test('the same for session keys of every party: blame recomputes from revealed keys', () => {
    const own = all.map((keys) => sessionKeys(keys, SESSION));
    const shares = draw<'gr64'>(own, (prss) => prss.random64('bits', COUNT));
    openAt('gr64', shares, t);
    expect(draw<'gr64'>(own, (prss) => prss.random64('bits', COUNT))).toEqual(shares);
    expect(draw<'gr64'>(all, (prss) => prss.random64('bits', COUNT))).not.toEqual(shares);
  });
});

describe.each([
  { n: 4, t: 1 },
  { n: 7, t: 2 },
])('B1: what t corrupt parties cannot predict in zero sharings, n=$n, t=$t', ({ n, t }) => {
  const family = familyC({ n, t });

  test.each(family.subsets.map((honest) => ({ honest })))('all t dimensions, with $honest honest', ({ honest }) => {
    const index = family.subsets.indexOf(honest);
    const draws = ['one', 'other'].map((seed) => {
      const keys = [...keysOfAll(family, 'b1').values()];
      const secret = createPrng(seed).bytes(32); // the only key without a corrupt holder
      for (const party of honest) keys[party - 1]!.bySubset.get(index)!.set(secret);
      return draw<'gf16'>(keys, (prss) => prss.zero16('z', 64));
    });
    const differences = draws[0]!.map(([party, batch], at) => ({
      party,
      row: kernel.gf16.add(batch, draws[1]![at]![1]),
    }));
    for (const { party, row } of differences) {
      if (!honest.includes(party)) expect(row.every((element) => element === 0)).toBe(true);
    }
    expect(rank(differences.map(({ row }) => [...row]))).toBe(t);
  });
});

/** Rank over GF(16), by elimination. */
function rank(rows: number[][]): number {
  let found = 0;
  for (let column = 0; column < rows[0]!.length; column++) {
    const pivot = rows.findIndex((row, index) => index >= found && row[column] !== 0);
    if (pivot < 0) continue;
    [rows[found], rows[pivot]] = [rows[pivot]!, rows[found]!];
    const top = rows[found]!;
    for (const row of rows.slice(found + 1)) {
      const factor = field16Mul(row[column]!, field16Inverse(top[column]!));
      for (let at = 0; at < row.length; at++) row[at] = row[at]! ^ field16Mul(factor, top[at]!);
    }
    found++;
    if (found === rows.length) break;
  }
  return found;
}

describe('one draw per label', () => {
  const keys = () => keysOfAll(familyC({ n: 4, t: 1 }), 'once').get(1)!;

  test('a second draw of a label throws, other kinds and labels do not', () => {
    const prss = createPrss(kernel, keys());
    prss.random64('a', 1);
    prss.random64('a/1', 1);
    prss.random128('a', 1);
    prss.zero64('a', 1);
    prss.noise64('a', 8, 1);
    expect(() => prss.random64('a', 1)).toThrow('drawn before');
    expect(() => prss.zero64('a', 1)).toThrow('drawn before');
    expect(() => prss.noise64('a', 9, 1)).toThrow('drawn before');
  });

  test('after erase the keys are zero and nothing can be drawn', () => {
    const own = keys();
    const prss = createPrss(kernel, own);
    prss.erase();
    for (const key of own.bySubset.values()) expect(key).toEqual(new Uint8Array(32));
    expect(() => prss.random64('a', 1)).toThrow('erased');
  });

  test('family A2 makes no zero sharings', () => {
    const own = keysOfAll(familyA2({ n: 4, t: 1 }), 'a2').get(1)!;
    expect(() => createPrss(kernel, own).zero64('a', 1)).toThrow('family C');
  });
});
