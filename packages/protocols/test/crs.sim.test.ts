/**
 * The ceremony of reference strings (docs/protocols/crs.md) at 4/1 and 7/2, whatever t parties do: all honest parties
 * end with the same file, in which all of them have contributed, and who is named did it. Lists are short; that each
 * check sees its cheat at all is tested in packages/crs.
 */
import { late } from '@keyquorum/mpc/simulate/faults/late';
import { silent } from '@keyquorum/mpc/simulate/faults/silent';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import type { FaultStrategy, Faults } from '@keyquorum/mpc/simulate/strategy';
import type { PartyId } from '@keyquorum/mpc/transport';
import { describe, expect, test } from 'vitest';
import { TranscriptError, verifyTranscript } from '../src/crs/transcript.ts';
import { verifyEvidenceFile } from '../src/evidence/verify.ts';
import { cheat, garble, PROVABLE, relisted, UNPROVABLE } from './support/crs-cheats.ts';
import { CRS_ID, CRS_LIMITS, type CrsNetwork, createCrsNetwork, SMALL_FORMAT } from './support/crs-network.ts';
import { curves } from './support/curves.ts';
import { kernel } from './support/kernel.ts';

const random = (count: number) => new Uint8Array(count).map((_, index) => index * 37);
const judge = { kernel, curve: curves.curve, random, format: SMALL_FORMAT };

function lastLogs({ logs }: CrsNetwork): string {
  return logs
    .slice(-12)
    .map(({ party, event }) => `party ${party}: ${JSON.stringify(event)}`)
    .join('\n');
}

/** The same record at all these parties, with all of them among the contributors. */
function expectAgreement(network: CrsNetwork, honest: readonly PartyId[], where: string): readonly PartyId[] {
  const records = honest.map((id) => network.node(network.sim.party(id)).store.record(CRS_ID));
  const [first] = records;
  const say = `${where}\n${lastLogs(network)}`;
  expect(first, say).toBeDefined();
  for (const record of records) expect(record, say).toEqual(first);
  expect(first!.contributors, say).toEqual(expect.arrayContaining([...honest]));
  return first!.contributors;
}

/** Parties convicted by the evidence that these parties keep; each file is judged by the roster alone. */
async function convicted({ sim, publics }: CrsNetwork, party: PartyId): Promise<PartyId[]> {
  const store = publics.get(party)!;
  const names = await store.names('evidence/');
  const roster = { ...sim.roster, publicKeys: sim.roster.publicKeys.map((key) => Uint8Array.from(key)) };
  const found = await Promise.all(
    names.map(async (name) => verifyEvidenceFile(judge, roster, (await store.get(name))!)),
  );
  return [...new Set(found.map((each) => each.party))].sort((left, right) => left - right);
}

async function run(seed: number | string, faults: Faults, size: { n: number; t: number }): Promise<CrsNetwork> {
  const network = createCrsNetwork({ seed, ...size, faults, skewMs: 20 });
  await network.make(network.sim.honest[0]);
  return network;
}

test('all honest: everybody contributes, the transcript tells so to anybody', async () => {
  await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
    const network = await run(seed, {}, { n: 4, t: 1 });
    expect(expectAgreement(network, [1, 2, 3, 4], `seed ${seed}`)).toEqual([1, 2, 3, 4]);
    const transcript = await network.node(network.sim.party(2)).store.transcript(CRS_ID);
    const verified = verifyTranscript(curves.curve, network.sim.roster, transcript!, SMALL_FORMAT);
    expect(verified).toMatchObject({ contributors: [1, 2, 3, 4], content: { parameters: 'test', maxBits: 32 } });
    expect(network.logs.filter(({ event }) => event.level === 'warn')).toEqual([]);
  });
});

describe.each([1, 2, 3, 4])('party %i of 4 cheats', (liar) => {
  const honest = [1, 2, 3, 4].filter((party) => party !== liar);
  const mine = (all: readonly FaultStrategy[]) => all.filter((_, index) => index % 4 === liar % 4);
  test.each(mine(PROVABLE).map((strategy) => [strategy.name, strategy] as const))('%s', async (name, strategy) => {
    const network = await run(name, { [liar]: strategy }, { n: 4, t: 1 });
    expect(expectAgreement(network, honest, name)).toEqual(honest);
    for (const party of honest) expect(await convicted(network, party), lastLogs(network)).toEqual([liar]);
  });
  test.each(mine(UNPROVABLE).map((strategy) => [strategy.name, strategy] as const))('%s', async (name, strategy) => {
    const network = await run(name, { [liar]: strategy }, { n: 4, t: 1 });
    const contributors = expectAgreement(network, honest, name);
    if (name !== 'starts over' || liar !== 1) expect(contributors).toEqual(honest); // the first has nothing to undo
    for (const party of honest) expect(await convicted(network, party)).toEqual([]);
  });
});

/** Cheats about who is told what. */
const PARTIAL: readonly FaultStrategy[] = [
  silent(),
  silent([1, 2]),
  silent([3]),
  late(15_000),
  late(9_990),
  garble('contributes to one party only', (body, to) => (to === 2 ? body : undefined)),
  cheat(
    'signs another contribution for some',
    relisted((g1) => g1.copyWithin(224, 112, 224)),
    (to) => to % 2 === 1,
  ),
  {
    name: 'keeps votes and certificates from some',
    wrap: (transport) => ({
      ...transport,
      send: (to, envelope) => {
        if (to === 1 || !/(vote|told)$/.test(envelope.tag)) transport.send(to, envelope);
      },
    }),
  },
];

test.each(PARTIAL.map((strategy) => [strategy.name, strategy] as const))(
  '4/1: party 4 is %s',
  async (name, strategy) => {
    const network = await run(name, { 4: strategy }, { n: 4, t: 1 });
    expectAgreement(network, [1, 2, 3], name);
    for (const party of [1, 2, 3]) expect([[], [4]]).toContainEqual(await convicted(network, party));
  },
);

test('7/2: two parties cheat in different ways', async () => {
  await forEachSeed({ runs: 3, file: import.meta.filename, env: process.env }, async (seed) => {
    const all = [...PROVABLE, ...UNPROVABLE, ...PARTIAL];
    const liars = [1 + (seed % 7), 1 + ((seed + 3) % 7)];
    const faults = { [liars[0]!]: all[seed % all.length]!, [liars[1]!]: all[(seed * 5 + 7) % all.length]! };
    const network = await run(seed, faults, { n: 7, t: 2 });
    expectAgreement(network, network.sim.honest, network.sim.describe());
    for (const party of network.sim.honest) {
      for (const each of await convicted(network, party)) expect(liars, network.sim.describe()).toContain(each);
    }
  });
});

test('a party that is back after the end takes the file from the others', async () => {
  const network = createCrsNetwork({ seed: 'killed', n: 4, t: 1 });
  network.whenTurnEnds(1, () => network.sim.crash(3, { restartAfterMs: 5_000 }));
  await network.make();
  const records = [1, 2, 3, 4].map((id) => network.node(network.sim.party(id)).store.record(CRS_ID));
  for (const record of records) expect(record, lastLogs(network)).toEqual(records[0]);
  expect(records[0]!.contributors).toEqual([1, 2, 4]);
  expect(network.node(network.sim.party(3)).board.get(CRS_ID)).toMatchObject({ state: 'succeeded' });
});

test('with more than t parties away nothing is published', async () => {
  const network = createCrsNetwork({ seed: 'away', n: 4, t: 1, faults: { 2: silent(), 3: silent(), 4: silent() } });
  await network.make();
  const { board, store } = network.node(network.sim.party(1));
  expect(store.record(CRS_ID)).toBeUndefined();
  expect(board.get(CRS_ID)).toMatchObject({ state: 'failed', failure: { code: 'CRS_TOO_FEW' } });
});

test('cancelled: aborted, and the file is forgotten', async () => {
  const network = createCrsNetwork({ seed: 'cancelled', n: 4, t: 1 }, { ...CRS_LIMITS, crsTurnMs: 60_000 });
  network.sim.after(850, () => {
    for (const id of [1, 2, 3, 4]) network.node(network.sim.party(id)).crs.cancel(CRS_ID);
  });
  await network.make();
  for (const id of [1, 2, 3, 4]) {
    const { board } = network.node(network.sim.party(id));
    expect(board.get(CRS_ID)!.state).toBe('aborted');
    expect(await network.publics.get(id)!.names('crs/')).toEqual([]);
  }
});

test('a transcript is of one network and nothing of it can be changed', async () => {
  const network = await run('changed', {}, { n: 4, t: 1 });
  const { roster } = network.sim;
  const transcript = (await network.node(network.sim.party(1)).store.transcript(CRS_ID))!;
  const check = (bytes: Uint8Array, of = roster) => verifyTranscript(curves.curve, of, bytes, SMALL_FORMAT);
  expect(() => check(transcript, { ...roster, network: 'another' })).toThrow(TranscriptError);
  for (let at = 0; at < transcript.length; at += 37) {
    const changed = transcript.slice();
    changed[at] = changed[at]! ^ 1;
    expect(() => check(changed), `byte ${at}`).toThrow(/.+/);
    expect(() => check(transcript.slice(0, at)), `cut at ${at}`).toThrow(TranscriptError);
  }
});
