/** The plans of a key set's components agree with the mask stream, with known totals, and with each other. */
import { expect, test } from 'vitest';
import { keyStreamLayout } from '../src/csprng.ts';
import {
  ALL_PARTS,
  BASE_PARTS,
  componentPlan,
  componentRows,
  keySetComponents,
  rowPlaintext,
} from '../src/key-set-components.ts';
import { DEFAULT_PARAMETERS, TEST_PARAMETERS } from '../src/parameters.ts';

test.each([DEFAULT_PARAMETERS, TEST_PARAMETERS])('a whole $name set lies in the stream as the stream says', (set) => {
  const slices = keyStreamLayout(set).filter(({ byteCount }) => byteCount > 0);
  const components = keySetComponents(set, ALL_PARTS);
  expect(
    components.map(({ component, position, maskBytes }) => ({ component, position, byteCount: maskBytes })),
  ).toEqual(slices);
});

test('the default set has 511 MB of bodies: 13,307,904 words of 64 bits and 25,309,184 of 128', () => {
  const words = { 8: 0, 16: 0 };
  for (const { wordBytes, bodyBytes } of keySetComponents(DEFAULT_PARAMETERS, ALL_PARTS)) {
    words[wordBytes] += bodyBytes / wordBytes;
  }
  expect(words).toEqual({ 8: 13_307_904, 16: 25_309_184 });
});

test('absent parts take no place in the stream', () => {
  const components = keySetComponents(DEFAULT_PARAMETERS, BASE_PARTS);
  expect(components.map(({ component }) => component)).toEqual([
    'compact-public-key',
    'key-switching-key',
    'bootstrapping-key',
    'casting-key',
    'rerandomization-key',
    'oprf-key',
  ]);
  let position = 0;
  for (const component of components) {
    expect(component.position).toBe(position);
    position += component.maskBytes;
  }
  expect(() => keySetComponents(DEFAULT_PARAMETERS, ['noise-squashing-compression'])).toThrow(RangeError);
});

test('rows go through inputs, then levels from high to low, then the rows of a GGSW', () => {
  const squashing = componentPlan(DEFAULT_PARAMETERS, 'noise-squashing-key');
  expect(squashing.rowCount).toBe(918 * 3 * 3);
  expect([...componentRows(squashing, 9, 14)]).toEqual([
    { kind: 'product', inputBit: 1, level: 3, exponent: 128 - 72, polynomial: 0 },
    { kind: 'product', inputBit: 1, level: 3, exponent: 128 - 72, polynomial: 1 },
    { kind: 'bit', inputBit: 1, level: 3, exponent: 128 - 72 },
    { kind: 'product', inputBit: 1, level: 2, exponent: 128 - 48, polynomial: 0 },
    { kind: 'product', inputBit: 1, level: 2, exponent: 128 - 48, polynomial: 1 },
  ]);
  const switching = componentPlan(DEFAULT_PARAMETERS, 'key-switching-key');
  expect([...componentRows(switching, 3, 5)]).toEqual([
    { kind: 'bit', inputBit: 0, level: 1, exponent: 60 },
    { kind: 'bit', inputBit: 1, level: 4, exponent: 48 },
  ]);
  expect(rowPlaintext(componentPlan(TEST_PARAMETERS, 'modulus-switch-zeros'), 9)).toEqual({ kind: 'zero' });
  for (const index of [-1, 0.5, switching.rowCount]) expect(() => rowPlaintext(switching, index)).toThrow(RangeError);
});
