import { expect, test } from 'vitest';
import { realClock } from '../../src/runtime/clock.ts';

test('a wait never ends before its time, and at once when that has passed', async () => {
  const untilMs = realClock.now() + 5;
  await realClock.until(untilMs);
  expect(realClock.now()).toBeGreaterThanOrEqual(untilMs);
  await realClock.until(0);
});

test('an aborted wait rejects with the reason', async () => {
  const controller = new AbortController();
  const waiting = realClock.until(realClock.now() + 60_000, controller.signal);
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(realClock.until(realClock.now() + 1, controller.signal)).rejects.toThrow('enough');
  await expect(realClock.until(0, controller.signal)).rejects.toThrow('enough');
});
