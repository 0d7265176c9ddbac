/**
 * Goal: the messages of K4, opened, are a key set: every row of every component is mask times key plus what it must
 * encrypt plus noise of the stated range, whatever the size of the committee. Method: PRSS keys dealt by the test, the
 * protocol's own makers for every party, and the dealer's oracle, which knows the secret keys.
 */
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import type { PartyId } from '@keyquorum/mpc/transport';
import { createMaskStream, keyStreamSeedData } from '@keyquorum/tfhe/csprng';
import { describe, expect, test } from 'vitest';
import { residualNoise } from '../../tfhe/test/support/dealer.ts';
import { openBodyChunk } from '../src/keygen/body-message.ts';
import { type BodyChunk, chunkBytes } from '../src/keygen/chunks.ts';
import type { KeygenPlan } from '../src/keygen/material.ts';
import { centring, componentNoise } from '../src/keygen/noise.ts';
import { type DealtGeneration, dealGeneration, SEED } from './support/dealt-generation.ts';
import { kernel } from './support/kernel.ts';

function openAll({ plan, expected, makers }: DealtGeneration, t: number) {
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
  const run = dealGeneration({ n, t }, 'test');
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
