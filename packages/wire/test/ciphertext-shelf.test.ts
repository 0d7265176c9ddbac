/** Whatever comes in, in whatever order: bounds hold, digests are true, and nobody finds what another one put there. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CiphertextShelf, createCiphertextShelf } from '../src/ciphertext-shelf.ts';

const KIB = 1024;
const limits = { bytesMax: 64 * KIB, ownerBytesMax: 32 * KIB, keptMs: 1000 };
const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const sample = (fill: number, size: number) => new Uint8Array(size).fill(fill);

async function* inPieces(bytes: Uint8Array, piece = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

function setting() {
  let nowMs = 0;
  const shelf = createCiphertextShelf({ limits, newSha256: () => createHash('sha256'), now: () => nowMs });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  const receive = (owner: string, bytes: Uint8Array, change: object = {}) => {
    return shelf.receive({ owner, digest: digestOf(bytes), size: bytes.length, chunks: inPieces(bytes), ...change });
  };
  return { shelf, pass, receive };
}

const found = (shelf: CiphertextShelf, owner: string, bytes: Uint8Array) => shelf.get(owner, digestOf(bytes));

test('what was received is found by its owner, by nobody else, until nobody used it for long', async () => {
  const { shelf, pass, receive } = setting();
  const bytes = sample(1, 5000);
  expect(await receive('alice', bytes)).toEqual(bytes);
  pass(900);
  expect(found(shelf, 'alice', bytes)).toEqual(bytes);
  expect(found(shelf, 'bob', bytes)).toBeUndefined();
  pass(900); // used since
  expect(found(shelf, 'alice', bytes)).toEqual(bytes);
  pass(1001);
  expect(found(shelf, 'alice', bytes)).toBeUndefined();
  expect(shelf.held()).toEqual({ count: 0, bytes: 0 });
});

test.each([
  ['other bytes', { chunks: inPieces(sample(2, 5000)) }],
  ['fewer bytes', { chunks: inPieces(sample(1, 4999)) }],
  ['more bytes', { chunks: inPieces(sample(1, 5001)) }],
  ['no bytes', { chunks: inPieces(sample(1, 0)) }],
])('%s than announced are not kept', async (_, change) => {
  const { shelf, receive } = setting();
  await expect(receive('alice', sample(1, 5000), change)).rejects.toMatchObject({ code: 'CIPHERTEXT_DIGEST' });
  expect(shelf.held().count).toBe(0);
  await receive('alice', sample(1, 5000)); // nothing of the first is left in the way
});

test('too large for its owner: refused before anything is read', async () => {
  const { receive } = setting();
  const unread = { [Symbol.asyncIterator]: () => expect.fail('was read') };
  const size = limits.ownerBytesMax / 2 + 1;
  const large = receive('alice', sample(1, 1), { size, chunks: unread });
  await expect(large).rejects.toMatchObject({ code: 'UPLOAD_TOO_LARGE' });
});

test('bytes on their way in are bounded for each and for all, and make room when they are there', async () => {
  const { receive } = setting();
  const gate = Promise.withResolvers<void>();
  const held = (fill: number, owner: string) => {
    const bytes = sample(fill, limits.ownerBytesMax / 2);
    const chunks = (async function* () {
      await gate.promise;
      yield bytes;
    })();
    return receive(owner, bytes, { chunks });
  };
  const first = held(1, 'alice');
  await expect(held(2, 'alice')).rejects.toMatchObject({ code: 'UPLOADS_BUSY' });
  const second = held(3, 'bob');
  await expect(held(4, 'carol')).rejects.toMatchObject({ code: 'UPLOADS_BUSY' });
  gate.resolve();
  await Promise.all([first, second]);
  await held(4, 'carol');
});

test('an upload that breaks off leaves nothing behind', async () => {
  const { shelf, receive } = setting();
  const broken = (async function* () {
    yield sample(1, 100);
    throw new Error('connection lost');
  })();
  const bytes = sample(1, limits.ownerBytesMax / 2);
  await expect(receive('alice', bytes, { chunks: broken })).rejects.toThrow('connection lost');
  expect(shelf.held().count).toBe(0);
  await receive('alice', bytes);
});

test('against a model: bounds hold, the least recently used goes first, that of the owner before others', () => {
  const step = fc.record({
    owner: fc.constantFrom('alice', 'bob', 'carol'),
    fill: fc.nat({ max: 5 }),
    size: fc.constantFrom(1, 4 * KIB, 9 * KIB, 15 * KIB, 40 * KIB),
    put: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { shelf } = setting();
      let model: { owner: string; digest: string; cost: number }[] = []; // least recently used first
      const sum = (owner?: string) =>
        model.filter((each) => owner === undefined || each.owner === owner).reduce((all, { cost }) => all + cost, 0);
      const drop = (victim: object | undefined) => {
        model = model.filter((each) => each !== victim);
      };
      for (const { owner, fill, size, put } of steps) {
        const bytes = sample(fill, size);
        const digest = digestOf(bytes);
        const known = model.find((each) => each.owner === owner && each.digest === digest);
        if (put) {
          shelf.put(owner, digest, bytes);
          drop(known);
          const cost = size + 512;
          if (cost <= limits.ownerBytesMax) {
            while (sum(owner) + cost > limits.ownerBytesMax) drop(model.find((each) => each.owner === owner));
            while (sum() + cost > limits.bytesMax) drop(model[0]);
            model.push({ owner, digest, cost });
          }
        } else {
          expect(shelf.get(owner, digest) !== undefined).toBe(known !== undefined);
          if (known) {
            drop(known);
            model.push(known);
          }
        }
        expect(shelf.held()).toEqual({ count: model.length, bytes: sum() });
        expect(shelf.held().bytes).toBeLessThanOrEqual(limits.bytesMax);
      }
    }),
  );
});
