/** Types and lint of the whole workspace, as tests: a red one is counted and printed like any other. */
import { spawnSync } from 'node:child_process';
import { test } from 'vitest';
import { ROOT } from './repository.ts';

function run(tool: string, ...toolArguments: string[]): void {
  const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${tool}`, toolArguments, {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${tool} ${toolArguments.join(' ')}: status ${status}\n${stdout}${stderr}`);
}

test('the workspace type-checks', () => {
  run('tsc', '-p', '.');
});

test('format and lint find nothing', () => {
  run('biome', 'check', '--error-on-warnings', '--max-diagnostics=50', '--colors=off');
});
