import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

const TETHER = new URL('../tether.mjs', import.meta.url).href;
/** Prints a line and would then run for ever. */
const CHILD = "console.log('up'); setInterval(() => {}, 1e6);";
const PARENT = `
  const { spawn } = require('node:child_process');
  const options = ['--import', ${JSON.stringify(TETHER)}, '-e', ${JSON.stringify(CHILD)}];
  spawn(process.execPath, options, { stdio: 'inherit' });
`;

test('a process ends when its parent is killed', async () => {
  const parent = spawn(process.execPath, ['-e', PARENT], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(parent.stdout, 'data');
  expect(String(line).trim()).toBe('up');
  parent.kill('SIGKILL');
  // The pipe is held by the grandchild too: it closes when both are gone.
  await once(parent.stdout, 'close');
});
