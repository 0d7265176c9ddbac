/**
 * Goal: key material is published to object storage by every node; what a disk has lost or changed is refused, reported
 * and repaired, over real stores and links.
 * Method: four real nodes in this process and a real S3 server make and publish one test key; then files of node 3 are
 * damaged. No pool: nothing is decrypted here.
 */
import { readdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { keyDigest } from '@keyquorum/wire/digest';
import type { Static, TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { beforeAll, expect, test } from 'vitest';
import { ErrorBody, KeyBody, type Status } from '../../src/rest/schemas.ts';
import { DATA_FOLDER } from '../../src/setup/node-toml.ts';
import { PUBLIC_FOLDER } from '../../src/store/layout.ts';
import { endOfFile, temporaryFolder } from '../folders.ts';
import { BUCKET, CREDENTIALS, objectStorage } from '../material/object-storage.ts';
import { type Answer, type TestNetwork, testNetwork } from './in-process.ts';

const PARTIES = [1, 2, 3, 4] as const;
const VICTIM = 3;
const MINUTE_MS = 60_000;
const keyId = '6b'.repeat(32);
const onEnd = endOfFile();
let network: TestNetwork;

function as<Schema extends TSchema>(schema: Schema, { body }: Answer): Static<Schema> {
  if (!Check(schema, body)) throw new Error(`unexpected answer ${JSON.stringify(body)}`);
  return body;
}

async function keyAt(party: number): Promise<KeyBody> {
  for (;;) {
    const key = as(KeyBody, await network.ask(party, 'GET', `/v1/keys/${keyId}?wait=30`));
    if (key.state !== 'pending' && key.state !== 'running') return key;
  }
}

const allVerified = ({ material: { objects, verified } }: Status): boolean => objects === 4 && verified === 4;

const digestOf = async (answer: Response) =>
  Buffer.from(keyDigest(new Uint8Array(await answer.arrayBuffer()))).toString('hex');

beforeAll(async () => {
  const { endpoint } = await objectStorage(onEnd);
  const credentialsFile = join(await temporaryFolder(onEnd), 'credentials');
  await writeFile(credentialsFile, `${CREDENTIALS.accessKeyId}:${CREDENTIALS.secretAccessKey}\n`, { mode: 0o600 });
  network = await testNetwork(onEnd, (toml) => {
    const prefix = `party-${/^party = (\d+)/m.exec(toml)?.[1]}`;
    const s3 = Object.entries({ endpoint, bucket: BUCKET, prefix, credentialsFile });
    const section = ['[material.s3]', ...s3.map(([field, value]) => `${field} = "${value}"`)].join('\n');
    const quick = toml.replace(/roundMs = .*/, 'roundMs = 3000').replace('[keys]', '[pool]\ntarget = 0\n\n[keys]');
    return `${quick}\n${section}\n`;
  });
  await Promise.all(PARTIES.map((party) => network.start(party)));
  await Promise.all(PARTIES.map((party) => network.statusWhen(party, ({ epoch }) => epoch > 0)));
  await network.ask(2, 'POST', '/v1/keys', { requestId: keyId, parameters: 'test' });
  for (const party of [2, 1, 3, 4]) expect(await keyAt(party)).toMatchObject({ state: 'succeeded' });
}, 5 * MINUTE_MS);

test('every node publishes its key, and lists what anybody can read there', async () => {
  for (const party of PARTIES) {
    await network.statusWhen(party, ({ material }) => material.s3?.published === 4);
    const { objects } = await keyAt(party);
    for (const { digest, uris } of objects) {
      expect(uris).toHaveLength(2);
      expect(uris[1]).toMatch(new RegExp(`/${BUCKET}/party-${party}/${digest}$`));
      expect(await digestOf(await fetch(uris[1]!))).toBe(digest);
    }
  }
  expect(await (await network.fetch(1, '/metrics')).text()).toContain('keyquorum_material_published 4');
});

test('size and tag are told without the bytes', async () => {
  const { digest, size } = (await keyAt(VICTIM)).objects.at(-1)!;
  const { status, headers } = await fetch(`${network.nodes[VICTIM - 1]!.rest}/v1/material/${digest}`, {
    method: 'HEAD',
  });
  expect([status, headers.get('content-length'), headers.get('etag')]).toEqual([200, String(size), `"${digest}"`]);
});

test('a disk that lost parts of a key: refused while alone, repaired by peers, served again', async () => {
  for (const party of PARTIES) await network.stop(party);
  const folder = join(dirname(network.nodes[VICTIM - 1]!.config), DATA_FOLDER, PUBLIC_FOLDER);
  const files = (await readdir(folder)).filter((name) => /^bodies~.*\.bin$/.test(name)).sort();
  const [digests, ...chunks] = files.reverse(); // digits stand before letters
  expect(digests).toMatch(/digests/);
  await unlink(join(folder, chunks[0]!));
  for (const name of [digests!, chunks.at(-1)!]) {
    const bytes = await readFile(join(folder, name));
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(join(folder, name), bytes);
  }
  await network.start(VICTIM);
  const { material } = await network.statusWhen(VICTIM, (status) => status.material.damaged.length === 4);
  const [digest = ''] = material.damaged;
  const refused = await network.ask(VICTIM, 'GET', `/v1/material/${digest}`);
  expect(as(ErrorBody, refused).error.code).toBe('MATERIAL_DAMAGED');
  expect([refused.status, refused.headers.get('cache-control')]).toEqual([503, null]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);

  await Promise.all([1, 2].map((party) => network.start(party)));
  await network.statusWhen(VICTIM, allVerified);
  for (const object of (await keyAt(VICTIM)).objects) {
    expect(await digestOf(await network.fetch(VICTIM, `/v1/material/${object.digest}`))).toBe(object.digest);
  }
  const metrics = await (await network.fetch(VICTIM, '/metrics')).text();
  expect(metrics).toContain('keyquorum_material_parts_fetched 2');
  expect(metrics).toContain('keyquorum_material_objects{state="damaged"} 0');
});

test('damage that is met while an object is read ends the answer early; then it is repaired', async () => {
  const folder = join(dirname(network.nodes[VICTIM - 1]!.config), DATA_FOLDER, PUBLIC_FOLDER);
  const chunks = (await readdir(folder)).filter((name) => /^bodies~.*~\d+\.bin$/.test(name));
  const last = chunks.toSorted((one, other) => one.length - other.length || (one < other ? -1 : 1)).at(-1)!;
  await unlink(join(folder, last));
  const { digest, size } = (await keyAt(VICTIM)).objects.at(-1)!;
  const cut = await network.fetch(VICTIM, `/v1/material/${digest}`);
  expect(cut.headers.get('content-length')).toBe(String(size));
  await expect(cut.arrayBuffer()).rejects.toThrow();
  await network.statusWhen(VICTIM, allVerified);
  expect(await digestOf(await network.fetch(VICTIM, `/v1/material/${digest}`))).toBe(digest);
});
