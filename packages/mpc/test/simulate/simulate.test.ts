import { describe, expect, test } from 'vitest';
import type { Party } from '../../src/party.ts';
import { drawFaults } from '../../src/simulate/faults/catalogue.ts';
import { createPrng } from '../../src/simulate/prng.ts';
import { type SimulateOptions, simulate } from '../../src/simulate/simulate.ts';
import { withoutKernel } from '../without-kernel.ts';

const SESSION = 'ab'.repeat(32);
const base: SimulateOptions = { seed: 1, n: 4, t: 1, kernel: withoutKernel };

/** Three rounds in which everybody sends random bytes to everybody; returns what was heard, in order. */
async function gossip(party: Party): Promise<string[]> {
  const session = party.open(SESSION);
  const heard: string[] = [];
  for (let round = 0; round < 3; round++) {
    session.sendAll(`gossip/${round}`, session.random(8));
    for await (const { from, body } of session.receive(`gossip/${round}`, { bytesMax: 8 })) {
      heard.push(`${round} ${from} ${body}`);
    }
  }
  return heard;
}

describe('simulation', () => {
  test('the same seed gives the same run, byte for byte; another seed another run', async () => {
    const observe = async (seed: number) => {
      const sim = simulate({ ...base, seed });
      const { outcomes, elapsedMs } = await sim.run(gossip);
      return { outcomes, elapsedMs, trace: sim.traffic.trace() };
    };
    expect(await observe(7)).toEqual(await observe(7));
    expect((await observe(7)).trace).not.toBe((await observe(8)).trace);
  });

  test('also with faults, clock skew, a partition and a crash with restart', async () => {
    const observe = async (seed: number) => {
      const faults = drawFaults(createPrng(seed), 7, 2);
      const sim = simulate({ ...base, seed, n: 7, t: 2, faults, skewMs: 50 });
      sim.after(5, () => sim.partition([[1, 2, 3, 4]]));
      sim.after(20, () => sim.crash(2, { restartAfterMs: 500 }));
      sim.after(900, () => sim.heal());
      const { outcomes, faults: reported } = await sim.run(gossip, { limitMs: 60_000 });
      return JSON.stringify([outcomes, reported, sim.traffic.trace(), sim.traffic.sent(), sim.describe()]);
    };
    for (let seed = 1; seed <= 10; seed++) expect(await observe(seed)).toBe(await observe(seed));
  });

  test('every party hears every other once per round, in virtual time', async () => {
    const sim = simulate(base);
    const { outcomes, faults, elapsedMs } = await sim.run(gossip);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'fulfilled', value: { length: 9 } });
    expect(faults).toEqual([]);
    expect(elapsedMs).toBeLessThanOrEqual(60);
    expect(sim.traffic.sent().get(2)?.get('gossip')).toEqual({ messages: 9, bytes: 72 });
  });

  test('programs that wait for nothing that can happen are reported as stalled', async () => {
    const sim = simulate(base);
    const { outcomes } = await sim.run(async (party) => {
      if (party.self === 4) return;
      for await (const _ of party.open(SESSION).receive('never', { bytesMax: 1 })) break;
    });
    expect(outcomes.map(({ status }) => status)).toEqual(['stalled', 'stalled', 'stalled', 'fulfilled']);
  });

  test('messages wait at a cut link until it heals', async () => {
    const sim = simulate(base);
    sim.partition([
      [1, 2],
      [3, 4],
    ]);
    sim.after(5_000, () => sim.heal());
    const { outcomes, elapsedMs } = await sim.run(gossip);
    for (const outcome of outcomes) expect(outcome.status).toBe('fulfilled');
    expect(elapsedMs).toBeGreaterThan(5_000);
  });

  test('a crashed party ends as crashed and its peers learn of it', async () => {
    const sim = simulate(base);
    sim.after(0, () => sim.crash(3));
    const { outcomes } = await sim.run(async (party) => {
      const gone = new Promise<number>((resolve) => {
        party.onPeer((peer, state) => {
          if (state === 'down') resolve(peer);
        });
      });
      return [await gone, party.connected()];
    });
    expect(outcomes[0]).toEqual({ status: 'fulfilled', value: [3, [2, 4]] });
    expect(outcomes[2]).toEqual({ status: 'crashed' });
  });

  test('a restarted party runs again on its synced records', async () => {
    const sim = simulate(base);
    sim.after(10, () => sim.crash(2, { restartAfterMs: 100, disk: 'synced' }));
    const { outcomes } = await sim.run(async ({ journal, clock }) => {
      const before = ['kept', 'lost'].filter((key) => journal.get(key));
      journal.set('kept', new Uint8Array(1));
      await journal.sync();
      journal.set('lost', new Uint8Array(1));
      await clock.until(clock.now() + 50);
      return before;
    });
    expect(outcomes[0]).toEqual({ status: 'fulfilled', value: [] });
    expect(outcomes[1]).toEqual({ status: 'fulfilled', value: ['kept'] });
  });

  test('a body that changes after it was sent is caught', async () => {
    const run = simulate(base).run(async (party) => {
      const body = new Uint8Array(8);
      party.open(SESSION).sendAll('x', body);
      body.fill(1);
      await party.clock.until(party.clock.now() + 100);
    });
    await expect(run).rejects.toThrow('changed after it was sent');
  });
});
