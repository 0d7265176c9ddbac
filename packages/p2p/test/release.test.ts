/** Buffers are given back once everybody has read them, and not before: on a real connection, under a real lane. */

import { releaseBuffer } from '@keyquorum/kernel/release';
import type { Connection, MessageStream, Stream } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeEnvelope } from '../src/envelope-frames.ts';
import { encodeHello, FRAME_BYTES_MAX, type Hello } from '../src/frames.ts';
import { Lane } from '../src/lane.ts';
import { readRecordsLean } from '../src/noise-records.ts';
import { SendQueue } from '../src/send-queue.ts';
import { Log, session } from './meshes.ts';
import { RawPeer } from './raw-peer.ts';
import { failOnUncaught } from './uncaught.ts';

const LARGE_BYTES = 16 * 1024;
const LANE = '/test/lane';
const OTHER = '/test/other';
const COUNT = 12;
const BODY_BYTES = 1024 * 1024;
const GREETING: Hello = {
  version: 1,
  lane: 1,
  from: 1,
  to: 2,
  rosterSize: 2,
  networkHash: '11'.repeat(32),
  epoch: '22'.repeat(8),
  heardEpoch: '00'.repeat(8),
  heardSeq: 0,
};

/** Of libp2p 3.3.11: what is under a connection. */
interface Layers {
  /** The TCP connection. */
  readonly maConn: MessageStream & { sendData(data: Uint8ArrayList): object };
  /** `maConn` is the Noise stream. */
  readonly muxer: { readonly maConn: MessageStream };
}
const layersOf = (connection: Connection) => connection as unknown as Layers;

/** One end of a lane. */
class End {
  readonly bodies = new Log<Uint8Array>();
  readonly ready = new Log<true>();
  readonly lost: Error[] = [];
  readonly lane: Lane;
  connection!: Connection;

  constructor() {
    this.lane = new Lane('bulk', BODY_BYTES, {
      hello: () => GREETING,
      onHello: (lane, { epoch }) => lane.resume(epoch, undefined),
      onEnvelope: ({ body }) => this.bodies.add(body),
      onReady: () => this.ready.add(true),
      onLost: (_, reason) => this.lost.push(reason),
      onAcknowledged: () => undefined,
    });
  }

  attach(stream: Stream, connection: Connection): void {
    this.connection = connection;
    this.lane.attach(stream, connection);
  }
}

failOnUncaught();
let peers: RawPeer[] = [];
let near: End;
let far: End;

beforeEach(async () => {
  peers = [await RawPeer.create(1), await RawPeer.create(2)];
  [near, far] = [new End(), new End()];
  await peers[1]!.node.handle(LANE, (stream, connection) => far.attach(stream, connection));
});

afterEach(async () => {
  expect([...near.lost, ...far.lost]).toEqual([]);
  await Promise.all(peers.map((peer) => peer.stop()));
});

/** Everything that passes a stream from now on, by reference. Runs after the listeners that are there. */
function watch(stream: MessageStream): Uint8Array[] {
  const seen: Uint8Array[] = [];
  stream.addEventListener('message', ({ data }) => seen.push(...(data instanceof Uint8Array ? [data] : data)));
  return seen;
}

test('ciphertext, socket reads and plaintext of bulk envelopes are gone when the envelopes have arrived', async () => {
  const connection = await peers[0]!.connect(peers[1]!.address, 2);
  near.attach(await connection.newStream(LANE), connection);
  await Promise.all([near.ready.find(() => true), far.ready.find(() => true)]);
  const { maConn, muxer } = layersOf(far.connection);
  const written: Uint8Array[] = [];
  const sender = layersOf(connection).maConn;
  const { sendData } = sender;
  sender.sendData = (data) => {
    written.push(...data);
    return sendData(data);
  };
  const passed = { written, read: watch(maConn), plain: watch(muxer.maConn) };
  for (let index = 0; index < COUNT; index++) {
    near.lane.send({ session: session('bulk'), tag: `${index}`, body: new Uint8Array(BODY_BYTES).fill(index) });
  }
  for (let index = 0; index < COUNT; index++) {
    const body = await far.bodies.find((bytes) => bytes[0] === index);
    expect(body.every((byte) => byte === index)).toBe(true);
  }
  await new Promise(setImmediate); // what was written is reported in the turn after
  for (const [what, buffers] of Object.entries(passed)) {
    expect(buffers.length, what).toBeGreaterThan((COUNT * BODY_BYTES) / 65_536);
    const left = buffers.reduce((sum, { length }) => sum + length, 0); // a view of a released buffer is empty
    expect(left, what).toBeLessThan((COUNT * BODY_BYTES) / 10);
  }
});

/** A yamux data frame, as a peer may arrange them; the sender's window is not counted. */
function yamuxData(stream: Stream, data: Uint8Array): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32BE((stream as unknown as { readonly streamId: number }).streamId, 4);
  header.writeUInt32BE(data.length, 8);
  return Buffer.concat([header, data]);
}

test.each([
  ['before', [OTHER, LANE]],
  ['after', [LANE, OTHER]],
])('data of another stream %s a frame, in the same record, stays whole', async (_, order) => {
  const others = new Log<Stream>();
  await peers[1]!.node.handle(OTHER, (stream) => others.add(stream));
  const connection = await peers[0]!.connect(peers[1]!.address, 2);
  const lane = await connection.newStream(LANE);
  lane.send(encodeHello(GREETING));
  await far.ready.find(() => true);
  const other = await connection.newStream(OTHER);
  const kept = watch(await others.find(() => true));
  const queue = new SendQueue();
  const sent: Buffer[] = [];
  for (let index = 0; index < COUNT; index++) {
    queue.push(
      encodeEnvelope({ session: session('mixed'), tag: `${index}`, body: new Uint8Array(60_000).fill(index) }),
    );
    const frame = queue.nextBatch(FRAME_BYTES_MAX)!;
    const data = Buffer.alloc(1 + index, index);
    const record = order.map((name) => (name === LANE ? yamuxData(lane, frame) : yamuxData(other, data)));
    layersOf(connection).muxer.maConn.send(Buffer.concat(record));
    sent.push(data);
    await far.bodies.find((body) => body[0] === index);
  }
  while (kept.length < COUNT) await new Promise(setImmediate);
  expect(Buffer.concat(kept)).toEqual(Buffer.concat(sent));
});

test('released: a large buffer read to its end; not: a part, a small buffer, shared memory', () => {
  const views: [Uint8Array, number, boolean][] = [
    [new Uint8Array(LARGE_BYTES), 0, true],
    [new Uint8Array(LARGE_BYTES).subarray(12), 12, true],
    [new Uint8Array(LARGE_BYTES).subarray(13), 12, false],
    [new Uint8Array(LARGE_BYTES).subarray(0, -1), 12, false],
    [new Uint8Array(LARGE_BYTES - 1), 0, false],
    [new Uint8Array(new SharedArrayBuffer(LARGE_BYTES)), 0, false],
  ];
  for (const [bytes, startMax, released] of views) {
    releaseBuffer(bytes, startMax);
    expect(bytes.length === 0).toBe(released);
  }
});

test('the first buffer a stream reads is kept: others may hold what stood in it before', () => {
  const [first, second] = [new Uint8Array(2 * LARGE_BYTES), new Uint8Array(LARGE_BYTES)];
  const stream = {
    decoder: { lengthDecoder: () => 0 },
    handshake: { decrypt: (record: Uint8ArrayList) => record.slice() },
    decrypt: (record: Uint8ArrayList) => record.slice(),
  };
  expect(readRecordsLean(stream as unknown as MessageStream)).toBe(true);
  stream.decrypt(new Uint8ArrayList(first.subarray(LARGE_BYTES, LARGE_BYTES + 100)));
  stream.decrypt(new Uint8ArrayList(first.subarray(LARGE_BYTES + 100), second.subarray(0, 100)));
  expect([first.length, second.length]).toEqual([2 * LARGE_BYTES, LARGE_BYTES]);
  stream.decrypt(new Uint8ArrayList(second.subarray(102)));
  expect([first.length, second.length]).toEqual([2 * LARGE_BYTES, 0]);
  expect(() => stream.decrypt(new Uint8ArrayList(new Uint8Array(15)))).toThrow(/15 bytes/);
  expect(readRecordsLean({} as MessageStream)).toBe(false);
});
