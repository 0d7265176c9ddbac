/** The command line as operators use it, without a running node. */
import { spawnSync } from 'node:child_process';
import { appendFile, copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../folders.ts';

const PROGRAM = join(import.meta.dirname, '../../src/cli/keyquorum.ts');

function keyquorum(...commandLine: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...commandLine], { encoding: 'utf8' });
  return { status, stdout, stderr, lines: stdout.trim().split('\n') };
}

test('four operators set up a network by exchanging cards', async () => {
  const root = await temporaryFolder();
  const folder = (party: number) => join(root, `node-${party}`);
  for (const party of [1, 2, 3, 4]) {
    const address = `/ip4/127.0.0.1/tcp/${7400 + party}`;
    const begun = keyquorum('init', '--dir', folder(party), '--party', String(party), '--address', address);
    expect(begun).toMatchObject({ status: 0, stderr: '' });
  }
  const config = join(folder(1), 'node.toml');
  expect(keyquorum('check', '--config', config)).toMatchObject({ status: 3 });
  const cards = [2, 3, 4].map((party) => join(folder(party), 'card.json'));
  expect(keyquorum('card', 'add', '--config', config, ...cards.slice(0, 2)).stdout).toMatch('still missing: party 4');
  expect(keyquorum('card', 'add', '--config', config, cards[2]!).stdout).toMatch('all cards are there');
  await copyFile(join(folder(1), 'network.toml'), join(folder(2), 'network.toml'));
  await appendFile(config, '\n[keys]\npurposes = ["production"]\n');
  const rules = `provenance = ["attested"]\ncoprocessors = ["0x${'11'.repeat(20)}"]\nattestations = 1`;
  await appendFile(join(folder(2), 'node.toml'), `\n[[applications]]\nname = "games"\n${rules}\n`);
  const checks = [1, 2].map((party) => keyquorum('check', '--config', join(folder(party), 'node.toml')));
  const digest = /network digest [0-9a-f]{8}/;
  expect(digest.exec(checks[0]!.stdout)?.[0]).toBe(digest.exec(checks[1]!.stdout)?.[0]);
  expect(checks[0]).toMatchObject({ status: 6 }); // nobody listens
  expect(checks[0]!.stdout).toMatch('store opens');
  expect(checks[0]!.stdout).toMatch('production keys: they will decrypt nothing');
  expect(checks[1]!.stdout).toMatch('application "games": attested');
});

test('a damaged card is refused', async () => {
  const root = await temporaryFolder();
  const folder = join(root, 'node');
  keyquorum('init', '--dir', folder, '--party', '1', '--address', '/ip4/127.0.0.1/tcp/7401');
  const card = join(folder, 'card.json');
  await writeFile(card, (await readFile(card, 'utf8')).replace('7401', '7402'));
  const result = keyquorum('card', 'add', '--config', join(folder, 'node.toml'), card);
  expect(result).toMatchObject({ status: 3 });
  expect(result.stderr).toMatch('CONFIG_CARD');
});

test('shares of the master key restore access; too few, mixed or mistyped ones do not', async () => {
  const root = await temporaryFolder();
  const folder = join(root, 'node');
  keyquorum('init', '--demo', '--dir', folder, '--base-port', '7500');
  const config = join(folder, 'party-1/node.toml');
  const shares = keyquorum('backup', 'split', '--config', config).lines;
  expect(shares).toHaveLength(5);
  const combine = async (lines: string[], name: string) => {
    const file = join(root, 'shares');
    await writeFile(file, lines.join('\n'));
    return keyquorum('backup', 'combine', file, '--config', config, '--key-file', name);
  };
  const others = keyquorum('backup', 'split', '--config', config).lines;
  expect(await combine(shares.slice(0, 2), 'few')).toMatchObject({ status: 3 });
  expect(await combine([shares[0]!, shares[1]!, others[2]!], 'mixed')).toMatchObject({ status: 3 });
  expect(await combine([...shares.slice(0, 2), shares[2]!.replace(/.$/, 'x')], 'typo')).toMatchObject({ status: 3 });
  await rm(join(folder, 'party-1/store.key'));
  expect(keyquorum('check', '--config', config)).toMatchObject({ status: 3 });
  expect(await combine([shares[4]!, shares[1]!, shares[2]!], 'store.key')).toMatchObject({ status: 0 });
  expect(keyquorum('check', '--config', config).stdout).toMatch('store opens');
});

test('errors of usage, and a node that is not there', () => {
  expect(keyquorum('nonsense')).toMatchObject({ status: 2 });
  expect(keyquorum('status', '--url', 'http://127.0.0.1:1')).toMatchObject({ status: 6 });
  expect(keyquorum('status')).toMatchObject({ status: 3 });
  expect(keyquorum('init', '--demo', '--dir', '/nonexistent', '--threshold', '2')).toMatchObject({ status: 3 });
  expect(keyquorum('--version')).toMatchObject({ status: 0 });
});

test('misbehaving needs a build that allows it', async () => {
  const root = join(await temporaryFolder(), 'demo');
  keyquorum('init', '--demo', '--dir', root, '--base-port', '7600');
  const result = keyquorum('start', '--config', join(root, 'party-1/node.toml'), '--fault', 'silent');
  expect(result).toMatchObject({ status: 3 });
  expect(result.stderr).toMatch('KEYQUORUM_FAULTS=1');
});
