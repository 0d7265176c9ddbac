/** Copies of one request share one run of its checks, and none suffers from what another copy lacks. */
import { expect, test } from 'vitest';
import { createSharedChecks } from '../../src/requests/shared-checks.ts';

const HASH = new Uint8Array(32).fill(1);

test('copies that come during a check wait for it; one run serves all', async () => {
  const shared = createSharedChecks<string>(8);
  const gate = Promise.withResolvers<string>();
  let runs = 0;
  const check = () => {
    runs += 1;
    return gate.promise;
  };
  const all = [1, 2, 3].map(() => shared(HASH, check));
  gate.resolve('fine');
  expect(await Promise.all(all)).toEqual(['fine', 'fine', 'fine']);
  expect(runs).toBe(1);
});

test('a copy is not refused for what is wrong with another one', async () => {
  const shared = createSharedChecks<string>(8);
  const gate = Promise.withResolvers<string>();
  const bad = shared(HASH, () => gate.promise);
  const order: string[] = [];
  const copies = ['worse', 'good', 'later'].map((name) =>
    shared(HASH, async () => {
      order.push(name);
      if (name === 'worse') throw new Error(name);
      return name;
    }),
  );
  gate.reject(new Error('bad'));
  await expect(bad).rejects.toThrow('bad');
  const [worse, good, later] = await Promise.allSettled(copies);
  expect(worse).toMatchObject({ status: 'rejected', reason: new Error('worse') });
  expect([good, later]).toEqual([
    { status: 'fulfilled', value: 'good' },
    { status: 'fulfilled', value: 'good' },
  ]);
  expect(order).toEqual(['worse', 'good']); // the last one took the result of the good one
});

test('other contents do not wait, and no more copies are checked or wait at once than allowed', async () => {
  const shared = createSharedChecks<number>(3);
  const gate = Promise.withResolvers<number>();
  const hashOf = (byte: number) => new Uint8Array(32).fill(byte);
  const running = [1, 2, 2].map((byte) => shared(hashOf(byte), () => gate.promise));
  await expect(shared(hashOf(3), async () => 3)).rejects.toMatchObject({ code: 'BUSY' });
  gate.resolve(0);
  await Promise.all(running);
  expect(await shared(hashOf(3), async () => 3)).toBe(3);
});
