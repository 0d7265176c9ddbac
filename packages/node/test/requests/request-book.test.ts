import { sha256Hex } from '@keyquorum/mpc/bytes';
import { realClock } from '@keyquorum/mpc/runtime/clock';
import { createMemoryDisk } from '@keyquorum/mpc/runtime/memory-journal';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { publicContentOf } from '../../src/requests/content.ts';
import { createRequestBook } from '../../src/requests/request-book.ts';

const limits = { kept: 3, running: 2 };
const id = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);
const answer = { values: [], abiEncoded: '', signature: '', faults: [] };

function content(byte: number, bytes = 'AAAA') {
  const ciphertexts = [{ handle: id(0), format: 'fhe' as const, bytes }];
  return publicContentOf({ requestId: id(byte), keyId: id(9), ciphertexts }, 'alice');
}

function setting() {
  const disk = createMemoryDisk({ syncMs: 0 });
  let clock = 0;
  const open = () => createRequestBook({ table: disk.open(realClock), limits, now: () => ++clock });
  return { disk, open };
}

test('an id means one content for ever, and ends once', async () => {
  const { open } = setting();
  const book = await open();
  expect(book.knows(content(1))).toBe(false);
  await book.admit(content(1));
  expect(book.knows(content(1))).toBe(true);
  expect(() => book.knows(content(1, 'BBBB'))).toThrow(expect.objectContaining({ code: 'REQUEST_CONFLICT' }));
  const ended = new Promise<void>((resolve) => book.onEnd(id(1), resolve));
  await book.finish(id(1), { answer });
  await ended;
  await book.finish(id(1), { failure: { code: 'INTERNAL', message: '', parties: [] } });
  expect(book.get(id(1))).toMatchObject({ state: 'succeeded', answer });
});

test('an answer is shown only when it is durable', async () => {
  const { disk, open } = setting();
  const book = await open();
  await book.admit(content(1));
  const finishing = book.finish(id(1), { answer });
  expect(book.get(id(1))?.state).toBe('pending');
  await finishing;
  expect(disk.unsynced()).toBe(0);
  expect(book.get(id(1))?.state).toBe('succeeded');
});

test('after a crash answers are there, and what was running may be sent again', async () => {
  const { disk, open } = setting();
  const before = await open();
  await before.admit(content(1));
  await before.finish(id(1), { answer });
  await before.admit(content(2));
  disk.crash();
  const after = await open();
  expect(after.get(id(1))).toMatchObject({ state: 'succeeded' });
  expect(after.get(id(2))).toMatchObject({ state: 'failed', failure: { code: 'NODE_RESTARTED' } });
  expect(after.knows(content(2))).toBe(false);
  expect(() => after.knows(content(2, 'BBBB'))).toThrow(expect.objectContaining({ code: 'REQUEST_CONFLICT' }));
  await after.admit(content(2));
  expect(after.running()).toBe(1);
});

test('bounds: so many running, so many remembered, oldest forgotten first', async () => {
  const { open } = setting();
  const book = await open();
  for (const byte of [1, 2, 3, 4, 5]) {
    await book.admit(content(byte));
    await book.finish(id(byte), { answer });
  }
  expect([1, 2, 3, 4, 5].filter((byte) => book.get(id(byte)))).toEqual([3, 4, 5]);
  const [first] = [book.admit(content(6)), book.admit(content(7))];
  await first;
  expect(() => book.admit(content(8))).toThrow(expect.objectContaining({ code: 'BUSY' }));
});

test('the content hash covers every field', () => {
  const ciphertexts = [{ handle: id(0), format: 'fhe' as const, bytes: 'AAAA' }];
  const base = { requestId: id(1), keyId: id(2), app: 'a', ciphertexts, extraData: '' };
  const [one] = ciphertexts;
  const variants = [
    base,
    { ...base, requestId: id(3) },
    { ...base, keyId: id(3) },
    { ...base, app: 'b' },
    { ...base, extraData: '00' },
    { ...base, ciphertexts: [{ ...one!, handle: id(1) }] },
    { ...base, ciphertexts: [{ ...one!, format: 'compact-list' as const }] },
    { ...base, ciphertexts: [{ ...one!, bytes: 'AAAB' }] },
    { ...base, ciphertexts: [{ ...one!, slot: 1 }] },
    { ...base, ciphertexts: [{ ...one!, fheType: 2 }] },
    { ...base, ciphertexts: [one!, one!] },
  ];
  const hashes = [...variants.map((body) => publicContentOf(body, 'alice')), publicContentOf(base, 'bob')];
  expect(new Set(hashes.map(({ hash }) => Buffer.from(hash).toString('hex'))).size).toBe(hashes.length);
});

test('carrying the bytes or naming them is the same request', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat({ max: 3 }), (bytes, slot) => {
      const named = { handle: id(4), format: 'fhe' as const, slot };
      const hashOf = (ciphertext: object) => {
        const ciphertexts = [{ ...named, ...ciphertext }];
        return Buffer.from(publicContentOf({ requestId: id(1), keyId: id(2), ciphertexts }, 'a').hash).toString('hex');
      };
      const carried = hashOf({ bytes: Buffer.from(bytes).toString('base64') });
      expect(hashOf({ digest: sha256Hex(bytes) })).toBe(carried);
      expect(hashOf({ digest: sha256Hex(Uint8Array.of(...bytes, 0)) })).not.toBe(carried);
    }),
  );
});

test.each([{}, { bytes: 'AAAA', digest: id(1) }])('either bytes or digest: not %o', (ciphertext) => {
  const body = {
    requestId: id(1),
    keyId: id(2),
    ciphertexts: [{ handle: id(0), format: 'fhe' as const, ...ciphertext }],
  };
  expect(() => publicContentOf(body, 'a')).toThrow(expect.objectContaining({ code: 'BODY_INVALID' }));
});

test.each(['A', 'AA', 'AAA', 'AA=A', '****', 'AAA A', 'AAAA\n', 'A===', ''])(
  '"%s" is not base64 of something',
  (text) => {
    const body = {
      requestId: id(1),
      keyId: id(2),
      ciphertexts: [{ handle: id(0), format: 'fhe' as const, bytes: text }],
    };
    // The schema refuses the empty text before.
    if (text === '') return expect(publicContentOf(body, 'a').ciphertexts[0]?.bytes).toHaveLength(0);
    expect(() => publicContentOf(body, 'a')).toThrow(expect.objectContaining({ code: 'BODY_INVALID' }));
  },
);
