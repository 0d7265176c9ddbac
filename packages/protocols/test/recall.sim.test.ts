// Goal: a restarted party is settled exactly when others have told it what it had used of every batch; until then it
// counts as away, and whoever restarts the next one must know. Method: it restarts while another party is cut off,
// whose answer it needs, with several batches on disk.
import { expect, test } from 'vitest';
import { createNetwork, eventually, LIMITS } from './support/network.ts';

const BATCH = 32;
const BATCHES = 3;

test('4/1: settled only when every batch is recalled', async () => {
  const limits = { ...LIMITS, poolTarget: BATCHES * BATCH, batchBundles: BATCH };
  const network = createNetwork({ seed: 41, n: 4, t: 1 }, limits);
  const { sim } = network;
  const filled = await sim.run(async (party) => {
    const services = await network.services(party);
    await eventually(party, () => services.pool().batches >= BATCHES && services.pool().settled);
  });
  expect(filled.outcomes.map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'));

  sim.crash(4);
  sim.partition([[1, 3, 4], [2]]);
  sim.restart(4);
  sim.after(30_000, () => sim.heal());
  const run = await sim.run(async (party) => {
    const services = await network.services(party);
    if (party.self !== 4) return;
    await eventually(party, () => services.pool().batches >= BATCHES);
    await party.clock.until(party.clock.now() + 10_000);
    const before = services.pool();
    await eventually(party, () => services.pool().settled);
    return { before, after: services.pool() };
  });
  expect(run.outcomes[3]).toMatchObject({
    status: 'fulfilled',
    value: {
      before: { settled: false, available: 0, reason: expect.stringContaining('before its restart') },
      after: { settled: true, batches: expect.any(Number) },
    },
  });
});
