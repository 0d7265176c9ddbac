/** A coordinator in between that lies is believed nothing. (The real service: packages/coordinator/test.) */
import { expect, test } from 'vitest';
import { askCoordinator } from '../src/coordinator.ts';
import { decryptPublic } from '../src/public-decryption.ts';
import {
  API_KEY,
  type Behaviour,
  json,
  refuse,
  requestOf,
  startCommittee,
  startTestNode,
} from './support/test-node.ts';

const PATIENT = { authorization: `Bearer ${API_KEY}`, deadlineMs: 20_000 };
const PLAINTEXTS = [7n, 2n ** 64n - 1n];

/** What a coordinator makes of the right answer of party 1 alone. */
const coordinating =
  (change: (signature: string) => Record<string, unknown>): Behaviour =>
  ({ response, answer }) => {
    const own = answer();
    json(response, 200, { ...own, ...change(String(own.signature)) });
  };

test.each<[string, Behaviour, RegExp]>([
  ['one signature', coordinating((signature) => ({ signatures: [{ party: 1, signature }] })), /1 valid signatures/],
  [
    'one signature twice, under two names',
    coordinating((signature) => ({ signatures: [1, 2].map((party) => ({ party, signature })) })),
    /1 valid signatures/,
  ],
  ['no signatures', coordinating(() => ({ signatures: [] })), /0 valid signatures/],
  ['no list', coordinating(() => ({})), /contract: signatures/],
  ['another value', coordinating((signature) => ({ values: [], signatures: [{ party: 1, signature }] })), /0 valid/],
])('a coordinator that shows %s is refused', async (_, poll, reason) => {
  await using net = await startCommittee({});
  const coordinator = await startTestNode({ party: 1, plaintexts: PLAINTEXTS, poll });
  const asked = askCoordinator(net.committee, coordinator.url, requestOf(2), PATIENT);
  await expect(asked).rejects.toMatchObject({ code: 'ANSWERS_TOO_FEW', message: expect.stringMatching(reason) });
  await coordinator.close();
});

test('a coordinator that reads another type into the signed words is refused', async () => {
  await using net = await startCommittee({});
  const { ciphertexts, ...rest } = requestOf(5);
  const request = { ...rest, ciphertexts: ciphertexts.map((each) => ({ ...each, fheType: 'uint64' })) };
  const { signatures } = await decryptPublic(net.committee, request, PATIENT).finished;
  const claimed = (handles: readonly { readonly handle: string }[]) =>
    handles.map(({ handle }, index) => ({ handle, fheType: 'uint256', value: String(PLAINTEXTS[index]) }));
  const coordinator = await startTestNode({
    party: 1,
    plaintexts: PLAINTEXTS,
    poll: (call) => coordinating(() => ({ signatures, values: claimed(call.request.ciphertexts) }))(call),
  });
  const asked = askCoordinator(net.committee, coordinator.url, request, PATIENT);
  await expect(asked).rejects.toMatchObject({ code: 'ANSWERS_TOO_FEW' });
  await coordinator.close();
});

test('a refusal and an abort come through as such', async () => {
  await using net = await startCommittee({});
  const asked = Promise.withResolvers<void>();
  const hang = await startTestNode({ party: 1, plaintexts: [], poll: () => asked.resolve() });
  const abort = new AbortController();
  const aborted = askCoordinator(net.committee, hang.url, requestOf(3), { ...PATIENT, signal: abort.signal });
  await asked.promise;
  abort.abort();
  await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
  const submit = (response: Parameters<typeof refuse>[0]) => refuse(response, 404, 'KEY_UNKNOWN');
  const refusing = await startTestNode({ party: 1, plaintexts: [], submit });
  const refused = askCoordinator(net.committee, refusing.url, requestOf(4), PATIENT);
  await expect(refused).rejects.toMatchObject({ code: 'REQUEST_REFUSED', nodeCode: 'KEY_UNKNOWN' });
  await Promise.all([hang.close(), refusing.close()]);
});
