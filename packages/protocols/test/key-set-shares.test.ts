/**
 * Goal: the messages of K4, opened, are a key set: every row of every component is mask times key plus what it must
 * encrypt plus noise of the stated range, whatever the size of the committee. Method: PRSS keys dealt by the test, the
 * protocol's own makers for every party, and the dealer's oracle, which knows the secret keys.
 */
import type { Gr128 } from '@keyquorum/kernel/batch';
import { openingMatrix } from '@keyquorum/kernel/lagrange';
import { familyA2, familyC } from '@keyquorum/mpc/prss/family';
import { createPrss } from '@keyquorum/mpc/prss/prss';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import type { PartyId } from '@keyquorum/mpc/transport';
import { createMaskStream, keyStreamSeedData } from '@keyquorum/tfhe/csprng';
import { keySetChoice, secretKeyPlaces } from '@keyquorum/tfhe/key-sets';
import { describe, expect, test } from 'vitest';
import { residualNoise, type SecretBits } from '../../tfhe/test/support/dealer.ts';
import { openBodyChunk, type SessionPrss } from '../src/keygen/body-message.ts';
import { type BodyChunk, chunkBytes } from '../src/keygen/chunks.ts';
import { type BodyMaker, bitsOf, bodyMaker, type KeygenPlan, keygenPlan } from '../src/keygen/material.ts';
import { centring, componentNoise } from '../src/keygen/noise.ts';
import { bitsMessage, finishSecretBits, openBits } from '../src/keygen/secret-bits.ts';
import { dealKeys } from './support/dealt-keys.ts';
import { kernel } from './support/kernel.ts';

const SEED = Uint8Array.from({ length: 16 }, (_, index) => index);
const CHOICE = keySetChoice('test');

/** Everything up to K4: makers of every party, and the secret keys. */
function beginAll({ n, t }: { n: number; t: number }) {
  const roster = { n, t };
  const expected = Array.from({ length: n }, (_, index) => index + 1);
  const families = { c: familyC(roster), a2: familyA2(roster) };
  const plan = keygenPlan(CHOICE, families.a2.subsets.length);
  const [c, a2] = [dealKeys(families.c, `c ${n}`), dealKeys(families.a2, `a2 ${n}`)];
  const fresh = (party: PartyId): SessionPrss => ({
    c: createPrss(kernel, c.get(party)!),
    a2: createPrss(kernel, a2.get(party)!),
  });
  const prss = new Map(expected.map((party) => [party, fresh(party)]));
  const made = new Map(expected.map((party) => [party, bitsMessage(kernel, prss.get(party)!.c, plan.counts)]));
  const messages = new Map([...made].map(([party, { message }]) => [party, message]));
  const values = openBits(kernel, messages, { counts: plan.counts, expected, t })!;
  const bits = new Map(
    [...made].map(([party, { secrets }]) => [party, finishSecretBits(kernel, secrets, values, plan.counts)]),
  );
  const secrets = secretBits(
    [...bits].map(([party, { key }]) => [party, key] as const),
    t,
  );
  const maker = (party: PartyId, own: SessionPrss): BodyMaker => {
    const { key, noise } = bits.get(party)!;
    const copy = { key: key.slice() as Gr128, noise: noise.slice() as typeof noise };
    return bodyMaker(kernel, plan, { prss: own, secrets: bitsOf(plan, copy), seed: SEED });
  };
  const makers = new Map(expected.map((party) => [party, maker(party, prss.get(party)!)]));
  /** As a burnt session is recomputed: fresh streams, one chunk. */
  const again = (party: PartyId, chunk: BodyChunk) => maker(party, fresh(party)).messageOf(chunk);
  return { plan, expected, makers, secrets, again };
}

function secretBits(shares: readonly (readonly [PartyId, Gr128])[], t: number): SecretBits {
  const points = shares.map(([party]) => party);
  const opened = kernel.gr128.open(
    openingMatrix(points, t, 'gr128'),
    shares.map(([, share]) => share),
  );
  expect(opened.firstInconsistent).toBe(-1);
  const words = kernel.gr128.coordinate(opened.values, 0);
  const places = secretKeyPlaces(CHOICE);
  const bitsAt = (first: number, bits: number) =>
    Uint8Array.from({ length: bits }, (_, at) => words[16 * (first + at)]!);
  return Object.fromEntries(places.map(({ key, first, bits }) => [key, bitsAt(first, bits)])) as SecretBits;
}

function openAll({ plan, expected, makers }: ReturnType<typeof beginAll>, t: number) {
  const bodies = new Map<string, Uint8Array[]>();
  const sent = new Map<number, ReadonlyMap<PartyId, Uint8Array>>();
  for (const chunk of plan.chunks) {
    const messages = new Map(expected.map((party) => [party, makers.get(party)!.messageOf(chunk)]));
    sent.set(chunk.index, messages);
    for (const message of messages.values()) expect(message.length).toBe(chunkBytes(chunk));
    const values = openBodyChunk(kernel, chunk, messages, { expected, t });
    expect(values, `chunk ${chunk.index}`).toBeDefined();
    const name = chunk.component.component;
    bodies.set(name, [...(bodies.get(name) ?? []), values!]);
  }
  return { bodies, sent };
}

function largestNoise(plan: KeygenPlan, component: BodyChunk['component']): bigint {
  return -centring(componentNoise(component, plan.noiseSets), plan.noiseSets);
}

describe.each([
  { n: 4, t: 1 },
  { n: 7, t: 2 },
  { n: 5, t: 1 },
])('n=$n, t=$t', ({ n, t }) => {
  const run = beginAll({ n, t });
  const { bodies, sent } = openAll(run, t);

  test('every component of the Test set holds what it must, with noise in its range that is centred', () => {
    for (const { component } of run.plan.chunks.filter(({ firstRow }) => firstRow === 0)) {
      const name = component.component;
      const masks = createMaskStream(keyStreamSeedData(SEED), component.position);
      const all = Buffer.concat(bodies.get(name)!).subarray(0, component.bodyBytes);
      const noise = [...residualNoise(component, new Uint8Array(all), masks, run.secrets)];
      const bound = largestNoise(run.plan, component);
      expect(
        noise.every((each) => each >= -bound && each <= bound),
        name,
      ).toBe(true);
      const mean = Number(noise.reduce((sum, each) => sum + each, 0n)) / noise.length;
      expect(Math.abs(mean), name).toBeLessThan((5 * Number(bound)) / Math.sqrt(noise.length));
      expect(new Set(noise).size, name).toBeGreaterThan(1);
    }
  });

  test('a chunk alone is recomputed byte for byte', () => {
    const random = createPrng(`again ${n}`);
    for (const chunk of run.plan.chunks.filter(() => random.below(3) === 0)) {
      const party = 1 + random.below(n);
      expect(Buffer.compare(sent.get(chunk.index)!.get(party)!, run.again(party, chunk))).toBe(0);
    }
  });

  test('one changed bit in any message is seen', () => {
    const { plan, expected, again } = run;
    const random = createPrng(`detect ${n}`);
    const chunk = plan.chunks.find(({ component }) => component.component === 'noise-squashing-key')!;
    const messages = new Map(expected.map((party) => [party, again(party, chunk)]));
    expect(openBodyChunk(kernel, chunk, messages, { expected, t })).toBeDefined();
    for (let trial = 0; trial < 50; trial++) {
      const party = 1 + random.below(n);
      const changed = Uint8Array.from(messages.get(party)!);
      const bit = random.below(8 * changed.length);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const altered = new Map(messages).set(party, changed);
      expect(openBodyChunk(kernel, chunk, altered, { expected, t }), `party ${party}, bit ${bit}`).toBeUndefined();
    }
  });
});
