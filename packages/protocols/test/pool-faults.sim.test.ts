/**
 * The start of an epoch and preprocessing while parties lie, from the first message of the network on. Goal: the honest
 * parties end with one epoch; nothing wrong enters the pool: masks are the sum of their bits, triples multiply, and all
 * honest parties can compute their shares; who lies in shares of degree 2t is proven, and the pool fills without it;
 * who is silent is named as the reason of an empty pool. Method: every corrupt set times every strategy at 4/1, a
 * sample at 7/2.
 */
import { partiesOf } from '@keyquorum/mpc/roster';
import { allDo, corruptSets, STRATEGIES } from '@keyquorum/mpc/simulate/faults/catalogue';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import { describeFaults, type FaultStrategy, intercept } from '@keyquorum/mpc/simulate/strategy';
import { type PartyId, TransportError } from '@keyquorum/mpc/transport';
import { expect, test } from 'vitest';
import type { PoolStatus } from '../src/decryption/job.ts';
import { batchesOf, checkMaterial, materialOf, recordOf } from './support/batches.ts';
import { discreet } from './support/discreet.ts';
import { checkEvidence } from './support/evidence.ts';
import { provenBy } from './support/generation.ts';
import { createNetwork, eventually, LIMITS, type SimulatedNetwork } from './support/network.ts';
import { lastLogs } from './support/ready.ts';

const PROVEN = ['wrong-share', 'constant-offset', 'codeword-offset', 'codeword-offset-high'];
const BUNDLES = 16;
const LIMIT_MS = 240_000;

async function attack(
  seed: string,
  { n, t }: { n: number; t: number },
  { corrupt, name }: { corrupt: PartyId[]; name: string },
) {
  const strategy = STRATEGIES[name]!;
  const faults = allDo(corrupt, PROVEN.includes(name) ? discreet(strategy) : strategy);
  const limits = { ...LIMITS, poolTarget: BUNDLES, batchBundles: BUNDLES };
  const network = createNetwork({ seed, n, t, faults }, limits);
  const { honest } = network.sim;
  const started = await network.sim.run(
    async (party) => {
      const services = await network.services(party);
      await eventually(party, () => services.epoch() === 1, 500);
    },
    { limitMs: LIMIT_MS },
  );
  const where = `n=${n}, t=${t}, ${describeFaults(faults)}\n${lastLogs(network)}\n`;
  for (const party of honest)
    expect(started.outcomes[party - 1], `${where}: party ${party}, epoch`).toMatchObject({ status: 'fulfilled' });

  const isProven = PROVEN.includes(name);
  // Two stories are either overruled by the honest parties that agree, or the two signatures prove the liar.
  const expectsPool = isProven || name === 'equivocate';
  const run = await network.sim.run(
    async (party): Promise<PoolStatus> => {
      const services = await network.services(party);
      const settled = (): boolean =>
        services.pool().available >= BUNDLES || services.pool().reason.startsWith('waiting');
      const endMs = party.clock.now() + (expectsPool && honest.includes(party.self) ? LIMIT_MS : 90_000);
      await eventually(
        party,
        () => (expectsPool ? services.pool().available >= BUNDLES : settled()) || party.clock.now() > endMs,
        500,
      );
      await party.clock.until(party.clock.now() + 5_000);
      return services.pool();
    },
    { limitMs: LIMIT_MS },
  );
  await check({ network, honest, corrupt }, `${where}${lastLogs(network)}\n`);
  for (const { by, fault } of [...started.faults, ...run.faults]) {
    if (corrupt.includes(by) || fault.kind === 'silent' || fault.kind === 'late') continue;
    expect(corrupt, `${where}: party ${by} accuses ${JSON.stringify(fault)}`).toContain(fault.party);
  }
  const pools = honest.map((party) => (run.outcomes[party - 1] as { value?: PoolStatus }).value);
  if (expectsPool) {
    for (const [index, party] of honest.entries()) {
      expect(pools[index]?.available, `${where}: party ${party}, pool`).toBeGreaterThanOrEqual(BUNDLES);
      if (isProven) expect(provenBy(network, party), `${where}: party ${party} proves`).toEqual(corrupt);
    }
  }
  if (name === 'silent') {
    const reasons = pools.map((pool) => pool?.reason ?? '').filter((reason) => reason.startsWith('waiting'));
    expect(reasons.length, where).toBeGreaterThan(0);
    for (const reason of reasons) for (const party of corrupt) expect(reason, where).toContain(`party ${party}`);
  }
}

/** Nothing wrong was released, and nobody honest is proven. */
async function check(
  { network, honest, corrupt }: { network: SimulatedNetwork; honest: readonly PartyId[]; corrupt: readonly PartyId[] },
  where: string,
): Promise<void> {
  const ids = new Set((await Promise.all(honest.map((party) => batchesOf(network, party)))).flat());
  for (const id of ids) {
    const holders: PartyId[] = [];
    for (const party of honest) if ((await batchesOf(network, party)).includes(id)) holders.push(party);
    const records = await Promise.all(holders.map((party) => recordOf(network, party, id)));
    for (const { values } of records) expect(Buffer.compare(values, records[0]!.values), where).toBe(0);
    // Also parties that missed the batch can compute their shares, from anybody's record.
    const shares = await Promise.all(
      honest.map(async (party) => [party, await materialOf(network, party, { id, from: holders[0]! })] as const),
    );
    expect(() => checkMaterial(new Map(shares), network.sim.roster.t), where).not.toThrow();
  }
  for (const party of honest) {
    for (const culprit of provenBy(network, party))
      expect(corrupt, `${where}: party ${party} proves`).toContain(culprit);
  }
  await checkEvidence(network, { honest, corrupt }, where);
}

test('4/1: the epoch starts although the lowest party never announces it', async () => {
  await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
    const passive: FaultStrategy = {
      name: 'announces nothing',
      wrap: (transport) => ({
        ...intercept(transport, {}),
        request: (to, exchange, body, signal) =>
          exchange.name === 'ceremony/start'
            ? Promise.reject(new TransportError('PEER_DOWN', to, 'not asked'))
            : transport.request(to, exchange, body, signal),
      }),
    };
    const network = createNetwork({ seed, n: 4, t: 1, faults: { 1: passive } });
    const run = await network.sim.run(
      async (party) => {
        const services = await network.services(party);
        await eventually(party, () => services.epoch() === 1, 500);
      },
      { limitMs: LIMIT_MS },
    );
    for (const party of network.sim.honest)
      expect(run.outcomes[party - 1]?.status, lastLogs(network)).toBe('fulfilled');
  });
});

test('4/1: a party that was cut off while a liar was proven learns it, and the pool fills', async () => {
  await forEachSeed({ runs: 4, file: import.meta.filename, env: process.env }, async (seed) => {
    const liar = 1 + (seed % 4);
    const away = 1 + ((seed + 1) % 4);
    const others = [1, 2, 3, 4].filter((party) => party !== away);
    let cut: (() => void) | undefined;
    const leaves: FaultStrategy = {
      name: 'is cut off after its share',
      wrap: (transport, { clock }) =>
        intercept(transport, {
          send(to, envelope, inner) {
            inner.send(to, envelope);
            if (envelope.tag !== 'share' || cut === undefined) return;
            void clock.until(clock.now() + 21).then(cut); // later than any message arrives
            cut = undefined;
          },
        }),
    };
    const faults = { [liar]: STRATEGIES['constant-offset']!, [away]: leaves };
    const network = createNetwork(
      { seed, n: 4, t: 1, faults },
      { ...LIMITS, poolTarget: BUNDLES, batchBundles: BUNDLES },
    );
    const { sim } = network;
    cut = () => {
      sim.partition([others, [away]]);
      sim.after(100_000, () => sim.heal());
    };
    const run = await sim.run(
      async (party) => {
        const services = await network.services(party);
        if (party.self !== liar) await eventually(party, () => services.pool().available >= BUNDLES, 500);
      },
      { limitMs: 600_000 },
    );
    for (const party of [away, ...others].filter((each) => each !== liar)) {
      expect(run.outcomes[party - 1]?.status, `seed ${seed}: party ${party}\n${lastLogs(network)}`).toBe('fulfilled');
      expect(provenBy(network, party), `seed ${seed}: party ${party}`).toEqual([liar]);
    }
  });
});

/** Virtual time from the epoch until every honest party has a full pool. */
async function fillMs(strategy: FaultStrategy, corrupt: PartyId): Promise<number> {
  const network = createNetwork(
    { seed: corrupt, n: 4, t: 1, faults: { [corrupt]: strategy } },
    { ...LIMITS, poolTarget: BUNDLES, batchBundles: BUNDLES },
  );
  const run = await network.sim.run(
    async (party) => {
      const services = await network.services(party);
      await eventually(party, () => services.epoch() === 1, 500);
      const startedMs = party.clock.now();
      if (party.self !== corrupt) await eventually(party, () => services.pool().available >= BUNDLES, 500);
      return party.clock.now() - startedMs;
    },
    { limitMs: LIMIT_MS },
  );
  const filled = network.sim.honest.map((party) => run.outcomes[party - 1]!);
  for (const outcome of filled) expect(outcome.status, lastLogs(network)).toBe('fulfilled');
  return Math.max(...filled.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 0)));
}

test('4/1: a leader that starts batches at some parties only costs its turn, not the deadline', async () => {
  const partial: FaultStrategy = {
    name: 'starts batches at two of three',
    wrap: (transport) => ({
      ...intercept(transport, {}),
      request: (to, exchange, body, signal) =>
        exchange.name === 'pool/start' && to === 4
          ? Promise.reject(new TransportError('PEER_DOWN', to, 'not told'))
          : transport.request(to, exchange, body, signal),
    }),
  };
  expect(await fillMs(partial, 1)).toBeLessThan(30_000);
});

test('4/1: nobody can push out the nonces that others were given', async () => {
  const pushing: FaultStrategy = {
    name: 'asks for nonces whenever it gives one',
    wrap: (transport, { roster, self }) =>
      intercept(transport, {
        async answer(_from, exchange, answer) {
          if (exchange.name !== 'pool/nonce') return answer();
          for (const peer of partiesOf(roster).filter((each) => each !== self)) {
            const asked = Array.from({ length: 64 }, () =>
              transport.request(peer, exchange, new Uint8Array(0), new AbortController().signal),
            );
            await Promise.allSettled(asked);
          }
          return answer();
        },
      }),
  };
  expect(await fillMs(pushing, 4)).toBeLessThan(30_000);
});

test.each(Object.keys(STRATEGIES))('4/1, %s: every corrupt set', async (name) => {
  await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
    for (const corrupt of corruptSets(4, 1)) await attack(`${seed}`, { n: 4, t: 1 }, { corrupt, name });
  });
});

test.each(Object.keys(STRATEGIES))('7/2, %s: two corrupt parties, and one', async (name) => {
  await forEachSeed({ runs: 2, file: import.meta.filename, env: process.env }, async (seed) => {
    const sets = corruptSets(7, 2).filter((set) => set.length === 1 + (seed % 2));
    const corrupt = sets[(seed * 7 + Object.keys(STRATEGIES).indexOf(name) * 3) % sets.length]!;
    await attack(`${seed}`, { n: 7, t: 2 }, { corrupt, name });
  });
});
