/** Configurations that cannot work are refused with a code, the field and a hint, before anything is lost. */
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { newRequestId } from '../../scripts/network/key-generation.ts';
import type { LocalNetwork } from '../../scripts/network/local-network.ts';
import { runCli, tryCli } from '../../scripts/network/node-process.ts';
import { createRest, waitFor } from '../../scripts/network/rest.ts';
import { temporaryDirectory, temporaryNetwork } from '../../scripts/network/temporary-network.ts';
import { editFile } from './running-network.ts';

const SEEN_WITHIN_MS = 60_000;

const networkFileOf = ({ nodes }: LocalNetwork, party: number) =>
  join(dirname(nodes[party - 1]!.config), 'network.toml');

test('n < 3t+1 is refused when a network is made', async () => {
  await using dir = await temporaryDirectory();
  const options = ['--parties', '6', '--threshold', '2', '--dir', join(dir.path, 'net')];
  const { status, stderr } = await tryCli(['init', '--demo', ...options]);
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/CONFIG_ROSTER.*3t\+1/s);
  expect(stderr).toContain('hint:');
});

test('n < 3t+1 in the network file is refused when a node starts', async () => {
  await using network = await temporaryNetwork();
  await editFile(networkFileOf(network, 1), /threshold = 1/, 'threshold = 2');
  const { status, stderr } = await tryCli(['start', '--config', network.nodes[0]!.config]);
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/CONFIG_ROSTER.*3t\+1/s);
});

test('unknown settings and wrong types name the file and the field', async () => {
  await using network = await temporaryNetwork();
  const { config } = network.nodes[0]!;
  await editFile(config, /^party = 1$/m, 'party = "one"');
  const { status, stderr } = await tryCli(['check', '--config', config]);
  expect(status).not.toBe(0);
  expect(stderr).toContain('node.toml');
  expect(stderr).toMatch(/party/);
});

test('fault switches do nothing but end the process unless the environment allows them', async () => {
  await using network = await temporaryNetwork();
  const { config } = network.nodes[0]!;
  const { status, stderr } = await tryCli(['start', '--config', config, '--fault', 'silent']);
  expect(status).not.toBe(0);
  expect(stderr).toContain('KEYQUORUM_FAULTS');
});

interface PeersStatus {
  readonly ready: boolean;
  readonly reason: string;
  readonly peers: readonly { readonly party: number; readonly up: boolean; readonly problem: string }[];
}

/** What makes party 2 see another network than party 1. */
const DISAGREEMENTS: Record<string, (network: LocalNetwork) => Promise<unknown>> = {
  t: (network) => editFile(networkFileOf(network, 2), /threshold = 2/, 'threshold = 1'),
  'the signing domain': (network) => editFile(networkFileOf(network, 2), /gatewayChainId = \d+/, 'gatewayChainId = 1'),
  async 'the peers'(network) {
    await using other = await temporaryNetwork({ parties: 7, threshold: 2 });
    const card = join(dirname(other.nodes[6]!.config), 'card.json');
    await runCli(['card', 'add', card, '--config', network.nodes[1]!.config]);
  },
};

test.for(Object.entries(DISAGREEMENTS))(
  'nodes that disagree on %s refuse each other and say so',
  async ([, disagree]) => {
    await using network = await temporaryNetwork({ parties: 7, threshold: 2 });
    await disagree(network);
    await Promise.all([network.start(1), network.start(2)]);
    for (const [party, other] of [[1, 2] as const, [2, 1] as const]) {
      const seen = await waitFor({ what: `party ${party} sees it`, withinMs: SEEN_WITHIN_MS }, async () => {
        const { peers, ready } = await network.rest(party).get<PeersStatus>('/v1/status');
        const peer = peers.find((candidate) => candidate.party === other);
        return peer?.problem.startsWith('NETWORK_MISMATCH') ? { up: peer.up, ready } : undefined;
      });
      expect(seen).toEqual({ up: false, ready: false });
    }
  },
);

test('a node whose keys are not those of its card does not start', async () => {
  await using network = await temporaryNetwork();
  await using other = await temporaryNetwork();
  const { config } = other.nodes[3]!;
  await editFile(config, /network = ".*"/, `network = "${networkFileOf(network, 4)}"`);
  const { status, stderr } = await tryCli(['start', '--config', config]);
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/CONFIG_|STORE_/);
});

test('a production key is refused by nodes that do not allow it', async () => {
  await using network = await temporaryNetwork();
  await network.startAll();
  await network.allReady();
  const body = { requestId: newRequestId(), parameters: 'base', purpose: 'production' };
  const answer = await createRest(network.nodes[0]!.rest, network.apiKey).ask<{ error: { code: string } }>(
    'POST',
    '/v1/keys',
    body,
  );
  expect([answer.status, answer.body.error.code]).toEqual([403, 'KEYGEN_REFUSED']);
});
