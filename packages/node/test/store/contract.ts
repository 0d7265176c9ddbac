/**
 * What every implementation of Journal, SecretStore and PublicStore must do. A suite gets a way to open a fresh store
 * and one to open the same store again; memory implementations pass `reopen: undefined`.
 */
import type { Journal } from '@keyquorum/mpc/session';
import type { PublicStore, SecretStore } from '@keyquorum/protocols/storage';
import fc from 'fast-check';
import { expect, test } from 'vitest';

export interface Subject<T> {
  readonly store: T;
  /** Closes it in order and opens what is on disk. */
  readonly reopen: (() => Promise<T>) | undefined;
  close(): Promise<void>;
}
type Open<T> = () => Promise<Subject<T>>;

const bytes = (text: string) => new TextEncoder().encode(text);

export function journalContract(open: Open<Journal>): void {
  test('a journal holds what was set, in an array of its own', async () => {
    const { store, close } = await open();
    const value = bytes('one');
    store.set('a/1', value);
    value.fill(0);
    store.get('a/1')?.fill(0);
    expect(store.get('a/1')).toEqual(bytes('one'));
    expect(store.get('a/2')).toBeUndefined();
    await close();
  });

  test('any sequence of changes reads like a map, before and after reopening', async () => {
    const key = fc.constantFrom('a', 'a/1', 'a/2', 'b', 'b/!x', 'ü');
    const change = fc.tuple(key, fc.option(fc.uint8Array({ maxLength: 40 })), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 30 }), async (changes) => {
        const subject = await open();
        const model = new Map<string, Uint8Array>();
        let store = subject.store;
        for (const [name, value, sync] of changes) {
          if (value) store.set(name, value);
          else store.delete(name);
          if (value) model.set(name, value);
          else model.delete(name);
          if (sync) await store.sync();
        }
        if (subject.reopen) store = await subject.reopen();
        for (const prefix of ['', 'a', 'a/', 'c']) {
          expect(store.keys(prefix)).toEqual([...model.keys()].filter((name) => name.startsWith(prefix)).sort());
        }
        for (const [name, value] of model) expect(store.get(name)).toEqual(value);
        await subject.close();
      }),
      { numRuns: 25 },
    );
  });

  test('syncs that overlap all resolve', async () => {
    const { store, close } = await open();
    const syncs = Array.from({ length: 50 }, (_, index) => {
      store.set(`k/${index}`, bytes(String(index)));
      return store.sync();
    });
    await Promise.all(syncs);
    expect(store.keys('k/')).toHaveLength(50);
    await close();
  });
}

export function secretStoreContract(open: Open<SecretStore>): void {
  test('a secret survives, is copied out, replaced and shredded', async () => {
    const subject = await open();
    let { store } = subject;
    await store.put('key/1/share', bytes('first'));
    await store.put('key/1/share', bytes('second'));
    await store.put('key/2/share', bytes('other'));
    const copy = await store.get('key/1/share');
    expect(copy).toEqual(bytes('second'));
    expect(copy?.byteLength).toBe(copy?.buffer.byteLength); // own memory, so that erasing it erases all of it
    copy?.fill(0);
    expect(await store.get('key/1/share')).toEqual(bytes('second'));
    expect(await store.names('key/')).toEqual(['key/1/share', 'key/2/share']);
    if (subject.reopen) store = await subject.reopen();
    expect(await store.get('key/1/share')).toEqual(bytes('second'));
    await store.shred('key/1/share');
    await store.shred('key/1/share');
    expect(await store.get('key/1/share')).toBeUndefined();
    expect(await store.names('')).toEqual(['key/2/share']);
    await store.put('key/1/share', bytes('third'));
    expect(await store.get('key/1/share')).toEqual(bytes('third'));
    await subject.close();
  });

  test('puts of one name at once leave one of them whole', async () => {
    const { store, close } = await open();
    await Promise.all([1, 2, 3, 4].map((byte) => store.put('race', new Uint8Array(1000).fill(byte))));
    const kept = await store.get('race');
    expect(kept).toHaveLength(1000);
    expect(new Set(kept).size).toBe(1);
    await close();
  });
}

export function publicStoreContract(open: Open<PublicStore>): void {
  test('public bytes survive, are replaced and deleted', async () => {
    const subject = await open();
    let { store } = subject;
    await store.put('pool/1/values', bytes('first'));
    await store.put('pool/1/values', bytes('second'));
    await store.put('material/aa', new Uint8Array(0));
    if (subject.reopen) store = await subject.reopen();
    expect(await store.get('pool/1/values')).toEqual(bytes('second'));
    expect(await store.get('material/aa')).toEqual(new Uint8Array(0));
    expect(await store.names('pool/')).toEqual(['pool/1/values']);
    await store.delete('pool/1/values');
    await store.delete('pool/1/values');
    expect(await store.get('pool/1/values')).toBeUndefined();
    await subject.close();
  });
}
