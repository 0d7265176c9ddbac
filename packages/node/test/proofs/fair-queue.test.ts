/** Whose turn it is, against a model: nobody waits longer for others than one turn of each. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFairQueue } from '../../src/proofs/fair-queue.ts';

test('one with many things waits behind all others', () => {
  const queue = createFairQueue<string>();
  for (const item of ['a1', 'a2', 'a3']) queue.add('a', item);
  queue.add('b', 'b1');
  expect(queue.take()).toBe('a1');
  queue.add('c', 'c1');
  expect([1, 2, 3, 4, 5].map(() => queue.take())).toEqual(['b1', 'a2', 'c1', 'a3', undefined]);
});

test('nothing is lost, each owner is served in order, and between two turns of one nobody has two', () => {
  const step = fc.oneof(fc.constantFrom('a', 'b', 'c', 'd'), fc.constant('take' as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = createFairQueue<{ readonly owner: string; readonly index: number }>();
      const waiting = new Map<string, number[]>();
      /** Turns of others since this owner began to wait or had its last. */
      const passed = new Map<string, string[]>();
      steps.forEach((owner, index) => {
        if (owner !== 'take') {
          if (queue.sizeOf(owner) === 0) passed.set(owner, []);
          queue.add(owner, { owner, index });
          waiting.set(owner, [...(waiting.get(owner) ?? []), index]);
          return;
        }
        const all = [...waiting.values()].flat().length;
        expect(queue.size).toBe(all);
        const taken = queue.take();
        expect(taken === undefined).toBe(all === 0);
        if (taken === undefined) return;
        expect(waiting.get(taken.owner)!.shift()).toBe(taken.index);
        const others = passed.get(taken.owner)!;
        expect(new Set(others).size).toBe(others.length);
        for (const [each, turns] of passed) if (each !== taken.owner) turns.push(taken.owner);
        passed.set(taken.owner, []);
      });
    }),
    { numRuns: 500 },
  );
});
