/** Records on a real disk: kept, bounded, and never served damaged. */
import fc from 'fast-check';
import { Level } from 'level';
import { expect, test } from 'vitest';
import { decodeRecord, encodeRecord, type Ledger, type LedgerRecord, openLedger } from '../src/ledger.ts';
import { temporaryFolder } from './support/running-service.ts';

const MEBIBYTE = 2 ** 20;
const LIMITS = { kept: 10, keptBytes: MEBIBYTE, keptMs: 1_000 };
const idOf = (number: number) => number.toString(16).padStart(64, '0');

function recordOf(number: number, length = 10): LedgerRecord {
  return {
    kind: 'user-decryption',
    requestId: idOf(number),
    ...{ content: idOf(number), caller: 'ca'.repeat(32), madeMs: number, run: 'run' },
    verdicts: [{ party: 1, verdict: 'answered', ms: 3 }],
    report: {
      requestId: idOf(number),
      state: 'succeeded',
      responses: [{ party: 1, payload: 'ab'.repeat(length), signature: 'cd'.repeat(65), extraData: '' }],
      nodes: [{ party: 1, verdict: 'answered', ms: 3 }],
    },
  };
}

async function open(
  folder: string,
  limits = LIMITS,
  nowMs = 0,
): Promise<Ledger & AsyncDisposable & { dropped: string[] }> {
  const dropped: string[] = [];
  const ledger = await openLedger({ folder, limits, nowMs: () => nowMs, onDamaged: (id) => dropped.push(id) });
  const close = () => ledger.close();
  return Object.assign(ledger, { dropped, [Symbol.asyncDispose]: close });
}

async function kept(ledger: Ledger, numbers: readonly number[]): Promise<number[]> {
  const records = await Promise.all(numbers.map((number) => ledger.read(idOf(number))));
  return numbers.filter((_, index) => records[index]);
}

test('what was put is there again, byte for byte; what was forgotten is not', async () => {
  await using place = await temporaryFolder();
  {
    await using ledger = await open(place.folder);
    await Promise.all([1, 2, 3].map((number) => ledger.put(recordOf(number), false)));
  }
  await using again = await open(place.folder);
  expect(await again.read(idOf(2))).toEqual(recordOf(2));
  expect(again.lookUp(idOf(3))).toMatchObject({ content: idOf(3), complete: true });
  expect(again.equal('ca'.repeat(32), idOf(1))?.requestId).toBe(idOf(1));
  expect(again.lookUp(idOf(4))).toBeUndefined();
});

test('number, bytes and age are bounded, the oldest go first, what is being asked stays', async () => {
  await using place = await temporaryFolder();
  {
    await using ledger = await open(place.folder, { ...LIMITS, kept: 2 });
    await ledger.put(recordOf(1), true);
    for (const number of [2, 3, 4]) await ledger.put(recordOf(number), false);
    expect(await kept(ledger, [1, 2, 3, 4])).toEqual([1, 3, 4]);
  }
  {
    await using ledger = await open(place.folder, { ...LIMITS, keptBytes: 3 * MEBIBYTE });
    for (const number of [5, 6, 7]) await ledger.put(recordOf(number, MEBIBYTE / 2), false);
    expect(await kept(ledger, [1, 3, 4, 5, 6, 7])).toEqual([6, 7]);
    expect(ledger.status().bytes).toBeLessThanOrEqual(3 * MEBIBYTE);
  }
  await using ledger = await open(place.folder, { ...LIMITS, keptBytes: 3 * MEBIBYTE }, 1_007);
  expect(await kept(ledger, [6, 7])).toEqual([7]);
});

test('failures, which strangers can bring about, push out no result', async () => {
  await using place = await temporaryFolder();
  await using ledger = await open(place.folder);
  for (let number = 1; number <= LIMITS.kept; number++) await ledger.put(recordOf(number), false);
  for (let number = 11; number <= 20; number++) {
    const { report, ...record } = recordOf(number);
    await ledger.put({ ...record, report: { ...report!, state: 'failed' } } as LedgerRecord, false);
  }
  const [results, failures] = [1, 11].map((from) => Array.from({ length: 10 }, (_, index) => from + index));
  expect(await kept(ledger, results!)).toEqual(results);
  expect(await kept(ledger, failures!)).toEqual([19, 20]);
});

test('one process at a time', async () => {
  await using place = await temporaryFolder();
  await using _first = await open(place.folder);
  await expect(open(place.folder)).rejects.toMatchObject({ code: 'STORE_FAILED' });
});

const damage = fc.oneof(
  fc.record({ at: fc.nat(), xor: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ cutTo: fc.nat() }),
  fc.record({ instead: fc.uint8Array({ maxLength: 200 }) }),
);

function damaged(bytes: Uint8Array, how: Partial<{ at: number; xor: number; cutTo: number; instead: Uint8Array }>) {
  if (how.instead) return how.instead;
  if (how.cutTo !== undefined) return bytes.slice(0, how.cutTo % bytes.length);
  const copy = Uint8Array.from(bytes);
  copy[how.at! % copy.length]! ^= how.xor!;
  return copy;
}

test('no damaged record is read, nor one under another id or of another layout', () => {
  const bytes = encodeRecord(recordOf(1));
  fc.assert(fc.property(damage, (how) => decodeRecord(idOf(1), damaged(bytes, how)) === undefined));
  expect(decodeRecord(idOf(2), bytes)).toBeUndefined();
  const other = { ...recordOf(1), kind: 'something-else' } as unknown as LedgerRecord;
  expect(decodeRecord(idOf(1), encodeRecord(other))).toBeUndefined();
  expect(decodeRecord(idOf(1), bytes)).toEqual(recordOf(1));
});

test('a damaged record is dropped and counted, the others stay', async () => {
  await using place = await temporaryFolder();
  {
    await using ledger = await open(place.folder);
    await Promise.all([1, 2].map((number) => ledger.put(recordOf(number), false)));
  }
  const database = new Level<string, Uint8Array>(place.folder, { valueEncoding: 'view' });
  const value = (await database.get(idOf(1)))!;
  await database.put(idOf(1), damaged(value, { at: 100, xor: 1 }));
  await database.close();
  await using ledger = await open(place.folder);
  expect(ledger.dropped).toEqual([idOf(1)]);
  expect(ledger.status().damaged).toBe(1);
  expect(await kept(ledger, [1, 2])).toEqual([2]);
});
