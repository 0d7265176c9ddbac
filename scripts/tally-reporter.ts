/**
 * Counts the tests for `bootstrap.mjs`, which prints `N passed, N failed` (and `, N skipped` if there are any) as the
 * very last line. A hook or a file that fails outside of a test counts as one failure, so that the line can never hide
 * one.
 */
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

export interface Tally {
  readonly kind: 'tally';
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

function failuresOf(module: TestModule): number {
  const tests = [...module.children.allTests('failed')].length;
  const suites = [...module.children.allSuites()].filter((suite) => suite.errors().length > 0).length;
  const file = module.errors().length > 0 ? 1 : 0;
  return tests + suites + file;
}

export function tallyOf(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Tally {
  let passed = 0;
  let failed = unhandled.length;
  let skipped = 0;
  for (const module of modules) {
    passed += [...module.children.allTests('passed')].length;
    skipped += [...module.children.allTests('skipped')].length;
    failed += failuresOf(module);
  }
  return { kind: 'tally', passed, failed, skipped };
}

export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    process.send?.(tallyOf(modules, unhandled));
  }
}
