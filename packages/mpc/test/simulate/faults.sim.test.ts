/**
 * Every set of at most t corrupt parties, every strategy, against a robust opening in two sessions one after the other.
 * Goal: no wrong value, no honest party blamed, every honest party ends. Method: the real opening in the simulator.
 */
import { asGr64 } from '@keyquorum/kernel/batch';
import { createKernel } from '@keyquorum/kernel/kernel';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/bytes.ts';
import type { Party } from '../../src/party.ts';
import { openRobust } from '../../src/sharing/robust.ts';
import { allDo, corruptSets, drawFaults, STRATEGIES, strategyByName } from '../../src/simulate/faults/catalogue.ts';
import { createPrng, type Prng } from '../../src/simulate/prng.ts';
import { forEachSeed } from '../../src/simulate/seeds.ts';
import type { ShareMessageCodec } from '../../src/simulate/share-message.ts';
import { type Run, type Simulation, simulate } from '../../src/simulate/simulate.ts';
import type { Faults } from '../../src/simulate/strategy.ts';

const kernel = createKernel();
const SESSIONS = ['a0'.repeat(32), 'b0'.repeat(32)];
const COUNT = 3;

/** Opening messages are plain elements without a signature. */
const plainShares: ShareMessageCodec = {
  degree: 1,
  matches: (tag) => tag === 'open',
  alter: (body, change) => change(body, { kind: 'galois', coordinateBytes: 8 }),
};

/** Polynomials of degree t, one per session. */
function deal(random: Prng, t: number) {
  return SESSIONS.map(() => Array.from({ length: t + 1 }, () => asGr64(random.bytes(32 * COUNT))));
}

async function openBoth(sim: Simulation, t: number): Promise<{ run: Run<string[]>; want: string[] }> {
  const polynomials = deal(sim.random.fork('secrets'), t);
  const run = await sim.run(async (party: Party) => {
    const opened: string[] = [];
    for (const [index, id] of SESSIONS.entries()) {
      const mine = kernel.gr64.evaluate(polynomials[index]!, party.self);
      opened.push(toHex(await openRobust(party.open(id), 'open', 'gr64', mine)));
    }
    await party.clock.until(party.clock.now() + 5_000); // hear the late ones as well
    return opened;
  });
  return { run, want: polynomials.map(([secret]) => toHex(secret!)) };
}

async function expectRight(seed: number | string, n: number, t: number, faults: Faults): Promise<Run<string[]>> {
  const sim = simulate({ seed, n, t, kernel, faults, codecs: [plainShares] });
  const { run, want } = await openBoth(sim, t);
  for (const party of sim.honest) {
    const outcome = run.outcomes[party - 1];
    expect(outcome, sim.describe()).toEqual({ status: 'fulfilled', value: want });
  }
  for (const { by, fault } of run.faults) {
    if (!sim.honest.includes(by) || ['silent', 'late'].includes(fault.kind)) continue;
    expect(sim.honest, `${sim.describe()}: ${fault.kind} ${fault.detail}`).not.toContain(fault.party);
  }
  return run;
}

describe.each([
  { n: 4, t: 1 },
  { n: 7, t: 2 },
])('n=$n, t=$t', ({ n, t }) => {
  test.each(Object.keys(STRATEGIES))('every corrupt set: %s', async (name) => {
    for (const corrupt of corruptSets(n, t)) await expectRight(name, n, t, allDo(corrupt, strategyByName(name)!));
  });

  test.each(['wrong-share', 'constant-offset', 'codeword-offset', 'codeword-offset-high', 'replay'])(
    '%s: every honest party names every liar',
    async (name) => {
      const corrupt = Array.from({ length: t }, (_, index) => index + 1);
      const { faults } = await expectRight(1, n, t, allDo(corrupt, strategyByName(name)!));
      for (let by = t + 1; by <= n; by++) {
        for (const party of corrupt) {
          expect(faults).toContainEqual(
            expect.objectContaining({ by, fault: expect.objectContaining({ party, kind: 'wrong-share' }) }),
          );
        }
      }
    },
  );

  test('random strategies and delays', async () => {
    await forEachSeed({ runs: 100, file: import.meta.filename, env: process.env }, async (seed) => {
      await expectRight(seed, n, t, drawFaults(createPrng(`faults ${seed}`), n, t));
    });
  });
});

test('t+1 silent parties: the opening waits, and never gives a wrong value', async () => {
  const sim = simulate({ seed: 1, n: 4, t: 1, kernel, faults: allDo([1, 2], strategyByName('silent')!) });
  const { run } = await openBoth(sim, 1);
  expect(run.outcomes.map(({ status }) => status)).toEqual(['stalled', 'stalled', 'stalled', 'stalled']);
});

test('the fault switch of a node knows the catalogue and slow:MS, nothing else', () => {
  expect(strategyByName('slow:250')?.name).toBe('late by 250 ms');
  expect(strategyByName('codeword-offset')).toBe(STRATEGIES['codeword-offset']);
  for (const text of ['slow', 'slow:-1', 'toString', '']) expect(strategyByName(text)).toBeUndefined();
});
