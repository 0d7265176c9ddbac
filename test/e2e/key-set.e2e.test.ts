/**
 * A whole key set made by four processes: its objects are equal at all nodes and load in node-tfhe, ranges of them are
 * parts of them, and a node that is killed in the middle ends the ceremony at all nodes with nothing published.
 */
import { appendFile } from 'node:fs/promises';
import tfhe from 'node-tfhe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type CeremonyProgress,
  fetchObject,
  finishedKey,
  generateKey,
  type KeyState,
  newRequestId,
} from '../../scripts/network/key-generation.ts';
import { waitFor } from '../../scripts/network/rest.ts';
import { bringUp, type TemporaryNetwork, temporaryNetwork } from '../../scripts/network/temporary-network.ts';
import { PARTIES, START_MS } from './running-network.ts';

const KEY_WITHIN_MS = 60_000;
const BLOCKS = 256;
const REQUEST = { parameters: 'base', purpose: 'development' } as const;
const SIZE_LIMIT = 1n << 30n;

let network: TemporaryNetwork;

beforeAll(async () => {
  network = await temporaryNetwork();
  for (const { config } of network.nodes) await appendFile(config, `\n[pool]\ntarget = ${BLOCKS}\nbatch = ${BLOCKS}\n`);
  await bringUp(network, BLOCKS);
}, START_MS);
afterAll(() => network?.[Symbol.asyncDispose]());

/** Resolves when some of the bodies are opened. */
async function bodiesUnderWay(requestId: string): Promise<void> {
  for await (const { data } of network.rest(1).events(`/v1/ceremonies/${requestId}/events`)) {
    const { phase, done } = JSON.parse(data) as CeremonyProgress;
    if (phase === 'bodies' && done > 8) return;
  }
  throw new Error('the key generation ended before it could be disturbed');
}

function endedAt(party: number, requestId: string): Promise<KeyState> {
  return waitFor({ what: `end of the key generation at party ${party}`, withinMs: KEY_WITHIN_MS }, async () => {
    const state = await network.rest(party).get<KeyState>(`/v1/keys/${requestId}?wait=5`);
    return state.state === 'pending' || state.state === 'running' ? undefined : state;
  });
}

test('a node killed while bodies are opened: failed at all nodes, and nothing is published', async () => {
  const requestId = newRequestId();
  await network.rest(1).post('/v1/keys', { requestId, ...REQUEST });
  await bodiesUnderWay(requestId);
  await network.kill(3);
  await network.start(3);
  await network.ready(3);
  for (const party of [1, 2, 4]) {
    const { state, error, objects } = await endedAt(party, requestId);
    expect([state, error?.code, objects]).toEqual(['failed', 'PEER_RESTARTED', []]);
  }
  const { state, error } = await endedAt(3, requestId);
  expect([state, error?.code]).toEqual(['failed', 'NODE_RESTARTED']);
});

test('the objects of a key: equal at all nodes, loaded by node-tfhe, readable in ranges', async () => {
  const key = await generateKey(network.rest(2), REQUEST);
  const types = key.objects.map(({ type }) => type);
  expect(types).toEqual([
    'CompactPublicKey',
    'CompressedCompactPublicKey',
    'CompressedServerKey',
    'CompressedXofKeySet',
  ]);
  for (const party of PARTIES) {
    const { objects } = await finishedKey(network.rest(party), key.requestId, KEY_WITHIN_MS);
    expect(objects.map(({ digest }) => digest)).toEqual(key.objects.map(({ digest }) => digest));
  }
  const file = await fetchObject(network.rest(4), key, 'CompressedServerKey');
  const loaded = tfhe.TfheCompressedServerKey.safe_deserialize(file, SIZE_LIMIT);
  expect(Buffer.compare(loaded.safe_serialize(SIZE_LIMIT), file)).toBe(0);
  tfhe.TfheCompactPublicKey.safe_deserialize(await fetchObject(network.rest(3), key, 'CompactPublicKey'), SIZE_LIMIT);

  const { digest, size } = key.objects.find(({ type }) => type === 'CompressedServerKey')!;
  const middle = Math.floor(size / 2);
  for (const [first, last] of [
    [0, 99],
    [middle - 1_500_000, middle + 1_500_000],
    [size - 10, size - 1],
  ] as const) {
    const { rest } = network.nodes[0]!;
    const answer = await fetch(`${rest}/v1/material/${digest}`, { headers: { range: `bytes=${first}-${last}` } });
    expect(answer.status).toBe(206);
    const part = Buffer.from(await answer.arrayBuffer());
    expect(Buffer.compare(part, Buffer.from(file.subarray(first, last + 1)))).toBe(0);
  }
});
