/** SPEC R5.6 and R14: COMPLETE and BURN exclude each other for one party, whatever happens to its process and disk. */
import { describe, expect, test } from 'vitest';
import { verifyCertificate } from '../../src/agreement/certificate.ts';
import {
  abandonEnteredSessions,
  completedDigest,
  type DecisionKind,
  decide,
  decisionSubject,
  enterSession,
  forgetSession,
  neverCompletes,
  signDecision,
} from '../../src/agreement/decision.ts';
import type { Party } from '../../src/party.ts';
import { verifyStatement } from '../../src/runtime/statement.ts';
import { forEachSeed } from '../../src/simulate/seeds.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { withoutKernel } from '../without-kernel.ts';

const SESSION = 'dc'.repeat(32);
const DIGEST = new Uint8Array(32).fill(1);
const OTHER = new Uint8Array(32).fill(2);
const journalOf = () => simulate({ seed: 1, n: 4, t: 1, kernel: withoutKernel }).party(1).journal;

describe('decide', () => {
  test('takes the first decision, repeats it, refuses every other', () => {
    const journal = journalOf();
    expect(enterSession(journal, SESSION)).toBe(true);
    expect([completedDigest(journal, SESSION), neverCompletes(journal, SESSION)]).toEqual([undefined, false]);
    expect(decide(journal, SESSION, 'complete', DIGEST)).toBe('signed');
    expect(decide(journal, SESSION, 'complete', DIGEST)).toBe('already');
    expect(decide(journal, SESSION, 'complete', OTHER)).toBe('refused');
    expect(decide(journal, SESSION, 'burn', DIGEST)).toBe('refused');
    expect(enterSession(journal, SESSION)).toBe(false);
    expect(decide(journal, SESSION, 'burn', DIGEST)).toBe('refused');
    expect([completedDigest(journal, SESSION), neverCompletes(journal, SESSION)]).toEqual([DIGEST, false]);
  });

  test('refuses a session without memory, one of an earlier process, and a forgotten one', () => {
    const journal = journalOf();
    expect(decide(journal, SESSION, 'burn', DIGEST)).toBe('refused');
    enterSession(journal, SESSION);
    abandonEnteredSessions(journal);
    expect(enterSession(journal, SESSION)).toBe(false);
    expect(decide(journal, SESSION, 'burn', DIGEST)).toBe('refused');
    expect([completedDigest(journal, SESSION), neverCompletes(journal, SESSION)]).toEqual([undefined, true]);
    forgetSession(journal, SESSION);
    expect(decide(journal, SESSION, 'burn', DIGEST)).toBe('refused');
  });

  test('keeps what was decided when a process starts', () => {
    const journal = journalOf();
    enterSession(journal, SESSION);
    decide(journal, SESSION, 'burn', DIGEST);
    abandonEnteredSessions(journal);
    expect(decide(journal, SESSION, 'burn', DIGEST)).toBe('already');
    expect([completedDigest(journal, SESSION), neverCompletes(journal, SESSION)]).toEqual([undefined, true]);
  });

  test('wants a digest of 32 bytes', () => {
    expect(() => decide(journalOf(), SESSION, 'burn', new Uint8Array(31))).toThrow(RangeError);
  });
});

/**
 * One party decides COMPLETE and, in the same or a later process, BURN, while it crashes at a random time with a torn,
 * synced or restored disk. What it has sent is what counts.
 */
test('N11: no crash and no restored backup makes a party sign both', async () => {
  let signedAtAll = 0;
  await forEachSeed({ runs: 400, file: import.meta.filename, env: process.env }, async (seed) => {
    const sim = simulate({ seed, n: 4, t: 1, kernel: withoutKernel, syncMs: 5 });
    const signed: DecisionKind[] = [];
    const yesterday = sim.disk(1).snapshot();
    const boot = async (party: Party) => {
      if (party.self !== 1) return;
      abandonEnteredSessions(party.journal);
      await party.journal.sync();
      enterSession(party.journal, SESSION);
      await party.journal.sync();
      const wishes: DecisionKind[] = sim.random.chance(0.5) ? ['complete', 'burn'] : ['burn', 'complete'];
      await Promise.all(
        wishes.map(async (kind) => {
          const signature = await signDecision(party, SESSION, kind, DIGEST);
          if (!signature) return;
          expect(verifyStatement(sim.roster, 1, decisionSubject(SESSION, kind, DIGEST), signature)).toBe(true);
          signed.push(kind); // sent: the signature exists
        }),
      );
    };
    const saved = { disk: yesterday };
    sim.after(6 + sim.random.below(3), () => {
      saved.disk = sim.disk(1).snapshot(); // a backup while the session was entered, or already decided
    });
    // The session id is known to the protocol as used (SPEC R6), so a later process abandons it instead of entering it.
    sim.after(4 + sim.random.below(12), () => {
      const disk = sim.random.pick(['torn', 'synced', saved.disk] as const);
      sim.crash(1, { restartAfterMs: 10, disk });
    });
    let boots = 0;
    await sim.run(async (party) => {
      if (party.self !== 1) return;
      if (boots++ === 0) return boot(party);
      abandonEnteredSessions(party.journal);
      for (const kind of ['burn', 'complete'] as const)
        if (await signDecision(party, SESSION, kind, DIGEST)) signed.push(kind);
    });
    expect(new Set(signed).size).toBeLessThanOrEqual(1);
    signedAtAll += signed.length;
  });
  expect(signedAtAll).toBeGreaterThan(0);
});

test('decisions of a quorum make a certificate under their own label', () => {
  const { roster } = simulate({ seed: 1, n: 4, t: 1, kernel: withoutKernel });
  const complete = decisionSubject(SESSION, 'complete', DIGEST);
  const burn = decisionSubject(SESSION, 'burn', DIGEST);
  expect(complete.domain).not.toBe(burn.domain);
  expect(verifyCertificate(roster, complete, { subject: burn, signatures: new Map() }, 0)).toBe(false);
});
