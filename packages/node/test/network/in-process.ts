/** A network of real nodes in this process: real stores, libp2p on loopback and REST ports, nothing replaced. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createServices } from '@keyquorum/protocols/create-services';
import { Check } from 'typebox/value';
import { readNodeConfig } from '../../src/config/config.ts';
import { type Daemon, startDaemon } from '../../src/daemon/daemon.ts';
import { createLog } from '../../src/daemon/log.ts';
import { Status } from '../../src/rest/schemas.ts';
import { createDemoNetwork, type DemoNode } from '../../src/setup/demo-network.ts';
import { temporaryFolder } from '../folders.ts';

type OnEnd = (task: () => Promise<void>) => void;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, or undefined. */
  readonly body: unknown;
}

export interface TestNetwork {
  readonly nodes: readonly DemoNode[];
  /** Of the requester "demo". */
  readonly apiKey: string;
  start(party: number): Promise<void>;
  stop(party: number): Promise<void>;
  /** With the API key unless `headers` say otherwise. */
  ask(party: number, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  fetch(party: number, path: string, headers?: Record<string, string>): Promise<Response>;
  /** Hands over the bytes of a ciphertext, with the API key; the status. */
  handOver(party: number, digest: string, bytes: Uint8Array): Promise<number>;
  ready(party: number): Promise<void>;
  /** The first status of the node for which this holds. */
  statusWhen(party: number, holds: (status: Status) => boolean): Promise<Status>;
}

const POLL_MS = 100;

/** First of `count` consecutive ports that were free just now. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const servers = [await listening(0)];
    const [first] = servers;
    const base = first!.port;
    try {
      for (let offset = 1; offset < count; offset++) servers.push(await listening(base + offset));
      return base;
    } catch {
      // a neighbour is taken: draw again
    } finally {
      await Promise.all(servers.map(({ close }) => close()));
    }
  }
}

function listening(port: number): Promise<{ port: number; close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const close = () => new Promise<void>((closed) => server.close(() => closed()));
      resolve({ port: typeof address === 'object' && address ? address.port : 0, close });
    });
  });
}

export async function testNetwork(onEnd: OnEnd, edit: (toml: string) => string = (toml) => toml): Promise<TestNetwork> {
  const folder = join(await temporaryFolder(onEnd), 'demo');
  const nodes = await createDemoNetwork({ folder, parties: 4, threshold: 1, basePort: await freePorts(8) });
  for (const { config } of nodes) await writeFile(config, edit(await readFile(config, 'utf8')));
  const apiKey = (await readFile(nodes[0]!.apiKeyFile, 'utf8')).trim();
  const daemons = new Map<number, Daemon>();
  const nodeOf = (party: number) => nodes[party - 1]!;
  onEnd(async () => {
    await Promise.all([...daemons.values()].map((daemon) => daemon.stop()));
  });

  async function start(party: number): Promise<void> {
    const daemon = await startDaemon({
      config: readNodeConfig(nodeOf(party).config),
      log: createLog({ level: 'fatal', party, network: 'demo' }),
      environment: {},
      createServices,
      onStoreFailure(error) {
        throw error;
      },
    });
    daemons.set(party, daemon);
  }

  const bearer = { authorization: `Bearer ${apiKey}` };
  const request = (party: number, path: string, init: RequestInit) => fetch(nodeOf(party).rest + path, init);
  const network: TestNetwork = {
    nodes,
    apiKey,
    start,
    async stop(party) {
      await daemons.get(party)?.stop();
      daemons.delete(party);
    },
    async ask(party, method, path, body, headers = bearer) {
      const json = body === undefined ? {} : { 'content-type': 'application/json' };
      const payload = typeof body === 'string' ? body : JSON.stringify(body);
      const init = { method, headers: { ...headers, ...json }, ...(body !== undefined && { body: payload }) };
      const response = await request(party, path, init);
      return { status: response.status, headers: response.headers, body: await response.json().catch(() => undefined) };
    },
    fetch: (party, path, headers = {}) => request(party, path, { headers: { ...bearer, ...headers } }),
    async handOver(party, digest, bytes) {
      const headers = { ...bearer, 'content-type': 'application/octet-stream' };
      return (await request(party, `/v1/ciphertexts/${digest}`, { method: 'PUT', headers, body: bytes as BodyInit }))
        .status;
    },
    async ready(party) {
      for (;;) {
        const { status } = await network.ask(party, 'GET', '/health/ready');
        if (status === 200) return;
        await new Promise((retry) => setTimeout(retry, POLL_MS));
      }
    },
    async statusWhen(party, holds) {
      for (;;) {
        const { body } = await network.ask(party, 'GET', '/v1/status');
        if (!Check(Status, body)) throw new Error(`unexpected answer ${JSON.stringify(body)}`);
        if (holds(body)) return body;
        await new Promise((retry) => setTimeout(retry, POLL_MS));
      }
    },
  };
  return network;
}
