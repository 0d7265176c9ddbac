/** Exchanges with a peer that keeps to no rule, on either side: no answer is taken for another's, nothing leaks out. */
import type { Exchange, TransportErrorCode } from '@keyquorum/mpc/transport';
import type { Stream } from '@libp2p/interface';
import { afterEach, expect, test } from 'vitest';
import { encodeAnswer, encodeRequest, exchangeProtocol } from '../src/exchange-frames.ts';
import type { MeshLimits } from '../src/options.ts';
import { Log, Party, partyOptions, stopAll } from './meshes.ts';
import { RawPeer, RawStream } from './raw-peer.ts';
import { failOnUncaught } from './uncaught.ts';

const ECHO: Exchange = { name: 'echo', requestBytesMax: 1000, responseBytesMax: 1000 };
const LARGE: Exchange = { name: 'large', requestBytesMax: 10, responseBytesMax: 8_000_000 };
const WRONG = Uint8Array.of(66);
const soon = () => AbortSignal.timeout(20_000);
const failure = (code: TransportErrorCode) => expect.objectContaining({ name: 'TransportError', code, peer: 2 });

failOnUncaught();
let parties: Party[] = [];
let raw: RawPeer[] = [];

afterEach(async () => {
  await stopAll(parties);
  await Promise.all(raw.map((peer) => peer.stop()));
  parties = [];
  raw = [];
});

/** What a bad server does with the request of this number on its stream. */
type Script = (server: { stream: Stream; id: number; body: Uint8Array; turn: number }) => void;

const send = (stream: Stream, ...chunks: Uint8Array[]) => stream.send(Buffer.concat(chunks));
const honest: Script = ({ stream, id, body }) => send(stream, ...encodeAnswer(id, body));

/**
 * An honest party 1, linked to a party 2 that follows `script` for the requests of its first stream, and answers
 * honestly on all others. Each request of these tests fits into one chunk.
 */
async function askerOf(script: Script, limits: Partial<MeshLimits> = {}) {
  const bad = await RawPeer.create(2);
  raw.push(bad);
  for (const lane of ['control', 'bulk']) {
    await bad.node.handle(`/keyquorum/link/${lane}/1`, (stream) => new RawStream(stream).greet());
  }
  const streams: Stream[] = [];
  const closed = new Log<Stream>();
  await bad.node.handle(exchangeProtocol('test', ECHO), (stream) => {
    const follow = streams.push(stream) === 1 ? script : honest;
    let turn = 0;
    stream.addEventListener('close', () => closed.add(stream));
    stream.addEventListener('message', ({ data }) => {
      const bytes = Buffer.from(data.subarray());
      follow({ stream, id: bytes.readUInt32LE(0), body: bytes.subarray(8), turn: ++turn });
    });
  });
  const asker = new Party(partyOptions(1, 2, new Map([[2, bad.address]]), { limits }));
  parties.push(asker);
  await asker.start();
  await asker.up();
  const ask = (value: number, signal = soon()) => asker.mesh.request(2, ECHO, Uint8Array.of(value), signal);
  return { asker, ask, streams, closed };
}

const withStatus = (id: number, length: number): Buffer => {
  const header = Buffer.alloc(9);
  header.writeUInt32LE(id, 0);
  header.writeUInt32LE(length, 5);
  return header;
};

test.each<[string, Script, TransportErrorCode, RegExp | undefined]>([
  [
    'a wrong id',
    ({ stream, id }) => send(stream, ...encodeAnswer(id + 1, WRONG)),
    'PEER_REFUSED',
    /answer to request 2/,
  ],
  [
    'two answers at once',
    ({ stream, id }) => send(stream, ...encodeAnswer(id, WRONG), ...encodeAnswer(id + 1, WRONG)),
    'PEER_REFUSED',
    /bytes after the answer/,
  ],
  ['an announced 4 GiB', ({ stream, id }) => send(stream, withStatus(id, 0xffffffff)), 'PEER_OVERSIZE', undefined],
  [
    'one byte too much',
    ({ stream, id }) => send(stream, ...encodeAnswer(id, new Uint8Array(1001))),
    'PEER_OVERSIZE',
    undefined,
  ],
  [
    'a refusal with a body',
    ({ stream, id }) => send(stream, Buffer.from(withStatus(id, 5).fill(1, 4, 5))),
    'PEER_OVERSIZE',
    undefined,
  ],
  [
    'half an answer, then a reset',
    ({ stream, id }) => {
      send(stream, withStatus(id, 5));
      stream.abort(new Error('enough'));
    },
    'PEER_REFUSED',
    undefined,
  ],
  [
    'half an answer, then the end',
    ({ stream, id }) => {
      send(stream, withStatus(id, 5));
      void stream.close();
    },
    'PEER_REFUSED',
    undefined,
  ],
])('a server that sends %s: that request fails, the next one is right', async (_, script, code, reason) => {
  const { asker, ask, streams } = await askerOf(script);
  await expect(ask(1)).rejects.toEqual(failure(code));
  expect([...(await ask(2))]).toEqual([2]);
  expect(streams).toHaveLength(2);
  const violations = asker.events.entries.filter(({ kind }) => kind === 'violation');
  expect(violations).toEqual(reason ? [expect.objectContaining({ reason: expect.stringMatching(reason) })] : []);
});

test.each<[string, number]>([
  ['the same id', 0],
  ['the id that comes next', 1],
])(
  'a server that answers again, unasked, with %s: the stream is given up, the next answer is right',
  async (_, step) => {
    const { asker, ask, streams } = await askerOf(honest);
    expect([...(await ask(1))]).toEqual([1]);
    send(streams[0]!, ...encodeAnswer(1 + step, WRONG));
    expect(await asker.events.find(({ kind }) => kind === 'violation')).toMatchObject({
      peer: 2,
      reason: 'exchange echo: bytes that no request asked for',
    });
    expect([...(await ask(2))]).toEqual([2]);
    expect(streams).toHaveLength(2);
  },
);

test('an old answer repeated in the place of the next one is told by its id', async () => {
  const { ask, streams } = await askerOf(({ stream, id, body, turn }) =>
    send(stream, ...encodeAnswer(turn === 1 ? id : 1, body)),
  );
  expect([...(await ask(1))]).toEqual([1]);
  await expect(ask(2)).rejects.toEqual(failure('PEER_REFUSED'));
  expect([...(await ask(3))]).toEqual([3]);
  expect(streams).toHaveLength(2);
});

test('an answer byte by byte is an answer, and the stream goes on', async () => {
  const { ask, streams } = await askerOf(({ stream, id, body }) => {
    for (const byte of Buffer.concat(encodeAnswer(id, body))) stream.send(Uint8Array.of(byte));
  });
  for (const value of [1, 2, 3]) expect([...(await ask(value))]).toEqual([value]);
  expect(streams).toHaveLength(1);
});

test('a server that ends an idle stream: the next request takes a new one', async () => {
  const { ask, streams, closed } = await askerOf(honest);
  expect([...(await ask(1))]).toEqual([1]);
  await streams[0]!.close();
  await closed.find((stream) => stream === streams[0]); // closed by both: the asker knows
  expect([...(await ask(2))]).toEqual([2]);
  expect(streams).toHaveLength(2);
});

test('an answer that comes after its request was given up reaches nobody', async () => {
  const controller = new AbortController();
  const { ask, streams, closed } = await askerOf(() => controller.abort());
  await expect(ask(1, controller.signal)).rejects.toEqual(failure('PEER_TIMEOUT'));
  await closed.find((stream) => stream === streams[0]);
  expect(() => send(streams[0]!, ...encodeAnswer(1, WRONG))).toThrow();
  expect([...(await ask(2))]).toEqual([2]);
});

test('an idle stream is given up after its time', async () => {
  const { asker, ask, streams, closed } = await askerOf(honest, { exchangeIdleMsMax: 0, pingIntervalMs: 20 });
  await ask(1);
  await closed.find((stream) => stream === streams[0]);
  expect(asker.mesh.stats()[0]?.requests).toEqual({ asked: 1, streamsOpened: 1, idleStreams: 0 });
});

/** An honest party 2, and a raw party 1 with a stream to it. */
async function answererOf(exchange: Exchange, handler: (body: Uint8Array) => Promise<Uint8Array>, limits = {}) {
  const answerer = new Party(partyOptions(2, 2, new Map(), { limits }));
  answerer.mesh.serve(exchange, (_, body) => handler(body));
  parties.push(answerer);
  await answerer.start();
  const bad = await RawPeer.create(1);
  raw.push(bad);
  const connection = await bad.connect(answerer.address, 2);
  const open = async () => {
    const stream = await connection.newStream(exchangeProtocol('test', exchange));
    const closed = new Promise<void>((resolve) => stream.addEventListener('close', () => resolve()));
    return { stream, closed, answers: collect(stream) };
  };
  return { answerer, open };
}

/** Everything a stream received so far, each time more comes. */
function collect(stream: Stream): Log<Buffer> {
  const log = new Log<Buffer>();
  let all = Buffer.alloc(0);
  stream.addEventListener('message', ({ data }) => {
    all = Buffer.concat([all, data.subarray()]);
    log.add(all);
  });
  return log;
}

test('a request byte by byte is a request, and the stream goes on', async () => {
  const { open } = await answererOf(ECHO, async (body) => body);
  const { stream, answers } = await open();
  const want: Uint8Array[] = [];
  for (const id of [5, 5, 0xffffffff]) {
    for (const byte of Buffer.concat(encodeRequest(id, Uint8Array.of(1, 2)))) stream.send(Uint8Array.of(byte));
    want.push(...encodeAnswer(id, Uint8Array.of(1, 2)));
    await answers.find((all) => Buffer.compare(all, Buffer.concat(want)) === 0);
  }
});

test.each<[string, number, number, RegExp]>([
  ['a request above the maximum', 1, 1001, /request of 1001 bytes/],
  ['an announced 4 GiB', 1, 0xffffffff, /request of 4294967295 bytes/],
])('an asker that sends %s loses the stream before the body is read', async (_, id, length, reason) => {
  const { answerer, open } = await answererOf(ECHO, async (body) => body);
  const { stream, closed } = await open();
  const header = encodeRequest(id, new Uint8Array(0))[0]!;
  new DataView(header.buffer).setUint32(4, length, true);
  stream.send(header);
  await closed;
  expect(await answerer.events.find(({ kind }) => kind === 'violation')).toMatchObject({
    peer: 1,
    reason: expect.stringMatching(reason),
  });
});

test('an asker that does not wait for the answer loses the stream; its slot is free again', async () => {
  const asked = new Log<number>();
  const { answerer, open } = await answererOf(
    ECHO,
    (body) => {
      asked.add(body[0] ?? 0);
      return body[0] === 1 ? new Promise(() => undefined) : Promise.resolve(body);
    },
    { exchangesMax: 1 },
  );
  const { stream, closed } = await open();
  send(stream, ...encodeRequest(1, Uint8Array.of(1)));
  await asked.find((value) => value === 1);
  const turnedAway = await open();
  send(turnedAway.stream, ...encodeRequest(1, Uint8Array.of(2)));
  await turnedAway.closed;
  send(stream, ...encodeRequest(2, Uint8Array.of(3)));
  await closed;
  await answerer.events.find(({ kind }) => kind === 'violation');
  const next = await open();
  send(next.stream, ...encodeRequest(1, Uint8Array.of(4)));
  await next.answers.find((all) => Buffer.compare(all, Buffer.concat(encodeAnswer(1, Uint8Array.of(4)))) === 0);
  expect(asked.entries).toEqual([1, 4]);
});

test('two requests in one write are too many', async () => {
  const { answerer, open } = await answererOf(ECHO, async (body) => body);
  const { stream, closed } = await open();
  send(stream, ...encodeRequest(1, WRONG), ...encodeRequest(2, WRONG));
  await closed;
  const event = await answerer.events.find(({ kind }) => kind === 'violation');
  expect(event).toMatchObject({ reason: 'exchange echo: bytes after the request' });
});

test('an asker that asks again without taking its answer loses the stream: answers do not pile up', async () => {
  const { answerer, open } = await answererOf(LARGE, async () => new Uint8Array(8_000_000));
  const { stream, closed, answers } = await open();
  send(stream, ...encodeRequest(1, WRONG));
  await answers.find(() => true);
  stream.pause();
  send(stream, ...encodeRequest(2, WRONG));
  await closed;
  const event = await answerer.events.find(({ kind }) => kind === 'violation');
  expect(event).toMatchObject({ reason: expect.stringMatching(/before the (answer to the )?last/) });
});

test('an asker that leaves with its request sent still gets the answer, and then the end', async () => {
  const { open } = await answererOf(ECHO, async (body) => body);
  const { stream, closed, answers } = await open();
  send(stream, ...encodeRequest(1, WRONG));
  await stream.close();
  await answers.find((all) => Buffer.compare(all, Buffer.concat(encodeAnswer(1, WRONG))) === 0);
  await closed;
});
