/** Strangers at the door, wrong identities, and a roster member that keeps to no rule of the frame layout. */
import { afterEach, expect, test } from 'vitest';
import { encodeEnvelope } from '../src/envelope-frames.ts';
import { ACK, encodeAck, encodeHello, FRAME_BYTES_MAX, type Hello } from '../src/frames.ts';
import { SendQueue } from '../src/send-queue.ts';
import { Party, partyOptions, peerOf, seedOf, session, startMesh, stopAll } from './meshes.ts';
import { RawPeer, type RawStream } from './raw-peer.ts';
import { failOnUncaught } from './uncaught.ts';

const FAST = { redialMsMin: 5, redialMsMax: 50 };
failOnUncaught();
let parties: Party[] = [];
let raw: RawPeer[] = [];

afterEach(async () => {
  await stopAll(parties);
  await Promise.all(raw.map((peer) => peer.stop()));
  parties = [];
  raw = [];
});

async function rawPeer(party: number): Promise<RawPeer> {
  const peer = await RawPeer.create(party);
  raw.push(peer);
  return peer;
}

/** Party 2 of 2, waiting to be dialed by party 1. */
async function lonelyHigher(): Promise<Party> {
  const higher = new Party(partyOptions(2, 2, new Map(), { limits: FAST }));
  parties.push(higher);
  await higher.start();
  return higher;
}

test('a stranger is refused by the gater, whatever party it claims to be; the operator sees its peer id', async () => {
  const higher = await lonelyHigher();
  const stranger = new Party({
    network: 'test',
    self: 1,
    secretKey: seedOf(99),
    listen: '/ip4/127.0.0.1/tcp/0',
    peers: [peerOf(2, higher.address)],
    limits: FAST,
  });
  parties.push(stranger);
  await stranger.start();
  const refused = await higher.events.find(({ kind }) => kind === 'refused');
  expect(refused).toMatchObject({
    reason: 'peer id is not in the configuration',
    peerId: expect.stringMatching(/^12D3Koo/),
  });
  await higher.events.next(({ kind }) => kind === 'refused'); // it tries again, in vain
  expect(stranger.mesh.isUp(2)).toBe(false);
  expect(higher.mesh.stats()[0]?.control.streams).toBe(0);
});

test('another identity at the address of a peer: the dialer refuses it', async () => {
  const third = new Party(partyOptions(3, 3, new Map(), { limits: FAST }));
  await third.start();
  const first = new Party(partyOptions(1, 3, new Map([[2, third.address]]), { limits: FAST }));
  parties = [first, third];
  await first.start();
  const failed = await first.events.find(
    (event) => event.kind === 'dial-failed' && event.peer === 2 && event.attempt > 2,
  );
  expect(failed).toMatchObject({ reason: expect.stringMatching(/identity key|peer/i) });
  expect(first.mesh.stats()[0]?.control.streams).toBe(0);
});

test('a higher party must not dial: its connection is refused although its key is known', async () => {
  const first = new Party(partyOptions(1, 2, new Map(), { limits: FAST }));
  parties = [first];
  await first.start();
  const second = await rawPeer(2);
  await second.connect(first.address, 1).catch(() => undefined);
  const refused = await first.events.find(({ kind }) => kind === 'refused');
  expect(refused).toMatchObject({ reason: 'party 2 must not open inbound connections' });
});

const lengthWord = (length: number): Buffer => {
  const word = Buffer.alloc(8);
  word.writeUInt32LE(length, 0);
  return word;
};
/** DATA frames of an envelope, numbered from 1, with changes. */
function dataFrames(bodyBytes: number, edit: (frame: Buffer) => Buffer = (frame) => frame): Buffer {
  const queue = new SendQueue();
  const frames = encodeEnvelope({ session: session('bad'), tag: 'bad', body: new Uint8Array(bodyBytes) });
  queue.push(frames);
  return Buffer.concat(frames.map((frame) => edit(Buffer.from(frame))));
}
const greetThen = (bytes: Uint8Array) => async (stream: RawStream) => {
  await stream.greet();
  stream.send(bytes);
};

test.each<[string, (stream: RawStream) => Promise<void>, RegExp]>([
  ['oversize frame length', async (stream) => stream.send(lengthWord(FRAME_BYTES_MAX)), /frame length 262144/],
  ['huge frame length', async (stream) => stream.send(lengthWord(0xffffffff)), /frame length 4294967295/],
  ['empty frame', async (stream) => stream.send(lengthWord(0)), /frame length 0/],
  ['DATA before HELLO', async (stream) => stream.send(dataFrames(10)), /before HELLO/],
  ['cut HELLO', async (stream) => stream.send(Buffer.from([3, 0, 0, 0, 1, 1, 0])), /HELLO of 2 bytes/],
  ['second HELLO', async (stream) => stream.greet().then(() => stream.greet()), /type 1 after HELLO/],
  ['unknown frame type', greetThen(Buffer.from([1, 0, 0, 0, 9])), /frame type 9/],
  ['ACK of a frame never sent', greetThen(encodeAck(1)), /never sent/],
  [
    'gap in the numbers',
    greetThen(dataFrames(10, (frame) => Buffer.from(frame.fill(7, 5, 6)))),
    /frame 7 after frame 0/,
  ],
  ['repeated number', greetThen(Buffer.concat([dataFrames(10), dataFrames(10)])), /frame 1 after frame 1/],
  ['body above the lane maximum', greetThen(dataFrames(70_000)), /announces 70000 bytes over 65536/],
  [
    'fragment without envelope',
    greetThen(dataFrames(10, (frame) => Buffer.from(frame.fill(0, 11, 12)))),
    /without an envelope/,
  ],
  ['unprintable tag', greetThen(dataFrames(10, (frame) => Buffer.from(frame.fill(7, 45, 46)))), /printable ASCII/],
])('violation: %s fails the stream, is reported, and the next honest stream works', async (_, misbehave, reason) => {
  const higher = await lonelyHigher();
  const bad = await rawPeer(1);
  const stream = await bad.openLane(higher.address, 2, 'control');
  await stream.hello();
  await misbehave(stream);
  await stream.closed.find(() => true);
  const event = await higher.events.find(({ kind }) => kind === 'violation');
  expect(event).toMatchObject({ peer: 1, reason: expect.stringMatching(reason) });
  await bad.stop();
  const honest = new Party(partyOptions(1, 2, new Map([[2, higher.address]]), { limits: FAST }));
  parties.push(honest);
  await honest.start();
  await honest.up();
  honest.mesh.send(2, { session: session('a'), tag: 'good', body: new Uint8Array(10) });
  await higher.receive(1, 'good');
});

test('a late HELLO of an ended process is not taken for another restart', async () => {
  const higher = await lonelyHigher();
  const peer = await rawPeer(1);
  const greet = async (epoch: string, lane: 'control' | 'bulk'): Promise<RawStream> => {
    const stream = await peer.openLane(higher.address, 2, lane);
    await stream.greet({ epoch: epoch.repeat(8) });
    return stream;
  };
  await greet('01', 'control');
  await greet('01', 'bulk');
  await higher.changes.find(({ state }) => state === 'up');
  await greet('02', 'control');
  await higher.changes.find(({ state }) => state === 'restarted');
  const late = await greet('01', 'bulk');
  await late.closed.find(() => true);
  await greet('02', 'bulk');
  await higher.changes.next(({ state }) => state === 'up');
  expect(higher.changes.entries.map(({ state }) => state)).toEqual(['up', 'down', 'restarted', 'up']);
});

test('half an envelope dies with the peer that began it; the next life is not held to it', async () => {
  const higher = await lonelyHigher();
  const peer = await rawPeer(1);
  const queue = new SendQueue();
  queue.push(encodeEnvelope({ session: session('half'), tag: 'half', body: new Uint8Array(300_000) }));
  const first = await peer.openLane(higher.address, 2, 'bulk');
  await first.greet({ epoch: '01'.repeat(8) });
  first.send(queue.nextBatch(1)!);
  await first.frames.find((frame) => frame[0] === ACK);
  const second = await peer.openLane(higher.address, 2, 'bulk');
  await second.greet({ epoch: '02'.repeat(8) });
  second.send(dataFrames(70_000));
  expect(await higher.receive(1, 'bad')).toHaveLength(70_000);
  expect(higher.envelopes.entries).toHaveLength(1);
});

test('HELLO of another version is a mismatch, not a violation', async () => {
  const higher = await lonelyHigher();
  const peer = await rawPeer(1);
  const stream = await peer.openLane(higher.address, 2, 'control');
  const hello: Hello = { ...(await stream.hello()), version: 2 };
  stream.send(encodeHello(hello));
  expect(await higher.events.find(({ kind }) => kind === 'configuration-mismatch')).toMatchObject({
    reason: /version 2/,
  });
});

test('more connections than a peer needs are refused; the link stays up', async () => {
  parties = await startMesh(2, { limits: FAST });
  const [, higher] = parties as [Party, Party];
  const greedy = await rawPeer(1);
  for (let attempt = 0; attempt < 7; attempt++) {
    await greedy.connect(higher.address, 2).catch(() => undefined); // one by one: libp2p joins concurrent dials
  }
  expect(await higher.events.find(({ kind }) => kind === 'refused')).toMatchObject({ reason: 'too many connections' });
  expect(higher.mesh.isUp(1)).toBe(true);
});
