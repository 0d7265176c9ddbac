// Goal: a request is matched only by exactly itself, and settles once, when all its blocks are opened, in any order.
// Method: the board of jobs against a model; runs of blocks opened in random pieces.
import { asGr64 } from '@keyquorum/kernel/batch';
import { messageMasks, type Value64 } from '@keyquorum/tfhe/ciphertext';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DecryptionError, type DecryptionJob } from '../src/decryption/job.ts';
import { type BoundValue, createJobBoard } from '../src/decryption/jobs.ts';
import type { ProposalItem } from '../src/decryption/proposal.ts';
import { layoutOf } from '../src/decryption/user-shares.ts';

function value(blocks: number): Value64 {
  return {
    type: { kind: 'uint', bits: 2 * blocks },
    key: 'big',
    deltaLog2: 59,
    dimension: 1,
    masks: new Uint8Array(8 * blocks),
    bodies: new Uint8Array(8 * blocks),
    blockBits: Array(blocks).fill(4),
    pieces: Array.from({ length: blocks }, (_, block) => ({ block, shift: 0, bits: 4 })),
  };
}

function job(blocks: readonly number[], change: Partial<DecryptionJob> = {}): DecryptionJob {
  const ids = { requestId: 'ab'.repeat(32), keyId: 'cd'.repeat(32), contentHash: new Uint8Array(32).fill(1) };
  return { ...ids, values: blocks.map(value), ...change };
}

const bound = (blocks: readonly number[]): BoundValue[] =>
  job(blocks).values.map((each) => ({
    ...{ kind: 'bound', layout: layoutOf(each), wanted: messageMasks(each), pieces: each.pieces },
    shares: asGr64(new Uint8Array(32 * each.blockBits.length).fill(9)),
    liftMasks: asGr64(new Uint8Array(32 * each.pieces.length).fill(9)),
  }));

test('opened in any order and in any pieces, a job settles with the last block', async () => {
  const shape = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(shape, fc.infiniteStream(fc.nat()), async (blocks, draws) => {
      const draw = (bound: number): number => draws.next().value % bound;
      const board = createJobBoard();
      const added = board.add(job(blocks), 'public', bound(blocks), 0);
      const want = blocks.map((count) => Uint8Array.from({ length: count }, () => draw(16)));
      let left = blocks.reduce((sum, count) => sum + count, 0);
      while (left > 0) {
        expect(added.settled).toBe(false);
        const runs = board.missing(added);
        expect(runs.reduce((sum, run) => sum + run.blocks, 0)).toBe(left);
        const run = runs[draw(runs.length)]!;
        const from = draw(run.blocks);
        const count = 1 + draw(run.blocks - from);
        const piece: ProposalItem = { ...run, firstBlock: run.firstBlock + from, blocks: count };
        expect(board.match(piece)).toBe(added);
        board.enter(piece, want[piece.value]!.slice(piece.firstBlock, piece.firstBlock + count));
        left -= count;
      }
      await added.opened;
      expect(added).toMatchObject({ results: want, faults: [] });
      expect(board.missing(added)).toEqual([]);
      board.enter({ ...board.missing(added)[0]!, ...itemOf(blocks) }, Uint8Array.of(3)); // after the end: nothing
      expect(added.results).toEqual(want);
    }),
    { numRuns: 60 },
  );
});

function itemOf(blocks: readonly number[]): ProposalItem {
  const { requestId, keyId, contentHash } = job(blocks);
  return { output: 'public', requestId, keyId, contentHash, value: 0, firstBlock: 0, blocks: 1 };
}

test('an item matches exactly the job it is part of', () => {
  const board = createJobBoard();
  const added = board.add(job([3, 2]), 'public', bound([3, 2]), 0);
  const item = itemOf([3, 2]);
  for (const [firstBlock, blocks] of [
    [0, 1],
    [0, 3],
    [2, 1],
  ] as const)
    expect(board.match({ ...item, firstBlock, blocks })).toBe(added);
  const others: Partial<ProposalItem>[] = [
    { requestId: 'ac'.repeat(32) },
    { keyId: 'ac'.repeat(32) },
    { contentHash: new Uint8Array(32).fill(2) },
    { value: 2 },
    { firstBlock: 3 },
    { firstBlock: 1, blocks: 3 },
    { output: 'user' },
    { blocks: 0 },
    { blocks: 2 ** 32 - 1 },
    { firstBlock: 2 ** 32 - 1, blocks: 1 },
  ];
  for (const other of others) expect(board.match({ ...item, ...other }), JSON.stringify(other)).toBeUndefined();
});

test('one id, other content: a conflict; the same content: the same job', () => {
  const board = createJobBoard();
  const added = board.add(job([1]), 'public', bound([1]), 0);
  expect(board.find(job([1]), 'public')).toBe(added);
  const conflict = expect.objectContaining({ code: 'REQUEST_CONFLICT' });
  expect(() => board.find(job([1], { contentHash: new Uint8Array(32) }), 'public')).toThrow(conflict);
  expect(() => board.find(job([1]), 'user')).toThrow(conflict);
  expect(() => board.find(job([1], { keyId: 'ee'.repeat(32) }), 'public')).toThrow(conflict);
  expect(board.find(job([1], { requestId: 'ee'.repeat(32) }), 'public')).toBeUndefined();
});

test('waiting for requests ends with the last of them, or with the signal', async () => {
  const board = createJobBoard();
  const late = job([1], { requestId: 'ee'.repeat(32) });
  const items = [itemOf([1]), { ...itemOf([1]), requestId: late.requestId }];
  const waiting = board.admitted(items, new AbortController().signal);
  board.add(job([1]), 'public', bound([1]), 0);
  board.add(late, 'public', bound([1]), 0);
  expect(await waiting).toBe(true);
  const missing = [{ ...itemOf([1]), requestId: 'dd'.repeat(32) }];
  const controller = new AbortController();
  const never = board.admitted(missing, controller.signal);
  controller.abort();
  expect(await never).toBe(false);
  expect(await board.admitted(missing, AbortSignal.abort())).toBe(false);
});

test('a failed job can be asked for again, its shares are erased; settled ones are forgotten with time', async () => {
  const board = createJobBoard();
  const shares = bound([2]);
  const failed = board.add(job([2]), 'public', shares, 0);
  board.fail(failed, new DecryptionError('DECRYPTION_TIMEOUT', 'too few'));
  await expect(failed.opened).rejects.toMatchObject({ code: 'DECRYPTION_TIMEOUT' });
  expect(shares[0]!.shares.every((byte) => byte === 0)).toBe(true);
  expect(board.find(job([2]), 'public')).toBeUndefined();
  const again = bound([2]);
  const done = board.add(job([2]), 'public', again, 10);
  board.enter({ ...itemOf([2]), blocks: 2 }, Uint8Array.of(1, 2));
  await done.opened;
  board.forgetBefore(10);
  expect(board.find(job([2]), 'public')).toBe(done);
  board.forgetBefore(11);
  expect(board.find(job([2]), 'public')).toBeUndefined();
  expect(again[0]!.shares.every((byte) => byte === 0)).toBe(true);
});
