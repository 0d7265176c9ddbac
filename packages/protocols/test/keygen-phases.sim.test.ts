/**
 * Key generation in which a party begins to lie late: in the middle of a key set some chunks are already opened, signed
 * and stored. Goal and judge are those of keygen-faults.sim.test.ts, whose liars lie from the first message on. Method:
 * every strategy from the phases on in which it makes a difference, at 4/1; chunks and larger networks are the matter
 * of open-bodies.sim.test.ts and evidence.sim.test.ts.
 */
import { STRATEGIES } from '@keyquorum/mpc/simulate/faults/catalogue';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import { describeFaults } from '@keyquorum/mpc/simulate/strategy';
import type { PartyId } from '@keyquorum/mpc/transport';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import { expect, test } from 'vitest';
import { bodyChunks } from '../src/keygen/chunks.ts';
import { bodyTag } from '../src/keygen/open-bodies.ts';
import { discreet } from './support/discreet.ts';
import { checkGenerated, generateUnder, provenBy, upTo } from './support/generation.ts';
import { lastLogs } from './support/ready.ts';

const CHUNKS = bodyChunks(keySetChoice('test')).map(bodyTag);
const MIDDLE = CHUNKS.length >> 1;
/** Where lies begin: a phase, and the tag of its first message. */
const PHASES = {
  bits: 'bits',
  'middle chunk': CHUNKS[MIDDLE]!,
  'last chunk': CHUNKS.at(-1)!,
  complete: 'complete',
} as const;
type Phase = keyof typeof PHASES;

/** Lies in shares: of degree 2t they are detected and proven. */
const SHARES = ['wrong-share', 'constant-offset', 'codeword-offset', 'codeword-offset-high'];
const isShareLie = (name: string): boolean => SHARES.includes(name);

interface Attack {
  readonly liar: PartyId;
  readonly name: string;
  readonly phase: Phase;
}

/** What is promised beyond safety: by the kind of lie, and whether any message of degree 2t is still to come. */
function expectEnd({ name, phase }: Attack): { states: string[]; proven: boolean } {
  const over = phase === 'complete'; // all is opened: a quorum is enough, and no share is left to lie about
  if (isShareLie(name)) return { states: ['succeeded'], proven: !over };
  if (over || ['late', 'wrong-session'].includes(name)) return { states: ['succeeded'], proven: false };
  // Where the wrong one of two messages comes first the right one is not heard: like silence, it stalls.
  return { states: ['succeeded', 'failed'], proven: false };
}

async function attack(seed: string, lie: Attack): Promise<void> {
  const { liar, name, phase } = lie;
  const strategy = STRATEGIES[name]!;
  const faults = { [liar]: isShareLie(name) ? discreet(strategy) : strategy };
  const generated = await generateUnder({ seed, n: 4, t: 1 }, faults, { since: new RegExp(`^${PHASES[phase]}$`) });
  const where = `${describeFaults(faults)} from ${phase} on\n${lastLogs(generated.network)}\n`;
  const seen = await checkGenerated(generated, where);
  const { states, proven } = expectEnd(lie);
  for (const [index, party] of generated.honest.entries()) {
    const { ceremony } = seen[index]!;
    expect(states, `${where}: party ${party}`).toContain(ceremony?.state);
    if (proven) expect(provenBy(generated.network, party), `${where}: party ${party} proves`).toEqual([liar]);
    if (ceremony?.failure === undefined) continue;
    expect(ceremony.failure.culprits, `${where}: silence is no proof`).toEqual([]);
    if (name === 'contradict') expect(ceremony.failure.code, where).toBe('OPENING_STALLED');
    if (name === 'silent' || name === 'crash') expect(ceremony.failure, where).toMatchObject({ absent: [liar] });
  }
}

function phasesOf(name: string): Phase[] {
  if (name === 'codeword-offset-high') return ['middle chunk', 'last chunk'];
  if (isShareLie(name)) return ['middle chunk'];
  return ['silent', 'crash', 'equivocate'].includes(name)
    ? ['bits', 'middle chunk', 'complete']
    : ['middle chunk', 'complete'];
}

test.each(Object.keys(STRATEGIES))('%s: late in the ceremony', async (name) => {
  await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
    for (const phase of phasesOf(name)) {
      const liar = createPrng(`${seed} ${name} ${phase}`).pick(upTo(4));
      await attack(`${seed}`, { liar, name, phase });
    }
  });
});
