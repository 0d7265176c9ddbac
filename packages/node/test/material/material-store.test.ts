/**
 * Goal: both places of public objects keep one contract: what was put is found, read and ranged; nothing else is there.
 * Method: the node's own place over objects in memory, and a bucket of a real S3 server.
 */
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { MaterialStore } from '../../src/material/material-store.ts';
import { createNodeMaterial } from '../../src/material/node-material.ts';
import { createS3Material } from '../../src/material/s3-material.ts';
import { endOfFile } from '../folders.ts';
import { madeObject, servicesWith } from './made-objects.ts';
import { BUCKET, CREDENTIALS, objectStorage } from './object-storage.ts';

const UNKNOWN = 'ef'.repeat(32);
const SMALL = madeObject(1, 1_000);
const LARGE = madeObject(2, 17 * 2 ** 20 + 5); // three parts of an upload
const { signal } = new AbortController();
const onEnd = endOfFile();

const bytesOf = async (pieces: AsyncIterable<Uint8Array>) => Buffer.concat(await Array.fromAsync(pieces));

const places: Record<string, () => Promise<MaterialStore>> = {
  node: async () => createNodeMaterial(servicesWith(SMALL, LARGE), () => 'http://node.example'),
  async s3() {
    const { endpoint } = await objectStorage(onTestFinished);
    return createS3Material(place(endpoint), CREDENTIALS);
  },
};

const place = (endpoint: string) => ({
  ...{ endpoint, region: 'us-east-1', bucket: BUCKET, prefix: 'some/where', publicUrl: undefined },
});

describe.each(Object.keys(places))('%s', (name) => {
  test('what was put is found by its digest, whole and in ranges; nothing else is', async () => {
    const store = await places[name]!();
    for (const object of [SMALL, LARGE]) {
      const { digest, size, bytes } = object;
      await store.put(object, signal);
      const found = await store.find(digest, signal);
      expect(found?.size).toBe(size);
      expect(await store.find(digest, signal)).toEqual(found);
      expect(Buffer.compare(await bytesOf(store.read(digest)), bytes)).toBe(0);
      const part = store.read(digest, { start: 10, end: 900, signal });
      expect(Buffer.compare(await bytesOf(part), bytes.subarray(10, 900))).toBe(0);
      expect(Buffer.compare(await bytesOf(store.read(digest, { start: size - 3 })), bytes.subarray(-3))).toBe(0);
      expect(store.uri(digest)).toMatch(new RegExp(`^http://.*/${digest}$`));
    }
    expect(await store.find(UNKNOWN, signal)).toBeUndefined();
    await expect((async () => bytesOf(store.read(UNKNOWN)))()).rejects.toThrow();
  });
});

describe('an object in a bucket', () => {
  let endpoint: string;
  let store: MaterialStore;
  let stored: Awaited<ReturnType<typeof objectStorage>>;
  beforeAll(async () => {
    stored = await objectStorage(onEnd);
    ({ endpoint } = stored);
    store = createS3Material(place(endpoint), CREDENTIALS);
  });

  test('is read by anybody, and may be kept for ever', async () => {
    await store.put(SMALL, signal);
    const answer = await fetch(store.uri(SMALL.digest));
    expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), SMALL.bytes)).toBe(0);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
  });

  test('is listed where the public reads it', () => {
    const publicUrl = 'https://cdn.example/keys';
    const { uri } = createS3Material({ ...place(endpoint), publicUrl }, CREDENTIALS);
    expect(uri(SMALL.digest)).toBe(`${publicUrl}/${SMALL.digest}`);
    const bare = createS3Material({ ...place(endpoint), prefix: undefined }, CREDENTIALS);
    expect(bare.uri(SMALL.digest)).toBe(`${endpoint}/${BUCKET}/${SMALL.digest}`);
  });

  test('an upload that is cut off leaves nothing', async () => {
    const object = madeObject(3, 20 * 2 ** 20);
    const failing = {
      ...object,
      async *read() {
        yield* object.read(0, 12 * 2 ** 20);
        throw new Error('the disk is gone');
      },
    };
    await expect(store.put(failing, signal)).rejects.toThrow('the disk is gone');
    expect(await store.find(object.digest, signal)).toBeUndefined();
    const stopping = new AbortController();
    const stopped = {
      ...object,
      async *read() {
        yield* object.read(0, 12 * 2 ** 20);
        stopping.abort();
        yield* object.read(12 * 2 ** 20);
      },
    };
    await expect(store.put(stopped, stopping.signal)).rejects.toThrow();
    expect(await store.find(object.digest, signal)).toBeUndefined();
    expect(await stored.keys()).toEqual([`some/where/${SMALL.digest}`]);
  });
});
