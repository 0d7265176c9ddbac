/**
 * Degree-2t openings (SPEC R3; N7, N8, N20, N28): all shares or no answer, and any lie of t parties shows, however
 * small and however well it fits the shares of others.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeDetected } from '../../src/sharing/detected.ts';
import { createPrng } from '../../src/simulate/prng.ts';
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

const COUNT = 7;
const CASES = SIZES.flatMap((size) => ALGEBRAS.map((algebra) => ({ ...size, algebra })));
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe.each(CASES)('$algebra, n=$n, t=$t', ({ n, t, algebra }) => {
  const expected = partiesUpTo(n);
  const make = (seed: number | string) => {
    const random = createPrng(seed);
    const secret = randomBatch(algebra, COUNT, random);
    return { random, secret, ...share(algebra, secret, { n, degree: 2 * t, random }) };
  };

  test('right shares of all parties open', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { secret, shares } = make(seed);
        expect(decodeDetected(kernel, algebra, shares, { expected, t })).toEqual({ kind: 'opened', values: secret });
      }),
      { numRuns: 40 },
    );
  });

  test('N8, N20: offsets of t parties in any bits, also codewords of least weight, are seen at their element', () => {
    fc.assert(
      fc.property(seeds, fc.nat(COUNT - 1), fc.nat(algebra === 'gr128' ? 127 : 63), (seed, at, w) => {
        const { random, shares } = make(seed);
        const liars = random.sample(expected, t);
        const honest = expected.filter((party) => !liars.includes(party));
        // One codeword vanishes at 2t honest parties and is the best that t liars can do: n-2t = t+1 places differ.
        const codeword = vanishing(algebra, random.sample(honest, 2 * t), raise(algebra, one(algebra), w));
        for (const liar of liars)
          shares.set(liar, shift(algebra, shares.get(liar)!, at, evaluate(algebra, codeword, liar)));
        expect(decodeDetected(kernel, algebra, shares, { expected, t })).toEqual({ kind: 'inconsistent', element: at });
      }),
      { numRuns: 100 },
    );
  });

  test('N7: one silent party and a lie are no opening: it stalls and names who is missing', () => {
    const { shares } = make(`silent ${algebra} ${n}`);
    shares.delete(n);
    shares.set(1, shift(algebra, shares.get(1)!, 0, one(algebra)));
    expect(decodeDetected(kernel, algebra, shares, { expected, t })).toEqual({ kind: 'incomplete', missing: [n] });
  });

  test('N28: without parties proven corrupt the degree stays 2t, and lies of the others still show', () => {
    for (let proven = 1; proven <= t; proven++) {
      const { secret, shares } = make(`proven ${proven} ${algebra} ${n}`);
      const left = expected.slice(proven);
      expect(decodeDetected(kernel, algebra, shares, { expected: left, t })).toEqual({
        kind: 'opened',
        values: secret,
      });
      if (proven === t) continue; // nobody is left to lie
      const others = left.slice(0, t - proven);
      for (const liar of others) shares.set(liar, shift(algebra, shares.get(liar)!, 3, one(algebra)));
      expect(decodeDetected(kernel, algebra, shares, { expected: left, t })).toMatchObject({ kind: 'inconsistent' });
    }
  });
});
