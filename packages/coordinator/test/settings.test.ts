/** The settings file: what is filled in, and what is refused with a word on the field. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSettings } from '../src/settings.ts';
import { temporaryFolder } from './support/running-service.ts';

const CONTRACT = `0x${'44'.repeat(20)}`;
const LEAST = {
  ...{ threshold: 1, gatewayChainId: 654_321, decryptionContract: CONTRACT, folder: 'requests' },
  nodes: [{ party: 1, url: 'http://127.0.0.1:4001', signer: CONTRACT }],
};

async function read(content: unknown) {
  await using place = await temporaryFolder();
  const path = join(place.folder, 'coordinator.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return { ...(await readSettings(path)), beside: join(place.folder, 'requests') };
}

test('what is not said is filled in; the folder is beside the file', async () => {
  const { beside, folder, committee, limits, ...rest } = await read({ ...LEAST, limits: { kept: 5 } });
  expect(folder).toBe(beside);
  expect(committee).toMatchObject({ threshold: 1, gatewayChainId: 654_321n, nodes: LEAST.nodes });
  expect(limits).toMatchObject({ kept: 5, running: 256, waitingPerCaller: 64 });
  expect(rest).toMatchObject({ host: '127.0.0.1', port: 8080, trustProxy: false, collectSeconds: 15 });
});

const { folder: _, ...HOMELESS } = LEAST;

test.each<[string, unknown, RegExp]>([
  ['no JSON', '{', /no JSON/],
  ['no folder', HOMELESS, /folder/],
  ['a field nobody knows', { ...LEAST, surprise: 1 }, /\/surprise: unknown/],
  ['a port out of range', { ...LEAST, port: 65_536 }, /port/],
  ['room for less than a batch', { ...LEAST, limits: { running: 63 } }, /limits\/running/],
  ['no address', { ...LEAST, decryptionContract: '0x44' }, /decryptionContract/],
  ['a megabyte', `${JSON.stringify(LEAST)}${' '.repeat(2 ** 20)}`, /longer/],
])('%s: refused', async (_, content, message) => {
  await expect(read(content)).rejects.toMatchObject({
    code: 'SETTINGS_INVALID',
    message: expect.stringMatching(message),
  });
});

test('a file that is not there: refused', async () => {
  await expect(readSettings('not-there.json')).rejects.toMatchObject({ code: 'SETTINGS_INVALID' });
});
