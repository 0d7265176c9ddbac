/** `keyquorum backup split|combine`: Shamir shares of the key that opens a node's store; `requester`: a new API key. */

import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { readNodeConfig } from '../config/config.ts';
import { readText } from '../config/read-toml.ts';
import { readUnlock } from '../config/unlock.ts';
import { newApiKey, requesterPublicKey } from '../requests/requester.ts';
import { combineMasterKey, splitMasterKey } from '../setup/backup.ts';
import { FILE_MODE } from '../store/files.ts';
import { integer } from './init-command.ts';

export function backupCommand(print: (line: string) => void, environment: NodeJS.ProcessEnv): Command {
  const split = new Command('split')
    .description('print shares of the master key, one per line: give each to another person')
    .requiredOption('--config <file>', 'node.toml')
    .option('--shares <n>', 'number of shares', integer, 5)
    .option('--threshold <k>', 'shares needed to restore', integer, 3)
    .action(async ({ config, shares, threshold }: { config: string; shares: number; threshold: number }) => {
      const { dataPath, unlock } = readNodeConfig(config);
      for (const line of await splitMasterKey(dataPath, readUnlock(unlock, environment), { shares, threshold }))
        print(line);
    });
  const combine = new Command('combine')
    .description('restore access to a store from shares; writes a new key file')
    .argument('<files...>', 'files with one share per line')
    .requiredOption('--config <file>', 'node.toml')
    .requiredOption('--key-file <file>', 'new key file to write, beside node.toml unless absolute')
    .action(async (files: string[], { config, keyFile }: { config: string; keyFile: string }) => {
      const lines = files.flatMap((file) => readText(file).split('\n')).filter((line) => line.trim() !== '');
      const { dataPath } = readNodeConfig(config);
      await combineMasterKey(dataPath, lines, resolve(dirname(config), keyFile));
      print(`restored: set unlock.keyFile = "${keyFile}" in ${config}`);
    });
  return new Command('backup')
    .description('backup of the key that opens the store')
    .addCommand(split)
    .addCommand(combine);
}

export function requesterCommand(print: (line: string) => void): Command {
  return new Command('requester')
    .description('make an API key and print the lines for node.toml of every node')
    .argument('<name>')
    .requiredOption('--key-file <file>', 'where to write the API key, for the requester only')
    .option('--operator', 'may start and cancel ceremonies')
    .action(async (name: string, { keyFile, operator }: { keyFile: string; operator?: true }) => {
      const apiKey = newApiKey();
      await writeFile(join(resolve(keyFile)), `${apiKey}\n`, { mode: FILE_MODE, flag: 'wx' });
      print('[[requesters]]');
      print(`name = ${JSON.stringify(name)}`);
      print(`publicKey = "${requesterPublicKey(apiKey)}"`);
      print('apps = ["default"]');
      if (operator) print('operator = true');
    });
}
