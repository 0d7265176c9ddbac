/** One real node of a four-party network whose peers are away: everything a caller can meet before a network is up. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Roster } from '@keyquorum/mpc/roster';
import { createServices } from '@keyquorum/protocols/create-services';
import type { PublicStore } from '@keyquorum/protocols/storage';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { readNodeConfig } from '../../src/config/config.ts';
import { assembleNode } from '../../src/daemon/daemon.ts';
import { createLog } from '../../src/daemon/log.ts';
import { createDemoNetwork } from '../../src/setup/demo-network.ts';
import { temporaryFolder } from '../folders.ts';

export interface SingleNode {
  readonly apiKey: string;
  /** Lines of the log so far. */
  readonly logged: readonly string[];
  readonly roster: Roster;
  /** What is on its disk. */
  readonly publics: PublicStore;
  inject(request: InjectOptions): Promise<LightMyRequestResponse>;
  /** With the API key. */
  ask(method: 'GET' | 'POST' | 'DELETE', url: string, body?: object): Promise<LightMyRequestResponse>;
  close(): Promise<void>;
}

/** `edit` changes node.toml before the node is made. */
export async function singleNode(
  onEnd: (task: () => Promise<void>) => void,
  edit: (toml: string) => string = (toml) => toml,
): Promise<SingleNode> {
  const folder = join(await temporaryFolder(onEnd), 'demo');
  const [made] = await createDemoNetwork({ folder, parties: 4, threshold: 1, basePort: 1 });
  if (!made) throw new Error('no node was made');
  await writeFile(made.config, edit(await readFile(made.config, 'utf8')));
  const apiKey = (await readFile(made.apiKeyFile, 'utf8')).trim();
  const logged: string[] = [];
  const node = await assembleNode({
    config: readNodeConfig(made.config),
    log: createLog({
      level: 'debug',
      party: 1,
      network: 'demo',
      destination: { write: (line) => void logged.push(line) },
    }),
    environment: {},
    createServices,
    onStoreFailure(error) {
      throw error;
    },
  });
  const { server } = node.rest;
  onEnd(() => node.close());
  return {
    apiKey,
    logged,
    roster: node.node.party.roster,
    publics: node.node.store.publics,
    inject: (request) => server.inject(request),
    ask: (method, url, body) =>
      server.inject({ method, url, headers: { authorization: `Bearer ${apiKey}` }, ...(body && { payload: body }) }),
    close: () => node.close(),
  };
}
