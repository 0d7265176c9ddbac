/** Folders that end with the test that asked for them. */
import { randomFillSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export const random = (bytes: number) => randomFillSync(new Uint8Array(bytes));

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'keyquorum-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
