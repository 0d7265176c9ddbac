/**
 * What every `npm` command of this repository runs first, on whatever Node >= 20.19 the host has: installs the
 * dependencies and the pinned Node 24 when the lock file changed, compiles the kernel when its sources changed, and
 * runs the wanted program under Node 24. Everything printed here goes to standard error; standard output belongs to the
 * program.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PNPM = 'pnpm@12.21.0';
const NODE_MIN = [20, 19];
const NODE = join(ROOT, 'node_modules', '.bin', 'node');
const INSTALL_STAMP = join(ROOT, 'node_modules', '.keyquorum-install');
const VITEST = ['node_modules/vitest/vitest.mjs', 'run'];
const PARENT_CHECK_MS = 250;

/** Command -> arguments for Node. `check` is the part of the test run that looks at the code without running it. */
const PROGRAMS = {
  demo: ['scripts/demo.ts'],
  network: ['scripts/network.ts'],
  page: ['node_modules/vite/bin/vite.js', 'packages/client/examples'],
  bench: ['scripts/bench.ts'],
  'bench:crs': ['scripts/bench-crs.ts'],
  'bench:keygen': ['scripts/bench-keygen.ts'],
  soundness: ['scripts/soundness.ts'],
  check: [...VITEST, '--project', 'check'],
  test: VITEST,
};

function say(text) {
  console.error(`keyquorum: ${text}`);
}

function requireHostNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  throw new Error(`Node ${process.versions.node} is too old: install Node ${NODE_MIN.join('.')} or newer`);
}

/** Changes when the lock file, this machine's kind or the place of the checkout changes. */
function installDigest() {
  const lock = readFileSync(join(ROOT, 'pnpm-lock.yaml'));
  return createHash('sha256').update(lock).update(`${process.platform} ${process.arch} ${ROOT}`).digest('hex');
}

function install() {
  const digest = installDigest();
  const installed = existsSync(INSTALL_STAMP) && readFileSync(INSTALL_STAMP, 'utf8') === digest;
  if (installed && existsSync(NODE)) return;
  say('installing dependencies and Node 24 (about 20 s the first time)');
  const started = Date.now();
  const { status, error } = spawnSync('npx', ['--yes', PNPM, 'install', '--frozen-lockfile'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    // Never ask before replacing a node_modules folder that another package manager made.
    env: { ...process.env, CI: 'true' },
  });
  if (status !== 0)
    throw new Error(`installation failed (${error?.message ?? `status ${status}`}); is npm on the PATH?`);
  if (!existsSync(NODE)) {
    throw new Error(
      `no Node 24 package for ${process.platform}-${process.arch}: see optionalDependencies in package.json`,
    );
  }
  writeFileSync(INSTALL_STAMP, digest);
  say(`installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** Compiles when a source is newer than the output; takes 0.1 s otherwise. */
function buildKernel() {
  const { status } = spawnSync(NODE, ['packages/kernel/build.mjs'], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`node packages/kernel/build.mjs ended with status ${status}`);
}

/**
 * Runs the program with this terminal and passes signals on. Resolves to its exit status and, of a test run, the counts
 * that `tally-reporter.ts` sent.
 */
function run(programArguments) {
  const tether = new URL('./tether.mjs', import.meta.url).href;
  const child = spawn(NODE, ['--import', tether, ...programArguments], {
    cwd: ROOT,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), PARENT_CHECK_MS).unref();
  let tally;
  child.on('message', (message) => {
    if (message?.kind === 'tally') tally = message;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ status: code ?? 1, signal, tally }));
  });
}

/** The last line of a test run; one without counts, or without a single test, has failed. */
function printTally({ status, tally }) {
  const passed = tally?.passed ?? 0;
  const failed = Math.max(tally?.failed ?? 0, status !== 0 || passed === 0 ? 1 : 0);
  const skipped = tally?.skipped ? `, ${tally.skipped} skipped` : '';
  console.log(`${passed} passed, ${failed} failed${skipped}`);
  return failed > 0 ? Math.max(status, 1) : 0;
}

async function main([command = '', ...rest]) {
  const program = PROGRAMS[command];
  if (!program) throw new Error(`unknown command "${command}": one of ${Object.keys(PROGRAMS).join(', ')}`);
  const counts = program.includes(VITEST[0]);
  let result = { status: 1, signal: null, tally: undefined };
  try {
    requireHostNode();
    install();
    buildKernel();
    result = await run([...program, ...rest]);
    if (result.signal) say(`${command} was ended by ${result.signal}`);
  } catch (error) {
    say(error.message);
  }
  process.exitCode = counts ? printTally(result) : result.status;
}

await main(process.argv.slice(2));
