// Goal: after a boot nothing is left of key generations that ended badly, and nothing is lost of those that may yet be
// completed from a peer's record. Method: a store in the state in which a crash leaves it.
import { createMemoryDisk } from '@keyquorum/mpc/runtime/memory-journal';
import { expect, test } from 'vitest';
import { bodyStore } from '../src/keygen/bodies.ts';
import { createKeyStore } from '../src/keygen/key-store.ts';
import { kernel } from './support/kernel.ts';
import { memoryPublics, memorySecrets } from './support/stores.ts';

const clock = { now: () => 0, until: async () => undefined, yield: async () => undefined };
const KEY_ID = 'ab'.repeat(32);
const [SHREDDED, UNFINISHED] = ['01'.repeat(32), '02'.repeat(32)];

test('chunks whose shares were shredded go at the next boot, those of an unfinished ceremony stay', async () => {
  const [secrets, publics] = [memorySecrets(), memoryPublics()];
  const journal = createMemoryDisk().open(clock);
  const roster = { network: 'test', n: 4, t: 1, publicKeys: [] };
  const store = createKeyStore({ kernel, roster, journal, secrets, publics });
  for (const session of [SHREDDED, UNFINISHED]) {
    for (const index of [0, 1]) await bodyStore(publics, session).put(index, Uint8Array.of(index));
  }
  await secrets.put(`key/${KEY_ID}/${UNFINISHED}`, new Uint8Array(64));
  await publics.put('pool/x', Uint8Array.of(1));
  await store.load();
  expect(await publics.names('')).toEqual([`bodies/${UNFINISHED}/0`, `bodies/${UNFINISHED}/1`, 'pool/x']);
  expect(await store.unfinished()).toEqual([{ keyId: KEY_ID, session: UNFINISHED }]);
});
