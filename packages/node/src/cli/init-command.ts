/** `keyquorum init`: a new node, or with --demo a whole development network; `card add`: complete the network file. */

import { copyFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { readUnlock } from '../config/unlock.ts';
import { createDemoNetwork } from '../setup/demo-network.ts';
import { addCard, beginNetwork, DEMO_DOMAIN } from '../setup/network-file.ts';
import { NETWORK_FILE } from '../setup/node-toml.ts';
import { createPartyFolder, type NewParty } from '../setup/party-folder.ts';

export function integer(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('want a whole number');
}

interface InitOptions {
  readonly dir: string;
  readonly demo?: true;
  readonly parties: number;
  readonly threshold: number;
  readonly basePort: number;
  readonly party?: number;
  readonly name: string;
  readonly network?: string;
  readonly address?: string;
  readonly listen?: string;
  readonly restHost: string;
  readonly restPort: number;
  readonly passphraseFile?: string;
  readonly passphraseEnv?: string;
  readonly chainId: number;
  readonly contract: string;
}

export function initCommand(print: (line: string) => void, environment: NodeJS.ProcessEnv): Command {
  return new Command('init')
    .description('make the folder of a new node and its signed card, or with --demo a network on this machine')
    .requiredOption('--dir <folder>', 'folder to make')
    .option('--demo', 'make all nodes of a development network')
    .option('--parties <n>', 'number of nodes', integer, 4)
    .option('--threshold <t>', 'most corrupt nodes to tolerate, n >= 3t+1', integer, 1)
    .option('--base-port <port>', 'demo: first port; each node takes two', integer, 7100)
    .option('--party <number>', 'number of this node, from 1', integer)
    .option('--name <network>', 'name of the network', 'keyquorum')
    .option('--network <file>', 'network.toml of an existing network; without it a new one is begun')
    .option('--address <multiaddr>', 'where the others reach this node, such as /ip4/10.0.0.7/tcp/7101')
    .option('--listen <multiaddr>', 'where this node listens; default: all addresses, the same port')
    .option('--rest-host <host>', 'address of the REST API', '127.0.0.1')
    .option('--rest-port <port>', 'port of the REST API', integer, 7100)
    .option('--passphrase-file <file>', 'lock the store with this passphrase instead of a new key file')
    .addOption(new Option('--passphrase-env <NAME>', 'the same from the environment').conflicts('passphraseFile'))
    .option('--chain-id <id>', 'EIP-712 gateway chain id', integer, DEMO_DOMAIN.gatewayChainId)
    .option('--contract <address>', 'EIP-712 Decryption contract', DEMO_DOMAIN.decryptionContract)
    .action((options: InitOptions) =>
      options.demo ? initDemo(options, print) : initNode(options, print, environment),
    );
}

async function initDemo({ dir, parties, threshold, basePort }: InitOptions, print: (line: string) => void) {
  const nodes = await createDemoNetwork({ folder: resolve(dir), parties, threshold, basePort });
  for (const node of nodes) print(JSON.stringify(node));
}

async function initNode(options: InitOptions, print: (line: string) => void, environment: NodeJS.ProcessEnv) {
  const { dir, party, address, name, parties, threshold, network, restHost, restPort } = options;
  if (party === undefined || address === undefined) {
    const message = 'init without --demo needs --party and --address';
    throw new ConfigError('CONFIG_INVALID', { file: 'command line', field: 'party', message });
  }
  const folder = resolve(dir);
  const passphrase = passphraseOf(options, environment);
  const card = await createPartyFolder({
    ...{ folder, network: name, party, address, requesters: [], demo: false },
    listen: options.listen ?? address.replace(/^\/[^/]+\/[^/]+/, '/ip4/0.0.0.0'),
    rest: { host: restHost, port: restPort },
    ...(passphrase && { passphrase }),
  });
  const file = join(folder, NETWORK_FILE);
  const eip712 = { gatewayChainId: options.chainId, decryptionContract: options.contract };
  if (network === undefined) await beginNetwork(file, { name, parties, threshold, eip712 });
  else await copyFile(network, file);
  const missing = await addCard(file, join(folder, 'card.json'));
  print(`made ${folder}: give card.json to the other operators`);
  print(`party ${card.party} signs answers as ${card.signer}`);
  print(missing.length === 0 ? 'all cards are there' : `cards missing in ${file}: party ${missing.join(', ')}`);
}

function passphraseOf(options: InitOptions, environment: NodeJS.ProcessEnv): NewParty['passphrase'] {
  const { passphraseFile, passphraseEnv } = options;
  if (passphraseFile !== undefined) {
    const file = resolve(passphraseFile);
    return {
      bytes: readUnlock({ kind: 'passphrase-file', file }, environment).bytes,
      setting: { passphraseFile: file },
    };
  }
  if (passphraseEnv === undefined) return undefined;
  const { bytes } = readUnlock({ kind: 'passphrase-env', variable: passphraseEnv }, environment);
  return { bytes, setting: { passphraseEnv } };
}

export function cardCommand(print: (line: string) => void): Command {
  const add = new Command('add')
    .description('add signed cards of other nodes to the network file')
    .argument('<cards...>', 'card.json files')
    .requiredOption('--config <file>', 'node.toml beside the network file')
    .action(async (cards: string[], { config }: { config: string }) => {
      const file = join(dirname(resolve(config)), NETWORK_FILE);
      let missing: number[] = [];
      for (const card of cards) missing = await addCard(file, card);
      print(missing.length === 0 ? 'all cards are there' : `still missing: party ${missing.join(', ')}`);
    });
  return new Command('card').description('signed cards of nodes').addCommand(add);
}
