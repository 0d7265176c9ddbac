/** A peer's bytes must not end the process: fails every test during which an error reached nobody. */
import { afterEach, beforeEach, expect } from 'vitest';

/**
 * Call it once, at the top of a test file: hooks after a test run in reverse order, so what the file's own hooks stop
 * is watched as well.
 */
export function failOnUncaught(): void {
  let uncaught: unknown[] = [];
  const onUncaught = (error: unknown) => uncaught.push(error);
  beforeEach(() => {
    uncaught = [];
    process.on('uncaughtExceptionMonitor', onUncaught);
    process.on('unhandledRejection', onUncaught);
  });
  afterEach(() => {
    process.off('uncaughtExceptionMonitor', onUncaught);
    process.off('unhandledRejection', onUncaught);
    expect(uncaught).toEqual([]);
  });
}
