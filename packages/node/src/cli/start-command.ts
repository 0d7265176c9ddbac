/** `keyquorum start`: runs a node until a signal, and stops it in order. */

import { Command } from 'commander';
import { readNodeConfig } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { createLog } from '../daemon/log.ts';

export function startCommand(environment: NodeJS.ProcessEnv): Command {
  return new Command('start')
    .description('run a node')
    .requiredOption('--config <file>', 'node.toml')
    .option('--fault <kind>', 'misbehave: wrong-share, silent, equivocate or slow:MS (needs KEYQUORUM_FAULTS=1)')
    .action(async ({ config: file, fault }: { config: string; fault?: string }) => {
      const allowed = fault === undefined ? undefined : allowedFault(fault, environment);
      const config = readNodeConfig(file);
      const log = createLog({ level: config.log, party: config.party, network: config.network.roster.network });
      if (process.execArgv.some((argument) => argument.startsWith('--inspect'))) {
        log.warn('the inspector is open: whoever reaches it reads all secrets of this node');
      }
      // libp2p takes most of a second to load: not for other commands.
      const { runNode } = await import('./run-node.ts');
      await runNode(config, log, { environment, ...(allowed !== undefined && { fault: allowed }) });
    });
}

function allowedFault(text: string, environment: NodeJS.ProcessEnv): string {
  if (environment.KEYQUORUM_FAULTS === '1') return text;
  const message = '--fault is for tests: set KEYQUORUM_FAULTS=1 to allow it';
  throw new ConfigError('CONFIG_INVALID', { file: 'command line', field: 'fault', message });
}
