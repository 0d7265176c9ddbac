/**
 * Goal: generated keys look as the noise table says (docs/protocols/noise.md): bits balanced, noise of every component
 * within its bound, centred, with the stated variance. Method: the protocol's own messages from PRSS keys dealt by the
 * test, opened for a few thousand samples of every component, against the secret keys; limits are five standard
 * deviations, and everything is fixed by a seed. statistics.sim.test.ts looks at a key that parties have made.
 */
import { createMaskStream, keyStreamSeedData } from '@keyquorum/tfhe/csprng';
import type { KeySetComponent } from '@keyquorum/tfhe/key-set-components';
import { describe, expect, test } from 'vitest';
import { residualNoise } from '../../tfhe/test/support/dealer.ts';
import { openBodyChunk } from '../src/keygen/body-message.ts';
import { type BodyChunk, PACKED } from '../src/keygen/chunks.ts';
import { centring, componentNoise, type JointNoise } from '../src/keygen/noise.ts';
import { type DealtGeneration, dealGeneration, SEED } from './support/dealt-generation.ts';
import { kernel } from './support/kernel.ts';

const SAMPLES = 4_096;
const SIGMAS = 5;

/** The noise of the first rows of a component. */
function noiseOf({ makers, secrets, expected }: DealtGeneration, chunk: BodyChunk, t: number): number[] {
  const { component } = chunk;
  const size = component.shape.polynomialSize;
  const rows = Math.min(component.rowCount, PACKED * Math.ceil(SAMPLES / (PACKED * size)));
  const few = { ...chunk, firstRow: 0, rows, elements: Math.ceil((rows * size) / PACKED) };
  const messages = new Map(expected.map((party) => [party, makers.get(party)!.messageOf(few)]));
  const values = openBodyChunk(kernel, few, messages, { expected, t })!;
  const masks = createMaskStream(keyStreamSeedData(SEED), component.position);
  const bodies = values.slice(0, rows * size * component.wordBytes);
  return Array.from(residualNoise({ ...component, rowCount: rows }, bodies, masks, secrets), Number);
}

/** TUniform's variance times 1 + (F-1)/4^h with joint bits, times the number of terms without. */
function varianceOf({ boundLog2, jointBits, prssBits, termsPerSet }: JointNoise, sets: number): number {
  const single = (2 ** (2 * boundLog2 + 1) + 1) / 6;
  if (prssBits === undefined) return single;
  return jointBits === 0 ? single * sets * termsPerSet : single * (1 + (sets - 1) / 4 ** jointBits);
}

function checkNoise(component: KeySetComponent, samples: readonly number[], sets: number): void {
  const name = component.component;
  const shape = componentNoise(component, sets);
  const bound = Number(-centring(shape, sets));
  const variance = varianceOf(shape, sets);
  expect(Math.max(...samples.map(Math.abs)), `${name}: range`).toBeLessThanOrEqual(bound);
  const mean = samples.reduce((sum, each) => sum + each, 0) / samples.length;
  expect(Math.abs(mean), `${name}: mean`).toBeLessThan(SIGMAS * Math.sqrt(variance / samples.length));
  const measured = samples.reduce((sum, each) => sum + each ** 2, 0) / samples.length;
  // The kurtosis is at most that of a normal distribution, 3: a sample variance scatters by sqrt(2 / N) at most.
  expect(Math.abs(measured / variance - 1), `${name}: variance`).toBeLessThan(SIGMAS * Math.sqrt(2 / samples.length));
}

describe.each([
  { keySet: 'default', n: 4, t: 1 },
  { keySet: 'test', n: 4, t: 1 },
  { keySet: 'test', n: 7, t: 2 },
] as const)('$keySet, $n/$t', ({ keySet, n, t }) => {
  const dealt = dealGeneration({ n, t }, keySet);

  test('noise of every component: range, mean, variance', () => {
    const first = dealt.plan.chunks.filter(({ firstRow }) => firstRow === 0);
    expect(first.length).toBeGreaterThanOrEqual(10);
    for (const chunk of first) checkNoise(chunk.component, noiseOf(dealt, chunk, t), dealt.plan.noiseSets);
  });

  test('bits of every secret key are balanced', () => {
    for (const [key, bits] of Object.entries(dealt.secrets)) {
      const ones = bits.reduce((sum, bit) => sum + bit, 0);
      expect(Math.abs(ones - bits.length / 2), key).toBeLessThan(SIGMAS * Math.sqrt(bits.length / 4));
    }
  });
});
