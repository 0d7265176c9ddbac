/** Keys over HTTP: t+1 signatures on one record, bytes with its digest from anybody, a cache that is not believed. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { keyDigest } from '@keyquorum/wire/digest';
import { KEY_TYPE, keyGenerationDigest } from '@keyquorum/wire/eip712';
import { createSigner } from '@keyquorum/wire/signer';
import { expect, test } from 'vitest';
import { createClient } from '../src/client.ts';
import type { MaterialCache } from '../src/key-material.ts';
import { API_KEY, CHAIN_ID, CONTRACT, json, refuse } from './support/test-node.ts';

const KEY_ID = '5a'.repeat(32);
const PUBLIC_KEY = new Uint8Array(3_000).fill(7);
const SERVER_KEY = new Uint8Array(5_000).fill(9);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const digestOf = (bytes: Uint8Array): string => hex(keyDigest(bytes));

interface Behaviour {
  /** Signs and announces these bytes as public key. */
  readonly publicKey?: Uint8Array;
  /** Serves these bytes whatever is asked. */
  readonly serves?: Uint8Array;
  readonly signAs?: number;
  /** Takes over every call. */
  readonly respond?: (response: ServerResponse) => void;
}

function recordOf(party: number, { publicKey = PUBLIC_KEY, signAs = party }: Behaviour) {
  const [server, compact] = [keyDigest(SERVER_KEY), keyDigest(publicKey)];
  const digest = keyGenerationDigest(
    { chainId: CHAIN_ID, verifyingContract: CONTRACT },
    {
      prepKeygenId: 0n,
      keyId: BigInt(`0x${KEY_ID}`),
      keyDigests: [
        { keyType: KEY_TYPE.server, digest: server },
        { keyType: KEY_TYPE.public, digest: compact },
      ],
      extraData: new Uint8Array(0),
    },
  );
  const signature = hex(createSigner(new Uint8Array(32).fill(signAs)).sign(digest));
  const object = (type: string, bytes: Uint8Array) => {
    return { type, digest: digestOf(bytes), size: bytes.length, uris: [], signature };
  };
  const objects = [object('CompactPublicKey', publicKey), object('CompressedServerKey', SERVER_KEY)];
  return { requestId: KEY_ID, state: 'succeeded', objects };
}

async function startNetwork(special: { readonly [party: number]: Behaviour }) {
  const downloads: number[] = [];
  const nodes = await Promise.all(
    [1, 2, 3, 4].map(async (party) => {
      const behaviour = special[party] ?? {};
      const server = createServer((incoming, response) => {
        if (behaviour.respond) return behaviour.respond(response);
        if (incoming.url === `/v1/keys/${KEY_ID}`) return json(response, 200, recordOf(party, behaviour));
        downloads.push(party);
        const known = [PUBLIC_KEY, SERVER_KEY].find((bytes) => incoming.url === `/v1/material/${digestOf(bytes)}`);
        const bytes = behaviour.serves ?? known;
        if (bytes) response.writeHead(200).end(bytes);
        else refuse(response, 404, 'MATERIAL_UNKNOWN');
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address() as AddressInfo;
      const { address } = createSigner(new Uint8Array(32).fill(party));
      return { server, node: { party, url: `http://127.0.0.1:${port}`, signer: address } };
    }),
  );
  return {
    downloads,
    client: (cache?: MaterialCache, deadlineMs = 20_000) =>
      createClient({
        nodes: nodes.map(({ node }) => node),
        threshold: 1,
        gatewayChainId: CHAIN_ID,
        decryptionContract: CONTRACT,
        apiKey: API_KEY,
        deadlineMs,
        ...(cache && { cache }),
      }),
    async [Symbol.asyncDispose]() {
      for (const { server } of nodes) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

const silent: Behaviour = { respond: () => {} };

test('the public key comes from one node and is kept; a silent node holds up nothing', async () => {
  await using network = await startNetwork({ 4: silent });
  const client = network.client();
  expect(await client.publicKey(KEY_ID)).toEqual(PUBLIC_KEY);
  expect(await client.publicKey(KEY_ID)).toEqual(PUBLIC_KEY);
  expect(network.downloads).toEqual([1]);
});

test('a node that signs another key or serves other bytes changes nothing', async () => {
  const other = new Uint8Array(3_000).fill(8);
  for (const behaviour of [{ publicKey: other, serves: other }, { serves: other }, { serves: new Uint8Array(9_000) }]) {
    await using network = await startNetwork({ 1: behaviour });
    expect(await network.client().publicKey(KEY_ID)).toEqual(PUBLIC_KEY);
  }
});

test('a node that names objects like parts of JavaScript changes nothing', async () => {
  for (const type of ['constructor', '__proto__']) {
    const record = recordOf(1, {});
    const objects = record.objects.map((object) => ({ ...object, type }));
    const respond = (response: ServerResponse) => void json(response, 200, { ...record, objects });
    await using network = await startNetwork({ 1: { respond } });
    expect(await network.client().publicKey(KEY_ID)).toEqual(PUBLIC_KEY);
  }
});

test('what a cache gives is checked before it is used', async () => {
  await using network = await startNetwork({});
  const stored = new Map<string, Uint8Array>([[digestOf(PUBLIC_KEY), new Uint8Array(3_000)]]);
  const cache: MaterialCache = {
    get: async (digest) => stored.get(digest),
    set: async (digest, bytes) => void stored.set(digest, bytes),
  };
  expect(await network.client(cache).publicKey(KEY_ID)).toEqual(PUBLIC_KEY);
  expect(stored.get(digestOf(PUBLIC_KEY))).toEqual(PUBLIC_KEY);
  expect(await network.client(cache).publicKey(KEY_ID)).toEqual(PUBLIC_KEY);
  expect(network.downloads).toEqual([1]);
});

test('without t+1 signatures on one record there is no key, and the error says why', async () => {
  const unknown: Behaviour = { respond: (response) => refuse(response, 404, 'KEY_UNKNOWN') };
  const page: Behaviour = { respond: (response) => void response.writeHead(200).end('<html>') };
  await using network = await startNetwork({ 1: unknown, 2: { signAs: 3 }, 3: page });
  await expect(network.client().publicKey(KEY_ID)).rejects.toMatchObject({
    code: 'KEY_UNPROVEN',
    message: expect.stringMatching(/1 status 404; 2 record not signed by 0x.*; 3 .* no JSON; 4 signed another record/),
  });
});

test('when nobody serves the right bytes the error says what each did', async () => {
  const wrong = { serves: new Uint8Array(10) };
  await using network = await startNetwork({ 1: wrong, 2: wrong, 3: wrong, 4: wrong });
  await expect(network.client().publicKey(KEY_ID)).rejects.toMatchObject({
    code: 'MATERIAL_UNAVAILABLE',
    message: expect.stringMatching(/1 bytes with another digest; 2 bytes with another digest/),
  });
});
