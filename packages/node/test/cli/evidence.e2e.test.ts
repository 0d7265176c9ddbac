/** `keyquorum verify-evidence` as somebody uses it who was sent a file: no node, no store, only network.toml. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encodeEvidenceFile } from '@keyquorum/protocols/evidence/file';
import { beforeAll, expect, test } from 'vitest';
import {
  accuse,
  accuseOfBroken,
  accuseOfTwo,
  type ChangeBody,
  type Committee,
  committeeOf,
  flipped,
  makeBatch,
  makeEpoch,
  makeKeygen,
} from '../../../protocols/test/support/made-evidence.ts';
import { readNodeConfig } from '../../src/config/config.ts';
import { readUnlock } from '../../src/config/unlock.ts';
import { loadIdentity } from '../../src/daemon/identity.ts';
import { createDemoNetwork } from '../../src/setup/demo-network.ts';
import { openStore } from '../../src/store/store.ts';
import { random, temporaryFolder } from '../folders.ts';

const PROGRAM = join(import.meta.dirname, '../../src/cli/keyquorum.ts');
let folder: string;
let networkFile: string;
let committee: Committee;

/** The parties of a demo network, with the keys from their stores. */
beforeAll(async () => {
  const folders: (() => Promise<void>)[] = [];
  folder = join(await temporaryFolder((task) => folders.push(task)), 'demo');
  const nodes = await createDemoNetwork({ folder, parties: 4, threshold: 1, basePort: 1 });
  networkFile = join(dirname(nodes[0]!.config), 'network.toml');
  const configs = nodes.map(({ config }) => readNodeConfig(config));
  const signers = [];
  for (const config of configs) {
    const store = await openStore({ path: config.dataPath, unlock: readUnlock(config.unlock, {}), random });
    signers.push((await loadIdentity(store, config)).identity);
    await store.close();
  }
  committee = committeeOf(configs[0]!.network.roster, signers);
  return async () => {
    for (const remove of folders) await remove();
  };
});

async function verify(file: Uint8Array, ...more: string[]) {
  const path = join(folder, 'evidence');
  await writeFile(path, file);
  return run(path, '--network', networkFile, ...more);
}

function run(...commandLine: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'verify-evidence', ...commandLine], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('names the party, what it did, in which ceremony and step', async () => {
  const keygen = makeKeygen(committee);
  const chunk = await verify(encodeEvidenceFile(accuse(committee, keygen, { party: 4, step: 'body64/3' })));
  expect(chunk).toMatchObject({ status: 0, stderr: '' });
  expect(chunk.stdout).toMatch(/^party 4 is proven corrupt: it signed another message than/);
  expect(chunk.stdout).toMatch(/network demo, digest [0-9a-f]{8}\n/);
  expect(chunk.stdout).toContain(`key generation ${'ab'.repeat(32)}, attempt 0, session ${keygen.ceremony.session}\n`);
  expect(chunk.stdout).toContain('step body64/3\n');

  const batch = makeBatch(committee);
  const share = await verify(encodeEvidenceFile(accuse(committee, batch, { party: 2, step: 'share' })), '--json');
  expect(share).toMatchObject({ status: 0, stderr: '' });
  expect(JSON.parse(share.stdout)).toMatchObject({
    ...{ party: 2, kind: 'wrong-share', ceremony: 'preprocessing', step: 'share' },
    session: batch.ceremony.session,
  });

  const twice = await verify(encodeEvidenceFile(accuseOfTwo(committee, batch, { party: 3, step: 'share' })));
  expect(twice).toMatchObject({ status: 0, stderr: '' });
  expect(twice.stdout).toMatch(/^party 3 is proven corrupt: it signed two different messages/);

  const cuts: ChangeBody = (body, step, party) => (step === 1 && party === 2 ? body.slice(0, -1) : body);
  const epoch = makeEpoch(committee, cuts);
  const broken = await verify(encodeEvidenceFile(accuseOfBroken(committee, epoch, 2)));
  expect(broken).toMatchObject({ status: 0, stderr: '' });
  expect(broken.stdout).toMatch(/^party 2 is proven corrupt: what it signed while PRSS keys were made is malformed/);
  expect(broken.stdout).toContain(`start of an epoch ${'cd'.repeat(32)}, session ${epoch.ceremony.session}\n`);
  expect(broken.stdout).toContain('step prss-init\n');
});

test('refuses what proves nothing, and says why', async () => {
  const made = makeKeygen(committee);
  const right = accuse(committee, made, { party: 1, step: 'bits', message: made.right(1, 'bits') });
  const file = encodeEvidenceFile(accuse(committee, made, { party: 4, step: 'bits' }));
  const cases: [Uint8Array, string][] = [
    [encodeEvidenceFile(right), 'EVIDENCE_REFUTED'],
    [flipped(file, file.length - 1), 'EVIDENCE_SECRETS'],
    [encodeEvidenceFile(accuseOfBroken(committee, made, 4)), 'EVIDENCE_REFUTED'],
    [file.slice(0, -1), 'EVIDENCE_MALFORMED'],
    [new Uint8Array(0), 'EVIDENCE_MALFORMED'],
    [new Uint8Array(2 ** 24 + 1), 'EVIDENCE_MALFORMED'],
  ];
  for (const [bytes, code] of cases) {
    const { status, stdout, stderr } = await verify(bytes);
    expect([status, stdout], code).toEqual([8, '']);
    expect(stderr).toContain(code);
    expect(stderr).toContain('hint:');
  }
});

test('needs the right network.toml, and a file', async () => {
  const file = encodeEvidenceFile(accuseOfTwo(committee, makeBatch(committee), { party: 3, step: 'share' }));
  const [other] = await createDemoNetwork({
    folder: join(await temporaryFolder(), 'other'),
    ...{ parties: 4, threshold: 1, basePort: 1 },
  });
  await verify(file);
  const path = join(folder, 'evidence');
  const elsewhere = run(path, '--network', join(dirname(other!.config), 'network.toml'));
  expect(elsewhere).toMatchObject({ status: 8 });
  expect(elsewhere.stderr).toContain('EVIDENCE_NETWORK');
  expect(run(path)).toMatchObject({ status: 2 });
  expect(run('--network', networkFile)).toMatchObject({ status: 2 });
  expect(run(join(folder, 'nothing'), '--network', networkFile)).toMatchObject({ status: 3 });
  expect(run(path, '--network', path)).toMatchObject({ status: 3 });
});
