/**
 * B3 and N26: whatever at most t parties send, and in whatever order shares arrive, an opening is never wrong, waits
 * until 2t+1 shares agree, then names exactly the liars. Lies: random, in the highest bits only, and codewords that
 * agree with as many honest shares as they can.
 */
import type { AlgebraName, Batches } from '@keyquorum/kernel/batch';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRobust } from '../../src/sharing/robust.ts';
import { createPrng, type Prng } from '../../src/simulate/prng.ts';
import type { PartyId } from '../../src/transport.ts';
import {
  ALGEBRAS,
  evaluate,
  kernel,
  one,
  partiesUpTo,
  raise,
  randomBatch,
  SIZES,
  share,
  shift,
  vanishing,
} from './sharings.ts';

const COUNT = 9;
const CASES = SIZES.flatMap((size) => ALGEBRAS.map((algebra) => ({ ...size, algebra })));
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** Alters some elements of the liars' shares; returns who really differs now. */
function lie<A extends AlgebraName>(
  algebra: A,
  shares: Map<PartyId, Batches[A]>,
  { t, liars, random }: { t: number; liars: readonly PartyId[]; random: Prng },
): PartyId[] {
  const honest = [...shares.keys()].filter((party) => !liars.includes(party));
  const before = new Map(shares);
  for (let round = 0; round < 1 + random.below(3); round++) {
    const at = random.below(COUNT);
    const w = random.pick([0, 0, 1, 31, 62, 63, ...(algebra === 'gr128' ? [64, 127] : [])]);
    const delta = raise(algebra, randomBatch(algebra, 1, random), w);
    const codeword = vanishing(algebra, random.sample(honest, t), delta);
    const together = random.chance(0.6);
    for (const liar of liars) {
      const offset = together ? evaluate(algebra, codeword, liar) : raise(algebra, randomBatch(algebra, 1, random), w);
      shares.set(liar, shift(algebra, shares.get(liar)!, at, offset));
    }
  }
  const differs = (liar: PartyId) => shares.get(liar)!.some((byte, index) => byte !== before.get(liar)![index]);
  return liars.filter(differs).sort((left, right) => left - right); // offsets may be zero or cancel
}

describe.each(CASES)('$algebra, n=$n, t=$t', ({ n, t, algebra }) => {
  test('any 2t+1 right shares open, fewer do not', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: n }), (seed, size) => {
        const random = createPrng(seed);
        const secret = randomBatch(algebra, COUNT, random);
        const { shares } = share(algebra, secret, { n, degree: t, random });
        const some = new Map(random.sample([...shares], size));
        const opening = decodeRobust(kernel, algebra, some, t);
        expect(opening).toEqual(size < 2 * t + 1 ? undefined : { values: secret, wrong: [] });
      }),
      { numRuns: 40 },
    );
  });

  test('with up to t liars: right or waiting at every arrival, right with all shares, exactly the liars named', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = createPrng(seed);
        const secret = randomBatch(algebra, COUNT, random);
        const { shares } = share(algebra, secret, { n, degree: t, random });
        const liars = random.sample(partiesUpTo(n), 1 + random.below(t));
        const changed = lie(algebra, shares, { t, liars, random });
        const arrived = new Map<PartyId, Batches[typeof algebra]>();
        const order = random.chance(0.5)
          ? [...liars, ...partiesUpTo(n).filter((id) => !liars.includes(id))]
          : shuffled(n, random);
        for (const party of order) {
          arrived.set(party, shares.get(party)!);
          const opening = decodeRobust(kernel, algebra, arrived, t);
          const right = [...arrived.keys()].filter((id) => !changed.includes(id)).length;
          if (right < 2 * t + 1) expect(opening).toBeUndefined();
          else {
            expect(opening?.values).toEqual(secret);
            expect([...opening!.wrong].sort((a, b) => a - b)).toEqual(changed.filter((id) => arrived.has(id)));
          }
        }
      }),
      { numRuns: n === 13 ? 40 : 200 },
    );
  });

  test('t liars and t honest parties on one wrong polynomial are not believed', () => {
    const random = createPrng(`${algebra} ${n}`);
    const secret = randomBatch(algebra, COUNT, random);
    const { shares } = share(algebra, secret, { n, degree: t, random });
    const liars = partiesUpTo(t);
    const witnesses = partiesUpTo(2 * t).slice(t);
    const codeword = vanishing(algebra, witnesses, raise(algebra, one(algebra), 63));
    for (const liar of liars) shares.set(liar, shift(algebra, shares.get(liar)!, 4, evaluate(algebra, codeword, liar)));
    const believers = new Map([...shares].filter(([party]) => party <= 2 * t + 1));
    expect(decodeRobust(kernel, algebra, believers, t)).toBeUndefined();
    expect(decodeRobust(kernel, algebra, shares, t)).toEqual({ values: secret, wrong: liars });
  });

  test('more than t liars are never believed while 2t+1 of their shares do not agree', () => {
    const random = createPrng(`too many ${algebra} ${n}`);
    const { shares } = share(algebra, randomBatch(algebra, COUNT, random), { n, degree: t, random });
    for (const party of partiesUpTo(t + 1)) shares.set(party, randomBatch(algebra, COUNT, random));
    expect(decodeRobust(kernel, algebra, shares, t)).toBeUndefined();
  });
});

function shuffled(n: number, random: Prng): PartyId[] {
  const order = partiesUpTo(n);
  for (let index = n - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [order[index], order[other]] = [order[other]!, order[index]!];
  }
  return order;
}
