// Goal: a ceremony moves only as the table allows, final states stay, and nothing stays pending over a reboot.
// Method: all pairs of states; the board on a journal that outlives it.
import { createMemoryDisk } from '@keyquorum/mpc/runtime/memory-journal';
import type { Clock } from '@keyquorum/mpc/session';
import { expect, test } from 'vitest';
import { createBoard } from '../src/ceremony/board.ts';
import {
  advance,
  type Ceremony,
  CeremonyError,
  type CeremonyState,
  isFinal,
  newCeremony,
} from '../src/ceremony/ceremony.ts';

const STATES: readonly CeremonyState[] = ['pending', 'running', 'succeeded', 'failed', 'aborted'];
const ALLOWED = new Set([
  ...['pending running', 'pending failed', 'pending aborted'],
  ...['running running', 'running succeeded', 'running failed', 'running aborted'],
]);
const clock: Clock = { now: () => 7, until: async () => undefined, yield: async () => undefined };
const plan = { deadlineMs: 100, total: 5 };
const FAILURE = { code: 'SOME_CODE', message: 'why', culprits: [3], absent: [] };

test.each(STATES.flatMap((from) => STATES.map((to) => ({ from, to }))))('$from -> $to', ({ from, to }) => {
  const ceremony: Ceremony = { ...newCeremony('keygen', 'ab', { nowMs: 1, ...plan }), state: from };
  const move = () => advance(ceremony, to, 9, { phase: 'bits' });
  if (ALLOWED.has(`${from} ${to}`)) {
    expect(move()).toEqual({ ...ceremony, state: to, phase: 'bits', changedMs: 9 });
    expect(ceremony.state).toBe(from); // a new value, the old one is as it was
  } else {
    expect(move).toThrow(expect.objectContaining({ code: 'CEREMONY_BAD_TRANSITION' }));
  }
  expect(isFinal(ceremony)).toBe(!['pending', 'running'].includes(from));
});

test('a reboot ends what was under way, and says so; what had ended stays', () => {
  const disk = createMemoryDisk();
  const first = createBoard(disk.open(clock), clock);
  for (const id of ['pending', 'running', 'done', 'gone', 'bad']) first.begin('keygen', id, plan);
  first.begin('preprocessing', 'batch', plan);
  for (const id of ['running', 'done', 'gone', 'bad']) first.progress(id, { phase: 'bits', waitingFor: [2] });
  first.succeed('done');
  first.abort('gone');
  first.fail('bad', FAILURE);
  const second = createBoard(disk.open(clock), clock);
  for (const id of ['pending', 'running']) {
    expect(second.get(id)).toMatchObject({
      state: 'failed',
      failure: { code: 'NODE_RESTARTED', culprits: [], absent: [] },
    });
  }
  expect(second.get('done')).toEqual(first.get('done'));
  expect(second.get('gone')).toMatchObject({ state: 'aborted' });
  expect(second.get('bad')).toMatchObject({ state: 'failed', failure: FAILURE });
  expect(second.get('batch')).toBeUndefined(); // many and small: not kept
  expect(createBoard(disk.open(clock), clock).list()).toEqual(second.list());
});

test('ids are used once, late events of ended ceremonies change nothing, watchers hear every change', () => {
  const board = createBoard(createMemoryDisk().open(clock), clock);
  const heard: string[] = [];
  const stop = board.watch(({ id, state }) => heard.push(`${id} ${state}`));
  board.begin('keygen', 'a', plan);
  expect(() => board.begin('epoch', 'a', plan)).toThrow(CeremonyError);
  board.progress('a', { done: 2 });
  board.succeed('a');
  board.fail('a', FAILURE);
  board.abort('a');
  expect(board.get('a')).toMatchObject({ state: 'succeeded', done: 5, waitingFor: [] });
  expect(() => board.progress('b', {})).toThrow(expect.objectContaining({ code: 'CEREMONY_UNKNOWN' }));
  stop();
  board.begin('keygen', 'c', plan);
  expect(heard).toEqual(['a pending', 'a running', 'a succeeded']);
});

test('progress that changes nothing is no change: it is told to nobody, and the time of the last one stays', () => {
  let nowMs = 100;
  const board = createBoard(createMemoryDisk().open(clock), { ...clock, now: () => nowMs });
  const heard: number[] = [];
  board.watch(({ changedMs }) => heard.push(changedMs));
  board.begin('keygen', 'a', plan);
  for (const waitingFor of [[2], [2], [2, 3], [2, 3], [3]]) {
    nowMs++;
    board.progress('a', { phase: 'bits', waitingFor });
  }
  expect(heard).toEqual([100, 101, 103, 105]);
  expect(board.get('a')).toMatchObject({ changedMs: 105, waitingFor: [3] });
});

test('of ended preprocessing batches only the newest are kept, of others all', () => {
  const board = createBoard(createMemoryDisk().open(clock), clock);
  for (let index = 0; index < 100; index++) {
    board.begin('preprocessing', `batch ${index}`, plan);
    board.progress(`batch ${index}`, {});
    if (index !== 3) board.succeed(`batch ${index}`);
    board.begin('keygen', `key ${index}`, plan);
    board.abort(`key ${index}`);
  }
  const ids = board.list().map(({ id }) => id);
  expect(ids.filter((id) => id.startsWith('key')).length).toBe(100);
  expect(ids.filter((id) => id.startsWith('batch')).length).toBeLessThan(40);
  expect(ids).toEqual(expect.arrayContaining(['batch 3', 'batch 99']));
});
