/** The plan as data, and its function on values in the clear: one party that knows everything. */
import { asGf16, type Gf16 } from '@keyquorum/kernel/batch';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluatePlan } from '../../src/circuit/evaluate.ts';
import { COMPARISON } from '../../src/circuit/plan.ts';
import type { SharedPairs } from '../../src/sharing/triples.ts';
import { kernel } from '../sharing/sharings.ts';
import { messageOf, messagesFrom, publicWords, secretBits, wordPair } from './words.ts';

const nibble = fc.integer({ min: 0, max: 15 });

/** Shares are the values themselves. */
function clearPairs(blocks: number, random: number[]): SharedPairs {
  let at = 0;
  const draw = () =>
    asGf16(Uint8Array.from({ length: COMPARISON.pairs * blocks }, () => random[at++ % random.length]!));
  const [left, right, right2] = [draw(), draw(), draw()];
  return { left, right, right2, product: kernel.gf16.mul(left, right), product2: kernel.gf16.mul(left, right2) };
}

test('six comparison levels, one selection level, 77 pairs, each used by one gate', () => {
  const { levels, pairs } = COMPARISON;
  expect(levels).toHaveLength(7);
  expect(pairs).toBe(77);
  const used = levels.flatMap(({ firstPair, gates }) => gates.map((_, index) => firstPair + index));
  expect(used).toEqual(Array.from({ length: pairs }, (_, index) => index));
});

test('every wire is written once, before it is read', () => {
  const written = new Set(Array.from({ length: 63 + 64 }, (_, wire) => wire));
  const write = (wire: number) => {
    expect(written.has(wire)).toBe(false);
    written.add(wire);
  };
  for (const { sums, gates, doubles } of COMPARISON.levels) {
    for (const { terms } of sums) for (const term of terms) expect(written).toContain(term);
    for (const { out } of sums) write(out);
    for (const { left, right, sum, second } of gates) {
      for (const wire of [left, right, sum, second?.right, second?.sum])
        if (wire !== undefined) expect(written).toContain(wire);
    }
    for (const [index, { out, second }] of gates.entries()) {
      expect(second !== undefined).toBe(index < doubles);
      write(out);
      if (second) write(second.out);
    }
  }
  for (const wire of COMPARISON.outputs) expect(written).toContain(wire);
  expect(written.size).toBe(COMPARISON.wires);
});

test('bits 59..62 of c - r, zero when bit 63 is set, for any batch of words', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(wordPair, { minLength: 1, maxLength: 60 }),
      fc.array(nibble, { minLength: 7, maxLength: 97 }),
      async (words, random) => {
        const open = async (_level: number, shares: Gf16) => shares;
        const pairs = clearPairs(words.length, random);
        const input = { publicWords: publicWords(words), bits: secretBits(words), pairs, open };
        expect(messagesFrom(await evaluatePlan(kernel, COMPARISON, input))).toEqual(words.map(messageOf));
      },
    ),
    { numRuns: 300 },
  );
});

test('input of another shape is refused before anything is opened', async () => {
  const pairs = clearPairs(2, [1]);
  const open = () => Promise.reject(new Error('opened'));
  const input = { publicWords: new Uint8Array(24), bits: asGf16(new Uint8Array(128)), pairs, open };
  await expect(evaluatePlan(kernel, COMPARISON, input)).rejects.toThrow(RangeError);
});
