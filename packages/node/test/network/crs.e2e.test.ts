/**
 * A reference string from a network of real nodes, asked for and checked as operators do it. The fourth node is down:
 * its turn is skipped, and it takes the result from the others when it is back.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crsDigest, decodeCrsFile } from '@keyquorum/crs/crs-file';
import { crsGenerationDigest } from '@keyquorum/wire/eip712';
import { recoverSigner } from '@keyquorum/wire/signer';
import { Check } from 'typebox/value';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CrsBody, Status } from '../../src/rest/schemas.ts';
import { type TestNetwork, testNetwork } from './in-process.ts';

const DOMAIN = { chainId: 654_321, verifyingContract: `0x${'44'.repeat(20)}` } as const;
const PROGRAM = join(import.meta.dirname, '../../src/cli/keyquorum.ts');
const crsId = 'c5'.repeat(32);
const maxBits = 1;
let network: TestNetwork;

beforeAll(async () => {
  network = await testNetwork(afterAll, (toml) =>
    toml
      .replace(/parameters = .*/, 'parameters = ["default", "base", "test"]')
      .replace(/roundMs = .*/, 'roundMs = 1500\ncrsTurnSeconds = 300') // nodes share one event loop and two cores here
      .replace('[keys]', '[pool]\ntarget = 0\nbatch = 512\n\n[keys]'),
  );
  await Promise.all([1, 2, 3].map((party) => network.start(party)));
  await Promise.all([1, 2, 3].map(connected));
});

/** Until the three nodes see each other. */
async function connected(party: number): Promise<void> {
  for (;;) {
    const { body } = await network.ask(party, 'GET', '/v1/status');
    if (Check(Status, body) && body.peers.filter(({ up }) => up).length === 2) return;
    await new Promise<void>((retry) => setImmediate(retry));
  }
}

async function state(party: number, wait = 0): Promise<CrsBody> {
  const { body } = await network.ask(party, 'GET', `/v1/crs/${crsId}?wait=${wait}`);
  if (!Check(CrsBody, body)) throw new Error(`unexpected answer ${JSON.stringify(body)}`);
  return body;
}

/** Of the `keyquorum` command; this process serves the node that it calls. */
function command(...args: string[]): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [PROGRAM, ...args]);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('close', (status) => resolve({ status, output }));
  });
}

test('three of four nodes make one, and say who contributed', async () => {
  const body = { requestId: crsId, parameters: 'test', maxBits };
  const { status } = await network.ask(2, 'POST', '/v1/crs', body);
  expect(status).toBe(202);
  expect((await network.ask(2, 'POST', '/v1/crs', { ...body, maxBits: 2 })).status).toBe(409);
  for (const party of [2, 1, 3]) {
    let crs = await state(party, 60); // first who was asked: the others may not have heard yet
    while (crs.state === 'pending' || crs.state === 'running') crs = await state(party, 60);
    expect(crs, JSON.stringify(crs.error)).toMatchObject({ state: 'succeeded', contributors: [1, 2, 3], maxBits });
  }
});

test('the file is the same everywhere, and signed by each node', async () => {
  const [first] = await Promise.all([1, 2, 3].map((party) => state(party)));
  for (const party of [1, 2, 3]) {
    const { file } = await state(party);
    expect(file!.digest).toBe(first!.file!.digest);
    const outcome = {
      crsId: BigInt(`0x${crsId}`),
      maxBitLength: BigInt(maxBits),
      crsDigest: new Uint8Array(Buffer.from(file!.digest, 'hex')),
      extraData: new Uint8Array(0),
    };
    const { body } = await network.ask(party, 'GET', '/v1/status');
    if (!Check(Status, body)) throw new Error('no status');
    const signature = new Uint8Array(Buffer.from(file!.signature, 'hex'));
    expect(recoverSigner(crsGenerationDigest(DOMAIN, outcome), signature)).toBe(body.signer);
  }
  const bytes = await (await network.fetch(1, `/v1/material/${first!.file!.digest}`)).bytes();
  expect(Buffer.from(crsDigest(bytes)).toString('hex')).toBe(first!.file!.digest);
  expect(decodeCrsFile(bytes).shape).toMatchObject({ dimension: 512, blocks: 1 });
  const range = await network.fetch(3, `/v1/material/${first!.file!.digest}`, { range: 'bytes=8-10' });
  expect([range.status, await range.text()]).toEqual([206, '0.5']);
});

test('the fourth node takes it from the others when it starts', async () => {
  await network.start(4);
  for (;;) {
    const { status } = await network.ask(4, 'GET', `/v1/crs/${crsId}`);
    if (status === 200) break;
    await new Promise<void>((retry) => setImmediate(retry));
  }
  expect(await state(4)).toMatchObject({ state: 'succeeded', contributors: [1, 2, 3] });
});

test('keyquorum verify-crs checks it from the network file alone, and sees a changed byte', async () => {
  const [made] = network.nodes;
  const networkFile = join(dirname(made!.config), 'network.toml');
  const online = await command('verify-crs', `${made!.rest}/v1/crs/${crsId}`, '--network', networkFile);
  expect(online, online.output).toMatchObject({ status: 0 });
  for (const party of [1, 2, 3]) expect(online.output).toContain(`party ${party} contributed`);
  expect(online.output).not.toContain('party 4 contributed');

  const folder = await mkdtemp(join(tmpdir(), 'keyquorum-crs-'));
  const { file } = await state(1);
  const bytes = await (await network.fetch(1, `/v1/material/${file!.digest}`)).bytes();
  const transcript = await (await network.fetch(1, `/v1/crs/${crsId}/transcript`)).bytes();
  await writeFile(join(folder, 'transcript'), transcript);
  await writeFile(join(folder, 'changed'), bytes.with(5_000, bytes[5_000]! ^ 1));
  const check = ['--network', networkFile, '--transcript', join(folder, 'transcript')];
  const changed = await command('verify-crs', join(folder, 'changed'), ...check);
  expect(changed).toMatchObject({ status: 9, output: expect.stringContaining('CRS_TRANSCRIPT_FILE') });
  expect((await readFile(join(folder, 'transcript'))).length).toBeLessThan(3_000);
  await rm(folder, { recursive: true });
});

test('what is refused', async () => {
  const post = async (body: object) => {
    const { status, body: answer } = await network.ask(1, 'POST', '/v1/crs', { requestId: 'aa'.repeat(32), ...body });
    return [status, (answer as { error: { code: string } }).error.code];
  };
  expect(await post({ parameters: 'test', maxBits: 3 })).toEqual([422, 'CRS_PARAMETERS']);
  expect(await post({ parameters: 'test', maxBits: 4096 })).toEqual([400, 'BODY_INVALID']);
  expect(await post({ maxBits: 8 })).toEqual([400, 'BODY_INVALID']);
  expect(await post({ keyId: 'bb'.repeat(32) })).toEqual([404, 'KEY_UNKNOWN']);
  expect((await network.ask(1, 'GET', `/v1/crs/${'bb'.repeat(32)}/transcript`)).status).toBe(404);
});
