/**
 * Evidence of liars. Goal: whatever an honest party keeps as evidence convicts the liar before somebody who has only
 * the roster, and says in which step of which ceremony. Method: the real services under the fault strategies, with the
 * lie in one step after the other.
 */
import { STRATEGIES } from '@keyquorum/mpc/simulate/faults/catalogue';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import { combine } from '@keyquorum/mpc/simulate/strategy';
import { expect, test } from 'vitest';
import { convicted, filesOf, inSteps, judge, poolWithLiars, wrongReveals } from './support/evidence.ts';
import { generateUnder, KEY_ID, upTo } from './support/generation.ts';

const seeds = (runs: number) => ({ runs, file: import.meta.filename, env: process.env });

test.each(['bits', 'body64/0', 'body64/3', 'body128/10'])('4/1: a lie in %s', async (step) => {
  await forEachSeed(seeds(2), async (seed) => {
    const liar = 1 + (seed % 4);
    const faults = { [liar]: inSteps(STRATEGIES['constant-offset']!, new RegExp(`^${step}$`)) };
    const { network } = await generateUnder({ seed: `${seed}`, n: 4, t: 1 }, faults);
    for (const found of await convicted(network, [liar], `seed ${seed}, ${step}`)) {
      expect(found).toMatchObject({ kind: 'wrong-share', ceremony: 'keygen', ceremonyId: KEY_ID, attempt: 0, step });
    }
  });
});

test('7/2: two liars, who add a codeword in different steps', async () => {
  await forEachSeed(seeds(1), async (seed) => {
    const code = STRATEGIES['codeword-offset-high']!;
    const faults = { 2: inSteps(code, /^bits$/), 7: inSteps(code, /^body/) };
    const { network } = await generateUnder({ seed: `${seed}`, n: 7, t: 2 }, faults);
    const found = await convicted(network, [2, 7], `seed ${seed}`);
    expect(found.find(({ party }) => party === 7)).toMatchObject({ attempt: 1, step: 'body64/0' });
  });
});

test.each([
  { n: 4, t: 1, liars: [3] },
  { n: 7, t: 2, liars: [1, 6] },
])('$n/$t: a lie in a preprocessing batch', async ({ n, t, liars }) => {
  await forEachSeed(seeds(2), async (seed) => {
    const lie = inSteps(STRATEGIES['constant-offset']!, /^share$/);
    const network = await poolWithLiars(
      { seed: `${seed}`, n, t },
      Object.fromEntries(liars.map((each) => [each, lie])),
    );
    for (const found of await convicted(network, liars, `seed ${seed}`)) {
      expect(found).toMatchObject({ kind: 'wrong-share', ceremony: 'preprocessing', step: 'share' });
      expect(found.ceremonyId).toBe(found.session);
    }
  });
});

test.each([true, false])('7/2: liars who show wrong secrets in the burn too, signed: %s', async (signed) => {
  const lying = (steps: RegExp) => {
    const lie = combine(wrongReveals({ signed }), inSteps(STRATEGIES['constant-offset']!, steps));
    return { 1: lie, 5: lie };
  };
  const size = { seed: `${signed}`, n: 7, t: 2 };
  await convicted((await generateUnder(size, lying(/^body64\/3$/))).network, [1, 5], 'key generation');
  await convicted(await poolWithLiars(size, lying(/^share$/)), [1, 5], 'batch');
});

test('4/1: two stories, in a key generation and in a batch', async () => {
  await forEachSeed(seeds(2), async (seed) => {
    const liar = 1 + (seed % 4);
    const faults = { [liar]: STRATEGIES.equivocate! };
    for (const network of [
      (await generateUnder({ seed: `${seed}`, n: 4, t: 1 }, faults)).network,
      await poolWithLiars({ seed: `${seed}`, n: 4, t: 1 }, faults),
    ]) {
      for (const party of upTo(4).filter((each) => each !== liar)) {
        for (const file of await filesOf(network, party)) {
          expect(judge(network, file)).toMatchObject({ party: liar, kind: 'double-signature' });
        }
      }
    }
  });
});
