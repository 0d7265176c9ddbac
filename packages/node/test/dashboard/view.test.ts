/** What the dashboard tells an operator: of what is wrong, everything; of what is right, little. */
import { expect, test } from 'vitest';
import type { Snapshot } from '../../src/dashboard/view.mjs';
import { ceremonyRows, concernsOf, factsOf, keyRows, peerRows, poolOf, stateOf } from '../../src/dashboard/view.mjs';
import type { CeremonyBody, Status } from '../../src/rest/schemas.ts';

const NOW_MS = 1_000_000_000;
const id = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);

const PEERS: Status['peers'] = [2, 3, 4].map((party) => ({
  ...{ party, up: true, address: `/ip4/10.0.0.${party}/tcp/7101`, latencyMs: 12.34, queuedBytes: 0, reconnects: 0 },
  problem: '',
}));

const HEALTHY: Status = {
  ...{ party: 1, parties: 4, threshold: 1, network: 'acme', networkDigest: 'ab'.repeat(32), version: '0.1.0' },
  ...{ epoch: 1, ready: true, reason: '', signer: `0x${'11'.repeat(20)}`, uptimeSeconds: 93_784, faults: false },
  eip712: { gatewayChainId: 1, decryptionContract: `0x${'22'.repeat(20)}` },
  pool: { available: 6_000, target: 8_000, batches: 6, settled: true, refillPerSecond: 0, reason: '' },
  keys: [{ id: id(9), purpose: 'production', parameters: 'default', epoch: 1 }],
  material: { objects: 4, verified: 4, damaged: [] },
  peers: PEERS,
};

function ceremony(change: Partial<CeremonyBody>): CeremonyBody {
  return {
    ...{ id: id(1), kind: 'keygen', state: 'succeeded', phase: 'publish', done: 10, total: 10, bytesSent: 0 },
    ...{ startedMs: NOW_MS - 60_000, changedMs: NOW_MS - 1_000, deadlineMs: NOW_MS, waitingFor: [], etaSeconds: null },
    ...change,
  };
}

const shown = (change: Partial<Snapshot> = {}): Snapshot => {
  return { status: HEALTHY, ceremonies: [], referenceStrings: [], evidence: [], ...change };
};
const wrong = (status: Partial<Status>) => concernsOf(shown({ status: { ...HEALTHY, ...status } }), NOW_MS);

test('a healthy node needs no attention', () => {
  expect(concernsOf(shown({ ceremonies: [ceremony({})] }), NOW_MS)).toEqual([]);
  expect(stateOf(HEALTHY)).toEqual({ text: 'ready', tone: 'good' });
  expect(Object.fromEntries(factsOf(HEALTHY))).toMatchObject({ 'network digest': 'abababab', 'up for': '1 d 2 h' });
});

test.for<[string, Partial<Status>, RegExp]>([
  ['told to misbehave', { faults: true }, /misbehave/],
  ['not ready', { ready: false, reason: '2 peers are connected' }, /not ready: 2 peers/],
  ['a peer is away', { peers: [{ ...PEERS[0]!, up: false, problem: 'other n' }] }, /no link to party 2: other n/],
  ['an empty pool', { pool: { ...HEALTHY.pool, available: 0, reason: 'party 3 is silent' } }, /party 3 is silent/],
  ['damage', { material: { ...HEALTHY.material, damaged: [id(1)] } }, /1 public objects are damaged/],
  ['storage', { material: { ...HEALTHY.material, s3: { published: 0, problem: '403' } } }, /publishing fails: 403/],
])('%s: said, with advice', ([, status, what]) => {
  const concerns = wrong(status);
  expect(concerns).toMatchObject([{ what: expect.stringMatching(what), advice: expect.stringMatching(/\w/) }]);
});

test('a pool that is off on purpose, and published material, are nothing to worry about', () => {
  expect(wrong({ pool: { ...HEALTHY.pool, available: 0, target: 0 } })).toEqual([]);
  expect(wrong({ material: { ...HEALTHY.material, s3: { published: 4, problem: '' } } })).toEqual([]);
});

test('what failed today, and who is proven corrupt, in words', () => {
  const error = { code: 'OPENING_STALLED', message: 'no answer of party 3', culprits: [], absent: [3] };
  const failed = ceremony({ state: 'failed', error });
  const old = ceremony({ ...failed, id: id(2), changedMs: NOW_MS - 90_000_000 });
  const proof = { id: id(3), size: 1, party: 3, kind: 'wrong-share', ceremony: 'keygen', ceremonyId: id(1) } as const;
  const evidence = [{ ...proof, attempt: 0, session: id(4), step: 'bits' }];
  expect(concernsOf(shown({ ceremonies: [failed, old], evidence }), NOW_MS)).toEqual([
    { what: 'party 3 is proven corrupt: wrong-share in bits', advice: expect.stringContaining('verify-evidence') },
    { what: 'key 01010101 failed: OPENING_STALLED', advice: 'no answer of party 3' },
  ]);
});

test('alike failures together; none of what nodes repeat by themselves and has worked since', () => {
  const error = { code: 'OPENING_STALLED', message: 'no answer of party 3', culprits: [], absent: [3] };
  const batch = (byte: number, state: CeremonyBody['state']) => {
    const changedMs = NOW_MS - 1_000 * byte;
    return ceremony({ id: id(byte), kind: 'preprocessing', state, changedMs, ...(state === 'failed' && { error }) });
  };
  const told = (ceremonies: CeremonyBody[]) => concernsOf(shown({ ceremonies }), NOW_MS);
  expect(told([batch(3, 'failed'), batch(1, 'failed'), batch(2, 'failed'), batch(4, 'succeeded')])).toEqual([
    { what: 'material 01010101 failed: OPENING_STALLED', advice: 'no answer of party 3; 2 more like it' },
  ]);
  const late = { code: 'EPOCH_START_FAILED', message: 'late', culprits: [], absent: [] };
  const started = [
    ceremony({ kind: 'epoch', state: 'failed', error: late, changedMs: NOW_MS - 9_000 }),
    ceremony({ kind: 'epoch' }),
  ];
  expect(told([batch(3, 'failed'), batch(2, 'failed'), batch(1, 'succeeded'), ...started])).toEqual([]);
  const key = ceremony({ state: 'failed', error: late, changedMs: NOW_MS - 9_000 });
  expect(told([key, ceremony({ id: id(2) })]).length).toBe(1);
});

test('progress of what runs: phase, bar, time left, who is waited for', () => {
  const running = ceremony({ kind: 'crs', state: 'running', phase: 'verify', done: 3, total: 12, etaSeconds: 75 });
  const [row] = ceremonyRows(shown({ ceremonies: [{ ...running, waitingFor: [2, 4] }] }), NOW_MS);
  expect(row).toEqual([
    { text: 'reference string 01010101' },
    { text: 'running', tone: 'busy' },
    { text: 'verify, 1 min 15 s left, waits for party 2, 4', progress: 0.25 },
    { text: '1 min 0 s ago', tone: 'quiet' },
  ]);
});

test('the newest ceremonies first; of material only the last batch, what runs and what failed', () => {
  const batch = (byte: number, state: CeremonyBody['state']) => {
    return ceremony({ id: id(byte), kind: 'preprocessing', state, startedMs: NOW_MS - 1_000 * byte });
  };
  const ceremonies = [
    ...[batch(6, 'succeeded'), batch(5, 'failed'), batch(4, 'succeeded'), batch(3, 'succeeded'), batch(1, 'running')],
    ceremony({ id: id(2), startedMs: NOW_MS - 2_000 }),
  ];
  const rows = ceremonyRows(shown({ ceremonies }), NOW_MS);
  expect(rows.map(([name]) => name?.text)).toEqual([
    ...['material 01010101', 'key 02020202', 'material 03030303', 'material 05050505'],
  ]);
});

test('pool, peers and keys as they are', () => {
  expect(poolOf(HEALTHY)).toEqual({ text: '6000 of 8000 blocks', progress: 0.75 });
  const filling = { ...HEALTHY.pool, refillPerSecond: 812.4, reason: 'why' };
  expect(poolOf({ ...HEALTHY, pool: filling }).text).toBe('6000 of 8000 blocks, 812 a second are made; why');
  const full = { ...filling, available: 9_000, reason: '' };
  expect(poolOf({ ...HEALTHY, pool: full })).toEqual({ text: '9000 of 8000 blocks', progress: 1 });
  expect(peerRows(HEALTHY)[0]?.map(({ text }) => text)).toEqual([
    ...['party 2', 'up', '12.3\u00a0ms', '/ip4/10.0.0.2/tcp/7101', ''],
  ]);
  const made = { requestId: id(7), state: 'succeeded', phase: '', done: 1, total: 1, maxBits: 2048 } as const;
  const referenceStrings = [
    { ...made, contributors: [1, 3] },
    { ...made, state: 'running' as const, contributors: [] },
  ];
  expect(keyRows(shown({ referenceStrings })).map((row) => row.map(({ text }) => text))).toEqual([
    [id(9), 'key, default, production', ''],
    [id(7), 'reference string, 2048 bits', 'contributed: party 1, 3'],
  ]);
});
