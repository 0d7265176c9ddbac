/** The text of a new `node.toml`: valid as written, with comments for whoever opens it next. */
import { KEY_SET_NAMES } from '@keyquorum/tfhe/key-sets';
import { stringify } from 'smol-toml';
import type { Requester } from '../config/schema.ts';

export interface NodeTomlFields {
  readonly party: number;
  readonly listen: string;
  readonly rest: { readonly host: string; readonly port: number; readonly origins?: readonly string[] };
  readonly unlock: Readonly<Record<string, string>>;
  readonly requesters: readonly Requester[];
  /** Development network: keys default to the development purpose, rounds are short, limits are wide. */
  readonly demo: boolean;
}

export const NETWORK_FILE = 'network.toml';
export const NODE_FILE = 'node.toml';
export const DATA_FOLDER = 'data';
export const KEY_FILE = 'store.key';

const DEMO = {
  keys: { purposes: ['development'], parameters: [...KEY_SET_NAMES], defaultPurpose: 'development' },
  // One machine: clocks agree and a message takes milliseconds. A key generation that lost a round ends soon.
  timing: { roundMs: 1000, keygenSeconds: 900 },
  limits: { requestsPerMinute: 1_000_000 },
} as const;

export function nodeToml({ party, listen, rest, unlock, requesters, demo }: NodeTomlFields): string {
  const sections: [comment: string, content: object][] = [
    ['Settings of one node. Every field is described in docs/configuration.md.', { party, log: 'info' }],
    ['The same file on all nodes of the network.', { network: NETWORK_FILE }],
    [
      'Records, secrets and public material. Never start a node from an older copy of this folder.',
      { data: DATA_FOLDER },
    ],
    ['What opens the data directory: keyFile, passphraseFile or passphraseEnv.', { unlock }],
    ['Where other nodes connect; the address on our card must lead here.', { p2p: { listen } }],
    ['Where callers connect. Put a TLS proxy in front when it is not on this machine.', { rest }],
  ];
  if (demo) sections.push(['Development network: not for keys that protect anything.', DEMO]);
  if (requesters.length > 0) {
    sections.push(['Who may ask. keyquorum requester makes an API key and the lines to put here.', { requesters }]);
  }
  return sections.map(([comment, content]) => `# ${comment}\n${stringify(content).trim()}\n`).join('\n');
}
