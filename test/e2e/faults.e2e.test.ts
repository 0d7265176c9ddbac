/** What one corrupt, killed or restarted process of four can do to the others: nothing but be named. */
import { randomBytes } from 'node:crypto';
import { decryptPublic } from '@keyquorum/client/public-decryption';
import type { CrsBody } from '@keyquorum/node/rest/schemas';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { statusOf } from '../../scripts/network/committee.ts';
import { decrypt, decryptionOf, decryptionRequest } from '../../scripts/network/decryption.ts';
import { randomSample, type Sample, type SampleType } from '../../scripts/network/encryption.ts';
import { finishedKey } from '../../scripts/network/key-generation.ts';
import type { FaultSwitch } from '../../scripts/network/node-process.ts';
import { finishedReferenceString } from '../../scripts/network/reference-string.ts';
import { waitFor } from '../../scripts/network/rest.ts';
import { PARTIES, type RunningNetwork, START_MS, startNetwork } from './running-network.ts';

const RECOVERY_MS = 60_000;
/** Four small contributions, on a busy machine. */
const CRS_MS = 180_000;
/** After so many a liar that answers at all has been in time for once. */
const REQUESTS_MAX = 30;
let running: RunningNetwork;

beforeAll(async () => {
  running = await startNetwork({ blocks: 8_192 });
}, START_MS);
afterAll(() => running?.[Symbol.asyncDispose]());

const requestFor = (samples: readonly Sample[]) =>
  decryptionRequest(running.key.requestId, running.encryptor.encrypt(samples, 'packed'));

/** Decrypts fresh values at the party; their faults are returned. */
async function decryptsAt(party: number, types: readonly SampleType[] = ['bool', 'uint8', 'uint64']) {
  const samples = types.map(randomSample);
  const { values, faults } = await decrypt(running.network.rest(party), requestFor(samples));
  expect(values.map(({ value }) => value)).toEqual(samples.map(({ value }) => String(value)));
  return faults;
}

async function restart(party: number, fault?: FaultSwitch): Promise<void> {
  const { network } = running;
  await network.stop(party);
  await network.start(party, fault);
  await network.ready(party);
}

test('a killed node is not missed, comes back, and catches up', async () => {
  const { network, key } = running;
  await network.kill(4);
  for (const party of [1, 2, 3]) await decryptsAt(party);
  await network.start(4);
  await network.ready(4);
  const restored = await finishedKey(network.rest(4), key.requestId, RECOVERY_MS);
  expect(restored.objects.map(({ digest }) => digest)).toEqual(key.objects.map(({ digest }) => digest));
  await waitFor({ what: 'epoch of party 4', withinMs: RECOVERY_MS }, async () => {
    const [mine, theirs] = await Promise.all([statusOf(network, 4), statusOf(network, 1)]);
    return mine.epoch === theirs.epoch && mine.pool.available > 0 ? true : undefined;
  });
  await decryptsAt(4);
});

test('a node killed with a request under way loses nothing', async () => {
  const { network } = running;
  const sample = randomSample('uint256');
  const request = requestFor([sample]);
  await network.rest(1).post('/v1/public-decryptions', request);
  await network.kill(1);
  await network.start(1);
  await network.ready(1);
  const { values } = await decrypt(network.rest(1), request);
  expect(values[0]?.value).toBe(String(sample.value));
});

test('all nodes killed at once: key, answers and service come back', async () => {
  const { network } = running;
  const request = requestFor([{ type: 'uint32', value: 31_415n }]);
  const before = await decrypt(network.rest(2), request);
  await Promise.all(PARTIES.map((party) => network.kill(party)));
  await network.startAll();
  await network.allReady();
  const after = await decryptionOf(network.rest(2), request.requestId);
  expect([after.values, after.signature]).toEqual([before.values, before.signature]);
  for (const party of PARTIES) await decryptsAt(party, ['uint16']);
});

/** Resolves when the reference string is in this turn at party 1. */
async function inTurn(id: string, turn: number): Promise<void> {
  await waitFor({ what: `turn ${turn}`, withinMs: CRS_MS }, async () => {
    const { done, state } = await running.network.rest(1).get<CrsBody>(`/v1/crs/${id}`);
    return (state === 'running' && done >= turn - 1) || undefined;
  });
}

test('one node killed between contributions, then all: a reference string is made from what was accepted', async () => {
  const { network } = running;
  const id = randomBytes(32).toString('hex');
  await network.rest(1).post('/v1/crs', { requestId: id, parameters: 'test', maxBits: 1 });
  await inTurn(id, 2);
  await network.kill(4);
  await network.start(4);
  await inTurn(id, 3);
  await Promise.all(PARTIES.map((party) => network.kill(party)));
  await network.startAll();
  const finished = (party: number) => finishedReferenceString(network.rest(party), id, CRS_MS);
  const all = await Promise.all(PARTIES.map(finished));
  for (const { contributors, file } of all) {
    expect(contributors).toEqual([...PARTIES]);
    expect(file!.digest).toBe(all[0]!.file!.digest);
  }
  await network.allReady();
});

test('a node that sends wrong shares changes no value and is named by the others', async () => {
  const { network, committee } = running;
  await restart(3, 'wrong-share');
  for (const party of [1, 2, 4]) await decryptsAt(party);
  const options = { authorization: `Bearer ${network.apiKey}`, deadlineMs: 30_000 };
  let named = false;
  // A share that comes after 2t+1 others were right is too late for an answer: nobody needed to look at it.
  for (let request = 0; !named && request < REQUESTS_MAX; request++) {
    const sample = randomSample('uint64');
    const { values, faults } = await decryptPublic(committee, requestFor([sample]), options).finished;
    expect(values[0]?.value).toBe(String(sample.value));
    for (const fault of faults) expect(fault).toMatchObject({ party: 3 });
    named = faults.some(({ kind }) => kind === 'wrong-share');
  }
  expect(named).toBe(true);
  await restart(3);
});

test('a silent node and a slow node cost time, not values; honest nodes are never called liars', async () => {
  for (const fault of ['silent', 'slow:200'] as const) {
    await restart(2, fault);
    const faults = [...(await decryptsAt(1)), ...(await decryptsAt(3)), ...(await decryptsAt(4))];
    for (const { party, kind } of faults) {
      expect(party).toBe(2);
      expect(['silent', 'late']).toContain(kind);
    }
  }
  await restart(2);
});

test('an equivocating node changes no value', async () => {
  await restart(4, 'equivocate');
  for (const party of [1, 2, 3]) {
    for (const fault of await decryptsAt(party)) expect(fault.party).toBe(4);
  }
  await restart(4);
});

test('a node whose link and process come and go leaves the coordinator with n-1 signatures', async () => {
  const { network, committee } = running;
  await network.kill(2);
  const coordination = decryptPublic(committee, requestFor([{ type: 'uint8', value: 200n }]), {
    authorization: `Bearer ${network.apiKey}`,
    deadlineMs: 5_000,
  });
  expect((await coordination.agreed).values[0]?.value).toBe('200');
  const { nodes, signatures } = await coordination.finished;
  expect(nodes.map(({ verdict }) => verdict)).toEqual(['agreed', 'absent', 'agreed', 'agreed']);
  expect(signatures.map(({ party }) => party)).toEqual([1, 3, 4]);
  await network.start(2);
  await network.ready(2);
});
