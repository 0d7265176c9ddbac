import { appendFile, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readMasterKey, type Unlock, writeMasterKey } from '../../src/store/master-key.ts';
import { createStore, openStore, type Store } from '../../src/store/store.ts';
import { random, temporaryFolder } from '../folders.ts';
import { journalContract, publicStoreContract, type Subject, secretStoreContract } from './contract.ts';

const unlock: Unlock = { kind: 'key-file', bytes: new Uint8Array(32).fill(7) };
const bytes = (text: string) => new TextEncoder().encode(text);

async function fresh(): Promise<string> {
  const path = await temporaryFolder();
  await createStore({ path, unlock, random });
  return path;
}

const open = (path: string) => openStore({ path, unlock, random });

function subjectOf<T>(part: (store: Store) => T): () => Promise<Subject<T>> {
  return async () => {
    const path = await fresh();
    let store = await open(path);
    return {
      store: part(store),
      close: () => store.close(),
      async reopen() {
        await store.close();
        store = await open(path);
        return part(store);
      },
    };
  };
}

describe('journal', () => journalContract(subjectOf((store) => store.journal)));
describe('secrets', () => secretStoreContract(subjectOf((store) => store.secrets)));
describe('publics', () => publicStoreContract(subjectOf((store) => store.publics)));

test('a second store in the same folder, and a second process on it, are refused', async () => {
  const path = await fresh();
  await expect(createStore({ path, unlock, random })).rejects.toMatchObject({ code: 'STORE_EXISTS' });
  const store = await open(path);
  await expect(open(path)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  await store.close();
});

test('a write that fails says so and leaves nothing behind', async () => {
  const path = await fresh();
  const store = await open(path);
  await mkdir(join(path, 'public', 'x.bin', 'in the way'), { recursive: true });
  await expect(store.publics.put('x', bytes('value'))).rejects.toMatchObject({ code: 'STORE_FAILED' });
  expect(await readdir(join(path, 'public'))).toEqual(['x.bin']);
  await store.close();
});

test('the wrong key does not open it', async () => {
  const path = await fresh();
  const wrong: Unlock = { kind: 'key-file', bytes: new Uint8Array(32).fill(8) };
  await expect(openStore({ path, unlock: wrong, random })).rejects.toMatchObject({ code: 'STORE_WRONG_KEY' });
  const phrase: Unlock = { kind: 'passphrase', bytes: bytes('phrase') };
  await expect(openStore({ path, unlock: phrase, random })).rejects.toMatchObject({ code: 'STORE_WRONG_KEY' });
  await expect(open(await temporaryFolder())).rejects.toMatchObject({ code: 'STORE_MISSING' });
});

test('a passphrase opens it, and the lock can be changed without touching secrets', async () => {
  const path = await fresh();
  const before = await open(path);
  await before.secrets.put('s', bytes('secret'));
  await before.close();
  const phrase: Unlock = { kind: 'passphrase', bytes: bytes('correct horse') };
  await writeMasterKey(path, await readMasterKey(path, unlock), phrase, random);
  const after = await openStore({ path, unlock: phrase, random });
  expect(await after.secrets.get('s')).toEqual(bytes('secret'));
  await after.close();
});

test('neither the secret nor its data key is on disk in the clear', async () => {
  const path = await fresh();
  const store = await open(path);
  const secret = random(32);
  await store.secrets.put('s', secret);
  await store.close();
  for (const file of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const content = await readFile(join(file.parentPath, file.name));
    expect(content.includes(Buffer.from(secret))).toBe(false);
    expect(content.includes(Buffer.from(unlock.bytes))).toBe(false);
  }
});

async function flipByte(file: string, at: number): Promise<void> {
  const content = await readFile(file);
  content[at < 0 ? content.length + at : at]! ^= 1;
  await writeFile(file, content);
}

test('a changed secret, data key or public file is noticed; so are two files that changed places', async () => {
  const path = await fresh();
  const store = await open(path);
  await store.secrets.put('a', bytes('first secret'));
  await store.secrets.put('b', bytes('other secret'));
  await store.publics.put('p', bytes('public'));
  await store.publics.put('q', bytes('others'));
  await flipByte(join(path, 'secrets/a.box'), -1);
  await expect(store.secrets.get('a')).rejects.toMatchObject({ code: 'STORE_TAMPERED' });
  await flipByte(join(path, 'secrets/b.key'), 3);
  await expect(store.secrets.get('b')).rejects.toMatchObject({ code: 'STORE_TAMPERED' });
  await writeFile(join(path, 'public/p.bin'), await readFile(join(path, 'public/q.bin')));
  await expect(store.publics.get('p')).rejects.toMatchObject({ code: 'STORE_TAMPERED' });
  await store.close();
});

async function written(batches: number): Promise<string> {
  const path = await fresh();
  const store = await open(path);
  for (let batch = 0; batch < batches; batch++) {
    store.journal.set(`k/${batch}`, new Uint8Array(200).fill(batch));
    await store.journal.sync();
  }
  await store.close();
  return path;
}

async function logOf(path: string): Promise<string> {
  const log = (await readdir(join(path, 'records'))).find((file) => file.endsWith('.log'));
  return join(path, 'records', log ?? 'none');
}

test('a lost tail of records is noticed (Level itself drops it silently)', async () => {
  const path = await written(40);
  const log = await logOf(path);
  await truncate(log, (await readFile(log)).length - 300);
  await expect(open(path)).rejects.toMatchObject({ code: 'STORE_ROLLED_BACK' });
});

test('one flipped byte anywhere in the log is noticed', async () => {
  for (const share of [0.1, 0.5, 0.9]) {
    const path = await written(40);
    const log = await logOf(path);
    await flipByte(log, Math.floor(share * (await readFile(log)).length));
    await expect(open(path)).rejects.toMatchObject({ code: expect.stringMatching(/STORE_(TAMPERED|ROLLED_BACK)/) });
  }
});

test('an older copy of the database is noticed; so is a missing head file', async () => {
  const path = await written(3);
  await writeFile(join(path, 'head'), new Uint8Array(8192));
  await expect(open(path)).rejects.toMatchObject({ code: 'STORE_TAMPERED' });
});

test('an interrupted write leaves no temporary file behind after opening', async () => {
  const path = await fresh();
  await (await open(path)).close();
  await appendFile(join(path, 'public/x.bin.tmp'), 'half');
  const store = await open(path);
  expect(await readdir(join(path, 'public'))).toEqual([]);
  await store.close();
});

test('names that could leave the folder are refused', async () => {
  const store = await open(await fresh());
  for (const name of ['../x', '/x', '', 'a~b', 'x'.repeat(300)]) {
    expect(() => store.publics.get(name)).not.toThrow();
    await expect(store.publics.get(name)).rejects.toMatchObject({ code: 'STORE_NAME' });
  }
  await store.close();
});
