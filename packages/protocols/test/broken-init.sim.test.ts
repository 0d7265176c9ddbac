/**
 * Parties that break a PRSS-Init. Goal: every honest party enters exactly those that its certified broadcasts convict,
 * with evidence that somebody accepts who has the roster only, and goes on without them. Method: the real services, in
 * a key generation and in the start of an epoch.
 */
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import type { FaultStrategy, Faults } from '@keyquorum/mpc/simulate/strategy';
import type { PartyId } from '@keyquorum/mpc/transport';
import { describe, expect, test } from 'vitest';
import { convicted, filesOf, poolWithLiars } from './support/evidence.ts';
import { askFor, checkGenerated, generateUnder, KEY_ID, provenBy, untilEnded, upTo } from './support/generation.ts';
import { INIT_LIES, twoContributions, unheard } from './support/init-lies.ts';
import type { SimulatedNetwork } from './support/network.ts';

const SIZES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
];
const CASES = SIZES.flatMap((size) => Object.entries(INIT_LIES).map(([what, lie]) => ({ what, ...size, lie })));
const OTHER_ID = 'cd'.repeat(32);
const seeds = { runs: 1, file: import.meta.filename, env: process.env };

/** t parties that lie like this. */
function liarsOf({ n, t }: { n: number; t: number }, seed: number, lie: FaultStrategy): Faults {
  return Object.fromEntries(upTo(t).map((index) => [1 + ((seed + 3 * index) % n), lie]));
}

function expectProven(network: SimulatedNetwork, liars: readonly PartyId[], where: string): void {
  for (const party of upTo(network.sim.roster.n).filter((each) => !liars.includes(each))) {
    expect(provenBy(network, party), `${where}: by party ${party}`).toEqual(liars);
  }
}

describe.each(CASES)('$n/$t: $what', ({ what, lie, ...size }) => {
  test('in a key generation', async () => {
    await forEachSeed(seeds, async (seed) => {
      const faults = liarsOf(size, seed, lie);
      const liars = Object.keys(faults).map(Number);
      const where = `seed ${seed}, ${what}`;
      const generated = await generateUnder({ seed: `${seed}`, ...size }, faults);
      for (const { ceremony } of await checkGenerated(generated, where))
        expect(ceremony?.state, where).toBe('succeeded');
      expectProven(generated.network, liars, where);
      for (const found of await convicted(generated.network, liars, where)) {
        expect(found).toMatchObject({ kind: 'broken-init', ceremony: 'keygen', ceremonyId: KEY_ID, attempt: 0 });
      }
    });
  });

  test('in the start of an epoch', async () => {
    await forEachSeed(seeds, async (seed) => {
      const faults = liarsOf(size, seed, lie);
      const liars = Object.keys(faults).map(Number);
      const where = `seed ${seed}, ${what}`;
      const network = await poolWithLiars({ seed: `${seed}`, ...size }, faults);
      expectProven(network, liars, where);
      for (const found of await convicted(network, liars, where)) {
        expect(found).toMatchObject({ kind: 'broken-init', ceremony: 'epoch', step: 'prss-init' });
      }
    });
  });
});

test('7/2: a party that is left out of the start of an epoch has the evidence too', async () => {
  await forEachSeed(seeds, async (seed) => {
    const [late, liar] = [1 + (seed % 7), 1 + ((seed + 3) % 7)];
    const network = await poolWithLiars(
      { seed: `${seed}`, n: 7, t: 2 },
      { [late]: unheard, [liar]: INIT_LIES['a bad box'] },
    );
    expect(network.logs.some(({ party, event }) => party === late && /no sealed box/.test(String(event.error)))).toBe(
      true,
    );
    expectProven(network, [liar], `seed ${seed}`);
    await convicted(network, [liar], `seed ${seed}`);
  });
});

test('4/1: a proven party that goes on cheating fills no disk', async () => {
  const { network } = await generateUnder({ seed: 'again', n: 4, t: 1 }, { 3: INIT_LIES['a bad box'] });
  const run = await untilEnded(network, (services, party) => party === 1 && askFor(services, OTHER_ID), {
    id: OTHER_ID,
  });
  for (const party of [1, 2, 4]) {
    expect(run.outcomes[party - 1]).toMatchObject({ value: { ceremony: { state: 'succeeded' } } });
    expect(await filesOf(network, party)).toHaveLength(1);
  }
});

test.each(SIZES)('$n/$t: two contributions convict by their signatures', async (size) => {
  await forEachSeed(seeds, async (seed) => {
    const faults = liarsOf(size, seed, twoContributions);
    const liars = Object.keys(faults).map(Number);
    const { network } = await generateUnder({ seed: `${seed}`, ...size }, faults);
    const inEpoch = await poolWithLiars({ seed: `${seed}`, ...size }, faults);
    for (const [each, ceremony] of [
      [network, 'keygen'],
      [inEpoch, 'epoch'],
    ] as const) {
      for (const found of await convicted(each, liars, `seed ${seed}`)) {
        expect(found).toMatchObject({ kind: 'double-signature', ceremony });
        expect(found.step).toMatch(/^prss-init\/contributions\//);
      }
    }
  });
});
