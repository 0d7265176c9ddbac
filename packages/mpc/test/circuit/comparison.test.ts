import { asGf16, type Gf16 } from '@keyquorum/kernel/batch';
import { createKernel } from '@keyquorum/kernel/kernel';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluatePlan } from '../../src/circuit/evaluate.ts';
import { COMPARISON, MODULUS_BITS } from '../../src/circuit/plan.ts';
import type { SharedPairs } from '../../src/sharing/triples.ts';

const kernel = createKernel();
const EDGES = [0n, 1n, (1n << 59n) - 1n, 1n << 59n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n];
const word = fc.oneof(fc.constantFrom(...EDGES), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));
const nibble = fc.integer({ min: 0, max: 15 });

/** What node software decrypts: bits 59..62 of c - r, or 0 when the padding bit is set. */
function expected(c: bigint, r: bigint): number {
  const difference = BigInt.asUintN(64, c - r);
  return difference >> 63n ? 0 : Number((difference >> 59n) & 15n);
}

/** One party that knows everything: shares are the values themselves. */
function clearPairs(blocks: number, random: number[]): SharedPairs {
  let at = 0;
  const draw = () =>
    asGf16(Uint8Array.from({ length: COMPARISON.pairs * blocks }, () => random[at++ % random.length]!));
  const [left, right, right2] = [draw(), draw(), draw()];
  return { left, right, right2, product: kernel.gf16.mul(left, right), product2: kernel.gf16.mul(left, right2) };
}

test('the plan has six comparison levels and one selection level', () => {
  expect(COMPARISON.levels).toHaveLength(7);
  expect(COMPARISON.pairs).toBe(COMPARISON.levels.reduce((sum, { gates }) => sum + gates.length, 0));
});

test('bits 59..62 of c - r, zero when bit 63 is set, for any batch of words', async () => {
  const cases = fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(cases, fc.array(nibble, { minLength: 7, maxLength: 97 }), async (words, random) => {
      const blocks = words.length;
      const bits = new Uint8Array(MODULUS_BITS * blocks);
      for (let bit = 0; bit < MODULUS_BITS; bit++) {
        words.forEach(([, r], block) => {
          bits[bit * blocks + block] = Number((r >> BigInt(bit)) & 1n);
        });
      }
      const publicWords = new Uint8Array(BigUint64Array.from(words, ([c]) => c).buffer);
      const open = async (_level: number, shares: Gf16) => shares;
      const input = { publicWords, bits: asGf16(bits), pairs: clearPairs(blocks, random), open };
      const message = await evaluatePlan(kernel, COMPARISON, input);
      words.forEach(([c, r], block) => {
        const value = [0, 1, 2, 3].reduce((sum, bit) => sum | (message[bit * blocks + block]! << bit), 0);
        expect(value).toBe(expected(c, r));
      });
    }),
    { numRuns: 200 },
  );
});
