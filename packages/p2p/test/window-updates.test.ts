/** The window of a real stream: updates are withheld while half of it is free, and come before it is used up. */
import type { Exchange } from '@keyquorum/mpc/transport';
import { afterEach, expect, test } from 'vitest';
import { encodeRequest, exchangeProtocol } from '../src/exchange-frames.ts';
import { Party, partyOptions, stopAll } from './meshes.ts';
import { RawPeer } from './raw-peer.ts';

const SIZE: Exchange = { name: 'size', requestBytesMax: 100_000, responseBytesMax: 4 };
const WINDOW_BYTES = 1024 * 1024;

let parties: Party[] = [];
const raw: RawPeer[] = [];
afterEach(async () => {
  await stopAll(parties);
  for (const peer of raw.splice(0)) await peer.stop();
  parties = [];
});

test('one update per half window, however many messages', async () => {
  const answerer = new Party(partyOptions(2, 2, new Map()));
  answerer.mesh.serve(SIZE, async (_, body) => Uint8Array.of(body.length >> 16));
  parties = [answerer];
  await answerer.start();
  const peer = await RawPeer.create(1);
  raw.push(peer);
  const connection = await peer.connect(answerer.address, 2);
  const stream = await connection.newStream(exchangeProtocol('test', SIZE));
  const sender = stream as unknown as { readonly sendWindowCapacity: number };
  let answered = () => {};
  stream.addEventListener('message', () => answered());
  const ask = async (bytes: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    answered = resolve;
    stream.send(Buffer.concat(encodeRequest(1, new Uint8Array(bytes))));
    await promise;
  };
  await ask(992); // after the first answer the stream is established on both sides
  const free = sender.sendWindowCapacity;
  for (let index = 0; index < 100; index++) await ask(992);
  expect(sender.sendWindowCapacity).toBe(free - 100 * 1000);
  for (let index = 0; index < 50; index++) await ask(65_528);
  expect(sender.sendWindowCapacity).toBeGreaterThan(WINDOW_BYTES / 2 - 65_536);
});
