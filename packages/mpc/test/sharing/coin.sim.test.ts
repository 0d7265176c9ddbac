/** Coins (SPEC R8): equal at all parties, bound to what is certified, and not a byte without a certificate. */
import { expect, test } from 'vitest';
import { collectSignatures, digestSubject, soloCertificate } from '../../src/agreement/certificate.ts';
import { sha256, toHex } from '../../src/bytes.ts';
import { LABELS } from '../../src/labels.ts';
import type { Party } from '../../src/party.ts';
import { familyC } from '../../src/prss/family.ts';
import { createPrss } from '../../src/prss/prss.ts';
import { quorumOf } from '../../src/roster.ts';
import { openCoin, recomputeCoin } from '../../src/sharing/coin.ts';
import { allDo, strategyByName } from '../../src/simulate/faults/catalogue.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { keysOfAll } from '../prss/keys-of-all.ts';
import { kernel } from './sharings.ts';

const SESSION = 'e0'.repeat(32);
const SIZE = { n: 4, t: 1 };
const COUNT = 64;

const start = (faults = {}) => simulate({ seed: 1, ...SIZE, kernel, faults });
const prssOf = (party: Party) => createPrss(kernel, keysOfAll(familyC(SIZE), 'coin').get(party.self)!);

async function toss(party: Party, data: string): Promise<string> {
  const session = party.open(SESSION);
  const digest = sha256(new TextEncoder().encode(data));
  const certificate = await collectSignatures(session, 'fix', LABELS.ok, digest, quorumOf(session.roster));
  const fixed = digestSubject(LABELS.ok, SESSION, 'fix', digest);
  return toHex(await openCoin(session, prssOf(party), { tag: 'coin', count: COUNT, fixed, certificate }));
}

test('all parties see one coin, whoever is silent, and another coin for other data', async () => {
  const coins = new Set<string>();
  for (const data of ['one', 'other']) {
    const { outcomes } = await start(allDo([3], strategyByName('silent')!)).run((party) => toss(party, data));
    const seen = [1, 2, 4].map((party) => outcomes[party - 1]);
    expect(seen[0]).toMatchObject({ status: 'fulfilled' });
    for (const outcome of seen) expect(outcome).toEqual(seen[0]);
    if (seen[0]?.status === 'fulfilled') coins.add(seen[0].value);
  }
  expect(coins.size).toBe(2);
});

test('whoever knows the keys of t+1 parties knows the coin', async () => {
  const { outcomes } = await start().run((party) => toss(party, 'one'));
  const keys = keysOfAll(familyC(SIZE), 'coin');
  const fixed = digestSubject(LABELS.ok, SESSION, 'fix', sha256(new TextEncoder().encode('one')));
  for (const tossers of [
    [1, 2],
    [4, 3],
    [1, 2, 3],
  ]) {
    const prss = new Map(tossers.map((party) => [party, createPrss(kernel, keys.get(party)!)]));
    const coin = recomputeCoin(kernel, prss, { tag: 'coin', count: COUNT, fixed });
    expect(outcomes[0]).toMatchObject({ value: toHex(coin) });
  }
});

test('a certificate of too few, or about other data, tosses nothing and sends nothing', async () => {
  const sim = start();
  const { outcomes } = await sim.run(async (party) => {
    const session = party.open(SESSION);
    const fixed = digestSubject(LABELS.ok, SESSION, 'fix', sha256(new Uint8Array(1)));
    const certificate = soloCertificate(session, fixed);
    await openCoin(session, prssOf(party), { tag: 'coin', count: COUNT, fixed, certificate });
  });
  for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'COIN_NOT_FIXED' } });
  const foreign = await sim.run(async (party) => {
    const session = party.open('e1'.repeat(32));
    const digest = sha256(new Uint8Array(2));
    const certificate = await collectSignatures(session, 'fix', LABELS.ok, digest, quorumOf(session.roster));
    const fixed = digestSubject(LABELS.ok, session.id, 'fix', sha256(new Uint8Array(3)));
    await openCoin(session, prssOf(party), { tag: 'coin', count: COUNT, fixed, certificate });
  });
  for (const outcome of foreign.outcomes) expect(outcome).toMatchObject({ reason: { code: 'COIN_NOT_FIXED' } });
  for (const byTag of sim.traffic.sent().values()) expect([...byTag.keys()]).not.toContain('coin');
});
