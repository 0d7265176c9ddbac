/**
 * PRSS-Init in networks that break their promise (SPEC R2, N4): it may fail or leave parties out, but no honest party
 * is ever proven corrupt, no two parties use different keys, and no delay shows anybody the key of an all-honest set.
 */
import { describe, expect, test } from 'vitest';
import { PRSS_INIT_SLOTS } from '../../src/prss/init.ts';
import type { PrssInitError } from '../../src/prss/init-error.ts';
import { encodeComplaints, encodeContribution } from '../../src/prss/init-messages.ts';
import { verifyInit } from '../../src/prss/init-transcript.ts';
import { allDo } from '../../src/simulate/faults/catalogue.ts';
import { silent } from '../../src/simulate/faults/silent.ts';
import { forEachSeed } from '../../src/simulate/seeds.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { type FaultStrategy, type Faults, intercept } from '../../src/simulate/strategy.ts';
import type { PartyId } from '../../src/transport.ts';
import { partiesUpTo } from '../sharing/sharings.ts';
import { withoutKernel } from '../without-kernel.ts';
import {
  expectAgreement,
  expectEqualKeys,
  expectSecret,
  LEAD_MS,
  published,
  ROUND_MS,
  runInit,
  type Script,
  SESSION,
} from './init-runs.ts';

const start = (n: number, t: number, faults: Faults, seed: number | string = 1) =>
  simulate({ seed, n, t, kernel: withoutKernel, skewMs: 20, faults });

/** An honest party that neither sends nor hears messages of one broadcast. */
function cutOffFrom(slot: string): FaultStrategy {
  const concerns = (tag: string) => tag.startsWith(`broadcast/${slot}/`);
  return {
    name: `is cut off from ${slot}`,
    wrap: (transport) =>
      intercept(transport, {
        send: (to, envelope, inner) => void (concerns(envelope.tag) || inner.send(to, envelope)),
        receive: (from, envelope, deliver) => void (concerns(envelope.tag) || deliver(from, envelope)),
      }),
  };
}

/** An honest party behind a bad link: some messages take up to `delayMs` longer. */
function slowAtTimes(probability: number, delayMs: number): FaultStrategy {
  return {
    name: `is slow at times, by up to ${delayMs} ms`,
    wrap: (transport, { clock, random }) =>
      intercept(transport, {
        send(to, envelope, inner) {
          if (!random.chance(probability)) return inner.send(to, envelope);
          void clock.until(clock.now() + random.unit() * delayMs).then(() => inner.send(to, envelope));
        },
      }),
  };
}

describe('N4: one link between honest parties fails for good', () => {
  const pairs = [1, 2, 3].flatMap((from) => [1, 2, 3].filter((to) => to !== from).map((to) => ({ from, to })));

  test.each(pairs)('from $from to $to: the others pass on what is missing', async ({ from, to }) => {
    for (const script of [{}, { contribution: () => undefined }]) {
      const observed = await runInit(start(4, 1, { [from]: silent([to]) }), { scripts: { 4: script } });
      const { contributions, proven } = expectAgreement(observed, [1, 2, 3]);
      expect(proven).toEqual([]);
      expect([...contributions.commitments.bySender.keys()]).toEqual(expect.arrayContaining([1, 2, 3]));
      for (const { deliveries } of observed.seen) expect(published(observed.scope, deliveries)).toEqual([]);
      expectSecret(observed, contributions.commitments, [4]);
    }
  });
});

describe('a party that misses a broadcast', () => {
  const [KEYS, CONTRIBUTIONS, COMPLAINTS] = PRSS_INIT_SLOTS;

  test.each([[CONTRIBUTIONS], [COMPLAINTS]])('%s: adopts what the others certified', async (slot) => {
    const observed = await runInit(start(4, 1, { 2: cutOffFrom(slot) }));
    const { proven, contributions } = expectAgreement(observed, [1, 2, 3, 4]);
    expect(proven).toEqual([]);
    expect(contributions.commitments.bySender.has(2)).toBe(slot === COMPLAINTS);
  });

  test('keys: is left out, since nobody could make a box for it', async () => {
    const observed = await runInit(start(4, 1, { 2: silentIn(KEYS) }));
    expect([...observed.failures]).toEqual([[2, 'PRSS_INIT_LEFT_OUT']]);
    expectEqualKeys(observed.results, observed.scope);
    expect(observed.results.size).toBe(3);
  });

  test('by starting late: is left out and the others go on', async () => {
    const observed = await runInit(start(4, 1, {}), { lateMs: { 3: LEAD_MS + ROUND_MS } });
    expect([...observed.failures]).toEqual([[3, 'PRSS_INIT_LEFT_OUT']]);
    expectEqualKeys(observed.results, observed.scope);
    const outcome = observed.run.outcomes[2]!;
    expect(outcome).toMatchObject({ reason: { agreed: { certificate: { signatures: expect.any(Map) }, proven: [] } } });
  });

  test('whoever is left out knows whom the others have proven corrupt, and what shows it', async () => {
    const cuts: Script = { contribution: (own, view) => encodeContribution(view, own).slice(0, -1) };
    const sim = start(7, 2, { 2: silentIn(KEYS) });
    const observed = await runInit(sim, { scripts: { 7: cuts } });
    expect([...observed.failures]).toEqual([[2, 'PRSS_INIT_LEFT_OUT']]);
    const { reason } = observed.run.outcomes[1] as { reason: PrssInitError };
    const { certificate, deliveries, proven } = reason.agreed!;
    expect(proven).toEqual([7]);
    const about = { scope: observed.scope, roster: sim.roster, session: SESSION };
    expect(verifyInit(about, { deliveries, signatures: certificate.signatures })?.proven).toEqual([7]);
  });

  /** Hears everything, but what it sends in one broadcast is lost: the others deliver without it. */
  function silentIn(slot: string): FaultStrategy {
    return {
      name: `is not heard in ${slot}`,
      wrap: (transport) =>
        intercept(transport, {
          send: (to, envelope, inner) =>
            void (envelope.tag.startsWith(`broadcast/${slot}/`) || inner.send(to, envelope)),
        }),
    };
  }
});

test('a certificate that a corrupt party completes for one party reaches all', async () => {
  const [, , complaints] = PRSS_INIT_SLOTS;
  // Party 3 has another view, so 1 and 2 need the vote of 4, which goes to 1 only.
  const observed = await runInit(start(4, 1, { 3: cutOffFrom(complaints) }), { scripts: { 4: { votesTo: [1] } } });
  const { proven } = expectAgreement(observed, [1, 2, 3]);
  expect(proven).toEqual([]);
});

test('without a quorum for one transcript nobody uses keys', async () => {
  /** Votes and certificates reach the other party of a pair only; broadcasts reach everybody. */
  const votesWithinPairs: FaultStrategy = {
    name: 'votes within pairs',
    wrap: (transport, { self }) =>
      intercept(transport, {
        send: (to, envelope, inner) =>
          void ((envelope.tag.startsWith('prss-init/') && to > 2 !== self > 2) || inner.send(to, envelope)),
      }),
  };
  const { failures } = await runInit(start(4, 1, allDo([1, 2, 3, 4], votesWithinPairs)));
  expect([...failures.values()]).toEqual(new Array(4).fill('PRSS_INIT_DIVERGED'));
});

/**
 * Goal: the promises that hold in any network. Method: every message is late by up to ten rounds with some
 * probability; corrupt parties follow one of several scripts, and vote for what they like.
 */
const SCRIPTS: readonly Script[] = [
  {},
  { keys: () => undefined },
  { contribution: () => undefined },
  { contribution: (own, view) => encodeContribution(view, { ...own, boxes: flipped(own.boxes) }) },
  { complaints: ({ view, secretKeys }) => encodeComplaints(view, secretKeys) },
  { complaints: ({ secretKeys }) => encodeComplaints(new Uint8Array(32), secretKeys) },
];

function flipped(boxes: ReadonlyMap<PartyId, Uint8Array>): ReadonlyMap<PartyId, Uint8Array> {
  return new Map([...boxes].map(([to, box]) => [to, box.map((byte, at) => (at === 60 ? byte ^ 1 : byte))]));
}

const FAILURES = ['PRSS_INIT_TOO_FEW', 'PRSS_INIT_DIVERGED', 'PRSS_INIT_LEFT_OUT'];

test.each([
  { n: 4, t: 1, runs: 80 },
  { n: 7, t: 2, runs: 16 },
])(
  '$runs networks that are too slow, n=$n: keys stay secret and equal, no honest party is proven corrupt',
  async ({ n, t, runs }) => {
    let [withKeys, withoutKeys] = [0, 0];
    await forEachSeed({ runs, file: import.meta.filename, env: process.env }, async (seed) => {
      const probability = (seed % 4) * 0.2;
      const honest = partiesUpTo(n - t);
      const corrupt = partiesUpTo(n).slice(n - t);
      const sim = start(n, t, allDo(partiesUpTo(n), slowAtTimes(probability, 10 * ROUND_MS)), `slow ${n} ${seed}`);
      const scripts = Object.fromEntries(
        corrupt.map((party) => [party, { ...sim.random.pick(SCRIPTS), votesTo: sim.random.sample(honest, 2) }]),
      );
      const observed = await runInit(sim, { scripts });
      for (const [party, code] of observed.failures) if (honest.includes(party)) expect(FAILURES).toContain(code);
      expectEqualKeys(observed.results, observed.scope);
      for (const { contributions, proven } of observed.results.values()) {
        for (const party of proven) expect(corrupt).toContain(party);
        expectSecret(observed, contributions.commitments, corrupt);
      }
      withKeys += observed.results.size;
      withoutKeys += honest.length - observed.results.size;
    });
    expect(withKeys).toBeGreaterThan(runs / 4);
    expect(withoutKeys).toBeGreaterThan(0);
  },
);
