/** A whole development network on this machine: n folders that `keyquorum start` runs, and one API key for all. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../config/config-error.ts';
import { PARTIES_MAX } from '../config/schema.ts';
import { newApiKey, requesterPublicKey } from '../requests/requester.ts';
import { FILE_MODE, FOLDER_MODE } from '../store/files.ts';
import { DEMO_DOMAIN, writeNetwork } from './network-file.ts';
import { NETWORK_FILE, NODE_FILE } from './node-toml.ts';
import { createPartyFolder } from './party-folder.ts';

const HOST = '127.0.0.1';
const NAME = 'demo';
/** Pages that are developed on this machine. */
const ORIGINS = [`http://localhost:*`, `http://${HOST}:*`];
export const API_KEY_FILE = 'api-key';

export interface DemoOptions {
  readonly folder: string;
  readonly parties: number;
  readonly threshold: number;
  /** Party p gets REST on basePort + 2(p-1) and libp2p on the port after it. */
  readonly basePort: number;
}

export interface DemoNode {
  readonly party: number;
  readonly rest: string;
  readonly p2p: string;
  readonly config: string;
  readonly apiKeyFile: string;
  readonly signer: string;
}

export async function createDemoNetwork({ folder, parties, threshold, basePort }: DemoOptions): Promise<DemoNode[]> {
  if (parties > PARTIES_MAX || threshold < 1 || parties < 3 * threshold + 1) {
    const message = `${parties} parties with threshold ${threshold}: want n >= 3t+1, t >= 1 and n <= ${PARTIES_MAX}`;
    throw new ConfigError('CONFIG_ROSTER', { file: folder, field: 'threshold', message });
  }
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const apiKeyFile = join(folder, API_KEY_FILE);
  const apiKey = newApiKey();
  await writeFile(apiKeyFile, `${apiKey}\n`, { mode: FILE_MODE, flag: 'wx' });
  const requester = { name: NAME, publicKey: requesterPublicKey(apiKey), apps: ['default'], operator: true };
  const made = await Promise.all(
    Array.from({ length: parties }, async (_, index) => {
      const restPort = basePort + 2 * index;
      const listen = `/ip4/${HOST}/tcp/${restPort + 1}`;
      const partyFolder = join(folder, `party-${index + 1}`);
      const card = await createPartyFolder({
        ...{ folder: partyFolder, network: NAME, party: index + 1, address: listen, listen, demo: true },
        rest: { host: HOST, port: restPort, origins: ORIGINS },
        requesters: [requester],
      });
      return { card, partyFolder, rest: `http://${HOST}:${restPort}` };
    }),
  );
  const cards = made.map(({ card }) => card);
  for (const { partyFolder } of made) {
    await writeNetwork(join(partyFolder, NETWORK_FILE), { name: NAME, parties, threshold, eip712: DEMO_DOMAIN, cards });
  }
  return made.map(({ card, partyFolder, rest }) => {
    const { party, address: p2p, signer } = card;
    return { party, rest, p2p, config: join(partyFolder, NODE_FILE), apiKeyFile, signer };
  });
}
