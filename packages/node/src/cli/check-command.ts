/** `keyquorum check`: is this configuration complete, does the store open, and do the peers answer? */
import { connect } from 'node:net';
import { Command } from 'commander';
import { type NodeConfig, readNodeConfig } from '../config/config.ts';
import { shortDigest } from '../config/network.ts';
import { readS3Credentials } from '../config/s3-settings.ts';
import { readUnlock } from '../config/unlock.ts';
import { readMasterKey } from '../store/master-key.ts';
import { EXIT } from './exit.ts';

const CONNECT_MS_MAX = 3_000;

export function checkCommand(
  print: (line: string) => void,
  { exit, environment }: { exit: (code: number) => void; environment: NodeJS.ProcessEnv },
): Command {
  return new Command('check')
    .description('check configuration, store and peers without starting the node')
    .requiredOption('--config <file>', 'node.toml')
    .action(async ({ config: file }: { config: string }) => {
      const config = readNodeConfig(file);
      const { roster } = config.network;
      print(`configuration ok: party ${config.party} of ${roster.n}, t=${roster.t}, network ${roster.network}`);
      print(`network digest ${shortDigest(config.network)} (must be the same on all nodes)`);
      for (const line of productionRules(config)) print(line);
      const unlock = readUnlock(config.unlock, environment);
      (await readMasterKey(config.dataPath, unlock)).fill(0);
      unlock.bytes.fill(0);
      print('store opens');
      if (config.s3) {
        readS3Credentials(config.s3, environment);
        print('credentials of the object storage are well formed');
      }
      if (!(await checkPeers(config, print))) exit(EXIT.unreachable);
    });
}

/** What ciphertexts under production keys need here, which must be the same on all nodes. */
function productionRules({ keys, applications }: NodeConfig): string[] {
  const ruled = applications.filter(({ provenance }) => provenance.length > 0);
  if (ruled.length === 0 && keys.purposes.includes('production')) {
    return ['no application has rules for production keys: they will decrypt nothing; see [[applications]]'];
  }
  return ruled.map(({ name, provenance }) => `production keys, application "${name}": ${provenance.join(' or ')}`);
}

async function checkPeers({ network, party }: NodeConfig, print: (line: string) => void): Promise<boolean> {
  const peers = network.cards.filter((card) => card.party !== party);
  const problems = await Promise.all(peers.map(({ address }) => connectionProblem(address)));
  for (const [index, problem] of problems.entries()) {
    const card = peers[index];
    print(`party ${card?.party} at ${card?.address}: ${problem ?? 'reachable'}`);
  }
  return problems.every((problem) => problem === undefined);
}

/** Only whether the port is open: who answers there is proven when the node starts. */
function connectionProblem(address: string): Promise<string | undefined> {
  const [, , host = '', , port = ''] = address.split('/');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: CONNECT_MS_MAX });
    const end = (problem: string | undefined) => {
      socket.destroy();
      resolve(problem);
    };
    socket.once('connect', () => end(undefined));
    socket.once('timeout', () => end(`no answer in ${CONNECT_MS_MAX / 1000} s`));
    socket.once('error', (error) => end(error.message));
  });
}
