/**
 * Five groups, run one after another so that the cheapest failure shows first and timings do not disturb each other:
 * check (types, lint, tidy), fast (unit, property, vectors), simulator, real processes, and conformance with tfhe-rs.
 */
import { defineConfig } from 'vitest/config';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const SIMULATOR = '**/*.sim.test.ts';
const PROCESSES = '**/*.e2e.test.ts';

interface Group {
  readonly name: string;
  readonly include: string[];
  readonly exclude?: string[];
  readonly timeoutMs: number;
  readonly maxWorkers: number;
}

const GROUPS: readonly Group[] = [
  { name: 'check', include: ['test/*.test.ts'], timeoutMs: 2 * MINUTE_MS, maxWorkers: 2 },
  {
    name: 'fast',
    include: ['packages/*/test/**/*.test.ts', 'scripts/test/**/*.test.ts'],
    exclude: [SIMULATOR, PROCESSES],
    timeoutMs: 30 * SECOND_MS,
    maxWorkers: 2,
  },
  { name: 'simulator', include: [`packages/*/test/${SIMULATOR}`], timeoutMs: 15 * MINUTE_MS, maxWorkers: 2 },
  {
    name: 'processes',
    include: [`packages/*/test/${PROCESSES}`, `test/${PROCESSES}`],
    timeoutMs: 6 * MINUTE_MS,
    maxWorkers: 1, // one network of n processes already fills two cores
  },
  {
    name: 'conformance',
    include: ['test/conformance/*.conformance.test.ts'],
    timeoutMs: 6 * MINUTE_MS,
    maxWorkers: 1, // tfhe-rs uses every core
  },
];

export default defineConfig({
  test: {
    reporters: ['default', './scripts/tally-reporter.ts'],
    projects: GROUPS.map(({ name, include, exclude = [], timeoutMs, maxWorkers }, index) => ({
      test: {
        name,
        include,
        exclude: ['**/node_modules/**', ...exclude],
        globalSetup: './scripts/test-setup.mjs',
        testTimeout: timeoutMs,
        hookTimeout: timeoutMs,
        maxWorkers,
        sequence: { groupOrder: index + 1 },
      },
    })),
  },
});
