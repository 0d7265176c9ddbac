import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERRORS } from '../src/errors/catalogue.ts';

const PAGE = join(import.meta.dirname, '../../../docs/errors.md');

test('docs/errors.md lists exactly the codes, with status and remedy', () => {
  const rows = readFileSync(PAGE, 'utf8').matchAll(/^\| `([A-Z_]+)` \| (\d+|-) \| (.*) \|$/gm);
  const page = [...rows].map(([, code = '', status, hint]) => [code, { status: Number(status) || 0, hint }] as const);
  expect(new Set(page.map(([code]) => code)).size).toBe(page.length);
  expect(Object.fromEntries(page)).toEqual(ERRORS);
});
