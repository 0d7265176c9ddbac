// Goal: what a batch promises to decryption: shares of degree t, masks that are the sum of their bits, triples that
// multiply, the same shares for a party that was there and for one that recomputes them, and no lie unseen. Method:
// PRSS keys dealt by the test; the messages of all parties computed one after the other, and a live run in the
// simulator.
import { familyC } from '@keyquorum/mpc/prss/family';
import { sessionKeys } from '@keyquorum/mpc/prss/keys';
import { createPrss } from '@keyquorum/mpc/prss/prss';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import { simulate } from '@keyquorum/mpc/simulate/simulate';
import type { PartyId } from '@keyquorum/mpc/transport';
import { describe, expect, test } from 'vitest';
import { type Material, takeBundles } from '../src/decryption/material.ts';
import {
  openValues,
  preprocess,
  recomputeBatch,
  shareMessage,
  valuesBytes,
  verifyRecord,
} from '../src/decryption/preprocessing.ts';
import { checkMaterial } from './support/batches.ts';
import { dealKeys } from './support/dealt-keys.ts';
import { kernel } from './support/kernel.ts';

const ID = 'c0'.repeat(32);

describe.each([
  { n: 4, t: 1, bundles: 5 },
  { n: 7, t: 2, bundles: 4 },
])('n=$n, t=$t', ({ n, t, bundles }) => {
  const keys = dealKeys(familyC({ n, t }), `batch ${n}`);
  const expected = [...keys.keys()];
  const messages = new Map(
    [...keys].map(([party, own]) => [
      party,
      shareMessage(kernel, createPrss(kernel, sessionKeys(own, ID)), bundles).message,
    ]),
  );

  test('the opened values make right material at every party', () => {
    const values = openValues(kernel, messages, { expected, t, bundles })!;
    expect(values.length).toBe(valuesBytes(bundles));
    const shares = new Map(
      [...keys].map(([party, own]) => [party, recomputeBatch(kernel, { id: ID, keys: own, bundles, values })]),
    );
    checkMaterial(shares, t);
    // t+1 parties alone hold all of it.
    checkMaterial(new Map([...shares].slice(1, t + 2)), t);
    const other = openValues(kernel, messages, { expected, t, bundles })!;
    other[0]! ^= 1;
    const wrong = () =>
      new Map(
        [...keys].map(([party, own]) => [party, recomputeBatch(kernel, { id: ID, keys: own, bundles, values: other })]),
      );
    expect(() => checkMaterial(wrong(), t)).toThrow(); // the check is one
  });

  test('any changed bit that is part of a share is seen, whoever changes it', () => {
    const random = createPrng(`detect ${n}`);
    const probeBytes = 32;
    const length = messages.get(1)!.length;
    const products = 77 * bundles; // bytes
    for (let trial = 0; trial < 150; trial++) {
      const party: PartyId = 1 + random.below(n);
      const message = Uint8Array.from(messages.get(party)!);
      const at = trial < 20 ? length - 1 - random.below(products) : probeBytes + random.below(length - probeBytes);
      message[at]! ^= 1 << random.below(8);
      expect(
        openValues(kernel, new Map(messages).set(party, message), { expected, t, bundles }),
        `byte ${at}`,
      ).toBeUndefined();
    }
  });

  test('an unused last nibble that is not 0 is a lie like any other', () => {
    const odd = bundles + 1 - (bundles % 2);
    const all = new Map(
      [...keys].map(([party, own]) => [party, shareMessage(kernel, createPrss(kernel, own), odd).message] as const),
    );
    expect(openValues(kernel, all, { expected, t, bundles: odd })).toBeDefined();
    const message = Uint8Array.from(all.get(2)!);
    message[message.length - 1]! ^= 0x10;
    expect(openValues(kernel, new Map(all).set(2, message), { expected, t, bundles: odd })).toBeUndefined();
  });

  test('a live run: certified values, and the shares a late party recomputes are the live ones', async () => {
    const sim = simulate({ seed: 1, n, t, kernel });
    const run = await sim.run((party) =>
      preprocess(party.open(ID), {
        keys: keys.get(party.self)!,
        bundles,
        expected,
        deadlineMs: party.clock.now() + 60_000,
        turn: async () => undefined,
      }),
    );
    const shares = new Map<PartyId, Material>();
    run.outcomes.forEach((outcome, index) => {
      expect(outcome.status).toBe('fulfilled');
      if (outcome.status !== 'fulfilled') return;
      const { material, values, certificate } = outcome.value;
      verifyRecord(sim.roster, ID, bundles, { start: new Uint8Array(0), values, certificate });
      const late = recomputeBatch(kernel, { id: ID, keys: keys.get(index + 1)!, bundles, values });
      expect(late).toEqual(material);
      shares.set(index + 1, material);
      const changed = Uint8Array.from(values);
      changed[9]! ^= 1;
      expect(() =>
        verifyRecord(sim.roster, ID, bundles, { start: new Uint8Array(0), values: changed, certificate }),
      ).toThrow();
      expect(() =>
        verifyRecord(sim.roster, 'd0'.repeat(32), bundles, { start: new Uint8Array(0), values, certificate }),
      ).toThrow();
    });
    checkMaterial(shares, t);
  });

  test('taken bundles are cut out of every vector and erased behind', () => {
    const values = openValues(kernel, messages, { expected, t, bundles })!;
    const all = new Map(
      [...keys].map(([party, own]) => [party, recomputeBatch(kernel, { id: ID, keys: own, bundles, values })]),
    );
    const taken = new Map([...all].map(([party, material]) => [party, takeBundles(material, 1, 2)]));
    checkMaterial(taken, t);
    for (const [party, material] of all) {
      expect(material.mask.subarray(32, 96).every((byte) => byte === 0)).toBe(true);
      expect(
        takeBundles(material, 1, 2).bits.every((byte) => byte === 0),
        `party ${party}`,
      ).toBe(true);
    }
  });
});
