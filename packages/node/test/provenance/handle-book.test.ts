/** A handle means the ciphertext that it named first, over restarts, until it is the oldest of too many. */
import { sha256 } from '@keyquorum/mpc/bytes';
import { realClock } from '@keyquorum/mpc/runtime/clock';
import { createMemoryDisk } from '@keyquorum/mpc/runtime/memory-journal';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openHandleBook } from '../../src/provenance/handle-book.ts';
import type { Ciphertext } from '../../src/requests/content.ts';

const id = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);
const provenance = { attestations: [] };

function ciphertext(change: Partial<Ciphertext> = {}): Ciphertext {
  const bytes = new Uint8Array([1, 2, 3]);
  const named = { handle: id(1), format: 'compact-list' as const, slot: 0, fheType: undefined, provenance };
  return { ...named, bytes, digest: sha256(bytes), ...change };
}

function setting(kept = 100) {
  const disk = createMemoryDisk({ syncMs: 0 });
  const conflicts: object[] = [];
  let clock = 0;
  const open = () => {
    const table = disk.open(realClock);
    const book = openHandleBook({
      ...{ table, kept, now: () => ++clock },
      onConflict: (conflict) => void conflicts.push(conflict),
    });
    return { ...book, sync: () => table.sync() };
  };
  return { disk, conflicts, open };
}

const conflict = expect.objectContaining({ code: 'HANDLE_CONFLICT' });

test.each<[string, Partial<Ciphertext>]>([
  ['other bytes', { bytes: new Uint8Array([1, 2, 4]) }],
  ['another slot', { slot: 1 }],
  ['another format', { format: 'proven-list' }],
])('%s under a handle are refused and raise an alarm, also after a crash', async (_, change) => {
  const { disk, conflicts, open } = setting();
  const before = open();
  before.check(id(9), ciphertext(change)); // asking binds nothing
  before.bind(id(9), [ciphertext()]);
  await before.sync();
  disk.crash();
  const after = open();
  after.bind(id(9), [ciphertext()]);
  expect(() => after.check(id(9), ciphertext(change))).toThrow(conflict);
  expect(conflicts).toEqual([]);
  expect(() => after.bind(id(9), [ciphertext(change)])).toThrow(conflict);
  const digest = expect.stringMatching(/^[0-9a-f]{64}$/);
  expect(conflicts).toEqual([{ keyId: id(9), handle: id(1), digests: [digest, digest] }]);
  after.bind(id(9), [ciphertext()]); // the first one stays
});

test('other keys and handles have names of their own; what the caller believes and sends beside is no part', () => {
  const { open } = setting();
  const book = open();
  const other = { bytes: new Uint8Array([9]) };
  book.bind(id(9), [ciphertext()]);
  book.bind(id(8), [ciphertext(other)]);
  book.bind(id(9), [ciphertext({ ...other, handle: id(2) })]);
  book.bind(id(9), [ciphertext({ fheType: 'uint8', provenance: { attestations: [new Uint8Array(65)] } })]);
});

test('two ciphertexts under one handle in one request are a conflict', () => {
  const { conflicts, open } = setting();
  expect(() => open().bind(id(9), [ciphertext(), ciphertext({ slot: 1 })])).toThrow(conflict);
  expect(conflicts).toHaveLength(1);
});

test('any sequence: as a map that keeps the newest handles, over restarts', async () => {
  const step = fc.record({ handle: fc.nat(5), slot: fc.nat(1), restart: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { disk, open } = setting(3);
      const model = new Map<number, number>();
      let book = open();
      for (const { handle, slot, restart } of steps) {
        const asked = ciphertext({ handle: id(handle), slot });
        const known = model.get(handle);
        if (known !== undefined && known !== slot) expect(() => book.bind(id(9), [asked])).toThrow(conflict);
        else book.bind(id(9), [asked]);
        if (known === undefined) model.set(handle, slot);
        if (model.size > 3) model.delete([...model.keys()][0]!);
        if (!restart) continue;
        await book.sync();
        disk.crash();
        book = open();
      }
    }),
    { numRuns: 60 },
  );
});
