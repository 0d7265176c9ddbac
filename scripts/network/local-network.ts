/**
 * A whole network on this machine, one process per node, used by `npm run network`, the demo, the benches and the
 * end-to-end tests. Set up with `keyquorum init --demo`: one directory per party, one requester known to all nodes.
 */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type FaultSwitch, type NodeProcess, runCli, startNode } from './node-process.ts';
import { freePorts } from './ports.ts';
import { createRest, type Rest, waitFor } from './rest.ts';

const LIVE_MS = 120_000;
/** Links to all peers and the epoch's shared randomness, on a busy machine. */
const READY_MS = 90_000;

export interface NetworkOptions {
  readonly parties: number;
  readonly threshold: number;
  /** Made when absent; a directory that holds a network is started again as it is. */
  readonly dir: string;
  /** First of 2n ports: REST and libp2p of party 1, of party 2, and so on. Free ones are chosen when absent. */
  readonly basePort?: number;
}

/** One line of `npm run network`; other programs rely on these names. */
export interface NodeAddress {
  readonly party: number;
  readonly rest: string;
  readonly p2p: string;
  readonly apiKeyFile: string;
}

export interface LocalNetwork {
  readonly dir: string;
  readonly nodes: readonly ConfiguredNode[];
  /** The one requester that all nodes know, named so by `init --demo`, and its key. */
  readonly requester: 'demo';
  readonly apiKey: string;
  /** REST of a party with the requester's key. */
  rest(party: number): Rest;
  process(party: number): NodeProcess | undefined;
  /** Resolves when the node answers on its REST port. */
  start(party: number, fault?: FaultSwitch): Promise<void>;
  startAll(): Promise<void>;
  /** Resolves when the node says that it can serve: enough peers, epoch and keys loaded. */
  ready(party: number): Promise<void>;
  allReady(): Promise<void>;
  stop(party: number): Promise<void>;
  kill(party: number): Promise<void>;
  stopAll(): Promise<void>;
}

/** What `init --demo` printed, kept so that a directory can be started again. */
const NODES_FILE = 'nodes.json';

export interface ConfiguredNode extends NodeAddress {
  /** Its `node.toml`. */
  readonly config: string;
}

/** Writes the configuration of a network; starts nothing. */
async function initialise({ parties, threshold, basePort }: NetworkOptions, dir: string): Promise<void> {
  const port = basePort ?? (await freePorts(2 * parties));
  const sizes = ['--parties', String(parties), '--threshold', String(threshold)];
  const lines = await runCli(['init', '--demo', ...sizes, '--dir', dir, '--base-port', String(port)]);
  const nodes = lines
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  await writeFile(join(dir, NODES_FILE), JSON.stringify(nodes));
}

export async function createLocalNetwork(options: NetworkOptions): Promise<LocalNetwork> {
  const dir = resolve(options.dir);
  const file = join(dir, NODES_FILE);
  if (!existsSync(file)) await initialise(options, dir);
  const nodes: ConfiguredNode[] = JSON.parse(await readFile(file, 'utf8'));
  if (nodes.length !== options.parties) {
    throw new Error(`${dir} holds a network of ${nodes.length} parties, not ${options.parties}: choose another --dir`);
  }
  const apiKey = (await readFile(nodes[0]!.apiKeyFile, 'utf8')).trim();
  return controlOf(dir, nodes, apiKey);
}

function controlOf(dir: string, nodes: readonly ConfiguredNode[], apiKey: string): LocalNetwork {
  const processes = new Map<number, NodeProcess>();
  const rests = new Map(nodes.map(({ party, rest }) => [party, createRest(rest, apiKey)]));

  function restOf(party: number): Rest {
    const rest = rests.get(party);
    if (!rest) throw new RangeError(`no party ${party} in a network of ${nodes.length}`);
    return rest;
  }

  async function healthy(party: number, path: string, withinMs: number): Promise<void> {
    const { gone } = processes.get(party) ?? {};
    await waitFor({ what: `party ${party} ${path}`, withinMs, ...(gone && { signal: gone }) }, async () => {
      const { status, body } = await restOf(party).ask('GET', path);
      if (status === 200) return true;
      throw new Error(`status ${status}: ${JSON.stringify(body)}`);
    });
  }

  async function end(party: number, how: 'stop' | 'kill'): Promise<void> {
    await processes.get(party)?.[how]();
    processes.delete(party);
  }

  const all = (act: (party: number) => Promise<void>) => async () => {
    await Promise.all(nodes.map(({ party }) => act(party)));
  };
  const network: LocalNetwork = {
    dir,
    nodes,
    requester: 'demo',
    apiKey,
    rest: restOf,
    process: (party) => processes.get(party),
    async start(party, fault) {
      if (processes.has(party)) throw new Error(`party ${party} runs already`);
      const { config } = nodes.find((node) => node.party === party) ?? {};
      if (config === undefined) throw new RangeError(`no party ${party} in a network of ${nodes.length}`);
      const files = { configFile: config, logFile: join(dirname(config), 'node.log') };
      processes.set(party, startNode({ ...files, ...(fault !== undefined && { fault }) }));
      await healthy(party, '/health/live', LIVE_MS);
    },
    ready: (party) => healthy(party, '/health/ready', READY_MS),
    stop: (party) => end(party, 'stop'),
    kill: (party) => end(party, 'kill'),
    startAll: all((party) => network.start(party)),
    allReady: all((party) => network.ready(party)),
    stopAll: all((party) => network.stop(party)),
  };
  return network;
}
