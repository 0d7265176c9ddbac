/** Which secret keys each key set has, and where their bits stand. */
import { expect, test } from 'vitest';
import { type KeySetName, keySetChoice, secretKeyPlaces } from '../src/key-sets.ts';

test.each<[KeySetName, number]>([
  ['default', 17_196],
  ['base', 5_932],
  ['test', 1_538],
])('%s has %i secret bits, key after key', (name, total) => {
  let next = 0;
  for (const { first, bits } of secretKeyPlaces(keySetChoice(name))) {
    expect(first).toBe(next);
    next += bits;
  }
  expect(next).toBe(total);
});

test('a base set has no keys for parts that it does not have', () => {
  expect(secretKeyPlaces(keySetChoice('base')).map(({ key }) => key)).toEqual(['pke', 'small', 'big', 'oprf']);
});
