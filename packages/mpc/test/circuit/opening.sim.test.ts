/**
 * The circuit as nodes run it: shares of every level go through a robust opening in the simulator, in any order, while
 * up to t parties follow a fault strategy. Every honest party opens the right messages, and blames nobody honest.
 */
import { asGf16, type Gf16 } from '@keyquorum/kernel/batch';
import { describe, expect, test } from 'vitest';
import { evaluatePlan } from '../../src/circuit/evaluate.ts';
import { COMPARISON } from '../../src/circuit/plan.ts';
import type { Party } from '../../src/party.ts';
import { openRobust } from '../../src/sharing/robust.ts';
import type { SharedPairs } from '../../src/sharing/triples.ts';
import { allDo, corruptSets, drawFaults, STRATEGIES } from '../../src/simulate/faults/catalogue.ts';
import { createPrng, type Prng } from '../../src/simulate/prng.ts';
import { forEachSeed } from '../../src/simulate/seeds.ts';
import type { ShareMessageCodec } from '../../src/simulate/share-message.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import type { Faults } from '../../src/simulate/strategy.ts';
import type { PartyId } from '../../src/transport.ts';
import { kernel, randomBatch, share } from '../sharing/sharings.ts';
import { messageOf, messagesFrom, publicWords, secretBits } from './words.ts';

const SESSION = 'ca'.repeat(32);
const BLOCKS = 3;

/** Openings are plain GF(16) elements, two per byte. */
const levelShares: ShareMessageCodec = {
  degree: 1,
  matches: (tag) => tag.startsWith('level/') || tag === 'message',
  alter: (body, change) => change(body, { kind: 'gf16' }),
};

/** Half of the words decrypt to a random message with noise, half are anything. */
function drawWords(random: Prng): [bigint, bigint][] {
  const word = () => new DataView(random.bytes(8).buffer).getBigUint64(0);
  return Array.from({ length: BLOCKS }, (_, block) => {
    const c = word();
    const difference = block % 2 === 0 ? (BigInt(random.below(16)) << 59n) + BigInt(random.below(2 ** 32)) : word();
    return [c, BigInt.asUintN(64, c - difference)];
  });
}

/** Shared pairs of all parties, as a finished preprocessing leaves them. */
function dealPairs(n: number, t: number, random: Prng): (party: PartyId) => SharedPairs {
  const count = COMPARISON.pairs * BLOCKS;
  const [left, right, right2] = [0, 1, 2].map(() => randomBatch('gf16', count, random)) as [Gf16, Gf16, Gf16];
  const deal = (secret: Gf16) => share('gf16', secret, { n, degree: t, random }).shares;
  const shared = {
    left: deal(left),
    right: deal(right),
    right2: deal(right2),
    product: deal(kernel.gf16.mul(left, right)),
    product2: deal(kernel.gf16.mul(left, right2)),
  };
  return (party) => ({
    left: shared.left.get(party)!,
    right: shared.right.get(party)!,
    right2: shared.right2.get(party)!,
    product: shared.product.get(party)!,
    product2: shared.product2.get(party)!,
  });
}

async function expectMessages(seed: number | string, n: number, t: number, faults: Faults): Promise<void> {
  const sim = simulate({ seed, n, t, kernel, faults, codecs: [levelShares] });
  const random = sim.random.fork('circuit');
  const words = drawWords(random);
  const bits = share('gf16', secretBits(words), { n, degree: t, random }).shares;
  const pairsOf = dealPairs(n, t, random);
  const run = await sim.run(async (party: Party) => {
    const session = party.open(SESSION);
    const shares = await evaluatePlan(kernel, COMPARISON, {
      publicWords: publicWords(words),
      bits: asGf16(bits.get(party.self)!),
      pairs: pairsOf(party.self),
      open: (level, mine) => openRobust(session, `level/${level}`, 'gf16', mine),
    });
    return messagesFrom(await openRobust(session, 'message', 'gf16', shares));
  });
  for (const party of sim.honest) {
    const outcome = run.outcomes[party - 1];
    expect(outcome, sim.describe()).toEqual({ status: 'fulfilled', value: words.map(messageOf) });
  }
  for (const { by, fault } of run.faults) {
    if (!sim.honest.includes(by) || ['silent', 'late'].includes(fault.kind)) continue;
    expect(sim.honest, `${sim.describe()}: ${fault.kind} ${fault.detail}`).not.toContain(fault.party);
  }
}

describe.each([
  { n: 4, t: 1 },
  { n: 7, t: 2 },
])('n=$n, t=$t', ({ n, t }) => {
  test.each(Object.keys(STRATEGIES))('every corrupt set of %s', async (name) => {
    const sets = corruptSets(n, t).filter((set) => n === 4 || set.length === t);
    for (const set of sets) await expectMessages(`${name} ${set}`, n, t, allDo(set, STRATEGIES[name]!));
  });

  test('random strategies and delays', async () => {
    await forEachSeed({ runs: 40, file: import.meta.filename, env: process.env }, async (seed) => {
      await expectMessages(seed, n, t, drawFaults(createPrng(`circuit ${n} ${seed}`), n, t));
    });
  });
});
