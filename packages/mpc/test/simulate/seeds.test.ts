import { expect, test } from 'vitest';
import { createPrng } from '../../src/simulate/prng.ts';
import { createScheduler } from '../../src/simulate/scheduler.ts';
import { forEachSeed } from '../../src/simulate/seeds.ts';

test('a failure names its seed and the command that replays it', async () => {
  const run = forEachSeed({ runs: 10, file: 'x.test.ts', env: {} }, (seed) => {
    if (seed === 7) throw new Error('wrong value');
  });
  await expect(run).rejects.toThrow(/^seed 7: wrong value\nreplay: KEYQUORUM_SEED=7 .* run x\.test\.ts$/);
});

test('KEYQUORUM_SEED runs exactly that seed', async () => {
  const seen: number[] = [];
  await forEachSeed({ runs: 10, file: '', env: { KEYQUORUM_SEED: '99' } }, (seed) => void seen.push(seed));
  expect(seen).toEqual([99]);
});

test('streams of one seed are reproducible, independent of how they are read, and distinct by label', () => {
  const parts = createPrng(1);
  const joined = Buffer.concat([parts.bytes(5000), parts.bytes(3), parts.bytes(97)]);
  expect(createPrng(1).bytes(5100)).toEqual(new Uint8Array(joined));
  expect(createPrng(1).fork('a').bytes(16)).not.toEqual(createPrng(1).fork('b').bytes(16));
  expect(createPrng(2).bytes(16)).not.toEqual(createPrng(1).bytes(16));
});

test('draws stay in range and samples keep their order', () => {
  const random = createPrng('draws');
  const counts = new Array<number>(6).fill(0);
  for (let draw = 0; draw < 6_000; draw++) counts[random.below(6)]! += 1;
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(200); // more than six standard deviations
  const sample = random.sample([1, 2, 3, 4, 5], 3);
  expect(sample).toEqual([...new Set(sample)].sort());
});

test('events run in order of time, then of scheduling; cancelled ones do not move the clock', () => {
  const scheduler = createScheduler(0);
  const seen: number[] = [];
  const random = createPrng('events');
  const times = Array.from({ length: 200 }, () => random.below(50));
  times.forEach((timeMs, index) => {
    scheduler.at(timeMs, () => void seen.push(timeMs * 1_000 + index));
  });
  scheduler.at(1_000, () => undefined)();
  while (scheduler.step());
  expect(seen).toEqual([...seen].sort((left, right) => left - right));
  expect(seen).toHaveLength(200);
  expect(scheduler.now()).toBe(Math.max(...times));
});
