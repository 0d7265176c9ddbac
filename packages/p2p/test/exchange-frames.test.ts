/** Requests and answers as bytes, cut into chunks in every way. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ANSWER_HEADER_BYTES,
  ByteSource,
  decodeAnswerHeader,
  decodeRequestHeader,
  encodeAnswer,
  encodeRequest,
  REQUEST_HEADER_BYTES,
} from '../src/exchange-frames.ts';

const id = fc.integer({ min: 0, max: 0xffffffff });
const body = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom(65_536, 65_537).map((size) => new Uint8Array(size).fill(7)),
);

/** The bytes as chunks of the sizes asked, in turn; some as lists, some empty, as libp2p may hand them over. */
async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array | Uint8Array[]> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = turn < 200 ? (sizes[turn % sizes.length] ?? 0) : bytes.length;
    const chunk = bytes.subarray(at, at + size);
    at += chunk.length;
    yield turn % 3 === 0 ? [chunk.subarray(0, 1), chunk.subarray(1)] : chunk;
  }
}

test('requests come back however the stream is cut, one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ id, body }), { maxLength: 4 }),
      fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1 }),
      async (requests, sizes) => {
        const sent = Buffer.concat(requests.flatMap((request) => encodeRequest(request.id, request.body)));
        const source = new ByteSource(cut(sent, sizes));
        for (const request of requests) {
          expect(await source.more()).toBe(true);
          const header = decodeRequestHeader(await source.read(REQUEST_HEADER_BYTES));
          expect(header).toEqual({ id: request.id, length: request.body.length });
          expect(Buffer.compare(await source.read(header.length), request.body)).toBe(0);
        }
        expect(await source.more()).toBe(false);
        expect(source.isEmpty).toBe(true);
      },
    ),
  );
});

test('answers come back however the stream is cut; a refusal has no body', async () => {
  await fc.assert(
    fc.asyncProperty(
      id,
      fc.option(body, { nil: undefined }),
      fc.array(fc.nat(50), { minLength: 1 }),
      async (number, answer, sizes) => {
        const source = new ByteSource(cut(Buffer.concat(encodeAnswer(number, answer)), sizes));
        const header = decodeAnswerHeader(await source.read(ANSWER_HEADER_BYTES));
        expect(header).toEqual({ id: number, refused: answer === undefined, length: answer?.length ?? 0 });
        expect(Buffer.compare(await source.read(header.length), answer ?? new Uint8Array(0))).toBe(0);
        expect(await source.more()).toBe(false);
      },
    ),
  );
});

test('a short body leaves with its header as one write; what is read shares no memory with it', async () => {
  expect(encodeRequest(1, new Uint8Array(65_536))).toHaveLength(1);
  expect(encodeRequest(1, new Uint8Array(65_537))).toHaveLength(2);
  const sent = Uint8Array.of(1, 2, 3);
  const read = await new ByteSource(cut(sent, [3])).read(3);
  sent.fill(0);
  expect([...read]).toEqual([1, 2, 3]);
  expect(read.buffer.byteLength).toBe(3);
});

test('a stream that ends early is an error', async () => {
  await expect(new ByteSource(cut(new Uint8Array(3), [1])).read(4)).rejects.toThrow('ended early');
});
