// Goal: a bundle that was echoed is never free again, whatever is claimed, in any order, over crashes and torn writes.
// Method: random sequences against the real ledger on a disk that forgets; an echo counts once `sync` has resolved.
import { createMemoryDisk } from '@keyquorum/mpc/runtime/memory-journal';
import type { Clock } from '@keyquorum/mpc/session';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLedger, type Ledger, type Stripe, stripesOf } from '../src/decryption/ledger.ts';

const BATCH = 'aa'.repeat(32);
const STRIPE: Stripe = { batch: BATCH, owner: 2, low: 16, high: 48 };
const clock: Clock = { now: () => 0, until: async () => undefined, yield: async () => undefined };

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('claim' as const),
      number: fc.integer({ min: 0, max: 12 }),
      low: fc.integer({ min: 10, max: 50 }),
      count: fc.integer({ min: -1, max: 8 }),
      syncs: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), kept: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('skip' as const), bundle: fc.integer({ min: 0, max: 60 }) }) },
);

test('echoed ranges never overlap, over claims, skips, crashes and torn writes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const disk = createMemoryDisk();
      let ledger: Ledger = createLedger(disk.open(clock));
      const echoed = new Set<number>();
      let lastNumber = 0;
      for (const each of steps) {
        if (each.kind === 'crash') {
          disk.crash(Math.min(each.kept, disk.unsynced()));
          ledger = createLedger(disk.open(clock));
        } else if (each.kind === 'skip') {
          ledger.skipTo(STRIPE, each.bundle, 'other');
        } else {
          const before = ledger.mark(STRIPE);
          const { number, low, count } = each;
          const taken = ledger.claim(STRIPE, { number, low, count });
          const after = ledger.mark(STRIPE);
          expect(after.watermark).toBeGreaterThanOrEqual(before.watermark);
          expect(after.free).toBeGreaterThanOrEqual(before.free);
          if (!taken) continue;
          expect(low >= before.free && low + count <= STRIPE.high && number > before.number).toBe(true);
          if (!each.syncs) continue; // the process dies or waits before its echo
          await ledger.sync();
          expect(number).toBeGreaterThan(lastNumber);
          lastNumber = number;
          for (let bundle = low; bundle < low + count; bundle++) {
            expect(echoed.has(bundle), `bundle ${bundle}`).toBe(false);
            echoed.add(bundle);
          }
        }
      }
    }),
    { numRuns: 400 },
  );
});

test('a skip bars echoes and spends nothing: others may still bind what is behind it', () => {
  const ledger = createLedger(createMemoryDisk().open(clock));
  ledger.skipTo(STRIPE, 30, 'other');
  expect(ledger.mark(STRIPE)).toEqual({ number: 0, watermark: 16, free: 30 });
  expect(ledger.claim(STRIPE, { number: 1, low: 16, count: 4 })).toBe(false);
  expect(ledger.mark(STRIPE)).toEqual({ number: 1, watermark: 20, free: 30 });
  expect(ledger.claim(STRIPE, { number: 2, low: 30, count: 4 })).toBe(true);
  ledger.skipTo(STRIPE, 99, 'other');
  expect(ledger.mark(STRIPE)).toEqual({ number: 2, watermark: 34, free: 48 });
});

test('retired batches stay retired over a reboot, and their marks and reservations are gone', async () => {
  const disk = createMemoryDisk();
  const ledger = createLedger(disk.open(clock));
  ledger.claim(STRIPE, { number: 1, low: 16, count: 4 });
  ledger.storeReservation(3, BATCH, 2, 1, new Uint8Array(64));
  ledger.storeReservation(3, 'bb'.repeat(32), 2, 1, new Uint8Array(64));
  ledger.retire(BATCH);
  await ledger.sync();
  const later = createLedger(disk.open(clock));
  expect(later.isRetired(BATCH)).toBe(true);
  expect(later.reservationsOf(3).map(({ batch }) => batch)).toEqual(['bb'.repeat(32)]);
});

test('nothing of a retired batch is taken or remembered: its marks are gone, so all would look unused', () => {
  const ledger = createLedger(createMemoryDisk().open(clock));
  ledger.claim(STRIPE, { number: 1, low: 16, count: 4 });
  ledger.retire(BATCH);
  expect(ledger.claim(STRIPE, { number: 1, low: 16, count: 4 })).toBe(false); // by whoever waited meanwhile
  ledger.storeReservation(3, BATCH, 2, 1, new Uint8Array(64));
  expect(ledger.reservationsOf(3)).toEqual([]);
});

test('an older reservation never replaces a newer one', () => {
  const ledger = createLedger(createMemoryDisk().open(clock));
  for (const segment of [0, 3, 1]) ledger.storeReservation(1, BATCH, 2, segment, new Uint8Array(64).fill(segment));
  expect(ledger.reservationsOf(1)).toEqual([
    { batch: BATCH, owner: 2, segment: 3, signature: new Uint8Array(64).fill(3) },
  ]);
});

test('the stripes of a batch are its bundles, in order, of nearly equal size', () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 15 }), fc.integer({ min: 15, max: 2048 }), (n, bundles) => {
      const stripes = stripesOf(BATCH, bundles, n);
      expect(stripes.map(({ owner }) => owner)).toEqual(Array.from({ length: n }, (_, index) => index + 1));
      expect(stripes[0]!.low).toBe(0);
      expect(stripes.at(-1)!.high).toBe(bundles);
      const sizes = stripes.map(({ low, high }) => high - low);
      for (const [index, { low }] of stripes.slice(1).entries()) expect(low).toBe(stripes[index]!.high);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

test('an owner that comes back gives up the numbers its earlier proposals may have had', () => {
  const ledger = createLedger(createMemoryDisk().open(clock));
  ledger.skipTo(STRIPE, STRIPE.low + 8, 'self');
  const { number, free } = ledger.mark(STRIPE);
  expect([number, free]).toEqual([8, STRIPE.low + 8]);
  expect(ledger.claim(STRIPE, { number: number + 1, low: free, count: 1 })).toBe(true);
});
