/**
 * Key generation while parties lie. Goal: whoever is corrupt and whatever it does, honest parties that activate a key
 * hold shares of one key that fits its public key; a lie in values of degree 2t is always detected, its author proven
 * and the key made without it; a silent party stalls the ceremony, which says so; nobody honest is ever proven or
 * reported. Method: every corrupt set times every strategy at 4/1, a seeded sample at 7/2; the parties lie from the
 * first message of the key generation on, over an honest epoch.
 */
import { allDo, corruptSets, STRATEGIES } from '@keyquorum/mpc/simulate/faults/catalogue';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import type { Faults } from '@keyquorum/mpc/simulate/strategy';
import { describeFaults } from '@keyquorum/mpc/simulate/strategy';
import type { PartyId } from '@keyquorum/mpc/transport';
import { expect, test } from 'vitest';
import type { Ceremony } from '../src/ceremony/ceremony.ts';
import type { KeyRecord } from '../src/services.ts';
import { discreet } from './support/discreet.ts';
import { checkEvidence } from './support/evidence.ts';
import { createLies } from './support/lies.ts';
import { createNetwork, eventually, LIMITS, type SimulatedNetwork } from './support/network.ts';
import { lastLogs } from './support/ready.ts';
import { publicKeyNoise, reconstructBits } from './support/secret-keys.ts';

const KEY_ID = 'ab'.repeat(32);
/** Lies in values of degree 2t: detected, proven, and the key is made without the liars. */
const PROVEN = ['wrong-share', 'constant-offset', 'codeword-offset', 'codeword-offset-high'];
const LIMIT_MS = 400_000;

interface Seen {
  readonly ceremony: Ceremony | undefined;
  readonly record: KeyRecord | undefined;
}

/** One key generation, asked for by `asker`, in a fresh network whose epoch was honest. */
async function generateUnder(seed: string, { n, t }: { n: number; t: number }, faults: Faults) {
  const lies = createLies(n);
  const network = createNetwork({ seed, n, t, faults: lies.faults }, { ...LIMITS, poolTarget: 0 });
  const { sim } = network;
  await sim.run(async (party) => {
    const services = await network.services(party);
    await eventually(party, () => services.epoch() === 1);
  });
  const corrupt = Object.keys(faults).map(Number);
  const honest = Array.from({ length: n }, (_, index) => index + 1).filter((party) => !corrupt.includes(party));
  const asker = sim.random.fork('asker').pick(honest);
  lies.start(faults, seed);
  const run = await sim.run(
    async (party): Promise<Seen> => {
      const services = await network.services(party);
      if (party.self === asker) services.generateKey({ requestId: KEY_ID, parameters: 'test', purpose: 'development' });
      const ended = (): boolean => ['succeeded', 'failed', 'aborted'].includes(services.ceremony(KEY_ID)?.state ?? '');
      await eventually(party, ended, 500);
      return { ceremony: services.ceremony(KEY_ID), record: services.keys()[0] };
    },
    { limitMs: LIMIT_MS },
  );
  return { network, run, corrupt, honest };
}

type Generated = Awaited<ReturnType<typeof generateUnder>>;

function provenBy(network: SimulatedNetwork, party: PartyId): PartyId[] {
  const prefix = 'proven/';
  return network.sim
    .party(party)
    .journal.keys(prefix)
    .map((key) => Number(key.slice(prefix.length)));
}

/** Returns how the ceremony ended at the honest parties. */
async function check({ network, run, corrupt, honest }: Generated, where: string): Promise<Seen[]> {
  const { t } = network.sim.roster;
  const seen = honest.map((party) => {
    const outcome = run.outcomes[party - 1]!;
    expect(outcome.status, `${where}: party ${party} sees the end`).toBe('fulfilled');
    return (outcome as { value: Seen }).value;
  });
  for (const [index, party] of honest.entries()) {
    const { ceremony, record } = seen[index]!;
    const say = `${where}: party ${party} ${JSON.stringify(ceremony)}`;
    expect(record !== undefined, say).toBe(ceremony?.state === 'succeeded');
    if (ceremony?.state !== 'succeeded') expect(ceremony?.failure?.code, say).toMatch(/^[A-Z_]+$/);
    for (const culprit of [...(ceremony?.failure?.culprits ?? []), ...provenBy(network, party)]) {
      expect(corrupt, `${say} proves party ${culprit}`).toContain(culprit);
    }
  }
  for (const { by, fault } of run.faults) {
    if (corrupt.includes(by) || fault.kind === 'silent' || fault.kind === 'late') continue;
    expect(corrupt, `${where}: party ${by} accuses ${JSON.stringify(fault)}`).toContain(fault.party);
  }
  await checkEvidence(network, { honest, corrupt }, where);
  const active = honest.filter((_, index) => seen[index]!.record !== undefined);
  if (active.length === 0) return seen;
  const records = seen.flatMap(({ record }) => record ?? []);
  for (const record of records) {
    expect({ ...record, certificate: '' }, where).toEqual({ ...records[0]!, certificate: '' });
  }
  expect(active.length, `${where}: honest parties with the key`).toBeGreaterThan(t);
  const stores = new Map(active.map((party) => [party, network.secrets.get(party)!]));
  const bits = await reconstructBits(stores, records[0]!, t);
  for (const party of active) {
    const noise = await publicKeyNoise(network.publics.get(party)!, records[0]!, bits);
    expect(
      noise.every((each) => each >= -1n && each <= 1n),
      `${where}: noise of TUniform(0)`,
    ).toBe(true);
  }
  return seen;
}

/** What is promised beyond safety for each kind of lie. */
function checkPromise(generated: Generated, seen: readonly Seen[], name: string, where: string): void {
  const { network, corrupt, honest } = generated;
  const states = seen.map(({ ceremony }) => ceremony?.state);
  if (PROVEN.includes(name)) {
    expect(states, `${where}: the key is made`).toEqual(honest.map(() => 'succeeded'));
    for (const party of honest) expect(provenBy(network, party), `${where}: party ${party} proves`).toEqual(corrupt);
  }
  if (name === 'silent' || name === 'crash') {
    for (const { ceremony } of seen) {
      if (ceremony?.state === 'succeeded') continue;
      expect(ceremony?.failure, where).toMatchObject({ code: 'OPENING_STALLED', culprits: [], absent: corrupt });
    }
  }
  if (['late', 'wrong-session', 'contradict'].includes(name)) {
    expect(new Set(states).size, `${where}: all agree`).toBe(1);
  }
}

async function attack(
  seed: string,
  size: { n: number; t: number },
  { corrupt, name }: { corrupt: PartyId[]; name: string },
) {
  const strategy = STRATEGIES[name]!;
  const faults = allDo(corrupt, PROVEN.includes(name) ? discreet(strategy) : strategy);
  const generated = await generateUnder(seed, size, faults);
  const where = `n=${size.n}, t=${size.t}, ${describeFaults(faults)}\n${lastLogs(generated.network)}\n`;
  const seen = await check(generated, where);
  checkPromise(generated, seen, name, where);
}

test.each(Object.keys(STRATEGIES))('4/1, %s: every corrupt set', async (name) => {
  await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
    for (const corrupt of corruptSets(4, 1)) await attack(`${seed}`, { n: 4, t: 1 }, { corrupt, name });
  });
});

test.each(Object.keys(STRATEGIES))('7/2, %s: two corrupt parties, and one', async (name) => {
  await forEachSeed({ runs: 2, file: import.meta.filename, env: process.env }, async (seed) => {
    const size = 1 + (seed % 2);
    const sets = corruptSets(7, 2).filter((set) => set.length === size);
    const corrupt = sets[(seed * 5 + Object.keys(STRATEGIES).indexOf(name) * 3) % sets.length]!;
    await attack(`${seed}`, { n: 7, t: 2 }, { corrupt, name });
  });
});
