/** One key generation of the Test set among parties that may lie, and what must hold after it whatever they did. */
import type { Run } from '@keyquorum/mpc/simulate/simulate';
import type { Faults } from '@keyquorum/mpc/simulate/strategy';
import type { PartyId } from '@keyquorum/mpc/transport';
import { expect } from 'vitest';
import { type Ceremony, isFinal } from '../../src/ceremony/ceremony.ts';
import type { KeyRecord, ServiceLimits, Services } from '../../src/services.ts';
import { checkEvidence } from './evidence.ts';
import { createLies, type Lies } from './lies.ts';
import { createNetwork, eventually, LIMITS, type SimulatedNetwork } from './network.ts';
import { publicKeyNoise, reconstructBits } from './secret-keys.ts';

export const KEY_ID = 'ab'.repeat(32);
/** More virtual time than all attempts of a ceremony take. */
const LIMIT_MS = 400_000;
/** More virtual time than it takes parties that all gave up to learn that from each other. */
const SHREDDED_MS = 300_000;

export interface Size {
  readonly n: number;
  readonly t: number;
}

/** What one party sees of the ceremony in the end. */
export interface Seen {
  readonly ceremony: Ceremony | undefined;
  readonly record: KeyRecord | undefined;
}

export interface Generated {
  readonly network: SimulatedNetwork;
  readonly run: Run<Seen>;
  readonly corrupt: readonly PartyId[];
  readonly honest: readonly PartyId[];
}

export function upTo(n: number): PartyId[] {
  return Array.from({ length: n }, (_, index) => index + 1);
}

/**
 * A network that has an epoch, made while all were honest, and no pool: keys are not tried. `prepare` sees it before
 * the services start.
 */
export async function startNetwork(
  { seed, ...size }: Size & { seed: string },
  { limits = {}, prepare }: { limits?: Partial<ServiceLimits>; prepare?: (network: SimulatedNetwork) => void } = {},
): Promise<{ network: SimulatedNetwork; lies: Lies }> {
  const lies = createLies(size.n);
  const network = createNetwork({ seed, ...size, faults: lies.faults }, { ...LIMITS, poolTarget: 0, ...limits });
  prepare?.(network);
  await onEpoch(network);
  return { network, lies };
}

/** Until every party that runs has the epoch. */
export async function onEpoch(network: SimulatedNetwork): Promise<void> {
  await network.sim.run(async (party) => {
    const services = await network.services(party);
    await eventually(party, () => services.epoch() === 1);
  });
}

/** Until the ceremony has ended at every party that runs: each first does what `begin` says. */
export function untilEnded(
  network: SimulatedNetwork,
  begin: (services: Services, party: PartyId) => void,
  { id = KEY_ID, limitMs = LIMIT_MS } = {},
): Promise<Run<Seen>> {
  return network.sim.run(
    async (party) => {
      const services = await network.services(party);
      begin(services, party.self);
      const ended = (): boolean => {
        const ceremony = services.ceremony(id);
        return ceremony !== undefined && isFinal(ceremony);
      };
      await eventually(party, ended, 500);
      return { ceremony: services.ceremony(id), record: services.keys().find(({ keyId }) => keyId === id) };
    },
    { limitMs },
  );
}

export function askFor(services: Services, id = KEY_ID): void {
  services.generateKey({ requestId: id, parameters: 'test', purpose: 'development' });
}

/** A key generation asked for by an honest party, in a fresh network whose epoch was honest. */
export async function generateUnder(
  size: Size & { seed: string },
  faults: Faults,
  { since, limits = {} }: { since?: RegExp; limits?: Partial<ServiceLimits> } = {},
): Promise<Generated> {
  const { network, lies } = await startNetwork(size, { limits });
  const corrupt = Object.keys(faults).map(Number);
  const honest = upTo(size.n).filter((party) => !corrupt.includes(party));
  const asker = network.sim.random.fork('asker').pick(honest);
  lies.start(faults, size.seed, since);
  const run = await untilEnded(network, (services, party) => party === asker && askFor(services));
  return { network, run, corrupt, honest };
}

/** Whom this party has proven corrupt. */
export function provenBy(network: SimulatedNetwork, party: PartyId): PartyId[] {
  const prefix = 'proven/';
  const { journal } = network.sim.party(party);
  return journal.keys(prefix).map((key) => Number(key.slice(prefix.length)));
}

/**
 * Whatever happened: every honest party saw an end, those that have a key have shares of one key that fits its public
 * key, failures say why, and nobody honest was proven or accused. Returns what the honest parties saw.
 */
export async function checkGenerated(generated: Generated, where: string): Promise<Seen[]> {
  const { network, run, corrupt, honest } = generated;
  const seen = honest.map((party) => {
    const outcome = run.outcomes[party - 1]!;
    expect(outcome.status, `${where}: party ${party} sees the end`).toBe('fulfilled');
    return (outcome as { value: Seen }).value;
  });
  for (const [index, party] of honest.entries()) {
    const { ceremony, record } = seen[index]!;
    const say = `${where}: party ${party} ${JSON.stringify(ceremony)}`;
    expect(record !== undefined, say).toBe(ceremony?.state === 'succeeded' || completedLater(network, party));
    if (ceremony?.state === 'failed') expect(ceremony.failure?.code, say).toMatch(/^[A-Z_]+$/);
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
  expect(active.length, `${where}: honest parties with the key`).toBeGreaterThan(network.sim.roster.t);
  await checkKey(network, new Map(honest.map((party, index) => [party, seen[index]!.record])), where);
  for (const [index, party] of honest.entries()) {
    const { keyId: id = '', session = '' } = seen[index]!.record ?? {};
    if (id !== '') await expectShares(network, party, { id, sessions: [session], where });
  }
  return seen;
}

/** The ceremony had failed here when the party got the key of the others. */
function completedLater({ logs }: SimulatedNetwork, party: PartyId): boolean {
  return logs.some((log) => log.party === party && log.event.message === 'completed a key after its key generation');
}

/** Parties that have a record have the same, and together shares of the key behind it; its noise is in range. */
export async function checkKey(
  { sim, secrets, publics }: SimulatedNetwork,
  records: ReadonlyMap<PartyId, KeyRecord | undefined>,
  where: string,
): Promise<void> {
  const held = [...records].flatMap(([party, record]) => (record ? [{ party, record }] : []));
  const { record: first } = held[0]!;
  for (const { record } of held) {
    expect({ ...record, certificate: '' }, where).toEqual({ ...first, certificate: '' });
  }
  const stores = new Map(held.map(({ party }) => [party, secrets.get(party)!]));
  const bits = await reconstructBits(stores, first, sim.roster.t);
  for (const { party } of held) {
    const noise = await publicKeyNoise(publics.get(party)!, first, bits);
    expect(
      noise.every((each) => each >= -1n && each <= 1n),
      `${where}: noise of TUniform(0)`,
    ).toBe(true);
  }
}

/**
 * Nothing of the key is left on the disk of this party, as soon as it knows that a quorum has given up: neither shares
 * nor chunks of bodies.
 */
export async function expectNothingLeft(
  network: SimulatedNetwork,
  party: PartyId,
  where: string,
  id = KEY_ID,
): Promise<void> {
  await expectShares(network, party, { id, sessions: [], where });
  expect(await network.publics.get(party)!.names('bodies/'), `${where}: chunks of party ${party}`).toEqual([]);
}

/** In the end the disk of this party has shares of these attempts to make the key, and of no others. */
async function expectShares(
  { sim, secrets }: SimulatedNetwork,
  party: PartyId,
  { id, sessions, where }: { id: string; sessions: readonly string[]; where: string },
): Promise<void> {
  const kept = () => secrets.get(party)!.names(`key/${id}`);
  await sim.run(
    async ({ self, clock }) => {
      while (self === party && (await kept()).length > sessions.length) await clock.until(clock.now() + 100);
    },
    { limitMs: SHREDDED_MS },
  );
  const wanted = sessions.map((session) => `key/${id}/${session}`);
  expect(await kept(), `${where}: shares of party ${party}`).toEqual(wanted);
}
