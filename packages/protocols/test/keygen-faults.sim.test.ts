/**
 * Key generation while parties lie. Goal: whoever is corrupt and whatever it does, honest parties that activate a key
 * hold shares of one key that fits its public key; a lie in values of degree 2t is always detected, its author proven
 * and the key made without it; a silent party stalls the ceremony, which says so; nobody honest is ever proven or
 * reported. Method: every corrupt set times every strategy at 4/1, a seeded sample at 7/2; the parties lie from the
 * first message of the key generation on, over an honest epoch.
 */
import { allDo, corruptSets, STRATEGIES } from '@keyquorum/mpc/simulate/faults/catalogue';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import { describeFaults } from '@keyquorum/mpc/simulate/strategy';
import type { PartyId } from '@keyquorum/mpc/transport';
import { expect, test } from 'vitest';
import { discreet } from './support/discreet.ts';
import { checkGenerated, type Generated, generateUnder, provenBy, type Seen, type Size } from './support/generation.ts';
import { lastLogs } from './support/ready.ts';

/** Lies in values of degree 2t: detected, proven, and the key is made without the liars. */
const PROVEN = ['wrong-share', 'constant-offset', 'codeword-offset', 'codeword-offset-high'];
/** What is promised beyond safety for each kind of lie. */
function checkPromise(generated: Generated, seen: readonly Seen[], name: string, where: string): void {
  const { network, corrupt, honest } = generated;
  const states = seen.map(({ ceremony }) => ceremony?.state);
  if (PROVEN.includes(name)) {
    expect(states, `${where}: the key is made`).toEqual(honest.map(() => 'succeeded'));
    for (const party of honest) expect(provenBy(network, party), `${where}: party ${party} proves`).toEqual(corrupt);
  }
  if (name === 'silent' || name === 'crash') {
    for (const { ceremony } of seen) {
      if (ceremony?.state === 'succeeded') continue;
      expect(ceremony?.failure, where).toMatchObject({ code: 'OPENING_STALLED', culprits: [], absent: corrupt });
    }
  }
  if (['late', 'wrong-session', 'contradict'].includes(name)) {
    expect(new Set(states).size, `${where}: all agree`).toBe(1);
  }
}

async function attack(seed: string, size: Size, { corrupt, name }: { corrupt: PartyId[]; name: string }) {
  const strategy = STRATEGIES[name]!;
  const faults = allDo(corrupt, PROVEN.includes(name) ? discreet(strategy) : strategy);
  const generated = await generateUnder({ seed, ...size }, faults);
  const where = `n=${size.n}, t=${size.t}, ${describeFaults(faults)}\n${lastLogs(generated.network)}\n`;
  const seen = await checkGenerated(generated, where);
  checkPromise(generated, seen, name, where);
}

test.each(Object.keys(STRATEGIES))('4/1, %s: every corrupt set', async (name) => {
  await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
    for (const corrupt of corruptSets(4, 1)) await attack(`${seed}`, { n: 4, t: 1 }, { corrupt, name });
  });
});

test.each(Object.keys(STRATEGIES))('7/2, %s: two corrupt parties, and one', async (name) => {
  await forEachSeed({ runs: 2, file: import.meta.filename, env: process.env }, async (seed) => {
    const size = 1 + (seed % 2);
    const sets = corruptSets(7, 2).filter((set) => set.length === size);
    const corrupt = sets[(seed * 5 + Object.keys(STRATEGIES).indexOf(name) * 3) % sets.length]!;
    await attack(`${seed}`, { n: 7, t: 2 }, { corrupt, name });
  });
});
