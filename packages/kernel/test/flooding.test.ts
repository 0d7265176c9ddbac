/** Flooding noise: the documented bytes of the stream, within the bound, spread as two uniform terms are. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { KernelError } from '../src/errors.ts';
import { decodeGr128 } from '../src/gr.ts';
import { createKernel } from '../src/kernel.ts';
import { seededBytes } from './arbitraries.ts';

const { floodSamples } = createKernel();

/** A stream of bytes in hand. */
function streamOf(bytes: Uint8Array) {
  let at = 0;
  return {
    read(count: number) {
      at += count;
      return bytes.slice(at - count, at);
    },
  };
}

const samplesOf = (bytes: Uint8Array, boundLog2: number, count: number): bigint[] =>
  decodeGr128(floodSamples(streamOf(bytes), { boundLog2, count })).flat();

test('equal BigInt: two words of the stream each, cut, added and centred; 0 behind the last', () => {
  const bytes = fc.integer({ min: 0, max: 9 }).chain((count) => {
    const word = fc.oneof(
      fc.constantFrom(0n, (1n << 128n) - 1n, 1n << 110n, (1n << 64n) - 1n),
      fc.bigInt(0n, 2n ** 128n - 1n),
    );
    return fc.tuple(fc.constant(count), fc.array(word, { minLength: 2 * count, maxLength: 2 * count }));
  });
  fc.assert(
    fc.property(bytes, fc.integer({ min: 64, max: 125 }), ([count, words], boundLog2) => {
      const stream = new Uint8Array(new BigUint64Array(words.flatMap((w) => [BigInt.asUintN(64, w), w >> 64n])).buffer);
      const bound = 1n << BigInt(boundLog2);
      const term = (word: bigint) => (word % (2n * bound)) - bound;
      const want = Array.from({ length: Math.ceil(count / 4) * 4 }, (_, i) =>
        i < count ? BigInt.asUintN(128, term(words[2 * i]!) + term(words[2 * i + 1]!)) : 0n,
      );
      expect(samplesOf(stream, boundLog2, count)).toEqual(want);
    }),
  );
});

test('long batches are streamed', () => {
  const [count, boundLog2] = [5001, 110];
  const bytes = seededBytes(7, 32 * count);
  const all = samplesOf(bytes, boundLog2, count);
  for (const i of [0, 2047, 2048, 4096, 5000]) {
    expect(samplesOf(bytes.slice(32 * i, 32 * (i + 1)), boundLog2, 1)[0]).toBe(all[i]);
  }
});

test('within the bound, centred, with the variance of two uniform terms', () => {
  const [count, boundLog2] = [20_000, 110];
  const unit = 2 ** boundLog2;
  const samples = samplesOf(seededBytes(8, 32 * count), boundLog2, count).map(
    (word) => Number(BigInt.asIntN(128, word)) / unit,
  );
  expect(Math.max(...samples)).toBeLessThan(2);
  expect(Math.min(...samples)).toBeGreaterThanOrEqual(-2);
  const mean = samples.reduce((sum, each) => sum + each) / count;
  const variance = samples.reduce((sum, each) => sum + each * each, 0) / count - mean * mean;
  // Var = 2 * (2B)^2 / 12 = 2/3 B^2; five standard errors of mean and variance.
  expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(2 / 3 / count));
  expect(Math.abs(variance - 2 / 3)).toBeLessThan(0.03);
});

test('bounds that the arithmetic does not hold are refused', () => {
  for (const boundLog2 of [63, 126, 110.5]) {
    expect(() => samplesOf(new Uint8Array(32), boundLog2, 1)).toThrow(KernelError);
  }
});
