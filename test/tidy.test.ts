/**
 * House rules that no linter knows, checked on every file of the repository. Each test prints `path:line: what` for every
 * offence; docs/style.md gives the reasons.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { longFunctions } from './function-length.ts';
import { filesOf, ROOT, type SourceFile } from './repository.ts';

const LINE_MAX = 120;
const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 400;
/** The patterns below are spelled so that this file does not match itself. */
const SELF = 'test/tidy.test.ts';

const sources = filesOf('.ts', '.mjs').filter(({ path }) => path !== SELF);
const tests = sources.filter(({ path }) => /\.test\.ts$/.test(path));
const product = sources.filter(({ path }) => /^(packages\/[^/]+\/(src|assembly)|scripts(?!\/test))\//.test(path));
const documents = filesOf('.md');

function matches(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

/** Comment lines emptied, so that line numbers stay. */
function withoutComments({ path, text }: SourceFile): SourceFile {
  return { path, text: text.replaceAll(/^\s*(\/\*\*|\*|\/\/).*$/gm, '') };
}

test('the repository was found', () => {
  expect(sources.length).toBeGreaterThan(10);
});

test('no test is singled out, skipped or promised', () => {
  expect(matches(tests, /\b(describe|suite|it|test)\.(only|skip|todo|skipIf|runIf|fails)\b/)).toEqual([]);
});

test('no notes of unfinished work', () => {
  expect(matches(sources, /\b(TODO|FIXME|XXX|HACK)\b/)).toEqual([]);
});

test('our own modules are never mocked', () => {
  expect(matches(sources, /\bvi\s*\.\s*(mock|doMock|spyOn|stubGlobal)\b/)).toEqual([]);
});

test('no randomness that is not cryptographic', () => {
  expect(matches(sources, /\bMath\s*\.\s*random\b/)).toEqual([]);
});

test('tests wait for events, never for time to pass', () => {
  expect(matches(tests, /\b(setTimeout\s*\(\s*(resolve|done|\(\)\s*=>\s*(resolve|done))|timers\/promises)/)).toEqual(
    [],
  );
});

test('no cast that switches the type checker off', () => {
  // AssemblyScript is a language of its own; `: any` is the linter's.
  const typed = sources.filter(({ path }) => !path.includes('/assembly/'));
  expect(matches(typed.map(withoutComments), /\bas any\b|<any>|@ts-(ignore|nocheck|expect-error)/)).toEqual([]);
});

test('no long line', () => {
  const long = [...sources, ...documents.filter(({ path }) => path.endsWith('README.md'))].flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      return line.length > LINE_MAX && !/https?:\/\//.test(line) ? [`${path}:${index + 1}: ${line.length}`] : [];
    }),
  );
  expect(long).toEqual([]);
});

test('no long file', () => {
  const long = product.filter(({ text }) => text.split('\n').length - 1 > FILE_LINES_MAX);
  expect(long.map(({ path, text }) => `${path}: ${text.split('\n').length - 1} lines`)).toEqual([]);
});

test('no long function', () => {
  const long = product.flatMap(({ path, text }) =>
    longFunctions(text, FUNCTION_LINES_MAX).map(({ line, lines }) => `${path}:${line}: ${lines} lines`),
  );
  expect(long).toEqual([]);
});

test('a source file says what it is before its first statement', () => {
  const bare = product.filter(({ text }) => !/^(#![^\n]*\n)?\/[/*]/.test(text));
  expect(bare.map(({ path }) => path)).toEqual([]);
});

test('no name that could mean anything', () => {
  const vague = sources.filter(({ path }) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.[a-z]+$)/i.test(path));
  expect(vague.map(({ path }) => path)).toEqual([]);
});

test('a domain label is written once', () => {
  const seen = new Map<string, string[]>();
  for (const { path, text } of product) {
    for (const [, label = ''] of text.matchAll(/['"`](KEYQUORUM\/[a-z0-9/-]+\/v\d+)['"`]/gi)) {
      seen.set(label, [...(seen.get(label) ?? []), path]);
    }
  }
  const twice = [...seen].filter(([, paths]) => paths.length > 1);
  expect(twice.map(([label, paths]) => `${label}: ${paths.join(', ')}`)).toEqual([]);
});

test('no path or host of the machine it was written on', () => {
  const everything = filesOf('.ts', '.mjs', '.md', '.json', '.yaml', '.toml', '.sol').filter(
    ({ path }) => path !== SELF,
  );
  expect(matches(everything, /(^|[\s'"`(=])\/(work|farm|root|home\/[a-z]+)\//)).toEqual([]);
  expect(matches(everything, /shared\/design/)).toEqual([]);
});

test('the lock file names no registry', () => {
  expect(matches(filesOf('pnpm-lock.yaml'), /https?:\/\/|\btarball:|\bregistry\b/)).toEqual([]);
});

test('the lock file of the Rust program knows only the standard index of crates', () => {
  const elsewhere = /\bsource = (?!"registry\+https:\/\/github\.com\/rust-lang\/crates\.io-index"$)/;
  const [lock] = filesOf('Cargo.lock');
  expect(lock?.text).toContain('source = "registry+');
  expect(matches([lock!], elsewhere)).toEqual([]);
});

test('what a README names exists', () => {
  const missing = documents.filter(({ path }) => path.endsWith('README.md')).flatMap(brokenReferences);
  expect(missing).toEqual([]);
});

/** Root scripts (`npm run x`) and repository paths in code blocks, inline code and links of one README. */
function brokenReferences({ path, text }: SourceFile): string[] {
  const { scripts } = JSON.parse(filesOf('package.json').find((file) => file.path === 'package.json')?.text ?? '{}');
  const broken: string[] = [];
  for (const [, name = ''] of text.matchAll(/\bnpm run ([a-z:-]+)/g)) {
    if (!(name in scripts)) broken.push(`${path}: npm run ${name}`);
  }
  const named = /(?:^|[\s`(])((?:packages|scripts|docs|configs|test)\/[\w./-]+\w)/gm;
  for (const [, reference = ''] of text.matchAll(named)) {
    if (!existsSync(join(ROOT, reference))) broken.push(`${path}: ${reference}`);
  }
  return broken;
}
