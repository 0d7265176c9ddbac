import { createDecryptionProof } from '@keyquorum/wire/decryption-proof';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { expect, test } from 'vitest';
import { decryptPublic } from '../src/public-decryption.ts';
import {
  API_KEY,
  after,
  type Behaviour,
  honest,
  json,
  lying,
  refuse,
  requestOf,
  silent,
  startCommittee,
  type TestNodeOptions,
} from './support/test-node.ts';

const VALUES = ['7', '18446744073709551615'];
/** Long enough for a loaded machine when all nodes answer. */
const PATIENT = { authorization: `Bearer ${API_KEY}`, deadlineMs: 20_000 };
/** For committees in which a node never answers and the deadline itself is tested; honest nodes need far less. */
const BRIEF = { ...PATIENT, deadlineMs: 2_500 };

test('four honest nodes: the value, all signatures in party order, everybody agreed', async () => {
  await using net = await startCommittee({});
  const coordination = decryptPublic(net.committee, requestOf(1), PATIENT);
  const { values, signatures } = await coordination.agreed;
  expect(values.map(({ value }) => value)).toEqual(VALUES);
  expect(signatures.length).toBeGreaterThanOrEqual(2);
  const report = await coordination.finished;
  expect(report.state).toBe('succeeded');
  expect(report.signatures.map(({ party }) => party)).toEqual([1, 2, 3, 4]);
  expect(report.nodes.map(({ verdict }) => verdict)).toEqual(['agreed', 'agreed', 'agreed', 'agreed']);
});

test.for(['', '00', `01${'00'.repeat(31)}09`])('the proof for contracts, with extraData "%s"', async (extraData) => {
  await using net = await startCommittee({});
  const { committee } = net;
  const request = { ...requestOf(1), extraData };
  const coordination = decryptPublic(committee, request, PATIENT);
  const { decryptionProof, signatures } = await coordination.agreed;
  expect(decryptionProof.slice(0, 2)).toBe(`0${signatures.length}`);
  const report = await coordination.finished;
  const checked = createDecryptionProof(
    { chainId: committee.gatewayChainId, verifyingContract: committee.decryptionContract },
    {
      handles: request.ciphertexts.map(({ handle }) => hexToBytes(handle)),
      decryptedResult: hexToBytes(report.abiEncoded),
      extraData: hexToBytes(extraData),
    },
    report.signatures.map(({ party, signature }) => ({ party, signature: hexToBytes(signature) })),
    { signers: committee.nodes.map(({ signer }) => signer), quorum: 4 },
  );
  expect(report.decryptionProof).toBe(bytesToHex(checked!.bytes));
});

test('every node gets the same bytes and the caller’s own authorization', async () => {
  await using net = await startCommittee({});
  await decryptPublic(net.committee, requestOf(2), PATIENT).finished;
  expect(new Set(net.nodes.flatMap(({ submissions }) => submissions)).size).toBe(1);
  for (const { authorizations } of net.nodes) expect(new Set(authorizations)).toEqual(new Set([`Bearer ${API_KEY}`]));
});

test('a node that is quick is asked once; the first one only says that it took the request', async () => {
  await using net = await startCommittee({ 1: { quick: true }, 2: { quick: true }, 3: { quick: true }, 4: {} });
  const { committee, nodes } = net;
  const calls: number[] = [];
  for (const id of ['00000000', '00000001']) {
    const before = nodes.map(({ authorizations }) => authorizations.length);
    const request = { ...requestOf(9), requestId: id.padEnd(64, '5') }; // asked first: party 1, then party 2
    const report = await decryptPublic(committee, request, PATIENT).finished;
    expect(report.nodes.map(({ verdict }) => verdict)).toEqual(['agreed', 'agreed', 'agreed', 'agreed']);
    calls.push(...nodes.map(({ authorizations }, index) => authorizations.length - before[index]!));
  }
  expect(calls).toEqual([2, 1, 1, 2, 1, 2, 1, 2]);
});

test('t+1 answers complete a request; the others are heard in the background', async () => {
  const opened = Promise.withResolvers<void>();
  const slow = { poll: after(opened.promise, honest) };
  await using net = await startCommittee({ 3: slow, 4: slow });
  const coordination = decryptPublic(net.committee, requestOf(3), PATIENT);
  const { signatures } = await coordination.agreed;
  expect(signatures.map(({ party }) => party)).toEqual([1, 2]);
  const early = coordination.report().nodes.map(({ verdict }) => verdict);
  expect(early).toEqual(['agreed', 'agreed', 'pending', 'pending']);
  opened.resolve();
  const { nodes } = await coordination.finished;
  expect(nodes.map(({ verdict }) => verdict)).toEqual(['agreed', 'agreed', 'agreed', 'agreed']);
});

const garbage: Behaviour = ({ response }) => response.writeHead(200).end(Buffer.alloc(300, 0xff));
const endless: Behaviour = ({ response }) => {
  const chunk = Buffer.alloc(64 * 1024, 0x20);
  const more = (): void => void (response.destroyed || response.write(chunk, more));
  more();
};
const changed =
  (change: Record<string, unknown>): Behaviour =>
  ({ response, answer }) =>
    json(response, 200, { ...answer(), ...change });

/** What a corrupt node may do instead of answering, and the reason that the report gives. */
const WRONG: Record<string, [Partial<TestNodeOptions>, RegExp]> = {
  'signs another value': [{ poll: lying }, /another result/],
  'sends bytes that are no JSON': [{ poll: garbage }, /no JSON/],
  'never stops sending': [{ poll: endless }, /more than \d+ bytes/],
  'redirects elsewhere': [
    { poll: ({ response }) => void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end() },
    /never reached|no result|redirect/,
  ],
  'signs with the key of another party': [{ signAs: 1 }, /not signed by/],
  'sends a broken signature': [{ poll: changed({ signature: 'ff'.repeat(65) }) }, /not signed by/],
  'sends no signature': [{ poll: changed({ signature: undefined }) }, /contract/],
  'answers another request': [{ poll: changed({ requestId: 'cd'.repeat(32) }) }, /another request/],
  'leaves a value out': [
    { poll: ({ response, answer }) => json(response, 200, { ...answer(), values: [answer().values].slice(1) }) },
    /handles asked for/,
  ],
  'signs words that are not the values it shows': [{ poll: changed({ abiEncoded: '00'.repeat(64) }) }, /does not say/],
  'sends a value outside of its type': [
    {
      poll: changed({
        values: requestOf(0).ciphertexts.map(({ handle }) => ({ handle, fheType: 'bool', value: '2' })),
      }),
    },
    /outside the range/,
  ],
  'invents a type': [
    {
      poll: changed({ values: requestOf(0).ciphertexts.map(({ handle }) => ({ handle, fheType: 'u7', value: '2' })) }),
    },
    /unknown type/,
  ],
  'answers 400 with a page': [{ poll: ({ response }) => void response.writeHead(400).end('<html>') }, /no JSON/],
  'answers 400 without an error': [{ poll: ({ response }) => json(response, 400, {}) }, /documented error/],
};

test.for(Object.entries(WRONG))('a node that %s is named, and the value is right', async ([, [behaviour, reason]]) => {
  await using net = await startCommittee({ 3: behaviour });
  const redirecting = /redirect/.test(String(reason));
  const coordination = decryptPublic(net.committee, requestOf(4), redirecting ? BRIEF : PATIENT);
  const { values } = await coordination.agreed;
  expect(values.map(({ value }) => value)).toEqual(VALUES);
  const { nodes, signatures } = await coordination.finished;
  expect(nodes[2]).toMatchObject({ party: 3, verdict: redirecting ? 'late' : 'wrong' });
  expect(nodes[2]?.reason).toMatch(reason);
  expect(signatures.map(({ party }) => party)).toEqual([1, 2, 4]);
});

test('a silent node is late, a node that is down is absent', async () => {
  const asked = Promise.withResolvers<void>();
  await using net = await startCommittee({ 2: { poll: () => asked.resolve() } });
  await net.nodes[3]!.close();
  const abort = new AbortController();
  const coordination = decryptPublic(net.committee, requestOf(5), { ...PATIENT, signal: abort.signal });
  await Promise.all([coordination.agreed, asked.promise]);
  abort.abort();
  const { nodes } = await coordination.finished;
  expect(nodes.map(({ verdict }) => verdict)).toEqual(['agreed', 'late', 'agreed', 'absent']);
});

const forgotten: Behaviour = ({ response }) => refuse(response, 404, 'REQUEST_UNKNOWN');
const cutOff: Behaviour = ({ response, request: { requestId } }) =>
  json(response, 200, { requestId, state: 'failed', error: { code: 'NODE_RESTARTED' } });

test.for([
  ['forgotten', forgotten],
  ['cut off', cutOff],
] as const)('a node in which a restart has %s the request gets it again', async ([, first]) => {
  const forgetful: Behaviour = (call) => {
    if (call.polls === 0) first(call);
    else honest(call);
  };
  await using net = await startCommittee({ 1: { poll: forgetful } });
  const { nodes } = await decryptPublic(net.committee, requestOf(6), PATIENT).finished;
  expect(nodes[0]).toMatchObject({ verdict: 'agreed' });
  expect(net.nodes[0]!.submissions).toHaveLength(2);
});

test('an overloaded node is asked again until it answers', async () => {
  const busy: Behaviour = (call) => {
    if (call.polls < 3) refuse(call.response, 503, 'POOL_EMPTY');
    else honest(call);
  };
  await using net = await startCommittee({ 1: { poll: busy } });
  const { nodes } = await decryptPublic(net.committee, requestOf(7), PATIENT).finished;
  expect(nodes[0]).toMatchObject({ verdict: 'agreed' });
});

test('when all honest nodes refuse, the caller gets their code at once', async () => {
  const refusing = { submit: (response) => refuse(response, 404, 'KEY_UNKNOWN') } satisfies Partial<TestNodeOptions>;
  await using net = await startCommittee({ 1: refusing, 2: refusing, 3: refusing, 4: { poll: silent } });
  const abort = new AbortController();
  const coordination = decryptPublic(net.committee, requestOf(8), { ...PATIENT, signal: abort.signal });
  await expect(coordination.agreed).rejects.toMatchObject({ code: 'REQUEST_REFUSED', nodeCode: 'KEY_UNKNOWN' });
  abort.abort();
  const report = await coordination.finished;
  expect(report).toMatchObject({ state: 'failed', values: [], signatures: [], error: { code: 'KEY_UNKNOWN' } });
});

test('the refusal of a corrupt node alone stops nobody', async () => {
  await using net = await startCommittee({ 1: { submit: (response) => refuse(response, 403, 'KEY_FORBIDDEN') } });
  const coordination = decryptPublic(net.committee, requestOf(9), PATIENT);
  await coordination.agreed;
  const { nodes } = await coordination.finished;
  expect(nodes[0]).toMatchObject({ verdict: 'refused', reason: 'KEY_FORBIDDEN' });
});

test('without t+1 equal results there is no value', async () => {
  await using net = await startCommittee({ 1: { poll: lying }, 2: { poll: silent }, 3: { poll: silent } });
  const coordination = decryptPublic(net.committee, requestOf(10), BRIEF);
  await expect(coordination.agreed).rejects.toMatchObject({ code: 'ANSWERS_TOO_FEW' });
  const { nodes, values } = await coordination.finished;
  expect(values).toEqual([]);
  expect(nodes.map(({ verdict }) => verdict)).toEqual(['answered', 'late', 'late', 'answered']);
});

test('an abort ends the wait and says so', async () => {
  const abort = new AbortController();
  const asked = Promise.withResolvers<void>();
  const hang = { poll: () => asked.resolve() };
  await using net = await startCommittee({ 1: hang, 2: hang, 3: hang, 4: hang });
  const coordination = decryptPublic(net.committee, requestOf(11), { ...PATIENT, signal: abort.signal });
  await asked.promise;
  abort.abort();
  await expect(coordination.agreed).rejects.toMatchObject({ code: 'ABORTED' });
});

test('faults that t+1 nodes report are named, a single accusation is not', async () => {
  const accusing = (party: number): Partial<TestNodeOptions> => ({
    poll: changed({ faults: [{ party, kind: 'wrong-share' }] }),
  });
  await using net = await startCommittee({ 1: accusing(3), 2: accusing(3), 3: accusing(1) });
  const { faults } = await decryptPublic(net.committee, requestOf(12), PATIENT).finished;
  expect(faults).toEqual([{ party: 3, kind: 'wrong-share', reportedBy: [1, 2] }]);
});
