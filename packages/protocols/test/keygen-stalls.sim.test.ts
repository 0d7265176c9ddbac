/**
 * Key generation with parties that are away, slow, or on another clock. Goal: it stalls where everybody can see it: who
 * is waited for, since when, and what to do; nobody is accused, no wrong or half key comes of it, and with the party
 * back the next ceremony makes a key. Method: the real services, with what an operator sees recorded at every change.
 */
import { late } from '@keyquorum/mpc/simulate/faults/late';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import type { PartyId } from '@keyquorum/mpc/transport';
import { expect, test } from 'vitest';
import type { Ceremony } from '../src/ceremony/ceremony.ts';
import {
  askFor,
  checkGenerated,
  expectNothingLeft,
  generateUnder,
  KEY_ID,
  onEpoch,
  startNetwork,
  untilEnded,
  upTo,
} from './support/generation.ts';
import type { SimulatedNetwork } from './support/network.ts';
import { lastLogs } from './support/ready.ts';

const SIZE = { n: 4, t: 1 };
const NEXT_ID = 'cd'.repeat(32);
const DEADLINE_MS = 60_000;
const limits = { keygenDeadlineMs: DEADLINE_MS };
const seeds = (runs: number) => ({ runs, file: import.meta.filename, env: process.env });

/** With everybody back, a key is made under a new id. */
async function expectNextKey(network: SimulatedNetwork, where: string): Promise<void> {
  const run = await untilEnded(network, (services, party) => party === 1 && askFor(services, NEXT_ID), { id: NEXT_ID });
  const seen = await checkGenerated({ network, run, corrupt: [], honest: upTo(4) }, `${where}\n${lastLogs(network)}\n`);
  expect(
    seen.map(({ ceremony }) => ceremony?.state),
    where,
  ).toEqual(upTo(4).map(() => 'succeeded'));
}

/** Whoever took part saw it fail for want of this party, with nobody accused and nothing left. */
async function expectMissed(
  network: SimulatedNetwork,
  seen: readonly { party: PartyId; ceremony: Ceremony | undefined }[],
  { absent, where }: { absent: readonly PartyId[]; where: string },
): Promise<void> {
  for (const { party, ceremony } of seen) {
    const say = `${where}: party ${party} ${JSON.stringify(ceremony)}`;
    expect(ceremony?.state, say).toBe('failed');
    expect(ceremony?.failure, say).toMatchObject({ absent, culprits: [] });
    for (const missing of absent) expect(ceremony?.failure?.message, say).toContain(`party ${missing}`);
    await expectNothingLeft(network, party, where);
  }
}

test('a party is down: the ceremony says whom it waits for and since when, and fails at its deadline', async () => {
  await forEachSeed(seeds(2), async (seed) => {
    const away = 1 + (seed % 4);
    const others = upTo(4).filter((party) => party !== away);
    const where = `seed ${seed}, party ${away} is down`;
    const { network } = await startNetwork({ seed: `${seed}`, ...SIZE }, { limits });
    network.sim.crash(away);
    const history = new Map<PartyId, Ceremony[]>(others.map((party) => [party, []]));
    const run = await untilEnded(network, (services, party) => {
      services.watch((ceremony) => ceremony.id === KEY_ID && history.get(party)!.push(ceremony));
      if (party === others[0]) askFor(services);
    });
    const seen = others.map((party) => {
      const outcome = run.outcomes[party - 1] as { value?: { ceremony: Ceremony } };
      return { party, ceremony: outcome.value?.ceremony };
    });
    await expectMissed(network, seen, { absent: [away], where });
    for (const party of others) {
      const waiting = history.get(party)!.findLast(({ state }) => state === 'running')!;
      const say = `${where}: party ${party} ${JSON.stringify(waiting)}`;
      expect(waiting, say).toMatchObject({ phase: 'bits', waitingFor: [away], etaSeconds: null });
      expect(waiting.deadlineMs - waiting.changedMs, `${say}: it says since when`).toBeGreaterThan(DEADLINE_MS / 2);
    }
    network.sim.restart(away);
    await onEpoch(network);
    await expectNextKey(network, where);
  });
});

test.each([
  { byMs: 60_000, asked: 'another party' },
  { byMs: -60_000, asked: 'another party' },
  { byMs: 60_000, asked: 'that party' },
])('a clock is off by $byMs ms and $asked is asked: refused, with the reason in the log', async ({ byMs, asked }) => {
  await forEachSeed(seeds(1), async (seed) => {
    const off = 1 + (seed % 4);
    const others = upTo(4).filter((party) => party !== off);
    const asker = asked === 'that party' ? off : others[0]!;
    const refusing = asked === 'that party' ? others : [off];
    const where = `seed ${seed}, the clock of party ${off} is off by ${byMs} ms`;
    const { network } = await startNetwork({ seed: `${seed}`, ...SIZE }, { limits });
    network.sim.turnClock(off, byMs);
    const run = await untilEnded(network, (services, party) => party === asker && askFor(services), {
      limitMs: 2 * DEADLINE_MS,
    });
    const asking = (run.outcomes[asker - 1] as { value?: { ceremony: Ceremony } }).value?.ceremony;
    await expectMissed(network, [{ party: asker, ceremony: asking }], { absent: refusing, where });
    for (const party of refusing) {
      const refused = network.logs.filter(
        (log) => log.party === party && log.event.message === 'refused to start a ceremony',
      );
      expect(refused.length, where).toBeGreaterThan(0); // several when PRSS-Init was late and is tried again
      for (const { event } of refused) expect(event.error, where).toContain('check the clocks');
    }
    network.sim.turnClock(off, -byMs);
    await expectNextKey(network, where);
  });
});

test('a peer a hundred times slower than the others: with rounds long enough it only takes longer', async () => {
  await forEachSeed(seeds(1), async (seed) => {
    const slow = { [1 + (seed % 4)]: late(2_000) }; // the others: 1 to 20 ms
    const generated = await generateUnder({ seed: `${seed}`, ...SIZE }, slow, { limits: { roundMs: 5_000 } });
    const seen = await checkGenerated(generated, lastLogs(generated.network));
    expect(seen.map(({ ceremony }) => ceremony?.state)).toEqual(Array(3).fill('succeeded'));
    expect(generated.run.elapsedMs).toBeGreaterThan(10_000); // five messages of the slow peer, one after the other
  });
});
