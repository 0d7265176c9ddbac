/**
 * What code says about documents and documents about code is true: pages, rules, steps and files that are cited exist.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { filesOf, ROOT } from './repository.ts';

const sources = filesOf('.ts', '.mjs', '.toml').filter(({ path }) => !path.startsWith('test/'));
const documents = filesOf('.md');
const textOf = (path: string): string => documents.find((file) => file.path === path)?.text ?? '';

test('pages that code cites exist', () => {
  const missing = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/\bdocs\/[\w/-]+\.md\b/g)].flatMap(([page]) =>
      existsSync(join(ROOT, page)) ? [] : [`${path}: ${page}`],
    ),
  );
  expect(missing).toEqual([]);
});

test('steps that code cites are on the page it names', () => {
  const missing = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/(docs\/protocols\/[\w-]+\.md), steps? ([A-Z]\d)/g)].flatMap(([, page = '', step]) =>
      textOf(page).includes(`**${step}**`) ? [] : [`${path}: ${step} in ${page}`],
    ),
  );
  expect(missing).toEqual([]);
});

test('every rule that code or documents cite is defined', () => {
  const spec = textOf('docs/protocols/spec.md');
  const headings = [...spec.matchAll(/^\*\*([^*]+)\*\*/gm)].flatMap(
    ([, heading = '']) => heading.match(/\b[RO]\d+\b/g) ?? [],
  );
  const parts = [...spec.matchAll(/\((R5\.\d)\)/g)].map(([, part]) => part);
  const defined = new Set([...headings, ...parts]);
  expect(defined.size).toBe(18 + 16 + 7);
  const undefinedRules = [...sources, ...documents].flatMap(({ path, text }) =>
    [...text.matchAll(/\bSPEC ([RO]\d+(?:\.\d)?)/g)].flatMap(([, rule]) =>
      defined.has(rule) ? [] : [`${path}: ${rule}`],
    ),
  );
  expect(undefinedRules).toEqual([]);
});

test('files and links in documents exist', () => {
  const broken = documents.flatMap(({ path, text }) => {
    const files = [...text.matchAll(/`((?:packages|scripts|docs|test)\/[\w./-]+\w)`/g)].map(([, file = '']) => file);
    const links = [...text.matchAll(/\]\(([\w./-]+)(?:#[\w-]+)?\)/g)].map(([, link = '']) => join(dirname(path), link));
    return [...files, ...links].flatMap((file) => (existsSync(join(ROOT, file)) ? [] : [`${path}: ${file}`]));
  });
  expect(broken).toEqual([]);
});

test('packages depend as the picture of the house shows: on what an arrow, or a way of arrows, leads to', () => {
  const arrows = [...textOf('docs/architecture.md').matchAll(/^ {2}(\w+) --> (\w+)$/gm)];
  const below = (from: string): string[] =>
    arrows.flatMap(([, start, to = '']) => (start === from ? [to, ...below(to)] : []));
  const declared = filesOf('package.json').flatMap(({ path, text }) => {
    const [, from] = /^packages\/(\w+)\/package\.json$/.exec(path) ?? [];
    const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(text);
    const own = Object.keys(dependencies).flatMap((name) => /^@keyquorum\/(\w+)$/.exec(name)?.[1] ?? []);
    return from === undefined ? [] : own.map((to) => ({ from, to }));
  });
  const hidden = declared.filter(({ from, to }) => !below(from).includes(to));
  expect(hidden).toEqual([]);
  const invented = arrows.filter(([, from, to]) => !declared.some((pair) => pair.from === from && pair.to === to));
  expect(invented.map(([arrow]) => arrow)).toEqual([]);
});
