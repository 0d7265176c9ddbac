// Goal: a node whose PRSS keys are damaged notices and is silent; the others go on and never see a wrong share of it.
// Method: the network is set up, one bit of one stored epoch key is changed, the node restarts on that disk.
import { expect, test } from 'vitest';
import { createNetwork, eventually } from './support/network.ts';

test('a returning node with a damaged key stays silent and says why', async () => {
  const network = createNetwork({ seed: 12, n: 4, t: 1 });
  const ready = await network.sim.run(async (party) => {
    const services = await network.services(party);
    await eventually(party, () => services.pool().available >= 64);
  });
  expect(ready.outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);

  const disk = network.secrets.get(3)!;
  const keys = (await disk.get('epoch/1/prss'))!;
  keys[32 + 20]! ^= 1; // inside the first key: before it the start, the length of the list, and the number of the set
  await disk.put('epoch/1/prss', keys);
  network.sim.crash(3);
  network.sim.restart(3);
  const after = await network.sim.run(async (party) => {
    const services = await network.services(party);
    if (party.self !== 3) return 'well';
    await eventually(party, () => services.pool().reason.includes('PRSS keys do not fit'));
    return services.pool().available;
  });
  expect(after.outcomes[2]).toEqual({ status: 'fulfilled', value: 0 });
  expect(after.faults.filter(({ fault }) => fault.kind === 'wrong-share')).toEqual([]);
});
