/** Threads for the curve: the same results as in this thread, and no secret or promise left behind. */
import { randomBytes } from 'node:crypto';
import { createBls446 } from '@keyquorum/kernel/bls446';
import { G1_GENERATOR, G2_GENERATOR, scalarsToBytes } from '@keyquorum/kernel/bls446-encoding';
import { expect, onTestFinished, test } from 'vitest';
import { startCurvePool } from '../src/curve/pool.ts';

const curve = createBls446();
const base = scalarsToBytes([12_345n]);
const points = new Uint8Array(Buffer.concat(Array.from({ length: 5 }, () => G1_GENERATOR)));

function pool(lanes = 2) {
  const workers = startCurvePool(lanes);
  onTestFinished(() => workers.close());
  return workers;
}

test('jobs of all kinds have the results of this thread', async () => {
  const workers = pool();
  const job = { group: 'g1' as const, firstExponent: 3 };
  const list = () => points.slice();
  const powers = workers.run('powers', { ...job, points: list(), base: base.slice() as typeof base });
  const combined = workers.run('combine', { ...job, points: list(), base: base.slice() as typeof base });
  const checked = workers.run('check', { group: 'g1', points: list() });
  const bad = list();
  bad[0] = bad[0]! ^ 1;
  const off = workers.run('check', { group: 'g1', points: bad });
  const pair = { g1: G1_GENERATOR.slice(), g2: G2_GENERATOR.slice() };
  const pairing = workers.run('pairing', { left: pair, right: pair });
  const g1 = points as typeof G1_GENERATOR;
  expect(await powers).toEqual(curve.g1.multiplyByPowers(g1, base, 3));
  expect(await combined).toEqual(curve.g1.multiScalar(g1, curve.scalars.powers(base, 3, 5)));
  expect(await checked).toBe('good');
  expect(await off).toBe('off-curve');
  expect(await pairing).toBe(true);
});

test('a secret goes to the thread and is not kept here', async () => {
  const secret = new Uint8Array(base) as typeof base;
  const result = pool().run('powers', { group: 'g1', points: points.slice(), base: secret, firstExponent: 1 });
  expect(secret.length).toBe(0); // its memory was handed over
  await result;
});

test('a job that is wrong fails alone', async () => {
  const workers = pool(1);
  await expect(workers.run('check', { group: 'g1', points: new Uint8Array(7) })).rejects.toThrow('G1 points');
  expect(await workers.run('check', { group: 'g1', points: points.slice() })).toBe('good');
});

test('closing ends what runs and what waits', async () => {
  const workers = pool(1);
  const many = new Uint8Array(Buffer.concat(Array.from({ length: 2_000 }, () => G1_GENERATOR)));
  const jobs = [1, 2].map((firstExponent) =>
    workers.run('powers', { group: 'g1', points: many.slice(), base: base.slice() as typeof base, firstExponent }),
  );
  const ended = Promise.allSettled(jobs);
  await workers.close();
  expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(workers.run('check', { group: 'g1', points: randomBytes(0) })).rejects.toThrow('closed');
});
