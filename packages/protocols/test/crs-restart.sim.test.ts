/**
 * Processes that are killed and come back while a reference string is made (docs/protocols/crs.md, "After a restart"):
 * single ones, some, and all, at any moment and with torn disks. All honest parties end with the same file or all fail
 * with a reason; what was accepted stays; and no party ever signs two contributions.
 */
import { sha256Hex } from '@keyquorum/mpc/bytes';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import { type FaultStrategy, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { PartyId } from '@keyquorum/mpc/transport';
import { expect, test } from 'vitest';
import { CRS_ID, type CrsNetwork, createCrsNetwork } from './support/crs-network.ts';

/** When the first turn begins, and about how long a turn takes when nobody is killed: milliseconds. */
const START_MS = 800;
const TURN_MS = 30;
const SIZES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
] as const;

/** What each party has signed and sent in its turn, over all its processes. */
type Sent = Map<PartyId, Set<string>>;

/** Changes nothing. */
function watched(sent: Sent): FaultStrategy {
  return {
    name: 'honest, and watched',
    wrap: (transport, { self }) =>
      intercept(transport, {
        send(to, envelope, inner) {
          if (/^turn\/\d+$/.test(envelope.tag)) sent.get(self)!.add(sha256Hex(envelope.body));
          inner.send(to, envelope);
        },
      }),
  };
}

/** Answers whoever comes back with other bytes, each time another. */
function misleads(): FaultStrategy {
  return {
    name: 'misleads who comes back',
    wrap: (transport, { random }) =>
      intercept(transport, {
        async answer(_from, { name }, honest) {
          const answer = Uint8Array.from(await honest());
          if (name !== 'crs/position' && name !== 'crs/chain') return answer;
          const at = random.below(answer.length);
          return answer.with(at, answer[at]! ^ (1 + random.below(255)));
        },
      }),
  };
}

interface Restarting {
  readonly network: CrsNetwork;
  readonly parties: readonly PartyId[];
  readonly sent: Sent;
}

function restarting(seed: number, size: { n: number; t: number }, faults: Record<PartyId, FaultStrategy>): Restarting {
  const parties = Array.from({ length: size.n }, (_, index) => index + 1);
  const sent: Sent = new Map(parties.map((party) => [party, new Set()]));
  const watching = Object.fromEntries(parties.map((party) => [party, watched(sent)]));
  const network = createCrsNetwork({ seed, ...size, faults: { ...watching, ...faults }, skewMs: 20 });
  return { network, parties, sent };
}

/** Does it in this turn, or at the end, n+1. */
function inTurn({ sim, whenTurnEnds }: CrsNetwork, round: number, action: () => void): void {
  const delayMs = round > sim.roster.n ? 0 : sim.random.below(TURN_MS);
  if (round === 1) sim.after(START_MS + delayMs, action);
  else whenTurnEnds(round - 1, () => sim.after(delayMs, action));
}

/** Kills parties at once; each is back after `backWithinMs` at most. */
function kill({ sim }: CrsNetwork, parties: readonly PartyId[], backWithinMs: number): void {
  for (const party of parties) sim.crash(party, { restartAfterMs: 1 + sim.random.below(backWithinMs) });
}

/** How often parties of the network went on with what others of their processes had begun. */
function resumptions({ logs }: CrsNetwork): number {
  return logs.filter(({ event }) => /^(back in making|going on with) a reference string$/.test(event.message)).length;
}

/** How it ended at these parties: the same everywhere, or failed with a reason everywhere. */
function endAt({ network, sent }: Restarting, parties: readonly PartyId[]): readonly PartyId[] | undefined {
  const where = () =>
    `${network.sim.describe()}\n${network.logs
      .slice(-12)
      .map((each) => JSON.stringify(each))
      .join('\n')}`;
  for (const [party, messages] of sent) expect(messages.size, `party ${party}, ${where()}`).toBeLessThanOrEqual(1);
  const nodes = parties.map((party) => network.node(network.sim.party(party)));
  const [first] = nodes.map(({ store }) => store.record(CRS_ID));
  for (const { store, board, party } of nodes) {
    expect(store.record(CRS_ID), where()).toEqual(first);
    const { state, failure, deadlineMs } = board.get(CRS_ID)!;
    expect([state, failure === undefined], where()).toEqual(first ? ['succeeded', true] : ['failed', false]);
    if (!first) expect(party.clock.now()).toBeLessThan(deadlineMs + 5_000);
  }
  return first?.contributors;
}

test('one party killed: the others go on, it comes back, and contributes unless its turn has passed', async () => {
  await forEachSeed({ runs: 4, file: import.meta.filename, env: process.env }, async (seed) => {
    const ceremony = restarting(seed, SIZES[0], {});
    const { network, parties } = ceremony;
    const killed = 1 + (seed % 4);
    const turn = 1 + network.sim.random.below(4);
    inTurn(network, turn, () => kill(network, [killed], 400)); // shorter than others wait for an absent party
    await network.make(1 + (killed % 4));
    expect(endAt(ceremony, parties), network.sim.describe()).toEqual(
      killed < turn ? parties : expect.arrayContaining(parties.filter((party) => party !== killed)),
    );
  });
});

test('a party killed in its own turn contributes when it is back', async () => {
  const ceremony = restarting(1, SIZES[0], {});
  const { network, parties } = ceremony;
  network.whenTurnEnds(2, () => network.sim.crash(3, { restartAfterMs: 300 }));
  await network.make();
  expect(endAt(ceremony, parties)).toEqual(parties);
  expect(resumptions(network)).toBe(1);
});

test('all parties killed: they go on from what was accepted', async () => {
  await forEachSeed({ runs: 5, file: import.meta.filename, env: process.env }, async (seed) => {
    const ceremony = restarting(seed, SIZES[seed === 2 ? 1 : 0], {});
    const { network, parties } = ceremony;
    inTurn(network, seed, () => kill(network, parties, 5_000));
    await network.make();
    expect(endAt(ceremony, parties), network.sim.describe()).toEqual(parties);
    expect(resumptions(network), network.sim.describe()).toBeGreaterThan(0);
  });
});

test('any number killed, one after the other: the same end everywhere', async () => {
  await forEachSeed({ runs: 6, file: import.meta.filename, env: process.env }, async (seed) => {
    const ceremony = restarting(seed, SIZES[0], {});
    const { network, parties } = ceremony;
    const { random } = network.sim;
    for (const party of parties) {
      if (random.below(4) > 0) network.sim.after(START_MS + random.below(120), () => kill(network, [party], 4_000));
    }
    await network.make();
    endAt(ceremony, parties);
  });
});

test('a party that misleads who comes back changes nothing', async () => {
  await forEachSeed({ runs: 3, file: import.meta.filename, env: process.env }, async (seed) => {
    const liar = 1 + (seed % 4);
    const ceremony = restarting(seed, SIZES[0], { [liar]: misleads() });
    const { network, parties } = ceremony;
    const honest = parties.filter((party) => party !== liar);
    inTurn(network, 1 + (seed % 4), () => kill(network, honest, 3_000));
    await network.make();
    expect(endAt(ceremony, honest), network.sim.describe()).toEqual(expect.arrayContaining([...honest]));
    expect(resumptions(network), network.sim.describe()).toBeGreaterThan(0);
  });
});

test('more than t stay away: the others fail in time, with a reason', async () => {
  const ceremony = restarting(1, SIZES[0], {});
  const { network } = ceremony;
  const { sim } = network;
  network.whenTurnEnds(1, () => {
    kill(network, [1, 2], 1_000);
    for (const party of [3, 4]) sim.crash(party);
  });
  await network.make();
  for (const party of [1, 2]) {
    const failed = { state: 'failed', failure: { code: 'CRS_TIMEOUT' } };
    expect(network.node(sim.party(party)).board.get(CRS_ID)).toMatchObject(failed);
    expect(await network.publics.get(party)!.names('crs/')).toEqual([]);
  }
  expect(endAt(ceremony, [1, 2])).toBeUndefined();
});
