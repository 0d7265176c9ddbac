/** Copies of one request share one run of its checks, and none suffers from what another copy lacks. */
import { expect, test } from 'vitest';
import { createSharedChecks } from '../../src/requests/shared-checks.ts';

const HASH = new Uint8Array(32).fill(1);
const OWN = { hash: HASH, from: undefined };

test('copies that come during a check wait for it; one run serves all', async () => {
  const shared = createSharedChecks<string>(8);
  const gate = Promise.withResolvers<string>();
  let runs = 0;
  const check = () => {
    runs += 1;
    return gate.promise;
  };
  const all = [1, 2, 3].map(() => shared(OWN, check));
  gate.resolve('fine');
  expect(await Promise.all(all)).toEqual(['fine', 'fine', 'fine']);
  expect(runs).toBe(1);
});

test('a copy is not refused for what is wrong with another one', async () => {
  const shared = createSharedChecks<string>(8);
  const gate = Promise.withResolvers<string>();
  const bad = shared(OWN, () => gate.promise);
  const order: string[] = [];
  const copies = ['worse', 'good', 'later'].map((name) =>
    shared(OWN, async () => {
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
  const running = [1, 2, 2].map((byte) => shared({ hash: hashOf(byte), from: undefined }, () => gate.promise));
  await expect(shared({ hash: hashOf(3), from: undefined }, async () => 3)).rejects.toMatchObject({ code: 'BUSY' });
  gate.resolve(0);
  await Promise.all(running);
  expect(await shared({ hash: hashOf(3), from: undefined }, async () => 3)).toBe(3);
});

test('a peer cannot put many spoilt copies before one that is good', async () => {
  const shared = createSharedChecks<string>(256);
  const gate = Promise.withResolvers<string>();
  let spoiltRuns = 0;
  const spoilt = () => {
    spoiltRuns += 1;
    return gate.promise;
  };
  const sent = Array.from({ length: 16 }, () => shared({ hash: HASH, from: 3 }, spoilt));
  const good = shared(OWN, async () => 'good');
  const other = shared({ hash: HASH, from: 2 }, async () => 'good');
  gate.reject(new Error('spoilt'));
  expect(await good).toBe('good');
  expect(await other).toBe('good');
  expect(spoiltRuns).toBe(1);
  const [first, ...rest] = await Promise.allSettled(sent);
  expect(first).toMatchObject({ status: 'rejected', reason: new Error('spoilt') });
  for (const each of rest) expect(each).toMatchObject({ status: 'rejected', reason: { code: 'BUSY' } });
  expect(await shared({ hash: HASH, from: 3 }, async () => 'good')).toBe('good'); // once its first has ended
});
