import { describe, expect, test } from 'vitest';
import { createMemoryDisk } from '../../src/runtime/memory-journal.ts';
import { createScheduler } from '../../src/simulate/scheduler.ts';
import { createVirtualClock } from '../../src/simulate/virtual-clock.ts';

const value = (byte: number) => Uint8Array.of(byte);

function setUp() {
  const scheduler = createScheduler(0);
  const disk = createMemoryDisk({ syncMs: 2 });
  const open = () => disk.open(createVirtualClock(scheduler, { alive: true }));
  const settle = async () => {
    do await new Promise((resolve) => setImmediate(resolve));
    while (scheduler.step());
  };
  return { disk, open, settle };
}

describe('memory journal', () => {
  test('reads its writes at once, in copies, with keys in order', () => {
    const journal = setUp().open();
    const bytes = value(1);
    journal.set('b', bytes);
    journal.set('a', value(2));
    journal.set('other', value(3));
    bytes.fill(9);
    journal.get('b')?.fill(9);
    expect(journal.get('b')).toEqual(value(1));
    journal.delete('other');
    expect(journal.keys('')).toEqual(['a', 'b']);
    expect(journal.keys('b')).toEqual(['b']);
  });

  test('a crash loses what was not synced; a part may have reached the disk, in order', async () => {
    const { disk, open, settle } = setUp();
    const journal = open();
    journal.set('synced', value(1));
    void journal.sync();
    await settle();
    for (const key of ['x', 'y', 'z']) journal.set(key, value(1));
    expect(disk.unsynced()).toBe(3);
    disk.crash(2);
    expect(open().keys('')).toEqual(['synced', 'x', 'y']);
  });

  test('sync covers what was set before it, not what was set during it', async () => {
    const { disk, open, settle } = setUp();
    const journal = open();
    journal.set('before', value(1));
    void journal.sync();
    journal.set('during', value(1));
    await settle();
    disk.crash();
    expect(open().keys('')).toEqual(['before']);
  });

  test('overlapping syncs each cover their own writes once', async () => {
    const { disk, open, settle } = setUp();
    const journal = open();
    journal.set('a', value(1));
    void journal.sync();
    journal.set('b', value(1));
    void journal.sync();
    journal.set('c', value(1));
    await settle();
    disk.crash();
    expect(open().keys('')).toEqual(['a', 'b']);
  });

  test('a dead process changes nothing, and its syncs never end', async () => {
    const { disk, open, settle } = setUp();
    const dead = open();
    dead.set('a', value(1));
    let ended = false;
    void dead.sync().then(() => {
      ended = true;
    });
    disk.crash();
    dead.set('late', value(1));
    await settle();
    expect(ended).toBe(false);
    expect(open().keys('')).toEqual([]);
  });

  test('a restored snapshot brings the old records back', async () => {
    const { disk, open, settle } = setUp();
    const journal = open();
    journal.set('watermark', value(1));
    void journal.sync();
    await settle();
    const yesterday = disk.snapshot();
    journal.set('watermark', value(2));
    void journal.sync();
    await settle();
    disk.restore(yesterday);
    expect(open().get('watermark')).toEqual(value(1));
  });
});
