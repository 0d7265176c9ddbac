/** Responses of real nodes, through a coordinator that is up to something. (The real service: packages/coordinator.) */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALL_TYPES } from '../../wire/test/support/committee.ts';
import { createClient, type UserRequest } from '../src/client.ts';
import { json, textOf } from './support/test-node.ts';
import { KEY_ID, permitOf, startUserNetwork, type UserNetwork } from './support/user-network.ts';

const FOUR = { n: 4, t: 1 };
const TWO_VALUES = [ALL_TYPES[0]!, ALL_TYPES[4]!];
const VALUES = TWO_VALUES.map(({ value }) => ({ value }));

interface CarriedResponse {
  readonly party: number;
  readonly payload: string;
  readonly signature: string;
}
type Change = (responses: readonly CarriedResponse[], polls: number) => readonly unknown[];

interface TestCoordinator extends AsyncDisposable {
  readonly url: string;
  /** Right responses of all nodes to the last request. */
  readonly carried: CarriedResponse[];
  /** What it makes of them from now on. */
  change: Change;
  /** Queries of polls. */
  readonly queries: string[];
}

/** Asks the nodes as told, and then shows what `change` makes of it, saying that every party answered. */
async function startCoordinator({ nodes }: UserNetwork): Promise<TestCoordinator> {
  const carried: CarriedResponse[] = [];
  const queries: string[] = [];
  let requestId = '';
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy()); // the test is over
  });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const authorization = incoming.headers.authorization ?? '';
    if (incoming.method === 'POST') {
      const body = await textOf(incoming);
      requestId = JSON.parse(body).requestId;
      carried.length = 0;
      for (const { party, url } of nodes) {
        await fetch(`${url}/v1/user-decryptions`, { method: 'POST', body, headers: { authorization } });
        const answer = await fetch(`${url}/v1/user-decryptions/${requestId}`, { headers: { authorization } });
        const { payload, signature } = (await answer.json()) as CarriedResponse;
        carried.push({ party, payload, signature });
      }
      return json(response, 202, { requestId, state: 'pending' });
    }
    queries.push(new URL(incoming.url ?? '', 'http://localhost').search);
    const responses = coordinator.change(carried, queries.length - 1);
    const verdicts = nodes.map(({ party }) => ({ party, verdict: 'answered' }));
    json(response, 200, { requestId, state: 'succeeded', responses, nodes: verdicts });
  }

  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const coordinator: TestCoordinator = {
    url: `http://127.0.0.1:${port}`,
    ...{ carried, queries },
    change: (responses) => responses,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return coordinator;
}

const requestOf = ({ ciphertexts }: UserNetwork): UserRequest => ({ keyId: KEY_ID, ciphertexts });

test('values through a coordinator, in request order', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  await using coordinator = await startCoordinator(network);
  const client = createClient(network.options);
  const values = await client.askCoordinatorForUser(coordinator.url, await permitOf(client), requestOf(network));
  expect(values).toMatchObject(VALUES);
  expect(coordinator.queries).toEqual(['?wait=20&responses=3']);
});

test('more responses are asked for while the shares do not agree', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, { 2: { lie: 'random shares' } });
  await using coordinator = await startCoordinator(network);
  coordinator.change = (responses, polls) => responses.slice(0, polls === 0 ? 3 : 4);
  const client = createClient(network.options);
  const values = await client.askCoordinatorForUser(coordinator.url, await permitOf(client), requestOf(network));
  expect(values).toMatchObject(VALUES);
  expect(coordinator.queries).toEqual(['?wait=20&responses=3', '?wait=20&responses=4']);
});

const withByte = (hex: string, at: number): string => {
  const byte = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16) ^ 1;
  return `${hex.slice(0, 2 * at)}${byte.toString(16).padStart(2, '0')}${hex.slice(2 * at + 2)}`;
};

test.each<[string, Change, RegExp]>([
  ['renames parties', (all) => all.map((one, i) => ({ ...one, party: ((i + 1) % 4) + 1 })), /1 wrong .SIGNER_WRONG/],
  ['shows one response four times', ([one]) => [1, 2, 3, 4].map((party) => ({ ...one, party })), /2 wrong .SIGNER/],
  ['changes payloads', (all) => all.map((one) => ({ ...one, payload: withByte(one.payload, 200) })), /2 wrong .SIGNER/],
  ['shows no list', () => 'all' as unknown as [], /contract: responses/],
])('a coordinator that %s brings about no value', async (_, change, message) => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  await using coordinator = await startCoordinator(network);
  coordinator.change = change;
  const client = createClient(network.options);
  const asked = client.askCoordinatorForUser(coordinator.url, await permitOf(client), requestOf(network));
  await expect(asked).rejects.toMatchObject({ code: 'ANSWERS_TOO_FEW', message: expect.stringMatching(message) });
});

test('responses to another request, or to another key, are refused', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  await using coordinator = await startCoordinator(network);
  const client = createClient(network.options);
  const permit = await permitOf(client);
  await client.askCoordinatorForUser(coordinator.url, permit, requestOf(network));
  const recorded = [...coordinator.carried];
  coordinator.change = () => recorded;
  const [first, second] = network.ciphertexts;
  const reordered = { keyId: KEY_ID, ciphertexts: [second!, first!] };
  const replayed = client.askCoordinatorForUser(coordinator.url, permit, reordered);
  await expect(replayed).rejects.toMatchObject({
    code: 'ANSWERS_TOO_FEW',
    message: expect.stringMatching(/SIGNER_WRONG/),
  });
  const otherKey = client.askCoordinatorForUser(coordinator.url, await permitOf(client), requestOf(network));
  await expect(otherKey).rejects.toMatchObject({ code: 'ANSWERS_TOO_FEW' });
});

test('a handle names one ciphertext under one permit: old responses cannot pass for new ones', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  await using coordinator = await startCoordinator(network);
  const client = createClient(network.options);
  const permit = await permitOf(client);
  const request = requestOf(network);
  await client.askCoordinatorForUser(coordinator.url, permit, request);
  const ciphertexts = request.ciphertexts.map((ciphertext) => ({ ...ciphertext, bytes: 'BBBB' }));
  const { submissions } = network.nodes[0]!;
  for (const changed of [{ ciphertexts }, { keyId: 'cd'.repeat(32) }]) {
    const asked = client.askCoordinatorForUser(coordinator.url, permit, { ...request, ...changed });
    await expect(asked).rejects.toMatchObject({ code: 'HANDLE_REUSED' });
  }
  expect(submissions).toHaveLength(1);
  expect(await client.askCoordinatorForUser(coordinator.url, permit, request)).toMatchObject(VALUES);
});

const part = fc.record({
  party: fc.integer({ min: 0, max: 5 }),
  payload: fc.nat(3),
  signature: fc.nat(3),
  byte: fc.option(fc.nat(400)),
});

test('any mixture of parts of responses: the right values or an error, never another value', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  await using coordinator = await startCoordinator(network);
  const client = createClient({ ...network.options, deadlineMs: 400 });
  const permit = await permitOf(client);
  const mixtures = fc.oneof(
    fc.array(part, { maxLength: 6 }),
    fc.shuffledSubarray([0, 1, 2, 3]).map((some) => {
      return some.map((i) => ({ party: i + 1, payload: i, signature: i, byte: null }));
    }),
  );
  await fc.assert(
    fc.asyncProperty(mixtures, async (mixture) => {
      coordinator.change = (all) =>
        mixture.map(({ party, payload, signature, byte }) => {
          const bytes = all[payload]!.payload;
          return {
            party,
            payload: byte === null ? bytes : withByte(bytes, byte),
            signature: all[signature]!.signature,
          };
        });
      const [result] = await Promise.allSettled([
        client.askCoordinatorForUser(coordinator.url, permit, requestOf(network)),
      ]);
      if (result!.status === 'fulfilled') expect(result!.value).toMatchObject(VALUES);
      else expect(result!.reason).toMatchObject({ name: 'ClientError', code: 'ANSWERS_TOO_FEW' });
    }),
    { numRuns: 20 },
  );
}, 60_000);
