/** Folders that end with the test (or with what `onEnd` is the end of) that asked for them. */
import { randomFillSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

export const random = (bytes: number) => randomFillSync(new Uint8Array(bytes));

export async function temporaryFolder(onEnd: (task: () => Promise<void>) => void = onTestFinished): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'keyquorum-test-'));
  onEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Called at the top of a test file: takes tasks for the end of the file, newest first. For what `beforeAll` makes: an
 * `afterAll` that is called inside of it is not run.
 */
export function endOfFile(): (task: () => Promise<void>) => void {
  const tasks: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const task of tasks.reverse()) await task();
  });
  return (task) => void tasks.push(task);
}
