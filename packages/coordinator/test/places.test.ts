/** Bounds, and when to come again. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPlaces } from '../src/places.ts';

const busy = (retrySeconds: number) => expect.objectContaining({ code: 'BUSY', retrySeconds });

test('a caller that has its share finds no place, others do until all are taken', () => {
  const places = createPlaces({ purpose: 'seats', inAll: 3, perCaller: 2 });
  const leave = places.enter('ann');
  places.enter('ann');
  expect(() => places.enter('ann')).toThrow(/by this caller/);
  places.enter('bob');
  expect(() => places.enter('bob')).toThrow(/by all callers/);
  leave();
  leave(); // gives back one place only
  expect(places.taken()).toBe(2);
  places.enter('ann');
  expect(() => places.enter('cid')).toThrow(busy(1));
});

test('Retry-After follows how long places were held, or are while none was given back', () => {
  let nowMs = 0;
  const places = createPlaces({ purpose: 'seats', inAll: 1, perCaller: 1, nowMs: () => nowMs });
  const first = places.enter('ann');
  nowMs = 4_200;
  expect(() => places.enter('bob')).toThrow(busy(5));
  nowMs = 8_000;
  first();
  const second = places.enter('ann');
  expect(() => places.enter('bob')).toThrow(busy(8));
  second(); // held for no time: an eighth of the mean
  places.enter('ann');
  expect(() => places.enter('bob')).toThrow(busy(7));
});

const step = fc.record({ caller: fc.constantFrom('ann', 'bob', 'cid'), size: fc.integer({ min: 1, max: 6 }) });

test('whatever comes and goes, no bound is passed and nothing leaks', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(step, fc.nat(20)), { maxLength: 60 }), (steps) => {
      const places = createPlaces({ purpose: 'seats', inAll: 10, perCaller: 5 });
      const holders: { caller: string; size: number; leave: () => void }[] = [];
      const taken = (caller?: string) =>
        holders.filter((holder) => !caller || holder.caller === caller).reduce((sum, { size }) => sum + size, 0);
      for (const next of steps) {
        if (typeof next === 'number') {
          for (const { leave } of holders.splice(next, 1)) leave();
        } else if (taken() + next.size > 10 || taken(next.caller) + next.size > 5) {
          expect(() => places.enter(next.caller, next.size)).toThrow(expect.objectContaining({ code: 'BUSY' }));
        } else {
          holders.push({ ...next, leave: places.enter(next.caller, next.size) });
        }
        expect(places.taken()).toBe(taken());
      }
    }),
  );
});
