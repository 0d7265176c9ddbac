/** The victim of crash.e2e.test.ts: writes records and secrets without pause and prints what is durable. */
import { randomFillSync } from 'node:crypto';
import { openStore } from '../../src/store/store.ts';

const [path = ''] = process.argv.slice(2);
const store = await openStore({
  path,
  unlock: { kind: 'key-file', bytes: new Uint8Array(32).fill(7) },
  random: (bytes) => randomFillSync(new Uint8Array(bytes)),
});
const first = store.journal.keys('k/').length;
for (let index = first; ; index++) {
  const value = new Uint8Array(64).fill(index % 251);
  store.journal.set(`k/${String(index).padStart(8, '0')}`, value);
  store.journal.set('last', new TextEncoder().encode(String(index)));
  await Promise.all([store.journal.sync(), store.secrets.put('s', value), store.publics.put('p', value)]);
  process.stdout.write(`${index}\n`);
}
