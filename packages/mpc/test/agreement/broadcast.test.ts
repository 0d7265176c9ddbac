/**
 * Negative tests N1-N3 against the signed broadcast (SPEC R1): all honest parties deliver the same,
 * and what an honest party sent is delivered.
 */
import { describe, expect, test } from 'vitest';
import { broadcastAll } from '../../src/agreement/broadcast.ts';
import { verifyEvidence } from '../../src/agreement/evidence.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import type { PartyId } from '../../src/transport.ts';
import { withoutKernel } from '../without-kernel.ts';
import type { Adversary } from './adversary.ts';
import { expectAgreement, LEAD_MS, observe, partiesUpTo, ROUND_MS, SESSION, SKEW_MS, SLOT } from './broadcast-run.ts';

const SIZES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
  { n: 13, t: 4 },
];
const X = new TextEncoder().encode('value x');
const Y = new TextEncoder().encode('another value y');

const corruptOf = (n: number, t: number): PartyId[] => Array.from({ length: t }, (_, index) => n - t + 1 + index);

describe.each(SIZES)('broadcast with n=$n, t=$t', ({ n, t }) => {
  const corrupt = corruptOf(n, t);
  const honest = partiesUpTo(n - t);
  const sender = n;
  const others = corrupt.filter((party) => party !== sender);
  const start = (seed = 1) => simulate({ seed, n, t, kernel: withoutKernel, skewMs: SKEW_MS });
  /** Milliseconds after the simulation's start at which a round is half over. */
  const middleOf = (round: number) => LEAD_MS + (round - 0.5) * ROUND_MS;

  test('honest parties deliver everything, and do not wait for the end of round 1', async () => {
    const observed = await observe(start(), []);
    expectAgreement(observed, [], n);
    expect(observed.faults).toEqual([]);
    expect(Math.max(...observed.endsMs)).toBeLessThan(ROUND_MS / 2);
  });

  describe('with corrupt parties that broadcast X as honest ones would', () => {
    const sendX = (adversary: Adversary) => {
      adversary.attend(new Map(corrupt.map((party) => [party, [X, Y]])));
      for (const party of corrupt) for (const to of honest) adversary.sendFirst(party, to, X);
    };
    const vote = (adversary: Adversary, to: readonly PartyId[]) => {
      for (const party of corrupt) for (const each of to) adversary.sendHeld(party, each);
    };

    test('one honest party hears that all hold the same, and tells the others', async () => {
      const sim = start();
      const observed = await observe(sim, corrupt, {
        plan: (adversary) => {
          sendX(adversary);
          sim.after(LEAD_MS + ROUND_MS / 2, () => vote(adversary, [1]));
        },
      });
      expect(expectAgreement(observed, corrupt, n)[sender]).toBe('value x');
      expect(Math.max(...observed.endsMs)).toBeLessThan(ROUND_MS);
    });

    test('votes that come after round 1 end nothing: the rounds do', async () => {
      const sim = start();
      const observed = await observe(sim, corrupt, {
        plan: (adversary) => {
          sendX(adversary);
          sim.after(middleOf(2), () => vote(adversary, honest));
        },
      });
      expect(expectAgreement(observed, corrupt, n)[sender]).toBe('value x');
      expect(Math.min(...observed.endsMs)).toBeGreaterThanOrEqual((t + 2) * ROUND_MS - SKEW_MS);
    });

    test.each([
      { name: 'in time: all follow it, although all have a second value', round: t + 1, delivered: 'value x' },
      { name: 'too late for others to hear: nobody follows it', round: t + 2, delivered: undefined },
    ])('a certificate that the corrupt endorse reaches one party $name', async ({ round, delivered }) => {
      const sim = start();
      const observed = await observe(sim, corrupt, {
        plan: (adversary) => {
          sendX(adversary);
          sim.after(middleOf(1), () => adversary.sendChain(sender, 1, 2, Y, [sender, ...others], false));
          sim.after(middleOf(round), () => expect(adversary.sendTold(sender, 1, corrupt)).toBe(true));
        },
      });
      expect(expectAgreement(observed, corrupt, n)[sender]).toBe(delivered);
    });
  });

  test('silent parties are bottom for all', async () => {
    const view = expectAgreement(await observe(start(), corrupt), corrupt, n);
    expect(Object.keys(view)).toHaveLength(n - t);
  });

  test('N1: one more honest party convinced per round, as in the attack on the hash-echo broadcast', async () => {
    const sim = start();
    const observed = await observe(sim, corrupt, {
      plan: (adversary) => {
        adversary.attend(new Map());
        for (const to of honest.slice(0, n - 2 * t)) adversary.sendFirst(sender, to, X);
        for (let round = 2; round <= t + 1; round++) {
          sim.after(middleOf(round), () => {
            for (const relay of corrupt) adversary.sendChain(relay, round, round, X, [sender, ...others], true);
          });
        }
      },
    });
    expect(expectAgreement(observed, corrupt, n)[sender]).toBe('value x');
  });

  test('N1: only one honest party gets the body, at the end of round 1', async () => {
    const sim = start();
    const observed = await observe(sim, corrupt, {
      plan: (adversary) => {
        adversary.attend(new Map());
        sim.after(LEAD_MS + ROUND_MS - 45, () => adversary.sendFirst(sender, 1, X));
      },
    });
    expect(expectAgreement(observed, corrupt, n)[sender]).toBe('value x');
  });

  test('N2: two digests to two halves are bottom for all, with evidence', async () => {
    const sim = start();
    const observed = await observe(sim, corrupt, {
      plan: (adversary) => {
        adversary.attend(new Map());
        for (const to of honest) adversary.sendFirst(sender, to, to % 2 ? X : Y);
      },
    });
    expect(expectAgreement(observed, corrupt, n)).not.toHaveProperty(String(sender));
    expect(observed.evidence).toHaveLength(honest.length);
    for (const found of observed.evidence) expect(verifyEvidence(sim.roster, found)).toBe(sender);
  });

  test('N2: the second chain, signed by all corrupt parties, comes to one party in the last round', async () => {
    const sim = start();
    const observed = await observe(sim, corrupt, {
      plan: (adversary) => {
        adversary.attend(new Map(corrupt.map((party) => [party, [Y]])));
        for (const to of honest) adversary.sendFirst(sender, to, X);
        sim.after(middleOf(t + 1), () => adversary.sendChain(sender, 1, t + 1, Y, [sender, ...others], true));
      },
    });
    expect(expectAgreement(observed, corrupt, n)[sender]).toBe('value x');
  });

  test('N2: one honest party learns the second value in round t and convinces all in the last round', async () => {
    const sim = start();
    const observed = await observe(sim, corrupt, {
      plan: (adversary) => {
        adversary.attend(new Map(corrupt.map((party) => [party, [Y]])));
        for (const to of honest) adversary.sendFirst(sender, to, X);
        // With t = 1 round t is the first: the chain of S alone, together with a body to pull.
        sim.after(middleOf(t), () => adversary.sendChain(sender, 1, t + 1, Y, [sender, ...others], false));
      },
    });
    expect(expectAgreement(observed, corrupt, n)).not.toHaveProperty(String(sender));
  });

  test('N3: a digest whose body nobody gives is bottom', async () => {
    const sim = start();
    const observed = await observe(sim, corrupt, {
      plan: (adversary) => {
        adversary.attend(new Map());
        for (const to of honest) adversary.sendChain(sender, to, 2, X, [sender, ...others], false);
      },
    });
    expect(expectAgreement(observed, corrupt, n)).not.toHaveProperty(String(sender));
  });

  test('N3: a withheld body is pulled from the honest party that has it', async () => {
    const sim = start();
    const observed = await observe(sim, corrupt, {
      plan: (adversary) => {
        adversary.attend(new Map());
        adversary.sendFirst(sender, 1, X);
        for (const to of honest.slice(1)) adversary.sendChain(sender, to, 2, X, [sender, ...others], false);
      },
    });
    expect(expectAgreement(observed, corrupt, n)[sender]).toBe('value x');
  });

  test('a party that joins too late stops instead of taking another view', async () => {
    const { outcomes } = await start().run(async (party) => {
      const options = { startMs: party.clock.now() - ROUND_MS, roundMs: ROUND_MS, bytesMax: 100 };
      await broadcastAll(party.open(SESSION), SLOT, undefined, options);
    });
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'BROADCAST_TOO_LATE' } });
  });
});
