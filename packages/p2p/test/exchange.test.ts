import type { Exchange, TransportErrorCode } from '@keyquorum/mpc/transport';
import { afterEach, expect, test } from 'vitest';
import { exchangeProtocol } from '../src/exchange-frames.ts';
import { Slots } from '../src/slots.ts';
import { Network, Party, partyOptions, startMesh, stopAll } from './meshes.ts';
import { RawPeer } from './raw-peer.ts';

const ECHO: Exchange = { name: 'echo', requestBytesMax: 100_000, responseBytesMax: 100_000 };
const soon = () => AbortSignal.timeout(20_000);

let parties: Party[] = [];
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  await stopAll(parties);
  for (const cleanup of cleanups.splice(0)) await cleanup();
  parties = [];
});

async function pair(exchange: Exchange, handler: (from: number, body: Uint8Array) => Promise<Uint8Array>, limits = {}) {
  parties = await startMesh(2, { limits });
  const [lower, higher] = parties as [Party, Party];
  higher.mesh.serve(exchange, handler);
  // start() has registered nothing yet for a late serve: one accepted request proves that it is there.
  return { lower, higher };
}

const requestsOf = (party: Party) => party.mesh.stats()[0]?.requests;
const failure = (code: TransportErrorCode) => expect.objectContaining({ name: 'TransportError', code, peer: 2 });

test('both sides ask, whoever dialed; bodies of all sizes come back', async () => {
  parties = await startMesh(3);
  for (const { mesh } of parties)
    mesh.serve(ECHO, async (from, body) => Uint8Array.from([from, ...body.subarray(0, 50_000)]));
  for (const { mesh } of parties) {
    for (const { party } of mesh.stats()) {
      for (const size of [0, 1, 50_000]) {
        const answer = await mesh.request(party, ECHO, new Uint8Array(size).fill(9), soon());
        expect(Buffer.compare(answer, Uint8Array.from([mesh.self, ...new Uint8Array(size).fill(9)]))).toBe(0);
      }
    }
  }
});

test('a handler that throws is a refusal without details; its own side hears why', async () => {
  const { lower, higher } = await pair(ECHO, async () => {
    throw new Error('secret reason');
  });
  const error = await lower.mesh.request(2, ECHO, new Uint8Array(1), soon()).catch((reason) => reason);
  expect(error).toEqual(failure('PEER_REFUSED'));
  expect(error.message).not.toContain('secret');
  expect(higher.events.entries).toContainEqual({ kind: 'exchange-refused', peer: 1, reason: 'echo: secret reason' });
});

test('an answer above the maximum is refused by the answering side', async () => {
  const { lower, higher } = await pair(ECHO, async () => new Uint8Array(100_001));
  await expect(lower.mesh.request(2, ECHO, new Uint8Array(1), soon())).rejects.toEqual(failure('PEER_REFUSED'));
  expect(higher.events.entries.at(-1)).toMatchObject({
    kind: 'exchange-refused',
    reason: expect.stringContaining('100001'),
  });
});

test('an answer announced above the maximum is PEER_OVERSIZE before it is read', async () => {
  const { lower } = await pair({ ...ECHO, responseBytesMax: 200_000 }, async () => new Uint8Array(100_001));
  await expect(lower.mesh.request(2, ECHO, new Uint8Array(1), soon())).rejects.toEqual(failure('PEER_OVERSIZE'));
});

test('a request above the maximum never leaves; one sent anyway is refused', async () => {
  const { lower } = await pair({ ...ECHO, requestBytesMax: 10 }, async (_, body) => body);
  await expect(lower.mesh.request(2, ECHO, new Uint8Array(100_001), soon())).rejects.toThrow(RangeError);
  await expect(lower.mesh.request(2, ECHO, new Uint8Array(11), soon())).rejects.toEqual(failure('PEER_REFUSED'));
  expect([...(await lower.mesh.request(2, ECHO, Uint8Array.of(5), soon()))]).toEqual([5]);
});

test('an exchange nobody serves is a refusal', async () => {
  parties = await startMesh(2);
  await expect(parties[0]!.mesh.request(2, ECHO, new Uint8Array(1), soon())).rejects.toEqual(failure('PEER_REFUSED'));
});

test('no link: PEER_DOWN at once', async () => {
  const alone = new Party(partyOptions(1, 2, new Map()));
  parties = [alone];
  await alone.start();
  await expect(alone.mesh.request(2, ECHO, new Uint8Array(1), soon())).rejects.toEqual(failure('PEER_DOWN'));
});

test('a link lost while the peer thinks: PEER_DOWN', async () => {
  const network = new Network();
  cleanups.push(() => network.close());
  parties = await startMesh(2, {}, network);
  parties[1]!.mesh.serve(ECHO, () => {
    network.relays[0]!.cutAll();
    return new Promise(() => undefined);
  });
  await expect(parties[0]!.mesh.request(2, ECHO, new Uint8Array(1), soon())).rejects.toEqual(failure('PEER_DOWN'));
});

test('the signal ends a request that is running and one that waits for a free slot', async () => {
  const asked = Promise.withResolvers<void>();
  const { lower } = await pair(
    ECHO,
    () => {
      asked.resolve();
      return new Promise(() => undefined);
    },
    { exchangesMax: 1 },
  );
  const controller = new AbortController();
  const running = lower.mesh.request(2, ECHO, new Uint8Array(1), controller.signal);
  const waiting = lower.mesh.request(2, ECHO, new Uint8Array(1), controller.signal);
  await asked.promise;
  controller.abort();
  await expect(running).rejects.toEqual(failure('PEER_TIMEOUT'));
  await expect(waiting).rejects.toEqual(failure('PEER_TIMEOUT'));
});

test('never more at once than allowed, and all are answered', async () => {
  let active = 0;
  let most = 0;
  const { lower } = await pair(
    ECHO,
    async (_, body) => {
      most = Math.max(most, ++active);
      await new Promise(setImmediate);
      active -= 1;
      return body;
    },
    { exchangesMax: 3 },
  );
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) => lower.mesh.request(2, ECHO, Uint8Array.of(index), soon())),
  );
  expect(answers.map(([first]) => first)).toEqual(Array.from({ length: 40 }, (_, index) => index));
  expect(most).toBeLessThanOrEqual(3);
});

test('a peer that begins a request and never ends it is cut off', async () => {
  const higher = new Party(partyOptions(2, 2, new Map(), { limits: { exchangeReadMsMax: 50 } }));
  higher.mesh.serve(ECHO, async (_, body) => body);
  parties = [higher];
  await higher.start();
  const peer = await RawPeer.create(1);
  cleanups.push(() => peer.stop());
  const stream = await peer.open(higher.address, 2, exchangeProtocol('test', ECHO));
  stream.send(Buffer.from([1, 0, 0, 0, 10, 0, 0, 0, 1]));
  await stream.closed.find(() => true);
});

test('one stream serves one request after the other; another exchange has a stream of its own', async () => {
  const { lower, higher } = await pair(ECHO, async (_, body) => body);
  const other = { ...ECHO, name: 'other' };
  higher.mesh.serve(other, async () => Uint8Array.of(77));
  for (let index = 0; index < 100; index++) {
    expect([...(await lower.mesh.request(2, ECHO, Uint8Array.of(index), soon()))]).toEqual([index]);
  }
  expect(requestsOf(lower)).toEqual({ asked: 100, streamsOpened: 1, idleStreams: 1 });
  for (let index = 0; index < 5; index++) {
    expect([...(await lower.mesh.request(2, other, new Uint8Array(0), soon()))]).toEqual([77]);
    expect([...(await lower.mesh.request(2, ECHO, Uint8Array.of(index), soon()))]).toEqual([index]);
  }
  expect(requestsOf(lower)).toEqual({ asked: 110, streamsOpened: 2, idleStreams: 2 });
});

test('50 requests of all sizes, answered out of order: each gets its own answer, over 16 streams', async () => {
  const { lower } = await pair(ECHO, async (_, body) => {
    for (let turn = (body[0] ?? 0) % 7; turn > 0; turn--) await new Promise(setImmediate);
    return body;
  });
  const requests = Array.from({ length: 50 }, (_, index) => new Uint8Array(1 + index * 1900).fill(index));
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(requests.map((body) => lower.mesh.request(2, ECHO, body, soon())));
    for (const [index, answer] of answers.entries()) expect(Buffer.compare(answer, requests[index]!)).toBe(0);
  }
  expect(requestsOf(lower)).toEqual({ asked: 150, streamsOpened: 16, idleStreams: 16 });
});

test('idle streams are bounded: those unused for longest go', async () => {
  const names = Array.from({ length: 6 }, (_, index) => ({ ...ECHO, name: `echo/${index}` }));
  const { lower, higher } = await pair(ECHO, async (_, body) => body, { exchangesMax: 2 });
  for (const exchange of names) higher.mesh.serve(exchange, async (_, body) => body);
  for (const exchange of [...names, ...names.slice(2), names[0]!]) {
    await lower.mesh.request(2, exchange, Uint8Array.of(1), soon());
  }
  expect(requestsOf(lower)).toEqual({ asked: 11, streamsOpened: 7, idleStreams: 4 });
});

test('after a request given up, its late answer is not taken for that of the next', async () => {
  const asked = Promise.withResolvers<void>();
  const late = Promise.withResolvers<Uint8Array>();
  const { lower } = await pair(ECHO, async (_, body) => {
    if (body[0] !== 1) return body;
    asked.resolve();
    return late.promise;
  });
  const controller = new AbortController();
  const given = lower.mesh.request(2, ECHO, Uint8Array.of(1), controller.signal);
  await asked.promise;
  controller.abort();
  const next = lower.mesh.request(2, ECHO, Uint8Array.of(2), soon());
  late.resolve(Uint8Array.of(66));
  await expect(given).rejects.toEqual(failure('PEER_TIMEOUT'));
  expect([...(await next)]).toEqual([2]);
  expect([...(await lower.mesh.request(2, ECHO, Uint8Array.of(3), soon()))]).toEqual([3]);
  expect(requestsOf(lower)).toEqual({ asked: 3, streamsOpened: 2, idleStreams: 1 });
});

test('a refusal ends in order: its stream is used again; one after too long an answer is not', async () => {
  const { lower } = await pair({ ...ECHO, responseBytesMax: 200_000 }, async (_, body) => {
    if (body[0] === 1) throw new Error('no');
    return body[0] === 2 ? new Uint8Array(150_000) : body;
  });
  const ask = (value: number) => lower.mesh.request(2, ECHO, Uint8Array.of(value), soon());
  await expect(ask(1)).rejects.toEqual(failure('PEER_REFUSED'));
  expect([...(await ask(3))]).toEqual([3]);
  expect(requestsOf(lower)).toMatchObject({ streamsOpened: 1, idleStreams: 1 });
  await expect(ask(2)).rejects.toEqual(failure('PEER_OVERSIZE'));
  expect(requestsOf(lower)).toMatchObject({ streamsOpened: 1, idleStreams: 0 });
  expect([...(await ask(4))]).toEqual([4]);
  expect(requestsOf(lower)).toEqual({ asked: 4, streamsOpened: 2, idleStreams: 1 });
});

test('a peer restarted between two requests: the second one meets its new life', async () => {
  const { lower, higher } = await pair(ECHO, async () => Uint8Array.of(1));
  expect([...(await lower.mesh.request(2, ECHO, new Uint8Array(0), soon()))]).toEqual([1]);
  const { address } = higher;
  const down = lower.changes.next(({ state }) => state === 'down');
  await higher.mesh.stop();
  await down;
  expect(requestsOf(lower)).toMatchObject({ idleStreams: 0 });
  await expect(lower.mesh.request(2, ECHO, new Uint8Array(0), soon())).rejects.toEqual(failure('PEER_DOWN'));
  const again = new Party(partyOptions(2, 2, new Map(), { listen: address }));
  parties.push(again);
  again.mesh.serve(ECHO, async () => Uint8Array.of(2));
  await again.start();
  await lower.peerUp(2);
  expect([...(await lower.mesh.request(2, ECHO, new Uint8Array(0), soon()))]).toEqual([2]);
  expect(requestsOf(lower)).toEqual({ asked: 2, streamsOpened: 2, idleStreams: 1 });
});

test('slots: first come, first served; a waiter that left is skipped', async () => {
  const slots = new Slots(1);
  const order: number[] = [];
  await slots.take(soon());
  const leaving = new AbortController();
  const takes = [soon(), leaving.signal, soon()].map((signal, index) =>
    slots.take(signal).then(
      () => order.push(index),
      () => order.push(-1),
    ),
  );
  leaving.abort(new Error('left'));
  slots.give();
  await takes[0];
  slots.give();
  await Promise.all(takes);
  expect(order).toEqual([-1, 0, 2]);
  expect(slots.tryTake()).toBe(false);
  slots.give();
  expect(slots.tryTake()).toBe(true);
});
