/** What a requester may have decrypted in a day: never more, counted per key, through crashes, renewed at midnight. */
import { realClock } from '@keyquorum/mpc/runtime/clock';
import { createMemoryDisk } from '@keyquorum/mpc/runtime/memory-journal';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ApiError } from '../../src/errors/api-error.ts';
import { createQuotas } from '../../src/requests/quotas.ts';

const id = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);
const requester = (name: string, blocksPerDay?: number) => {
  return { name, publicKey: id(0), apps: ['default'], ...(blocksPerDay !== undefined && { blocksPerDay }) };
};
const HOUR_MS = 3_600_000;
const NOON_MS = Date.UTC(2026, 10, 29, 12);

function setting(nowMs = NOON_MS) {
  const clock = { nowMs };
  const disk = createMemoryDisk({ syncMs: 0 });
  const table = disk.open(realClock);
  const open = (from = table) => createQuotas({ table: from, now: () => clock.nowMs });
  return { clock, disk, table, open };
}

test('up to the quota, and not beyond; the refusal says who, what and until when', () => {
  const quotas = setting().open();
  const alice = requester('alice', 100);
  quotas.require(alice, id(1), 60)();
  quotas.require(alice, id(1), 40)();
  try {
    quotas.require(alice, id(1), 1);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ApiError);
    const used = `requester alice has had 100 of 100 blocks under key ${id(1)} today, and this request takes 1`;
    const message = `${used}; renewed at 2026-11-30T00:00:00.000Z`;
    expect(error).toMatchObject({ code: 'QUOTA_EXCEEDED', status: 429, retrySeconds: 12 * 3_600, message });
  }
  expect(quotas.uses()).toEqual([{ requester: 'alice', keyId: id(1), blocks: 100 }]);
});

test('a request that no day is enough for is not told to wait', () => {
  const refused = expect.objectContaining({ code: 'REQUEST_TOO_LARGE', retrySeconds: undefined });
  expect(() => setting().open().require(requester('alice', 100), id(1), 101)).toThrow(refused);
});

test('each key and each requester by itself; without a quota nothing is written', () => {
  const { open, table } = setting();
  const quotas = open();
  quotas.require(requester('alice', 5), id(1), 5)();
  quotas.require(requester('alice', 5), id(2), 5)();
  quotas.require(requester('bob', 5), id(1), 5)();
  quotas.require(requester('carol'), id(1), 1_000_000)();
  expect(table.keys('')).toEqual([`alice/${id(1)}`, `alice/${id(2)}`, `bob/${id(1)}`]);
});

test('asking whether there is enough counts nothing', () => {
  const quotas = setting().open();
  for (let times = 0; times < 3; times++) quotas.require(requester('alice', 5), id(1), 5);
  quotas.require(requester('alice', 5), id(1), 5)();
});

test('it survives a crash, and yesterday is forgotten', async () => {
  const { clock, disk, table, open } = setting();
  open().require(requester('alice', 5), id(1), 5)();
  await table.sync();
  disk.crash();
  const reopened = disk.open(realClock);
  const quotas = open(reopened);
  expect(() => quotas.require(requester('alice', 5), id(1), 1)).toThrow(expect.objectContaining({ status: 429 }));
  clock.nowMs += 12 * HOUR_MS;
  expect(quotas.uses()).toEqual([]);
  quotas.require(requester('bob', 5), id(1), 1)();
  expect(reopened.keys('')).toEqual([`bob/${id(1)}`]);
  quotas.require(requester('alice', 5), id(1), 5)();
});

test('a clock that was a year ahead locks nobody out', () => {
  const { clock, open } = setting(NOON_MS + 365 * 24 * HOUR_MS);
  open().require(requester('alice', 5), id(1), 5)();
  clock.nowMs = NOON_MS;
  open().require(requester('alice', 5), id(1), 5)();
});

test('never more than the quota in a day, whatever is asked and however the clock is set', () => {
  const step = fc.record({
    hours: fc.integer({ min: -30, max: 30 }),
    blocks: fc.nat({ max: 12 }),
    key: fc.nat({ max: 1 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { clock, open } = setting();
      const quotas = open();
      const had = new Map<number, number>(); // by key, on the day that counts
      let day = 0;
      for (const { hours, blocks, key } of steps) {
        clock.nowMs += hours * HOUR_MS;
        const today = Math.floor(clock.nowMs / (24 * HOUR_MS));
        if (today !== day - 1 && today !== day) had.clear();
        if (today !== day - 1) day = today;
        const fits = (had.get(key) ?? 0) + blocks <= 20;
        const ask = () => quotas.require(requester('alice', 20), id(key), blocks);
        if (!fits) expect(ask).toThrow(expect.objectContaining({ code: 'QUOTA_EXCEEDED' }));
        else ask()();
        if (fits) had.set(key, (had.get(key) ?? 0) + blocks);
      }
    }),
  );
});
