import fc from 'fast-check';
import { expect, test } from 'vitest';
import { beginsEnvelope, encodeEnvelope, readSeq } from '../src/envelope-frames.ts';
import { LinkError } from '../src/frames.ts';
import { SendQueue } from '../src/send-queue.ts';

const frameOf = (index: number) =>
  encodeEnvelope({ session: '00'.repeat(32), tag: `${index}`, body: new Uint8Array(10) });
const seqsOf = (batch: Uint8Array | undefined): number[] => {
  const seqs: number[] = [];
  const bytes = Buffer.from(batch ?? []);
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32LE(at)) seqs.push(readSeq(bytes.subarray(at + 5)));
  return seqs;
};

/** Oracle: plain arrays, no cursor arithmetic. */
class Model {
  frames: { seq: number; bytes: number; sent: boolean }[] = [];
  next = 1;
  acked = 0;
}

type Step =
  | { kind: 'push' }
  | { kind: 'send'; max: number }
  | { kind: 'ack'; part: number }
  | { kind: 'rewind' }
  | { kind: 'renumber' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ kind: 'push' } as const) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('send' as const), max: fc.integer({ min: 1, max: 500 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('ack' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'rewind' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'renumber' } as const) },
);

test('any run of push, send, ack, rewind and renumber agrees with the model', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new SendQueue();
      const model = new Model();
      for (const one of steps) apply(one, queue, model);
      expect(queue.acked).toBe(model.acked);
      expect(queue.bytes).toBe(model.frames.reduce((sum, frame) => sum + frame.bytes, 0));
    }),
    { numRuns: 300 },
  );
});

function apply(one: Step, queue: SendQueue, model: Model): void {
  if (one.kind === 'push') {
    const frames = frameOf(model.next);
    queue.push(frames);
    model.frames.push({ seq: model.next++, bytes: frames[0]!.length, sent: false });
  } else if (one.kind === 'send') {
    const seqs = seqsOf(queue.nextBatch(one.max));
    const unsent = model.frames.filter(({ sent }) => !sent);
    expect(seqs).toEqual(unsent.slice(0, seqs.length).map(({ seq }) => seq));
    expect(seqs.length > 0).toBe(unsent.length > 0);
    for (const frame of unsent.slice(0, seqs.length)) frame.sent = true;
  } else if (one.kind === 'ack') {
    const sent = model.frames.filter((frame) => frame.sent);
    const count = Math.floor(one.part * sent.length);
    model.acked += count;
    queue.acknowledge(model.acked);
    model.frames.splice(0, count);
  } else if (one.kind === 'rewind') {
    expect(queue.rewind()).toBe(model.frames.filter(({ sent }) => sent).length);
    for (const frame of model.frames) frame.sent = false;
  } else {
    queue.renumber();
    model.acked = 0;
    for (const [index, frame] of model.frames.entries()) Object.assign(frame, { seq: index + 1, sent: false });
    model.next = model.frames.length + 1;
  }
}

test('an ACK of a frame that was never sent is a violation', () => {
  const queue = new SendQueue();
  queue.push(frameOf(1));
  expect(() => queue.acknowledge(1)).toThrow(LinkError);
  queue.nextBatch(1);
  queue.acknowledge(1);
  expect(queue.bytes).toBe(0);
  expect(() => queue.acknowledge(2)).toThrow(LinkError);
});

test('renumber drops the tail of an envelope whose head was acknowledged, and keeps the next one whole', () => {
  const queue = new SendQueue();
  const big = encodeEnvelope({ session: '00'.repeat(32), tag: 'big', body: new Uint8Array(700_000) });
  queue.push(big);
  queue.push(frameOf(2));
  while (queue.nextBatch(1));
  queue.acknowledge(1);
  queue.renumber();
  const batch = Buffer.from(queue.nextBatch(1)!);
  expect(seqsOf(batch)).toEqual([1]);
  expect(beginsEnvelope(batch)).toBe(true);
  expect(queue.hasUnsent).toBe(false);
});

test('thousands of frames pass through without the queue growing', () => {
  const queue = new SendQueue();
  for (let index = 1; index <= 10_000; index++) {
    queue.push(frameOf(index));
    queue.nextBatch(1);
    queue.acknowledge(index);
  }
  expect(queue.bytes).toBe(0);
  expect(queue.acked).toBe(10_000);
  queue.push(frameOf(1));
  expect(seqsOf(queue.nextBatch(1))).toEqual([10_001]);
});

test('a long frame takes the memory of an acknowledged one, never that of one still owed', () => {
  const size = fc.integer({ min: 132_000, max: 262_000 });
  fc.assert(
    fc.property(fc.array(fc.tuple(size, fc.nat({ max: 3 })), { maxLength: 30 }), (steps) => {
      const queue = new SendQueue();
      const owed: { readonly frame: Buffer; readonly mark: number }[] = [];
      const memory = new Set<ArrayBufferLike>();
      let owedMax = 0;
      for (const [mark, [bytes, acknowledged]] of steps.entries()) {
        const envelope = { session: '00'.repeat(32), tag: 'x', body: new Uint8Array(bytes).fill(mark) };
        const frames = encodeEnvelope(envelope, (frameBytes) => queue.allocate(frameBytes));
        queue.push(frames);
        queue.nextBatch(1);
        owed.push({ frame: frames[0]!, mark });
        memory.add(frames[0]!.buffer);
        owedMax = Math.max(owedMax, owed.length);
        for (const { frame, mark } of owed) expect(frame.subarray(60).every((byte) => byte === mark)).toBe(true);
        owed.splice(0, acknowledged);
        queue.acknowledge(mark + 1 - owed.length);
      }
      expect(memory.size).toBe(owedMax);
    }),
    { numRuns: 30 },
  );
});
