/** Shares that arrive when a step is over here: its memory was given back, and nobody is blamed for that. */
import { simulate } from '@keyquorum/mpc/simulate/simulate';
import { expect, test } from 'vitest';
import { exchangeShares } from '../src/closed/signed-shares.ts';
import { SHARE_CODECS } from '../src/share-codecs.ts';
import { kernel } from './support/kernel.ts';

const SESSION = 'c2'.repeat(32);
/** Large enough for its memory to be given back at once. */
const BYTES = 32 * 1024;
const [RELEASED_MS, LATE_MS, END_MS] = [1_000, 2_000, 5_000];

test('a slow party sends its shares after the others have released theirs: no fault', async () => {
  const sim = simulate({ seed: 'late', n: 4, t: 1, kernel, codecs: SHARE_CODECS });
  const { outcomes, faults } = await sim.run(async (party) => {
    const session = party.open(SESSION);
    const startMs = party.clock.now();
    const until = (ms: number) => party.clock.until(startMs + ms, session.signal);
    if (party.self === 4) await until(LATE_MS);
    const message = new Uint8Array(BYTES).fill(party.self);
    const shares = exchangeShares(session, { tag: 'body64/5', message, expected: [1, 2, 3, 4] });
    if (party.self !== 4) {
      await until(RELEASED_MS);
      shares.suffice();
      shares.release();
      expect(message).toHaveLength(0);
    }
    await until(END_MS);
    return shares.roots.has(4);
  });
  expect(outcomes).toEqual(Array(4).fill(expect.objectContaining({ status: 'fulfilled', value: true })));
  expect(faults).toEqual([]);
});
