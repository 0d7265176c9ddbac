/**
 * Goal: agreement and validity of the broadcast (SPEC R1) against everything t parties can sign. Method: one seed draws
 * how many and which values they use, who serves the bodies, and 3n random messages of any round at any time to
 * anybody.
 */
import { expect, test } from 'vitest';
import { allDo, corruptSets, STRATEGIES } from '../../src/simulate/faults/catalogue.ts';
import { forEachSeed, SEED_VARIABLE } from '../../src/simulate/seeds.ts';
import { type Simulation, simulate } from '../../src/simulate/simulate.ts';
import type { PartyId } from '../../src/transport.ts';
import { withoutKernel } from '../without-kernel.ts';
import type { Adversary } from './adversary.ts';
import { expectAgreement, LEAD_MS, observe, partiesUpTo, ROUND_MS, SKEW_MS } from './broadcast-run.ts';

const SIZES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
];
const VALUES = ['value x', 'another value y', 'third'].map((text) => new TextEncoder().encode(text));

function drawAttack(sim: Simulation, corrupt: readonly PartyId[], adversary: Adversary): void {
  const { random } = sim;
  const values = VALUES.slice(0, 1 + random.below(3));
  adversary.attend(new Map(corrupt.map((party) => [party, values.filter(() => random.chance(0.3))])));
  const honest = partiesUpTo(sim.roster.n).filter((id) => !corrupt.includes(id));
  for (let move = 0; move < 3 * sim.roster.n; move++) {
    const sender = random.pick(corrupt);
    const relay = random.pick(corrupt);
    const to = random.pick(honest);
    const body = random.pick(values);
    const accomplices = random.sample(corrupt, random.below(corrupt.length + 1)).filter((party) => party !== sender);
    const round = 1 + random.below(adversary.rounds);
    const withSeen = random.chance(0.7);
    sim.after(LEAD_MS + random.unit() * adversary.rounds * ROUND_MS, () => {
      if (round === 1) adversary.sendFirst(sender, to, body);
      else adversary.sendChain(relay, to, round, body, [sender, ...accomplices], withSeen);
    });
  }
}

const RUNS = [
  { n: 4, t: 1, runs: 1500 },
  { n: 7, t: 2, runs: 450 },
  { n: 13, t: 4, runs: 60 },
];

test.each(RUNS)(
  '$runs random adversaries, n=$n: agreement and validity',
  { timeout: 60_000 },
  async ({ n, t, runs }) => {
    let delivered = 0;
    await forEachSeed({ runs, file: import.meta.filename, env: process.env }, async (seed) => {
      const sim = simulate({ seed: `${n} ${seed}`, n, t, kernel: withoutKernel, skewMs: SKEW_MS });
      const corrupt = sim.random.sample(partiesUpTo(n), t);
      const observed = await observe(sim, corrupt, {
        plan: (adversary) => drawAttack(sim, corrupt, adversary),
        speakersUpTo: 2,
      });
      const view = expectAgreement(observed, corrupt, n);
      delivered += corrupt.filter((party) => party in view).length;
    });
    // The attack is a real one only if lying senders are sometimes delivered and sometimes not.
    if (!(SEED_VARIABLE in process.env)) expect(delivered).toBeGreaterThan(0);
  },
);

/** Everybody's value is there at once; votes, certificates with endorsements and second values come as drawn. */
function drawEarlyEnd(sim: Simulation, corrupt: readonly PartyId[], adversary: Adversary): void {
  const { random } = sim;
  const [x, y] = VALUES as [Uint8Array, Uint8Array, Uint8Array];
  adversary.attend(new Map(corrupt.map((party) => [party, [x, y]])));
  const honest = partiesUpTo(sim.roster.n).filter((id) => !corrupt.includes(id));
  for (const party of corrupt) for (const to of honest) adversary.sendFirst(party, to, x);
  const endMs = (adversary.rounds + 1) * ROUND_MS;
  const secondMs = random.unit() * endMs;
  const votesMs = random.chance(0.5) ? random.unit() * 2 * ROUND_MS : endMs;
  for (const relay of corrupt) {
    for (const to of honest) {
      const signers = [relay, ...corrupt.filter((party) => party !== relay && random.chance(0.7))];
      if (random.chance(0.5)) sim.after(LEAD_MS + votesMs, () => adversary.sendHeld(relay, to));
      if (random.chance(0.3)) {
        sim.after(LEAD_MS + random.unit() * endMs, () => adversary.sendTold(relay, to, signers));
      }
      const round = 2 + random.below(adversary.rounds - 1);
      if (random.chance(0.3)) {
        sim.after(LEAD_MS + secondMs, () => adversary.sendChain(relay, to, round, y, signers, true));
      }
    }
  }
}

test.each([
  { n: 4, t: 1, runs: 250 },
  { n: 7, t: 2, runs: 100 },
])(
  '$runs random adversaries against the early end, n=$n: agreement and validity',
  { timeout: 60_000 },
  async ({ n, t, runs }) => {
    let [early, late, bottom] = [0, 0, 0];
    await forEachSeed({ runs, file: import.meta.filename, env: process.env }, async (seed) => {
      const sim = simulate({ seed: `early ${n} ${seed}`, n, t, kernel: withoutKernel, skewMs: SKEW_MS });
      const corrupt = sim.random.sample(partiesUpTo(n), t);
      const plan = (adversary: Adversary) => drawEarlyEnd(sim, corrupt, adversary);
      const observed = await observe(sim, corrupt, { plan });
      const view = expectAgreement(observed, corrupt, n);
      for (const endMs of observed.endsMs) endMs < (t + 2) * ROUND_MS - SKEW_MS ? early++ : late++;
      if (corrupt.some((party) => !(party in view))) bottom++;
    });
    if (!(SEED_VARIABLE in process.env)) expect(Math.min(early, late, bottom)).toBeGreaterThan(0);
  },
);

test.each(SIZES)(
  'every strategy of the catalogue, n=$n: agreement, and honest parties are never blamed',
  async (size) => {
    const { n, t } = size;
    const sets = corruptSets(n, t).filter((set) => n === 4 || set.length === t);
    for (const strategy of Object.values(STRATEGIES)) {
      for (const corrupt of sets) {
        const faults = allDo(corrupt, strategy);
        const sim = simulate({ seed: corrupt.join(), n, t, kernel: withoutKernel, skewMs: SKEW_MS, faults });
        const observed = await observe(sim, corrupt, { corruptRun: true, speakersUpTo: 2 });
        expectAgreement(observed, corrupt, n);
        if (strategy.name === 'equivocates') expect(observed.evidence.length).toBeGreaterThan(0);
      }
    }
  },
);
