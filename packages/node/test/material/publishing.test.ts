/**
 * Goal: an object is listed in a bucket only when the right bytes were read back from it; what fails is told, harms
 * nothing, and is tried again; a restart goes on where the last life ended.
 * Method: a real S3 server in a process of its own, which is stopped, started and damaged; records in a real store.
 */
import { MaterialDamagedError } from '@keyquorum/protocols/material/public-object';
import { pino } from 'pino';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { createPublishing, type Publishing, type PublishingStatus } from '../../src/material/publishing.ts';
import { createS3Material } from '../../src/material/s3-material.ts';
import { createStore, openStore } from '../../src/store/store.ts';
import { random, temporaryFolder } from '../folders.ts';
import { type MadeObject, madeObject, servicesWith } from './made-objects.ts';
import { BUCKET, CREDENTIALS, type ObjectStorage, objectStorage } from './object-storage.ts';

const RETRY_MS = 50;
const SMALL = madeObject(1, 5_000);
const LARGE = madeObject(2, 9 * 2 ** 20);
const PLACE = { region: 'us-east-1', bucket: BUCKET, prefix: 'party-1', publicUrl: undefined };

let storage: ObjectStorage;
let storePath: string;
const logged: string[] = [];
const unlock = () => ({ kind: 'key-file' as const, bytes: new Uint8Array(32).fill(7) });

beforeEach(async () => {
  storage = await objectStorage(onTestFinished);
  storePath = await temporaryFolder();
  await createStore({ path: storePath, unlock: unlock(), random });
  logged.length = 0;
});

interface Life {
  readonly publishing: Publishing;
  /** Resolves when the status is as wanted. */
  until(holds: (status: PublishingStatus) => boolean): Promise<void>;
  end(): Promise<void>;
}

/** One life of a node's publishing. */
async function live(services: ReturnType<typeof servicesWith>, secretAccessKey?: string): Promise<Life> {
  const store = await openStore({ path: storePath, unlock: unlock(), random });
  const place = { ...PLACE, endpoint: storage.endpoint };
  const publishing = createPublishing({
    ...{ services, table: store.published, retryMs: RETRY_MS },
    place: createS3Material(place, { ...CREDENTIALS, ...(secretAccessKey !== undefined && { secretAccessKey }) }),
    log: pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }),
  });
  publishing.run();
  return {
    publishing,
    async until(holds) {
      while (!holds(publishing.status())) await new Promise((retry) => setTimeout(retry, RETRY_MS));
    },
    async end() {
      await publishing.stop();
      await store.close();
    },
  };
}

const uploads = () => logged.filter((line) => line.includes('object published')).length;
const all = (count: number) => (status: PublishingStatus) => status.published === count;

async function expectServed(publishing: Publishing, object: MadeObject): Promise<void> {
  const [uri = ''] = publishing.uris(object.digest);
  expect(uri).toBe(`${storage.endpoint}/${BUCKET}/${PLACE.prefix}/${object.digest}`);
  const bytes = new Uint8Array(await (await fetch(uri)).arrayBuffer());
  expect(Buffer.compare(bytes, object.bytes)).toBe(0);
}

test('objects that are there and one that comes later are published; a restart uploads nothing', async () => {
  const services = servicesWith(LARGE);
  const first = await live(services);
  expect(first.publishing.uris(LARGE.digest)).toEqual([]);
  await first.until(all(1));
  services.add(SMALL);
  await first.until(all(2));
  for (const object of [LARGE, SMALL]) await expectServed(first.publishing, object);
  expect(first.publishing.status()).toEqual({ published: 2, problem: '', failures: 0 });
  await first.end();
  expect(uploads()).toBe(2);

  const second = await live(services);
  await second.until(all(2));
  await expectServed(second.publishing, LARGE);
  await second.end();
  expect(uploads()).toBe(2);
});

test('other bytes of the same size under the name: not listed but replaced', async () => {
  const wrong = madeObject(3, SMALL.size);
  const place = createS3Material({ ...PLACE, endpoint: storage.endpoint }, CREDENTIALS);
  await place.put({ ...wrong, digest: SMALL.digest }, new AbortController().signal);
  const { publishing, until, end } = await live(servicesWith(SMALL));
  await until(all(1));
  await expectServed(publishing, SMALL);
  await end();
});

test('what another life left there is read before it is listed', async () => {
  const place = createS3Material({ ...PLACE, endpoint: storage.endpoint }, CREDENTIALS);
  await place.put(SMALL, new AbortController().signal);
  await place.put(LARGE, new AbortController().signal);
  await storage.damage(`${PLACE.prefix}/${LARGE.digest}`);
  const { publishing, until, end } = await live(servicesWith(SMALL, LARGE));
  await until(all(2));
  await expectServed(publishing, LARGE);
  await end();
  expect(uploads()).toBe(1);
});

test('without the storage nothing is listed, and the status says why; with it all goes on', async () => {
  await storage.stop();
  const { publishing, until, end } = await live(servicesWith(SMALL));
  await until(({ failures }) => failures > 0);
  expect(publishing.uris(SMALL.digest)).toEqual([]);
  expect(publishing.status()).toMatchObject({ published: 0, problem: expect.stringContaining('ECONNREFUSED') });
  await storage.start();
  await until(all(1));
  await until(({ problem }) => problem === '');
  await expectServed(publishing, SMALL);
  await end();
});

test('wrong credentials: refused, told, and no secret is told', async () => {
  const secret = 'a-secret-that-is-wrong';
  const { publishing, until, end } = await live(servicesWith(SMALL), secret);
  await until(({ failures }) => failures > 0);
  await end();
  expect(publishing.status().problem).not.toBe('');
  expect(JSON.stringify([logged, publishing.status()])).not.toContain(secret);
  expect(await storage.keys()).toEqual([]);
});

test('an object whose disk fails leaves the others alone, and is published when it is whole', async () => {
  let damaged = true;
  const failing: MadeObject = {
    ...LARGE,
    async *read(start, end) {
      if (damaged) throw new MaterialDamagedError('a chunk is damaged');
      yield* LARGE.read(start, end);
    },
  };
  const { publishing, until, end } = await live(servicesWith(failing, SMALL));
  await until(({ failures }) => failures > 0);
  await until(all(1));
  expect(publishing.status().problem).toContain('a chunk is damaged');
  damaged = false;
  await until(all(2));
  await expectServed(publishing, LARGE);
  await end();
});

test('stopped in the middle of an upload: it ends, and the next life publishes', async () => {
  const reading = Promise.withResolvers<void>();
  const slow: MadeObject = {
    ...LARGE,
    async *read() {
      yield* LARGE.read(0, 8 * 2 ** 20 + 1);
      reading.resolve();
      await new Promise(() => undefined); // a disk that never answers
    },
  };
  const first = await live(servicesWith(slow));
  await reading.promise;
  await first.end();
  expect(await storage.keys()).toEqual([]);
  const second = await live(servicesWith(LARGE));
  await second.until(all(1));
  await expectServed(second.publishing, LARGE);
  await second.end();
});
