// Goal: a disk that loses or changes parts of a finished key is noticed, reported and repaired from peers, and nobody
// ever gets wrong bytes: at start, when somebody reads, when a peer asks; also when a peer lies about what it has.
// Method: one network makes a key once; each test damages party 1's store in memory. Party 2 lies about finished keys.
import type { Party } from '@keyquorum/mpc/party';
import { type FaultStrategy, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { PartyId } from '@keyquorum/mpc/transport';
import { keyDigest } from '@keyquorum/wire/digest';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { MaterialDamagedError, type PublicObject } from '../src/material/public-object.ts';
import type { Services } from '../src/services.ts';
import { createNetwork, eventually, LIMITS, type SimulatedNetwork } from './support/network.ts';

const KEY_ID = 'ab'.repeat(32);
const VICTIM = 1;
const LIAR = 2;
const MINUTE_MS = 60_000;

/** Sends one wrong bit in everything it says about finished keys. */
const lyingArchive: FaultStrategy = {
  name: 'lying archive',
  wrap: (inner) =>
    intercept(inner, {
      async answer(_from, exchange, answer) {
        const honest = await answer();
        if (!exchange.name.startsWith('key/')) return honest;
        const lie = Uint8Array.from(honest);
        lie[lie.length - 1]! ^= 1;
        return lie;
      },
    }),
};

let network: SimulatedNetwork;
let prefix: string;
const wholeBytes = new Map<string, Uint8Array>();

beforeAll(async () => {
  network = createNetwork({ seed: 7, n: 4, t: 1, faults: { [LIAR]: lyingArchive } }, { ...LIMITS, poolTarget: 0 });
  await network.sim.run(async (party) => {
    const services = await network.services(party);
    await eventually(party, () => services.epoch() === 1);
    if (party.self === 3) services.generateKey({ requestId: KEY_ID, parameters: 'test', purpose: 'development' });
    await eventually(party, () => services.keys().length === 1);
  });
  const services = await network.services(network.sim.party(VICTIM));
  prefix = `bodies/${services.keys()[0]!.session}/`;
  for (const object of services.objects()) wholeBytes.set(object.digest, await bytesOf(object));
});

beforeEach(() => {
  network.logs.length = 0;
});

async function bytesOf(object: PublicObject): Promise<Uint8Array> {
  return new Uint8Array(Buffer.concat(await Array.fromAsync(object.read())));
}

async function flip(party: PartyId, name: string): Promise<void> {
  const store = network.publics.get(party)!;
  const bytes = (await store.get(prefix + name))!;
  bytes[bytes.length >> 1]! ^= 0x10;
  await store.put(prefix + name, bytes);
}

/** Every party runs; the run ends with what the victim does. */
async function atVictim<T>(program: (services: Services, party: Party) => Promise<T>): Promise<T> {
  const run = await network.sim.run(
    async (party) => {
      const services = await network.services(party);
      return party.self === VICTIM ? program(services, party) : undefined;
    },
    { limitMs: 10 * MINUTE_MS },
  );
  const outcome = run.outcomes[VICTIM - 1]!;
  if (outcome.status !== 'fulfilled') throw new Error(`the victim ${outcome.status}`, { cause: outcome });
  return outcome.value!;
}

function restart(): void {
  network.sim.crash(VICTIM);
  network.sim.restart(VICTIM);
}

const isWhole = (services: Services) => (): boolean => services.materialHealth().verified === wholeBytes.size;

async function expectWhole(services: Services): Promise<void> {
  for (const [digest, bytes] of wholeBytes) {
    const served = await bytesOf(services.material(digest)!);
    expect(Buffer.compare(served, bytes)).toBe(0);
    expect(Buffer.from(keyDigest(served)).toString('hex')).toBe(digest);
  }
}

function logged(message: string, party: PartyId = VICTIM) {
  return network.logs.filter((each) => each.party === party && each.event.message === message);
}

test('after a restart every object is verified again, in time that its size allows', async () => {
  restart();
  const { first, elapsedMs } = await atVictim(async (services, party) => {
    const startMs = party.clock.now();
    const first = services.materialHealth();
    await eventually(party, isWhole(services));
    return { first, elapsedMs: party.clock.now() - startMs };
  });
  expect(first).toEqual({ objects: 4, verified: 0, damaged: [], damageFound: 0, partsFetched: 0 });
  const bytes = [...wholeBytes.values()].reduce((sum, { length }) => sum + length, 0);
  expect(elapsedMs).toBeGreaterThan((1_000 * bytes) / (65 * 2 ** 20));
  expect(logged('public objects verified')).toHaveLength(1);
});

test.each([
  ['a changed and a missing chunk', ['1', '4']],
  ['the digests, and a chunk with them', ['digests', '2']],
])('at start: %s come back from peers; one that lies is passed over', async (_what, [changed = '', missing = '']) => {
  await flip(VICTIM, changed);
  await network.publics.get(VICTIM)!.delete(prefix + missing);
  restart();
  await atVictim(async (services, party) => {
    await eventually(party, () => services.materialHealth().damageFound > 0);
    const [digest = ''] = services.materialHealth().damaged;
    expect(() => services.material(digest)).toThrow(MaterialDamagedError);
    await eventually(party, isWhole(services));
    expect(services.materialHealth().partsFetched).toBe(changed === 'digests' ? 1 : 2);
    await expectWhole(services);
  });
  expect(logged('a public object is damaged and not served').length).toBeGreaterThan(0);
  const passedOver = logged('a peer has not what this disk lost').map(({ event }) => event.from);
  expect(passedOver).toEqual([LIAR]);
});

test('when it is read: wrong bytes are not given out, the object is refused, repaired and served again', async () => {
  restart();
  await atVictim(async (services, party) => {
    await eventually(party, isWhole(services));
    await flip(VICTIM, '5');
    const { digest } = services.objects().at(-1)!;
    const given: Uint8Array[] = [];
    const read = async () => {
      for await (const piece of services.material(digest)!.read()) given.push(piece);
    };
    await expect(read()).rejects.toBeInstanceOf(MaterialDamagedError);
    expect(Buffer.concat(given)).toEqual(Buffer.from(wholeBytes.get(digest)!.subarray(0, sizeOf(given))));
    expect(() => services.material(digest)).toThrow(MaterialDamagedError);
    await eventually(party, isWhole(services));
    await expectWhole(services);
    expect(services.materialHealth()).toMatchObject({ damaged: [], damageFound: 1, partsFetched: 1 });
  });
});

test('a peer that is asked for what its own disk has lost sends nothing, and gets it back too', async () => {
  await flip(VICTIM, '3');
  await flip(3, '3');
  restart();
  await atVictim(async (services, party) => {
    await eventually(party, isWhole(services));
    await expectWhole(services);
    const other = await network.services(network.sim.party(3));
    await eventually(party, () => other.materialHealth().partsFetched === 1);
    await eventually(party, isWhole(other));
  });
  expect(logged('a peer has not what this disk lost').map(({ event }) => event.from)).toEqual([LIAR, 3]);
});

test('alone it refuses what is damaged and serves the rest; with the others it is repaired', async () => {
  const { sim } = network;
  await flip(VICTIM, '5');
  restart();
  sim.partition([[VICTIM], [2, 3, 4]]);
  sim.after(2 * MINUTE_MS, () => sim.heal());
  await atVictim(async (services, party) => {
    const endMs = party.clock.now() + MINUTE_MS;
    await eventually(party, () => party.clock.now() > endMs);
    const { damaged } = services.materialHealth();
    const types = services.objects().filter(({ digest }) => !damaged.includes(digest));
    expect(types.map(({ type }) => type)).toEqual(['CompactPublicKey', 'CompressedCompactPublicKey']);
    for (const { digest } of types) expect(await bytesOf(services.material(digest)!)).toEqual(wholeBytes.get(digest));
    await eventually(party, isWhole(services));
    await expectWhole(services);
  });
  expect(logged('lost parts of public objects cannot be fetched yet').length).toBeGreaterThan(1);
});

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
