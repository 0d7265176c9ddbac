/**
 * `openRobust` over the simulated network (N26): what a liar can do besides wrong shares, what happens around the
 * result, and the deadline. The strategies of the catalogue are tested in test/simulate/faults.sim.test.ts.
 */
import type { AlgebraName, Batches } from '@keyquorum/kernel/batch';
import { describe, expect, test } from 'vitest';
import type { Party } from '../../src/party.ts';
import type { Session } from '../../src/session.ts';
import { wireBytes } from '../../src/sharing/algebra.ts';
import { openRobust } from '../../src/sharing/robust.ts';
import { createPrng } from '../../src/simulate/prng.ts';
import { type Run, simulate } from '../../src/simulate/simulate.ts';
import type { PartyId } from '../../src/transport.ts';
import { ALGEBRAS, kernel, randomBatch, share } from './sharings.ts';

const SESSION = 'd0'.repeat(32);
const COUNT = 5; // odd: GF(16) messages end in half a byte
const N = 4;
const T = 1;
const LIAR = 2;
const LATE_MS = 1_000;

/** Honest parties open; the liar does `attack` with its session instead. Honest parties stay to hear what is late. */
async function observe<A extends AlgebraName>(
  algebra: A,
  attack: (session: Session, share: Batches[A]) => unknown,
  deadlineMs?: number,
): Promise<{ run: Run<Batches[A] | undefined>; secret: Batches[A] }> {
  const sim = simulate({ seed: algebra, n: N, t: T, kernel });
  const random = createPrng(algebra);
  const secret = randomBatch(algebra, COUNT, random);
  const { shares } = share(algebra, secret, { n: N, degree: T, random });
  const options = deadlineMs === undefined ? {} : { deadlineMs: sim.now() + deadlineMs };
  const run = await sim.run(async (party: Party) => {
    const session = party.open(SESSION);
    if (party.self === LIAR) {
      await attack(session, shares.get(LIAR)!);
      return undefined;
    }
    const opened = await openRobust(session, 'open', algebra, shares.get(party.self)!, options);
    // The owner may erase its share at once: neither queued messages nor late checks use it.
    shares.get(party.self)!.fill(0);
    await party.clock.until(party.clock.now() + 2 * LATE_MS);
    return opened;
  });
  return { run, secret };
}

/** Who honest parties reported, and for what. */
function reports(run: Run<unknown>): Set<string> {
  const honest = run.faults.filter(({ by }) => by !== LIAR);
  return new Set(honest.map(({ fault }) => `${fault.party} ${fault.kind}`));
}

function expectOpened(run: Run<unknown>, secret: Uint8Array): void {
  for (const [index, outcome] of run.outcomes.entries()) {
    if (index + 1 !== LIAR) expect(outcome).toEqual({ status: 'fulfilled', value: secret });
  }
}

describe.each(ALGEBRAS)('%s', (algebra) => {
  const length = wireBytes(algebra, COUNT);

  test.each([
    ['too long', new Uint8Array(length + 1)],
    ['too short', new Uint8Array(length - 1)],
    ['empty', new Uint8Array(0)],
  ])('a message that is %s is malformed and counts for nothing', async (_name, body) => {
    const { run, secret } = await observe(algebra, (session) => session.sendAll('open', body));
    expectOpened(run, secret);
    expect(reports(run)).toEqual(new Set([`${LIAR} malformed`]));
  });

  test('a second, different share of one sender changes nothing and is equivocation', async () => {
    const { run, secret } = await observe(algebra, (session) => {
      session.sendAll('open', new Uint8Array(length));
      session.sendAll('open', new Uint8Array(length).fill(1));
    });
    expectOpened(run, secret);
    expect(reports(run)).toEqual(new Set([`${LIAR} equivocation`, `${LIAR} wrong-share`]));
  });

  test('a wrong share that comes after the result is still named, and nobody else is', async () => {
    const { run, secret } = await observe(algebra, async (session) => {
      await session.clock.until(session.clock.now() + LATE_MS);
      session.sendAll('open', new Uint8Array(length));
    });
    expectOpened(run, secret);
    expect(reports(run)).toEqual(new Set([`${LIAR} wrong-share`]));
  });

  test('a right share that comes after the result is no fault', async () => {
    const { run, secret } = await observe(algebra, (session, own) => openRobust(session, 'open', algebra, own));
    expectOpened(run, secret);
    expect(run.faults).toEqual([]);
  });
});

test('a nonzero padding nibble is malformed', async () => {
  const body = new Uint8Array(wireBytes('gf16', COUNT));
  body[body.length - 1] = 0x10;
  const { run, secret } = await observe('gf16', (session) => session.sendAll('open', body));
  expectOpened(run, secret);
  expect(reports(run)).toEqual(new Set([`${LIAR} malformed`]));
});

test('without 2t+1 agreeing shares the deadline ends the opening and names the silent', async () => {
  const sim = simulate({ seed: 1, n: N, t: T, kernel });
  const random = createPrng(1);
  const { shares } = share('gr64', randomBatch('gr64', COUNT, random), { n: N, degree: T, random });
  const silent: readonly PartyId[] = [1, 3];
  const run = await sim.run(async (party: Party) => {
    if (silent.includes(party.self)) return;
    const deadlineMs = sim.now() + LATE_MS;
    await openRobust(party.open(SESSION), 'open', 'gr64', shares.get(party.self)!, { deadlineMs });
  });
  for (const party of [2, 4]) {
    expect(run.outcomes[party - 1]).toMatchObject({
      status: 'rejected',
      reason: { name: 'RobustOpeningError', code: 'OPENING_TOO_FEW', silent },
    });
  }
});

test('the end of the session ends the opening with its reason', async () => {
  const sim = simulate({ seed: 1, n: N, t: T, kernel });
  const stop = new Error('stopped by the operator');
  const run = await sim.run(async (party: Party) => {
    const session = party.open(SESSION);
    if (party.self !== 1) return; // the others send nothing
    const opening = openRobust(session, 'open', 'gr64', kernel.gr64.zeros(1));
    session.close(stop);
    await opening;
  });
  expect(run.outcomes[0]).toEqual({ status: 'rejected', reason: stop });
});
