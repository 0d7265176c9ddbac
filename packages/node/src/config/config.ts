/** A node's whole configuration, checked: what `keyquorum start` and `keyquorum check` work from. */
import { dirname, resolve } from 'node:path';
import { requireApplications } from './applications.ts';
import { ConfigError } from './config-error.ts';
import { type Network, readNetwork } from './network.ts';
import { readToml } from './read-toml.ts';
import { type S3Settings, s3Settings } from './s3-settings.ts';
import { type Application, type Card, type Chain, type Limits, NodeFile, type Requester } from './schema.ts';

export type UnlockSource =
  | { readonly kind: 'key-file'; readonly file: string }
  | { readonly kind: 'passphrase-file'; readonly file: string }
  | { readonly kind: 'passphrase-env'; readonly variable: string };

export interface NodeConfig {
  readonly file: string;
  readonly party: number;
  readonly network: Network;
  readonly card: Card;
  readonly dataPath: string;
  readonly unlock: UnlockSource;
  readonly listen: string;
  readonly rest: {
    readonly host: string;
    readonly port: number;
    readonly url: string | undefined;
    /** Of pages that may read answers, see cross-origin.ts. */
    readonly origins: readonly string[];
  };
  readonly log: 'debug' | 'info' | 'warn' | 'error';
  readonly keys: NodeFile['keys'];
  /** Object storage for public objects, besides the node itself. */
  readonly s3: S3Settings | undefined;
  readonly pool: NodeFile['pool'];
  readonly timing: NodeFile['timing'];
  readonly limits: Limits;
  /** Chains that may be asked about contracts. */
  readonly chains: readonly Chain[];
  readonly requesters: readonly Requester[];
  readonly applications: readonly Application[];
}

/** Reads `node.toml` and the `network.toml` it names. Throws ConfigError. */
export function readNodeConfig(file: string): NodeConfig {
  const settings = readToml(file, NodeFile);
  const beside = (path: string) => resolve(dirname(file), path);
  const networkFile = beside(settings.network);
  const network = readNetwork(networkFile);
  const card = network.cards[settings.party - 1];
  if (!card) {
    const message = `party: ${settings.party}, but ${networkFile} has ${network.roster.n} parties`;
    throw new ConfigError('CONFIG_ROSTER', { file, field: 'party', message });
  }
  requireDistinct(file, 'requesters', settings.requesters, ['name', 'publicKey']);
  requireDistinct(file, 'applications', settings.applications, ['name']);
  requireApplications(file, settings.applications);
  requireDistinct(file, 'chains', settings.chains, ['id']);
  requireQuorums(file, settings.chains);
  requireChains(file, settings);
  const { p2p, rest, log = 'info', keys, material, pool, timing, limits, requesters, party } = settings;
  const { chains, applications } = settings;
  return {
    ...{ file, party, network, card, log, keys, pool, timing, limits, chains, requesters, applications },
    dataPath: beside(settings.data),
    s3: material.s3 && s3Settings(file, material.s3, beside),
    unlock: unlockSource(file, settings.unlock, beside),
    listen: p2p.listen,
    rest: { host: rest.host, port: rest.port, url: rest.url, origins: rest.origins },
  };
}

function unlockSource(file: string, unlock: NodeFile['unlock'], beside: (path: string) => string): UnlockSource {
  const { keyFile, passphraseFile, passphraseEnv } = unlock;
  const given: UnlockSource[] = [];
  if (keyFile !== undefined) given.push({ kind: 'key-file', file: beside(keyFile) });
  if (passphraseFile !== undefined) given.push({ kind: 'passphrase-file', file: beside(passphraseFile) });
  if (passphraseEnv !== undefined) given.push({ kind: 'passphrase-env', variable: passphraseEnv });
  const [source] = given;
  if (source && given.length === 1) return source;
  const message = `unlock: want exactly one of keyFile, passphraseFile, passphraseEnv; got ${given.length}`;
  throw new ConfigError('CONFIG_INVALID', { file, field: 'unlock', message });
}

function requireDistinct<Entry>(
  file: string,
  table: string,
  entries: readonly Entry[],
  keys: readonly (keyof Entry & string)[],
): void {
  for (const key of keys) {
    const seen = new Set<Entry[typeof key]>();
    for (const [index, entry] of entries.entries()) {
      const field = `${table}.${index}.${key}`;
      if (seen.has(entry[key])) {
        const message = `${field}: another entry has the same ${key}`;
        throw new ConfigError('CONFIG_INVALID', { file, field, message });
      }
      seen.add(entry[key]);
    }
  }
}

function requireChains(file: string, { applications, chains }: NodeFile): void {
  for (const [index, { acl }] of applications.entries()) {
    if (acl === undefined || chains.some(({ id }) => id === acl.chain)) continue;
    const field = `applications.${index}.acl.chain`;
    throw new ConfigError('CONFIG_INVALID', { file, field, message: `${field}: ${acl.chain} is none of chains` });
  }
}

function requireQuorums(file: string, chains: readonly Chain[]): void {
  for (const [index, { rpc, quorum }] of chains.entries()) {
    if (quorum === undefined || quorum <= rpc.length) continue;
    const field = `chains.${index}.quorum`;
    const message = `${field}: ${quorum} of ${rpc.length} endpoints`;
    throw new ConfigError('CONFIG_INVALID', { file, field, message });
  }
}
