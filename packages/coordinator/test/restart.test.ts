/** What is left after the process was killed, or after the disk damaged a record: real processes, real files. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Committee } from '@keyquorum/client/committee';
import { askCoordinator } from '@keyquorum/client/coordinator';
import { encodeAuthorization } from '@keyquorum/wire/authorization';
import { Level } from 'level';
import { expect, test } from 'vitest';
import {
  API_KEY,
  after,
  type Behaviour,
  honest,
  requestOf,
  startCommittee,
} from '../../client/test/support/test-node.ts';
import { startService, temporaryFolder } from './support/running-service.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const bearer = `Bearer ${API_KEY}`;
const signed = encodeAuthorization({
  requester: 'dapp',
  contentHash: new Uint8Array(32).fill(1),
  expires: Math.floor(Date.now() / 1_000) + 3_600,
  signature: new Uint8Array(64).fill(2),
});
const FINISHED = requestOf(1);
const WITH_KEY = { ...requestOf(2), keyId: 'ef'.repeat(32) };
const SIGNED = requestOf(3);
const PATIENT = { ...requestOf(4), keyId: 'cd'.repeat(32) };

interface Coordinator {
  readonly url: string;
  kill(): Promise<void>;
}

interface ProcessOptions {
  /** Of the process before, whose port it takes. */
  readonly url?: string;
  /** Longest file that it can write, in blocks of the shell: 512 or 1024 bytes. */
  readonly blocksMax?: number;
}

async function startProcess(
  committee: Committee,
  folder: string,
  { url = 'http://localhost:0', blocksMax }: ProcessOptions = {},
): Promise<Coordinator> {
  const config = join(folder, 'coordinator.json');
  const { threshold, gatewayChainId, decryptionContract } = committee;
  const nodes = committee.nodes.map(({ party, url, signer }) => ({ party, url, signer }));
  const network = { threshold, gatewayChainId: Number(gatewayChainId), decryptionContract, nodes };
  await writeFile(config, JSON.stringify({ ...network, folder: 'requests', port: Number(new URL(url).port) }));
  const limit = blocksMax === undefined ? '' : `ulimit -f ${blocksMax}; `;
  const command = ['-c', `${limit}exec "$0" "$@"`, process.execPath, MAIN, '--config', config];
  const child = spawn('sh', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) {
    const [, url] = /"msg":"Server listening at (http:[^"]+)"/.exec(line) ?? [];
    if (url === undefined) continue;
    child.stdout.resume(); // keeps the pipe from filling up
    return {
      url,
      async kill() {
        child.kill('SIGKILL');
        await exited;
      },
    };
  }
  throw new Error('the coordinator did not start');
}

const collection = (url: string) => `${url}/v1/public-decryptions`;

async function post(url: string, request: object, authorization: string): Promise<number> {
  const headers = { authorization, 'content-type': 'application/json' };
  const response = await fetch(collection(url), { method: 'POST', body: JSON.stringify(request), headers });
  return response.status;
}

async function read(url: string, requestId: string, authorization: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${collection(url)}/${requestId}?wait=20`, { headers: { authorization } });
  return (await response.json()) as Record<string, unknown>;
}

/** Ids and data of the events after that one, to the end. */
async function eventsAfter(url: string, requestId: string, authorization: string, lastId = '') {
  const headers = { authorization, 'last-event-id': lastId };
  const response = await fetch(`${collection(url)}/${requestId}/events`, { headers });
  const text = await response.text();
  return [...text.matchAll(/id: (.*)\nevent: (?:verdict|end)\ndata: (.*)\n\n/g)].map(([, id, data]) => ({ id, data }));
}

test('killed and started again: results stay, signed requests go on, others say what to do', async () => {
  const opened = Promise.withResolvers<void>();
  const patientAsked = Promise.withResolvers<void>();
  const held: Behaviour = (call) => {
    if (call.request.requestId === PATIENT.requestId) patientAsked.resolve();
    return call.request.requestId === FINISHED.requestId ? honest(call) : after(opened.promise, honest)(call);
  };
  await using net = await startCommittee({
    1: { poll: held },
    2: { poll: held },
    3: { poll: held },
    4: { poll: held },
  });
  await using place = await temporaryFolder();
  const submissionsOf = (id: string) =>
    net.nodes[0]!.submissions.filter((text) => text.includes(`"requestId":"${id}"`));

  const first = await startProcess(net.committee, place.folder);
  expect(await post(first.url, FINISHED, bearer)).toBe(202);
  const events = await eventsAfter(first.url, FINISHED.requestId, bearer); // to the end: all nodes have spoken
  const result = await read(first.url, FINISHED.requestId, bearer);
  expect(result).toMatchObject({ state: 'succeeded' });
  expect(await post(first.url, WITH_KEY, bearer)).toBe(202);
  expect(await post(first.url, SIGNED, signed)).toBe(202);
  const options = { authorization: bearer, deadlineMs: 50_000 };
  const patient = askCoordinator(net.committee, first.url, PATIENT, options); // polls, whatever happens
  await patientAsked.promise;
  await first.kill();

  const files = await readdir(join(place.folder, 'requests'));
  const stored = await Promise.all(files.map((file) => readFile(join(place.folder, 'requests', file), 'latin1')));
  expect(stored.join('')).toContain(SIGNED.requestId);
  expect(stored.join('')).not.toContain(API_KEY);

  const second = await startProcess(net.committee, place.folder, { url: first.url });
  try {
    expect(await read(second.url, FINISHED.requestId, bearer)).toEqual(result);
    expect(submissionsOf(FINISHED.requestId)).toHaveLength(1);
    expect(await eventsAfter(second.url, FINISHED.requestId, bearer, events[1]!.id)).toEqual(events.slice(2));
    const interrupted = await read(second.url, WITH_KEY.requestId, bearer);
    expect(interrupted).toMatchObject({ state: 'failed', error: { code: 'REQUEST_INTERRUPTED' } });
    opened.resolve();
    expect(await read(second.url, SIGNED.requestId, signed)).toMatchObject({ state: 'succeeded' });
    expect(new Set(submissionsOf(SIGNED.requestId)).size).toBe(1); // asked again with the same bytes
    expect(await post(second.url, WITH_KEY, bearer)).toBe(202);
    expect(await read(second.url, WITH_KEY.requestId, bearer)).toMatchObject({ state: 'succeeded' });
    expect(await post(second.url, { ...WITH_KEY, app: 'other' }, bearer)).toBe(409); // the id means what it meant
    expect((await patient).values).toMatchObject([{ value: '7' }, {}]); // the client sent it again
  } finally {
    await second.kill();
  }
}, 60_000);

test('a full disk: what was accepted stays, nothing more is, and it says so; with space all goes on', async () => {
  await using net = await startCommittee({});
  await using place = await temporaryFolder();
  const bytes = 'A'.repeat(400_000);
  const large = { ...SIGNED, ciphertexts: SIGNED.ciphertexts.map((each) => ({ ...each, bytes })) };
  const first = await startProcess(net.committee, place.folder, { blocksMax: 128 });
  expect(await post(first.url, FINISHED, bearer)).toBe(202);
  await eventsAfter(first.url, FINISHED.requestId, bearer); // to the end: all nodes have spoken
  const result = await read(first.url, FINISHED.requestId, bearer);
  expect((await fetch(`${first.url}/health/ready`)).status).toBe(200);
  expect(await post(first.url, large, signed)).toBe(503);
  expect(await post(first.url, PATIENT, bearer)).toBe(503); // whatever its size: what is not written is not promised
  expect((await fetch(`${first.url}/health/ready`)).status).toBe(503);
  expect(await read(first.url, FINISHED.requestId, bearer)).toEqual(result);
  await first.kill();

  const second = await startProcess(net.committee, place.folder, { url: first.url });
  try {
    expect((await fetch(`${second.url}/health/ready`)).status).toBe(200);
    expect(await read(second.url, FINISHED.requestId, bearer)).toEqual(result);
    expect(await post(second.url, large, signed)).toBe(202);
    expect(await read(second.url, SIGNED.requestId, signed)).toMatchObject({ state: 'succeeded' });
    expect(await post(second.url, PATIENT, bearer)).toBe(202);
  } finally {
    await second.kill();
  }
}, 60_000);

test('a damaged record is not served: the request is unknown, and sent again it is asked again', async () => {
  await using net = await startCommittee({});
  await using place = await temporaryFolder();
  const { folder } = place;
  const { committee } = net;
  const url = '/v1/public-decryptions';
  const headers = { authorization: bearer };
  const poll = { url: `${url}/${FINISHED.requestId}?wait=20`, headers };
  {
    await using service = await startService({ committee, folder });
    await service.app.inject({ method: 'POST', url, headers, payload: FINISHED });
    await service.app.inject({ url: `${url}/${FINISHED.requestId}/events`, headers });
  }
  const database = new Level<string, Uint8Array>(folder, { valueEncoding: 'view' });
  const record = (await database.get(FINISHED.requestId))!;
  const at = Buffer.from(record).indexOf('"value":"7"') + 9;
  await database.put(FINISHED.requestId, record.with(at, '8'.charCodeAt(0)));
  await database.close();
  await using service = await startService({ committee, folder });
  expect((await service.app.inject(poll)).json().error.code).toBe('REQUEST_UNKNOWN');
  expect((await service.app.inject({ url: '/metrics' })).body).toContain('keyquorum_coordinator_damaged_records 1');
  await service.app.inject({ method: 'POST', url, headers, payload: FINISHED });
  expect((await service.app.inject(poll)).json()).toMatchObject({ state: 'succeeded', values: [{ value: '7' }, {}] });
  expect(net.nodes[0]!.submissions).toHaveLength(2);
});

test('stopped in order, a signed request goes on, too; with no room for it, it says so', async () => {
  const opened = Promise.withResolvers<void>();
  const held = { poll: after(opened.promise, honest) };
  await using net = await startCommittee({ 1: held, 2: held, 3: held, 4: held });
  await using place = await temporaryFolder();
  const { folder } = place;
  const { committee } = net;
  const url = '/v1/public-decryptions';
  const headers = { authorization: signed };
  const poll = { url: `${url}/${SIGNED.requestId}?wait=20`, headers };
  {
    await using service = await startService({ committee, folder });
    await service.app.inject({ method: 'POST', url, headers, payload: SIGNED });
  }
  {
    await using service = await startService({ committee, folder });
    expect((await service.app.inject({ ...poll, url: `${url}/${SIGNED.requestId}` })).json().state).toBe('pending');
  }
  {
    await using service = await startService({ committee, folder, limits: { running: 0 } });
    const { state, error } = (await service.app.inject(poll)).json();
    expect([state, error.code]).toEqual(['failed', 'REQUEST_INTERRUPTED']);
  }
  opened.resolve();
  await using service = await startService({ committee, folder });
  await service.app.inject({ method: 'POST', url, headers, payload: SIGNED });
  expect((await service.app.inject(poll)).json()).toMatchObject({ state: 'succeeded' });
});
