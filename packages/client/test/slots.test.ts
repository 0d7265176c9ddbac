/** Batches through a coordinator that lies about some ciphertexts: those are errors, the others stay what they are. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALL_TYPES } from '../../wire/test/support/committee.ts';
import { createClient } from '../src/client.ts';
import { askCoordinatorForSlots } from '../src/coordinator.ts';
import { slotRequests } from '../src/slots.ts';
import { API_KEY, json, requestOf, startCommittee, textOf } from './support/test-node.ts';
import { KEY_ID, permitOf, startUserNetwork } from './support/user-network.ts';

const HEADERS = { authorization: `Bearer ${API_KEY}` };
type Fields = Record<string, unknown>;
/** Right slots to what is shown: all of the body but the id. */
type Change = (slots: Fields[]) => Fields;

const honest: Change = (slots) => ({ state: 'succeeded', slots });

/** Asks the nodes for every ciphertext as it should, and shows what `change` makes of their answers. */
async function startCoordinator(nodes: readonly { readonly party: number; readonly url: string }[], change: Change) {
  const asked = Promise.withResolvers<{ requestId: string; slots: Fields[] }>();
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy()); // the test is over
  });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (incoming.method !== 'POST') {
      const { requestId, slots } = await asked.promise;
      return json(response, 200, { requestId, ...change(slots) });
    }
    const { slots: wanted, ...batch } = JSON.parse(await textOf(incoming));
    expect(wanted).toBe(true);
    const parts = slotRequests<{ requestId: string; ciphertexts: { handle: string }[] }>(batch);
    const slots = await Promise.all(parts.map((part) => slotOf(`${incoming.url}`, part)));
    asked.resolve({ requestId: batch.requestId, slots });
    json(response, 202, { requestId: batch.requestId, state: 'pending' });
  }

  async function slotOf(path: string, part: { requestId: string }): Promise<Fields> {
    const answers = await Promise.all(
      nodes.map(async ({ party, url }) => {
        await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(part), headers: HEADERS });
        const answer = await fetch(`${url}${path}/${part.requestId}`, { headers: HEADERS });
        return { party, ...((await answer.json()) as Fields) };
      }),
    );
    const verdicts = answers.map(({ party }) => ({ party, verdict: 'answered' }));
    return { ...answers[0], state: 'succeeded', signatures: answers, responses: answers, nodes: verdicts };
  }

  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const at = (index: number, fields: Fields): Change => {
  return (slots) => honest(slots.map((slot, i) => (i === index ? { ...slot, ...fields } : slot)));
};
const swapped: Change = ([first, second]) => honest([second!, first!]);
const repeated: Change = ([first]) => honest([first!, first!]);
const failed = { state: 'failed', error: { code: 'KEY_UNKNOWN' } };
const RIGHT = 'right';

const LIES: [string, Change, [string, string]][] = [
  ['nothing', honest, [RIGHT, RIGHT]],
  ['the slots exchanged', swapped, ['ANSWERS_TOO_FEW', 'ANSWERS_TOO_FEW']],
  ['one slot twice', repeated, [RIGHT, 'ANSWERS_TOO_FEW']],
  ['no signature of one', at(1, { signatures: [], responses: [] }), [RIGHT, 'ANSWERS_TOO_FEW']],
  ['nonsense about one', at(0, { signatures: 7, responses: 7 }), ['ANSWERS_TOO_FEW', RIGHT]],
  ['that one failed', at(0, failed), ['REQUEST_REFUSED', RIGHT]],
  ['one too few', ([first]) => honest([first!]), ['ANSWERS_TOO_FEW', 'ANSWERS_TOO_FEW']],
  ['no slots', () => ({ state: 'succeeded' }), ['ANSWERS_TOO_FEW', 'ANSWERS_TOO_FEW']],
  ['that all failed', () => failed, ['REQUEST_REFUSED', 'REQUEST_REFUSED']],
];

const verdictOf = ({ error }: { readonly error?: { readonly code: string } | undefined }) => error?.code ?? RIGHT;

test.each(LIES)('values for all: a coordinator that changes %s', async (_, change, expected) => {
  await using net = await startCommittee({});
  await using coordinator = await startCoordinator(net.nodes, change);
  const options = { ...HEADERS, deadlineMs: 20_000 };
  const outcomes = await askCoordinatorForSlots(net.committee, coordinator.url, requestOf(1), options);
  expect(outcomes.map(verdictOf)).toEqual(expected);
  const values = outcomes.map(({ result }) => result?.values.map(({ value }) => value));
  for (const [index, shown] of values.entries())
    if (shown) expect(shown).toEqual([['7'], ['18446744073709551615']][index]);
});

const TWO_VALUES = [ALL_TYPES[0]!, ALL_TYPES[4]!];

/** Outcomes of a user who asks through such a coordinator, at most twice. */
async function askForUser(change: Change) {
  const tired = new AbortController();
  let polls = 0;
  const counted: Change = (slots) => {
    if (++polls === 3) tired.abort();
    return change(slots);
  };
  await using network = await startUserNetwork({ n: 4, t: 1 }, TWO_VALUES, {});
  await using coordinator = await startCoordinator(network.nodes, counted);
  const client = createClient(network.options);
  const permit = await permitOf(client);
  const request = { keyId: KEY_ID, ciphertexts: network.ciphertexts };
  const options = { signal: tired.signal };
  const outcomes = await client.askCoordinatorForUserSlots(coordinator.url, permit, request, options);
  for (const [index, { result }] of outcomes.entries()) {
    if (result) expect(result.value).toBe(TWO_VALUES[index]!.value);
  }
  return outcomes.map(verdictOf);
}

test.each(LIES.filter(([name]) => !name.startsWith('no signature')))(
  'values for a user: a coordinator that changes %s',
  async (_, change, expected) => {
    expect(await askForUser(change)).toEqual(expected);
  },
);

test('what is known of a batch counts, though the coordinator never comes to an end with the rest', async () => {
  const stuck: Change = ([first, second]) => ({
    state: 'pending',
    slots: [first!, { ...second, state: 'pending', responses: [], nodes: [] }],
  });
  expect(await askForUser(stuck)).toEqual([RIGHT, 'ABORTED']);
});

const piece = fc.record({ slot: fc.nat(1), party: fc.integer({ min: 1, max: 4 }), from: fc.nat(3) });

test('any mixture of responses of both slots: right values or errors', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 5 }), { minLength: 2, maxLength: 2 }), async (mixture) => {
      const mixed: Change = (slots) =>
        honest(
          mixture.map((pieces, index) => ({
            ...slots[index],
            responses: pieces.map(({ slot, party, from }) => {
              return { ...(slots[slot]!.responses as Fields[])[from], party };
            }),
          })),
        );
      const possible = [RIGHT, 'ANSWERS_TOO_FEW', 'ABORTED'];
      for (const verdict of await askForUser(mixed)) expect(possible).toContain(verdict);
    }),
    { numRuns: 4 },
  );
});
