/** Which node a command talks to, and with which API key: options shared by all commands that call a node. */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { readNodeConfig } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { systemCode } from '../store/store-error.ts';
import { createNodeClient, type NodeClient } from './node-client.ts';

export interface TargetOptions {
  readonly url?: string;
  readonly config?: string;
  readonly apiKeyFile?: string;
}

export function withTarget(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'REST address of the node').env('KEYQUORUM_URL'))
    .option('--config <file>', 'node.toml of the node, instead of --url')
    .addOption(new Option('--api-key-file <file>', 'file with the API key').env('KEYQUORUM_API_KEY_FILE'));
}

export function clientOf({ url, config, apiKeyFile }: TargetOptions): NodeClient {
  return createNodeClient(
    urlOf({ ...(url !== undefined && { url }), ...(config !== undefined && { config }) }),
    apiKeyOf(apiKeyFile),
  );
}

function urlOf({ url, config }: Pick<TargetOptions, 'url' | 'config'>): string {
  if (url !== undefined) return url;
  if (config === undefined) {
    throw new ConfigError('CONFIG_MISSING', { file: 'command line', field: 'url', message: 'give --url or --config' });
  }
  const { rest } = readNodeConfig(config);
  return rest.url ?? `http://${rest.host}:${rest.port}`;
}

function apiKeyOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const message = `cannot be read (${systemCode(error) ?? 'unknown cause'})`;
    throw new ConfigError('CONFIG_MISSING', { file, field: 'apiKeyFile', message });
  }
}
