import { createHash } from 'node:crypto';
import { ENVELOPE_BODY_BYTES_MAX, TAG_LENGTH_MAX } from '@keyquorum/mpc/transport';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EnvelopeAssembler, encodeEnvelope } from '../src/envelope-frames.ts';
import {
  decodeAck,
  decodeHello,
  decodeProbe,
  encodeAck,
  encodeHello,
  encodeProbe,
  FRAME_BYTES_MAX,
  FrameReader,
  type Hello,
  LinkError,
  PING,
} from '../src/frames.ts';
import { SendQueue } from '../src/send-queue.ts';

const PREFIX = 5;
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'));
const u8 = fc.nat({ max: 255 });
const u48 = fc.nat({ max: 2 ** 48 - 1 });
const hello: fc.Arbitrary<Hello> = fc.record({
  version: fc.constant(1),
  lane: u8,
  from: u8,
  to: u8,
  rosterSize: u8,
  networkHash: hex(32),
  epoch: hex(8),
  heardEpoch: hex(8),
  heardSeq: u48,
});
const envelope = fc.record({
  session: hex(32),
  tag: fc.string({ minLength: 1, maxLength: TAG_LENGTH_MAX }).filter((tag) => /^[\x20-\x7e]+$/.test(tag)),
  body: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.nat({ max: 600_000 }).map((size) => new Uint8Array(size).fill(size & 255)),
  ),
});

/** Feeds `stream` to a reader in pieces of the given sizes; collects copies of the frames. */
function readInPieces(stream: Uint8Array, sizes: readonly number[]): Buffer[] {
  const frames: Buffer[] = [];
  const reader = new FrameReader((frame) => frames.push(Buffer.from(frame)));
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    reader.push(stream.subarray(at, at + size));
    at += size;
  }
  return frames;
}

test('HELLO, ACK and PING round trip', () => {
  fc.assert(
    fc.property(hello, u48, fc.nat({ max: 2 ** 32 - 1 }), (value, seq, token) => {
      expect(decodeHello(encodeHello(value).subarray(PREFIX))).toEqual(value);
      expect(decodeAck(encodeAck(seq).subarray(PREFIX))).toBe(seq);
      expect(decodeProbe(encodeProbe(PING, token).subarray(PREFIX))).toBe(token);
    }),
  );
});

test('HELLO: any other bytes are a LinkError or the one encoding', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        expect([...encodeHello(decodeHello(Buffer.from(bytes))).subarray(PREFIX)]).toEqual([...bytes]);
      } catch (error) {
        expect(error).toBeInstanceOf(LinkError);
      }
    }),
    { numRuns: 2000 },
  );
  expect(() => decodeHello(Buffer.from([2, 0, 0]))).toThrow(/version 2/);
});

test('a stream cut anywhere gives the same frames', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 9000 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 }),
      (payloads, sizes) => {
        const stream = Buffer.concat(
          payloads.map((payload) => {
            const length = Buffer.alloc(4);
            length.writeUInt32LE(payload.length, 0);
            return Buffer.concat([length, payload]);
          }),
        );
        expect(readInPieces(stream, sizes).map((frame) => [...frame])).toEqual(payloads.map((payload) => [...payload]));
      },
    ),
    { numRuns: 50 },
  );
});

test.each([0, FRAME_BYTES_MAX - 3, 0xffffffff])('frame length %d fails before anything is buffered', (length) => {
  const word = Buffer.alloc(4);
  word.writeUInt32LE(length, 0);
  for (const sizes of [[4], [1]]) expect(() => readInPieces(word, sizes)).toThrow(LinkError);
});

test('envelopes survive splitting, any cut of the stream, and reassembly', () => {
  fc.assert(
    fc.property(
      fc.array(envelope, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 500, max: 400_000 }),
      (envelopes, size) => {
        const queue = new SendQueue();
        for (const one of envelopes) queue.push(encodeEnvelope(one));
        const batches: Uint8Array[] = [];
        for (let batch = queue.nextBatch(FRAME_BYTES_MAX); batch; batch = queue.nextBatch(FRAME_BYTES_MAX))
          batches.push(batch);
        for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
        const assembler = new EnvelopeAssembler(ENVELOPE_BODY_BYTES_MAX);
        const arrived = readInPieces(Buffer.concat(batches), [size])
          .map((frame) => assembler.accept(frame.subarray(1)))
          .filter((one) => one !== undefined);
        expect(arrived.map(({ session, tag }) => ({ session, tag }))).toEqual(
          envelopes.map(({ session, tag }) => ({ session, tag })),
        );
        for (const [index, { body }] of arrived.entries()) expect(Buffer.compare(body, envelopes[index]!.body)).toBe(0);
      },
    ),
    { numRuns: 40 },
  );
});

test('assembler: any bytes after a sequence number are a LinkError or an envelope, never another exception', () => {
  const { body: _, ...head } = { session: 'ab'.repeat(32), tag: 'tag', body: 0 };
  const valid = encodeEnvelope({ ...head, body: new Uint8Array(40) })[0]!.subarray(PREFIX);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: valid.length - 1 }), u8), { maxLength: 4 }),
      fc.nat(valid.length),
      (edits, cut) => {
        const bytes = Buffer.from(valid);
        for (const [at, value] of edits) bytes[at] = value;
        try {
          new EnvelopeAssembler(1000).accept(bytes.subarray(0, Math.max(cut, 6)));
        } catch (error) {
          expect(error).toBeInstanceOf(LinkError);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('assembler: a size above the maximum fails before allocation; fragments must be whole and in place', () => {
  const [head, tail] = encodeEnvelope({ session: '00'.repeat(32), tag: 'big', body: new Uint8Array(300_000) }) as [
    Buffer,
    Buffer,
  ];
  const fragment = (frame: Buffer) => frame.subarray(PREFIX);
  expect(() => new EnvelopeAssembler(299_999).accept(fragment(head))).toThrow(/announces 300000 bytes over 299999/);
  expect(() => new EnvelopeAssembler(300_000).accept(fragment(tail))).toThrow(/without an envelope/);
  const assembler = new EnvelopeAssembler(300_000);
  expect(assembler.accept(fragment(head))).toBeUndefined();
  expect(() => assembler.accept(fragment(head))).toThrow(/begins inside/);
  expect(() => assembler.accept(fragment(tail).subarray(0, -1))).toThrow(/fragment of/);
  expect(assembler.accept(fragment(tail))?.body).toHaveLength(300_000);
});

test('wire format is frozen: hash over fixed frames', () => {
  const hash = createHash('sha256');
  hash.update(
    encodeHello({
      version: 1,
      lane: 1,
      from: 2,
      to: 3,
      rosterSize: 4,
      networkHash: '11'.repeat(32),
      epoch: '22'.repeat(8),
      heardEpoch: '33'.repeat(8),
      heardSeq: 5,
    }),
  );
  const queue = new SendQueue();
  queue.push(encodeEnvelope({ session: 'cd'.repeat(32), tag: 'tag/1', body: new Uint8Array(600_000).fill(9) }));
  for (let batch = queue.nextBatch(1); batch; batch = queue.nextBatch(1)) hash.update(batch);
  hash.update(encodeAck(77)).update(encodeProbe(PING, 88));
  expect(hash.digest('hex')).toMatchInlineSnapshot(
    `"d91a474c09cf260196514521418348198f053edd23a4918b193d642c2b62de5f"`,
  );
});
