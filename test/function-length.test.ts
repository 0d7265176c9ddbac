import { expect, test } from 'vitest';
import { longFunctions } from './function-length.ts';

const body = (lines: number) => Array.from({ length: lines }, () => '  step();');

test.for([
  ['function f() {', '}'],
  ['export async function f(): Promise<void> {', '}'],
  ['const f = (x: number) => {', '};'],
  ['  async method(): Promise<Map<string, number>> {', '  }'],
  ['): Promise<void> {', '}'],
])('%s', ([head, end]) => {
  expect(longFunctions([head, ...body(3), end].join('\n'), 5)).toEqual([]);
  expect(longFunctions(['', head, ...body(4), end].join('\n'), 5)).toEqual([{ line: 2, lines: 6 }]);
});

test('blocks that are no functions do not count', () => {
  for (const head of [
    'if (x) {',
    'for (;;) {',
    'export class A {',
    'export interface A {',
    '} else {',
    'switch (x) {',
  ]) {
    expect(longFunctions([head, ...body(10), '}'].join('\n'), 5)).toEqual([]);
  }
});

test('lines of nested functions count for those only', () => {
  const text = ['function outer() {', ...body(4), '  function inner() {', ...body(9), '  }', '}'].join('\n');
  expect(longFunctions(text, 6)).toEqual([{ line: 6, lines: 11 }]);
});
