import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { metricSum } from '../bench/metrics.ts';
import { percentile, summarise } from '../bench/statistics.ts';
import { shortened, table } from '../demo/table.ts';

describe('percentiles', () => {
  test('of known values', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(summarise(values)).toEqual({ count: 100, p50: 50, p99: 99, max: 100 });
    expect(percentile([7], 0.5)).toBe(7);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });

  test('the share of values up to it is at least the asked one, and no smaller value has that', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 1 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (values, share) => {
          const found = percentile(values, share);
          expect(values).toContain(found);
          const upTo = values.filter((value) => value <= found).length;
          const below = values.filter((value) => value < found).length;
          expect(upTo).toBeGreaterThanOrEqual(share * values.length - 1e-9);
          expect(below).toBeLessThan(share * values.length + 1e-9);
        },
      ),
    );
  });
});

test('metrics add up over labels and can be picked by one', () => {
  const text = [
    '# HELP sent bytes',
    'sent{party="1",lane="bulk"} 10',
    'sent{party="2",lane="bulk"} 5.5',
    'sent{party="2",lane="control"} 1',
    'sent_total 99',
  ].join('\n');
  expect(metricSum(text, 'sent')).toBe(16.5);
  expect(metricSum(text, 'sent', 'lane="control"')).toBe(1);
  expect(metricSum(text, 'sent_total')).toBe(99);
  expect(() => metricSum(text, 'received')).toThrow(/received/);
});

test('tables align numbers to the right and words to the left', () => {
  const text = table(
    ['name', 'ms'],
    [
      ['a', '5'],
      ['longer', '123'],
    ],
  );
  expect(text.split('\n')).toEqual(['  name     ms', '  ───────────', '  a         5', '  longer  123']);
});

test('long decimals keep both ends', () => {
  expect(shortened('123')).toBe('123');
  const long = shortened('1'.repeat(50) + '2'.repeat(50));
  expect(long).toHaveLength(33);
  expect(long).toMatch(/^1+…2+$/);
});
