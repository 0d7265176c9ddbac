/**
 * Goal: kill -9 at any instant loses nothing that was durable and leaves no half-written value.
 * Method: a child process writes and prints each index once it is durable; it is killed after a seeded number of lines.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { createStore, openStore } from '../../src/store/store.ts';
import { random, temporaryFolder } from '../folders.ts';

const unlock = { kind: 'key-file', bytes: new Uint8Array(32).fill(7) } as const;
const VICTIM = join(import.meta.dirname, 'write-loop.ts');

/** Runs the victim until it has printed `lines` lines; the number on the last line read before its end. */
async function killAfter(path: string, lines: number): Promise<number> {
  const child = spawn(process.execPath, [VICTIM, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let last = -1;
  let seen = 0;
  const reader = createInterface(child.stdout);
  reader.on('line', (line) => {
    last = Number(line);
    if (++seen === lines) child.kill('SIGKILL');
  });
  await Promise.all([once(reader, 'close'), once(child, 'close')]);
  return last;
}

test('kill -9 again and again: all durable records are there, values are whole', async () => {
  const path = await temporaryFolder();
  await createStore({ path, unlock, random });
  for (const lines of [1, 7, 23, 40, 3]) {
    const durable = await killAfter(path, lines);
    const store = await openStore({ path, unlock, random });
    const keys = store.journal.keys('k/');
    expect(keys.length).toBeGreaterThan(durable);
    expect(Number(Buffer.from(store.journal.get('last') ?? []).toString())).toBe(keys.length - 1);
    for (const value of [await store.secrets.get('s'), await store.publics.get('p')]) {
      expect(value).toHaveLength(64);
      expect(new Set(value).size).toBe(1);
    }
    await store.close();
  }
});
