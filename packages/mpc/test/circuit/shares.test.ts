/**
 * The circuit on shares: PRSS pairs as preprocessing makes them, a robust opening of every level, and t parties that
 * lie in every message. The honest parties get shares of the right bits.
 */
import type { Gf16 } from '@keyquorum/kernel/batch';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluatePlan } from '../../src/circuit/evaluate.ts';
import { COMPARISON } from '../../src/circuit/plan.ts';
import { familyC } from '../../src/prss/family.ts';
import { createPrss } from '../../src/prss/prss.ts';
import { decodeDetected } from '../../src/sharing/detected.ts';
import { decodeRobust } from '../../src/sharing/robust.ts';
import { finishPairs, pairsMessage, type SharedPairs } from '../../src/sharing/triples.ts';
import { createPrng } from '../../src/simulate/prng.ts';
import type { PartyId } from '../../src/transport.ts';
import { keysOfAll } from '../prss/keys-of-all.ts';
import { kernel, partiesUpTo, randomBatch, share } from '../sharing/sharings.ts';
import { messageOf, messagesFrom, publicWords, secretBits, wordPair } from './words.ts';

interface Size {
  readonly n: number;
  readonly t: number;
}

function makePairs({ n, t }: Size, blocks: number, seed: number): Map<PartyId, SharedPairs> {
  const made = [...keysOfAll(familyC({ n, t }), seed)].map(([party, keys]) => {
    const prss = createPrss(kernel, keys);
    return { party, ...pairsMessage(kernel, prss, 'pairs', COMPARISON.pairs * blocks) };
  });
  const open = (which: 0 | 1): Gf16 => {
    const shares = new Map(made.map(({ party, message }) => [party, message[which]]));
    const opening = decodeDetected(kernel, 'gf16', shares, { expected: partiesUpTo(n), t });
    if (opening.kind !== 'opened') throw new Error(opening.kind);
    return opening.values;
  };
  const opened = [open(0), open(1)] as const;
  return new Map(made.map(({ party, secrets }) => [party, finishPairs(kernel, secrets, opened)]));
}

/** Every party's `open`: resolves once all have sent; the liars' shares of every level are random. */
function jointOpening({ n, t }: Size, liars: readonly PartyId[], seed: number) {
  const random = createPrng(`liars ${seed}`);
  const levels = new Map<number, { shares: Map<PartyId, Gf16>; opened: PromiseWithResolvers<Gf16> }>();
  return (party: PartyId) =>
    (level: number, mine: Gf16): Promise<Gf16> => {
      const state = levels.get(level) ?? { shares: new Map<PartyId, Gf16>(), opened: Promise.withResolvers<Gf16>() };
      levels.set(level, state);
      state.shares.set(party, liars.includes(party) ? randomBatch('gf16', mine.length, random) : mine);
      if (state.shares.size === n) {
        const opening = decodeRobust(kernel, 'gf16', state.shares, t);
        if (opening) state.opened.resolve(opening.values);
        else state.opened.reject(new Error(`level ${level} did not open`));
      }
      return state.opened.promise;
    };
}

describe.each([
  { n: 4, t: 1 },
  { n: 7, t: 2 },
])('n=$n, t=$t', (size) => {
  const { n, t } = size;
  test('honest parties get shares of the message bits although t parties lie', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(wordPair, { minLength: 1, maxLength: 12 }), fc.nat(), async (words, seed) => {
        const random = createPrng(seed);
        const liars = random.sample(partiesUpTo(n), t);
        const pairs = makePairs(size, words.length, seed);
        const bits = share('gf16', secretBits(words), { n, degree: t, random }).shares;
        const openOf = jointOpening(size, liars, seed);
        const results = await Promise.all(
          partiesUpTo(n).map((party) =>
            evaluatePlan(kernel, COMPARISON, {
              publicWords: publicWords(words),
              bits: bits.get(party)!,
              pairs: pairs.get(party)!,
              open: openOf(party),
            }),
          ),
        );
        const opening = decodeRobust(kernel, 'gf16', new Map(results.map((shares, index) => [index + 1, shares])), t);
        expect(opening?.wrong).toEqual([]);
        expect(messagesFrom(opening!.values)).toEqual(words.map(messageOf));
      }),
      { numRuns: 40 },
    );
  });
});
