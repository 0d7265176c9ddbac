/**
 * The start of an epoch that some honest parties miss, because messages were late and not for a round only. Goal: two
 * starts of one epoch may both be certified, and then nobody honest is proven corrupt and all end with one of them; of
 * a start that too few hold nothing is made, so nothing is lost when it is repeated. Method: the real services; votes
 * on a start do not reach some parties.
 */
import { slotOfFirst } from '@keyquorum/mpc/agreement/broadcast-messages';
import { sha256Hex } from '@keyquorum/mpc/bytes';
import { silent } from '@keyquorum/mpc/simulate/faults/silent';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import { combine, type FaultStrategy, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { PartyId } from '@keyquorum/mpc/transport';
import { describe, expect, test } from 'vitest';
import { encodeAnnouncement, startExchange } from '../src/ceremony/starting.ts';
import { storedBatches } from '../src/decryption/batch-list.ts';
import { encodeEpochContent, loadEpoch } from '../src/epoch/epoch.ts';
import type { Services } from '../src/services.ts';
import { convicted } from './support/evidence.ts';
import { provenBy, upTo } from './support/generation.ts';
import { INIT_LIES } from './support/init-lies.ts';
import { createLies, type Lies } from './support/lies.ts';
import { createNetwork, eventually, LIMITS, type SimulatedNetwork } from './support/network.ts';
import { lastLogs } from './support/ready.ts';

const SIZES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
];
const BUNDLES = 16;
/** More virtual time than a start, its repetition and a batch take. */
const LIMIT_MS = 120_000;

interface Scenario {
  readonly network: SimulatedNetwork;
  readonly lies: Lies;
  /** All parties in a random order, and t, t and the rest of them. */
  readonly order: readonly PartyId[];
  readonly corrupt: readonly PartyId[];
  readonly late: readonly PartyId[];
  readonly holders: readonly PartyId[];
}

/** Votes on a start of the epoch, and certificates of it, reach this party when it has given up. */
const deaf: FaultStrategy = {
  name: 'hears no vote on a PRSS-Init',
  wrap: (transport) =>
    intercept(transport, {
      receive(from, envelope, deliver) {
        if (!/^prss-init\/(vote|certificate)$/.test(envelope.tag)) deliver(from, envelope);
      },
    }),
};

/** Keeps the keys of the epoch to itself. */
const stingy: FaultStrategy = {
  name: 'refuses keys of the epoch',
  wrap: (transport) =>
    intercept(transport, {
      async answer(_from, { name }, answer) {
        if (name === 'epoch/keys') throw new Error('no keys');
        return answer();
      },
    }),
};

function begin(seed: string, { n, t }: { n: number; t: number }): Scenario {
  const lies = createLies(n);
  const limits = { ...LIMITS, poolTarget: BUNDLES, batchBundles: BUNDLES };
  const network = createNetwork({ seed, n, t, faults: lies.faults }, limits);
  const order = network.sim.random.fork('roles').sample(upTo(n), n);
  const [corrupt, late, holders] = [order.slice(0, t), order.slice(t, 2 * t), order.slice(2 * t)];
  return { network, lies, order, corrupt, late, holders };
}

const allAre = (parties: readonly PartyId[], strategy: FaultStrategy) =>
  Object.fromEntries(parties.map((party) => [party, strategy]));

/** Until `holds` at all of these parties. */
async function until(
  { network }: Scenario,
  parties: readonly PartyId[],
  holds: (services: Services) => boolean,
): Promise<void> {
  const { outcomes } = await network.sim.run(
    async (party) => {
      const services = await network.services(party);
      if (parties.includes(party.self)) await eventually(party, () => holds(services));
    },
    { limitMs: LIMIT_MS },
  );
  const stuck = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [] : [index + 1]));
  expect(stuck, lastLogs(network)).toEqual([]);
}

const pass = ({ network }: Scenario, milliseconds: number): Promise<unknown> =>
  network.sim.run(async (party) => {
    await network.services(party);
    await party.clock.until(party.clock.now() + milliseconds);
  });

function restart({ network: { sim } }: Scenario, party: PartyId): void {
  sim.crash(party);
  sim.restart(party);
}

/** What operators do: the keys of the epoch are removed at all nodes. */
async function removeKeys(scenario: Scenario): Promise<void> {
  const { sim, secrets } = scenario.network;
  for (const party of scenario.order) sim.crash(party);
  for (const party of scenario.order) await secrets.get(party)!.shred('epoch/1/prss');
  for (const party of scenario.order) sim.restart(party);
}

const hasFailed = (services: Services): boolean =>
  services.ceremonies().some(({ kind, state }) => kind === 'epoch' && state === 'failed');
const hasEpoch = (services: Services): boolean => services.epoch() === 1;
const hasMaterial = (services: Services): boolean => services.pool().available >= BUNDLES / 2;

/** The starts whose keys are on these disks. */
async function startsOf({ network }: Scenario, parties: readonly PartyId[]): Promise<Set<string | undefined>> {
  const { sim, secrets } = network;
  const loaded = parties.map((party) => loadEpoch(sim.party(party), secrets.get(party)!, 1));
  return new Set((await Promise.all(loaded)).map((epoch) => epoch?.start));
}

async function expectNobodyAccused({ network, order }: Scenario): Promise<void> {
  for (const party of order) {
    expect(provenBy(network, party), `by party ${party}`).toEqual([]);
    const services = await network.services(network.sim.party(party));
    expect(await services.evidence(), `kept by party ${party}`).toEqual([]);
  }
}

test('a party that dies with its first broadcast of a start, and is told it again, signs nothing more', async () => {
  await forEachSeed({ runs: 8, file: import.meta.filename, env: process.env }, async (seed) => {
    const [victim, announcer] = [4, 2];
    const signed = new Set<string>();
    const watched: FaultStrategy = {
      name: 'is watched, and ends with its first broadcast',
      wrap: (transport, { crash }) =>
        intercept(transport, {
          send(to, envelope, inner) {
            inner.send(to, envelope);
            if (slotOfFirst(envelope.tag) === undefined) return;
            signed.add(sha256Hex(envelope.body));
            crash(); // what its disk was not asked to keep is lost, or not
          },
        }),
    };
    const network = createNetwork({ seed, n: 4, t: 1, faults: { [victim]: watched } });
    const { sim } = network;
    const startMs = Math.round(sim.now()) + 5_000;
    const content = encodeEpochContent(1);
    const body = encodeAnnouncement({ kind: 'epoch', id: 'ef'.repeat(32), attempt: 0, startMs, content });
    const tell = () =>
      sim.run(async (party) => {
        if (party.self === victim) await network.services(party);
        if (party.self === announcer) {
          await party.start();
          await eventually(party, () => party.transport.isUp(victim));
          party.transport.request(victim, startExchange, body, new AbortController().signal).catch(() => undefined);
        }
        await party.clock.until(party.clock.now() + 500);
      });
    await tell();
    expect(signed.size).toBe(1);
    sim.crash(announcer);
    sim.restart(victim);
    sim.restart(announcer);
    await tell();
    expect(sim.now(), 'the start is still ahead').toBeLessThan(startMs);
    const refused = network.logs.some(({ event }) => /is taken by another/.test(String(event.error)));
    expect(refused, lastLogs(network)).toBe(true);
    expect(signed.size).toBe(1);
  });
});

describe.each(SIZES)('n=$n, t=$t', (size) => {
  test('one party alone sees a start certified: nothing is made of two starts, and it takes the second', async () => {
    await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
      const scenario = begin(`${seed}`, size);
      const { lies, order } = scenario;
      const [alone, ...others] = order as [PartyId, ...PartyId[]];
      lies.start(allAre(others, deaf), `${seed}`);
      await until(scenario, others, hasFailed);
      lies.stop();
      await until(scenario, others, hasEpoch);
      expect((await startsOf(scenario, order)).size, 'starts of the epoch').toBe(2);
      await until(scenario, [alone], (services) => /restart this node/.test(services.pool().reason));
      await until(scenario, others, (services) => services.pool().reason.includes(`restart party ${alone} `));
      await expectNobodyAccused(scenario);

      restart(scenario, alone);
      await until(scenario, order, hasMaterial);
      expect((await startsOf(scenario, order)).size, 'starts of the epoch').toBe(1);
      await expectNobodyAccused(scenario);
    });
  });

  test('one party alone sees a start certified that convicts another: its evidence convinces all', async () => {
    await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
      const scenario = begin(`${seed}`, size);
      const { network, lies, order } = scenario;
      const [alone, liar, ...others] = order as [PartyId, PartyId, ...PartyId[]];
      const cheats = combine(deaf, INIT_LIES['a bad box']);
      lies.start({ ...allAre(others, deaf), [liar]: cheats }, `${seed}`);
      await until(scenario, [liar, ...others], hasFailed);
      lies.stop();
      expect(provenBy(network, alone)).toEqual([liar]);
      await until(scenario, [liar, ...others], hasEpoch);
      restart(scenario, alone);
      await until(scenario, [alone, ...others], hasMaterial);
      for (const party of [alone, ...others]) expect(provenBy(network, party), `by party ${party}`).toEqual([liar]);
      for (const found of await convicted(network, [liar], `seed ${seed}`)) {
        expect(found).toMatchObject({ kind: 'broken-init', ceremony: 'epoch' });
      }
    });
  });

  test('t honest parties miss a start, t that voted refuse its keys: no material, until it is repeated', async () => {
    await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
      const scenario = begin(`${seed}`, size);
      const { network, lies, order, corrupt, late, holders } = scenario;
      lies.start({ ...allAre(late, deaf), ...allAre(corrupt, stingy) }, `${seed}`);
      await until(scenario, late, hasFailed);
      await until(scenario, holders, hasEpoch);
      lies.start(allAre(corrupt, silent()), `${seed}`);
      await pass(scenario, LIMIT_MS);
      lies.start(allAre(corrupt, stingy), `${seed}`);
      await pass(scenario, LIMIT_MS);
      expect(await startsOf(scenario, late)).toEqual(new Set([undefined]));
      for (const party of order) {
        const services = await network.services(network.sim.party(party));
        expect(services.pool().batches, `batches of party ${party}`).toBe(0);
        const [first] = late.toSorted((left, right) => left - right);
        const said = late.includes(party) ? 'the epoch has not started' : `waiting for party ${first}`;
        expect(services.pool().reason, `party ${party}`).toContain(said);
      }

      await removeKeys(scenario);
      await until(scenario, order, hasMaterial);
      expect((await startsOf(scenario, order)).size, 'starts of the epoch').toBe(1);
      await expectNobodyAccused(scenario);
    });
  });

  test('batches of a start whose keys were removed are dropped, and the next start makes others', async () => {
    await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
      const scenario = begin(`${seed}`, size);
      const { network, order } = scenario;
      await until(scenario, order, hasMaterial);
      const [before] = await startsOf(scenario, order);
      const old = await storedBatches(network.publics.get(1)!);
      expect(old.length).toBeGreaterThan(0);
      await removeKeys(scenario);
      await until(scenario, order, hasMaterial);
      expect((await startsOf(scenario, order)).has(before), 'the old start').toBe(false);
      for (const party of order) {
        const stored = await storedBatches(network.publics.get(party)!);
        expect(
          stored.filter((id) => old.includes(id)),
          `old batches of party ${party}`,
        ).toEqual([]);
        expect(stored.length).toBeGreaterThan(0);
      }
      await expectNobodyAccused(scenario);
    });
  });

  test('t honest parties miss a start: they have it when those that were silent speak again', async () => {
    await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
      const scenario = begin(`${seed}`, size);
      const { lies, order, corrupt, late, holders } = scenario;
      lies.start(allAre(late, deaf), `${seed}`);
      await until(scenario, holders, hasEpoch);
      lies.start({ ...allAre(late, deaf), ...allAre(corrupt, silent()) }, `${seed}`);
      await until(scenario, late, hasFailed);
      lies.stop();
      await until(scenario, order, hasMaterial);
      expect((await startsOf(scenario, order)).size, 'starts of the epoch').toBe(1);
    });
  });
});
