import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/bytes.ts';
import { familyC } from '../../src/prss/family.ts';
import type { PrssKeys } from '../../src/prss/keys.ts';
import {
  agreeKeys,
  decodePrssKeys,
  deviators,
  encodePrssKeys,
  majorityKeys,
  prssKeysBytesMax,
} from '../../src/prss/late-keys.ts';
import { corruptSets } from '../../src/simulate/faults/catalogue.ts';
import type { PartyId } from '../../src/transport.ts';
import { SIZES } from '../sharing/sharings.ts';
import { keysOfAll } from './keys-of-all.ts';

/** What `party` says: the truth, or all keys changed the same way by all liars. */
function answer(keys: readonly PrssKeys[], party: PartyId, liars: readonly PartyId[]): ReadonlyMap<number, Uint8Array> {
  const { bySubset } = keys[party - 1]!;
  if (!liars.includes(party)) return bySubset;
  return new Map([...bySubset].map(([index, key]) => [index, key.map((byte) => byte ^ 1)]));
}

describe.each(SIZES)('n=$n, t=$t', ({ n, t }) => {
  const family = familyC({ n, t });
  const keys = [...keysOfAll(family, `late ${n}`).values()];
  const all = keys.map(({ self }) => self);
  const others = all.slice(1);
  // Every liar set for small sizes; for 13 parties the ends and the middle.
  const liarSets =
    n === 13
      ? [
          [2, 3, 4, 5],
          [10, 11, 12, 13],
          [2, 7, 8, 13],
        ]
      : corruptSets(n, t).filter((set) => set.length === t && !set.includes(1));

  test('a party that was away gets its keys while at most t-1 others lie', () => {
    for (const liars of liarSets.map((set) => set.slice(1))) {
      const answers = new Map(others.map((party) => [party, answer(keys, party, liars)]));
      expectKeys(agreeKeys(family, 1, answers, t), 1);
    }
  });

  test('with t lying members of one of its sets it waits instead of guessing', () => {
    for (const liars of liarSets) {
      const answers = new Map(others.map((party) => [party, answer(keys, party, liars)]));
      expect(agreeKeys(family, 1, answers, t)).toBeUndefined();
    }
  });

  test('t equal answers are not enough, and no lie of t parties is ever taken', () => {
    const liars = others.slice(0, t);
    const answers = new Map(liars.map((party) => [party, answer(keys, party, liars)]));
    expect(agreeKeys(family, 1, answers, t)).toBeUndefined();
    const withOne = new Map([...answers, [n, answer(keys, n, [])] as const]);
    expect(agreeKeys(family, 1, withOne, t)).toBeUndefined();
  });

  test('answers about sets of which the speaker is no member count for nothing', () => {
    const forged = new Map(family.subsets.map((_, index) => [index, new Uint8Array(32)] as const));
    const strangers = new Map([[n, forged] as const]);
    const honest = others.slice(0, t).map((party) => [party, keys[party - 1]!.bySubset] as const);
    expect(agreeKeys(family, 1, new Map([...strangers, ...honest]), t)).toBeUndefined();
  });

  test("reveals of a burnt session give any party's keys and name who deviates", () => {
    for (const liars of liarSets) {
      const reveals = new Map(all.map((party) => [party, { bySubset: answer(keys, party, liars) }]));
      const keysOf = majorityKeys(family, reveals, t);
      for (const party of all) expectKeys(keysOf(party), party);
      expect(deviators(family, reveals, t)).toEqual(liars);
    }
  });

  test('reveals of the honest parties alone are enough', () => {
    const reveals = new Map(all.slice(t).map((party) => [party, keys[party - 1]!]));
    const keysOf = majorityKeys(family, reveals, t);
    for (const party of all) expectKeys(keysOf(party), party);
    expect(deviators(family, reveals, t)).toEqual([]);
  });

  test('the result is a copy: erasing an answer does not touch it', () => {
    const answers = new Map(others.map((party) => [party, new Map(decoded(party).bySubset)]));
    const agreed = agreeKeys(family, 1, answers, t)!;
    for (const given of answers.values()) for (const key of given.values()) key.fill(0);
    expectKeys(agreed, 1);
  });

  test('keys survive their encoding; other lengths are refused', () => {
    for (const own of keys) {
      const bytes = encodePrssKeys(own);
      expect(bytes.length).toBeLessThanOrEqual(prssKeysBytesMax(family));
      expectKeys(decodePrssKeys(family, own.self, bytes), own.self);
    }
    const right = encodePrssKeys(keys[0]!).length;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 * right }), (length) => {
        expect(decodePrssKeys(family, 1, new Uint8Array(length)) === undefined).toBe(length !== right);
      }),
    );
  });

  /** Compares the encodings: thousands of small arrays are slow to compare one by one. */
  function expectKeys(found: PrssKeys | undefined, party: PartyId): void {
    expect(found).toMatchObject({ self: party, family: { name: 'C' } });
    expect(toHex(encodePrssKeys(found!))).toBe(toHex(encodePrssKeys(keys[party - 1]!)));
  }

  function decoded(party: PartyId): PrssKeys {
    return decodePrssKeys(family, party, encodePrssKeys(keys[party - 1]!))!;
  }
});
