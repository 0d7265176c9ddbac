/** The coordinator program: `keyquorum-coordinator --config FILE`. Settings: settings.ts and the README. */
import { ClientError } from '@keyquorum/client/errors';
import { Command } from 'commander';
import { CoordinationError } from './errors.ts';
import { createService } from './service.ts';
import { readSettings, SettingsError } from './settings.ts';

const EXIT_UNUSABLE = 2;

const program = new Command('keyquorum-coordinator')
  .description('asks all nodes of a Keyquorum network and returns what they signed')
  .requiredOption('--config <file>', 'settings, JSON');

try {
  const { config } = program.parse().opts<{ config: string }>();
  const { host, port, deadlineSeconds, collectSeconds, ...settings } = await readSettings(config);
  const service = await createService({
    ...settings,
    deadlineMs: 1_000 * deadlineSeconds,
    collectMs: 1_000 * collectSeconds,
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => service.close());
  await service.listen({ host, port });
} catch (error) {
  const known = error instanceof SettingsError || error instanceof ClientError || error instanceof CoordinationError;
  if (!known) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exitCode = EXIT_UNUSABLE;
}
