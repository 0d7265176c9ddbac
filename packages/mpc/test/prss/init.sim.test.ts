/**
 * PRSS-Init against t corrupt parties in networks that keep their promise (SPEC R2, N5, N6): all honest parties end
 * with the same keys, the right parties are proven corrupt, and the keys of all-honest sets stay secret.
 */
import { describe, expect, test } from 'vitest';
import { verifyCertificate } from '../../src/agreement/certificate.ts';
import { verifyEvidence } from '../../src/agreement/evidence.ts';
import { toHex } from '../../src/bytes.ts';
import { prssInitSubject } from '../../src/prss/init.ts';
import { keyOfSet, keysFromReveals, readReveal } from '../../src/prss/init-contributions.ts';
import { type Contribution, encodeComplaints, encodeContribution } from '../../src/prss/init-messages.ts';
import { encodePrssKeys } from '../../src/prss/late-keys.ts';
import { quorumOf } from '../../src/roster.ts';
import { allDo, corruptSets, STRATEGIES } from '../../src/simulate/faults/catalogue.ts';
import { equivocate } from '../../src/simulate/faults/equivocate.ts';
import { silent } from '../../src/simulate/faults/silent.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import type { Faults } from '../../src/simulate/strategy.ts';
import type { PartyId } from '../../src/transport.ts';
import { partiesUpTo, SIZES } from '../sharing/sharings.ts';
import { withoutKernel } from '../without-kernel.ts';
import { coalitionOpenings, expectAgreement, expectSecret, runInit, type Script, SESSION } from './init-runs.ts';

const SMALL = SIZES.filter(({ n }) => n < 13);

function start(n: number, t: number, faults: Faults = {}, seed: number | string = 1) {
  return simulate({ seed, n, t, kernel: withoutKernel, skewMs: 20, faults });
}

/** The last t parties. */
const corruptOf = (n: number, t: number): PartyId[] => partiesUpTo(n).slice(n - t);

describe.each(SIZES)('honest parties, n=$n, t=$t', ({ n, t }) => {
  test("end with the same keys, certified, and any reveal set of the honest rebuilds everybody's", async () => {
    const sim = start(n, t);
    const observed = await runInit(sim);
    const result = expectAgreement(observed, partiesUpTo(n));
    expect(observed.run.faults).toEqual([]);
    expect(result.proven).toEqual([]);
    expect(new Set([...result.nonces.values()].map(toHex)).size).toBe(n);
    const subject = prssInitSubject(SESSION, result.transcript);
    expect(verifyCertificate(sim.roster, subject, result.certificate, quorumOf(sim.roster))).toBe(true);

    const reveals = new Map<PartyId, Uint8Array>();
    for (const [party, { contributions }] of observed.results) {
      reveals.set(party, contributions.encodeReveal());
      expect(reveals.get(party)!.length).toBeLessThanOrEqual(contributions.revealBytesMax);
    }
    for (const liar of corruptOf(n, t)) reveals.get(liar)!.fill(7); // shows anything else
    const { commitments } = result.contributions;
    const keysOf = keysFromReveals(commitments, reveals);
    for (const [party, { keys }] of observed.results) {
      const isLiar = corruptOf(n, t).includes(party);
      expect(readReveal(commitments, party, reveals.get(party)!) === undefined).toBe(isLiar);
      for (const [name, own] of keys) {
        expect(toHex(encodePrssKeys(keysOf(party)!.get(name)!))).toBe(toHex(encodePrssKeys(own)));
      }
    }
    expect(keysFromReveals(commitments, new Map([[n, reveals.get(n)!]]))(n)).toBeUndefined();
    result.contributions.erase();
    expect(() => result.contributions.encodeReveal()).toThrow('erased');
  });
});

test('N16: the same request twice, in one network, gives keys and nonces without relation', async () => {
  const sim = start(4, 1);
  const first = expectAgreement(await runInit(sim), []);
  const second = expectAgreement(await runInit(sim, { session: 'd0'.repeat(32) }), []);
  const spelled = [first, second].flatMap(({ keys, nonces }) => [
    ...[...keys.values()].flatMap(({ bySubset }) => [...bySubset.values()].map(toHex)),
    ...[...nonces.values()].map(toHex),
  ]);
  expect(new Set(spelled).size).toBe(spelled.length);
});

describe.each(SMALL)('n=$n, t=$t', ({ n, t }) => {
  const corrupt = corruptOf(n, t);
  const honest = partiesUpTo(n).slice(0, n - t);
  const liar = n;
  const attack = (script: Script, others: Script = {}) =>
    runInit(start(n, t), { scripts: Object.fromEntries(corrupt.map((id) => [id, id === liar ? script : others])) });

  test('the coalition knows every key but those of all-honest sets', async () => {
    const observed = await attack({});
    const { contributions, proven } = expectAgreement(observed, honest);
    expect(proven).toEqual([]);
    expectSecret(observed, contributions.commitments, corrupt);
    const openings = coalitionOpenings(observed, contributions.commitments);
    for (const { number, family, index, members } of observed.scope.sets) {
      if (!members.some((member) => corrupt.includes(member))) continue;
      const known = keyOfSet(contributions.commitments, number, openings)!;
      const member = members.find((each) => honest.includes(each));
      if (member) expect(known).toEqual(observed.results.get(member)!.keys.get(family.name)!.bySubset.get(index));
    }
  });

  test('t silent parties: the others get keys, silence proves nothing', async () => {
    const sim = start(n, t, allDo(corrupt, silent()));
    const observed = await runInit(sim);
    expect([...observed.results.keys()]).toEqual(expect.arrayContaining(honest));
    for (const party of honest) {
      const { proven, nonces, contributions } = observed.results.get(party)!;
      expect(proven).toEqual([]);
      expect([...nonces.keys()]).toEqual(honest);
      expect([...contributions.commitments.bySender.keys()]).toEqual(honest);
    }
  });

  test('t+1 silent parties: nobody reveals anything, everybody starts again', async () => {
    const sim = start(n, t, allDo(partiesUpTo(n).slice(n - t - 1), silent()));
    const { failures } = await runInit(sim);
    for (const party of sim.honest) expect(failures.get(party)).toBe('PRSS_INIT_TOO_FEW');
  });

  const broken = (change: (honestOne: Contribution) => Contribution): Script => ({
    contribution: (honestOne, view) => encodeContribution(view, change(honestOne)),
  });
  const change = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
  const oneBox = (at: number) =>
    broken(({ commitments, boxes }) => ({
      commitments,
      boxes: new Map([...boxes].map(([to, box]) => [to, to === 1 ? change(box, at) : box])),
    }));

  test.each([
    ['another ephemeral key', oneBox(0)],
    ['a flipped bit of the ciphertext', oneBox(40)],
    [
      'a key of small order',
      broken(({ commitments, boxes }) => ({
        commitments,
        boxes: new Map([...boxes].map(([to, box]) => [to, to === 1 ? new Uint8Array(box.length) : box])),
      })),
    ],
    [
      'bad boxes for everybody',
      broken(({ commitments, boxes }) => ({
        commitments,
        boxes: new Map([...boxes].map(([to, box]) => [to, change(box, 50)])),
      })),
    ],
    [
      'an opening that is not the committed one',
      broken(({ commitments, boxes }) => ({
        boxes,
        commitments: new Map([...commitments].map(([number, c], index) => [number, index === 0 ? change(c, 0) : c])),
      })),
    ],
  ])('N5: %s: the sender is proven corrupt and contributes nothing anywhere', async (_, script) => {
    const observed = await attack(script);
    const { proven, contributions, nonces } = expectAgreement(observed, honest);
    expect(proven).toEqual([liar]);
    expect([...contributions.commitments.bySender.keys()]).not.toContain(liar);
    expect(nonces.size).toBe(n);
    expectSecret(observed, contributions.commitments, corrupt);
  });

  test.each<[string, Script]>([
    [
      'a good box',
      { complaints: ({ view, secretKeys }) => encodeComplaints(view, new Map([[1, secretKeys.get(1)!]])) },
    ],
    [
      'a key that was not announced',
      { complaints: ({ view }) => encodeComplaints(view, new Map([[1, new Uint8Array(32)]])) },
    ],
    [
      'everybody, with the true keys',
      {
        complaints: ({ view, secretKeys }) =>
          encodeComplaints(view, new Map([...secretKeys].filter(([id]) => id <= n - t))),
      },
    ],
    ['nothing, in bytes without meaning', { complaints: ({ view }) => Uint8Array.of(...view, 9, 9, 9) }],
  ])(
    'N5: a complaint about %s: the complainer is proven corrupt, the accused keeps its contributions',
    async (_, script) => {
      const observed = await attack(script);
      const { proven, contributions } = expectAgreement(observed, honest);
      expect(proven).toEqual([liar]);
      expect([...contributions.commitments.bySender.keys()]).toEqual(expect.arrayContaining(partiesUpTo(n)));
      expectSecret(observed, contributions.commitments, corrupt);
    },
  );

  test.each<[string, Script]>([
    ['a contribution cut short', { contribution: (own, view) => encodeContribution(view, own).slice(0, -1) }],
    ['keys cut short', { keys: (body) => body.slice(0, -1) }],
  ])('%s: proven corrupt, since it was signed', async (_, script) => {
    const observed = await attack(script);
    const { proven, contributions } = expectAgreement(observed, honest);
    expect(proven).toEqual([liar]);
    expectSecret(observed, contributions.commitments, corrupt);
  });

  test.each<[string, Script, boolean]>([
    [
      'a contribution under another view',
      { contribution: (own) => encodeContribution(new Uint8Array(32), own) },
      false,
    ],
    [
      'a complaint under another view',
      { complaints: ({ secretKeys }) => encodeComplaints(new Uint8Array(32), secretKeys) },
      true,
    ],
    ['no keys', { keys: () => undefined }, true],
  ])('%s: counts for nothing and proves nothing', async (_, script, contributes) => {
    const observed = await attack(script);
    const { proven, contributions } = expectAgreement(observed, honest);
    expect(proven).toEqual([]);
    expect(contributions.commitments.bySender.has(liar)).toBe(contributes);
    expectSecret(observed, contributions.commitments, corrupt);
  });

  test('N5: an equivocating contribution is bottom for all, with evidence', async () => {
    const sim = start(n, t, allDo([liar], equivocate()));
    const observed = await runInit(sim);
    for (const party of sim.honest) {
      const { contributions, transcript } = observed.results.get(party)!;
      expect(contributions.commitments.bySender.has(liar)).toBe(false);
      expect(transcript).toEqual(observed.results.get(1)!.transcript);
    }
    expect(observed.evidence.length).toBeGreaterThan(0);
    for (const { found } of observed.evidence) expect(verifyEvidence(sim.roster, found)).toBe(liar);
  });

  test.each(Object.keys(STRATEGIES))('corrupt parties by strategy: %s', async (name) => {
    const sets = n === 4 ? corruptSets(n, t) : [corrupt, [1, 4]];
    for (const set of sets) {
      const sim = start(n, t, allDo(set, STRATEGIES[name]!), name);
      const observed = await runInit(sim);
      const results = new Map([...observed.results].filter(([party]) => sim.honest.includes(party)));
      const failures = new Map([...observed.failures].filter(([party]) => sim.honest.includes(party)));
      const { proven } = expectAgreement({ ...observed, results, failures }, sim.honest);
      for (const party of proven) expect(set).toContain(party);
      for (const { by, fault } of observed.run.faults) {
        if (!sim.honest.includes(by) || ['silent', 'late'].includes(fault.kind)) continue;
        expect(set, `${sim.describe()}: ${fault.kind} ${fault.detail}`).toContain(fault.party);
      }
    }
  });
});

test('a complaint about a silent party is one about nothing', async () => {
  const scripts: Record<PartyId, Script> = {
    6: { contribution: () => undefined },
    7: { complaints: ({ view, secretKeys }) => encodeComplaints(view, new Map([[6, secretKeys.get(6)!]])) },
  };
  const observed = await runInit(start(7, 2), { scripts });
  expect(expectAgreement(observed, partiesUpTo(5)).proven).toEqual([7]);
});
