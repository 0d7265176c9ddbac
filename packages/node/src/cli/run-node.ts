/** The life of a node process: start, signals, orderly stop, and the end after a bug or a failed disk. */
import { createServices } from '@keyquorum/protocols/create-services';
import type { Logger } from 'pino';
import type { NodeConfig } from '../config/config.ts';
import { type Daemon, startDaemon } from '../daemon/daemon.ts';
import { misbehaviourOf } from '../daemon/fault.ts';
import { describeFailure, EXIT } from './exit.ts';

/** An orderly stop that takes longer is given up; the store is safe against that. */
const STOP_MS_MAX = 10_000;

/** Resolves when the node is up; the process ends with one of the codes of exit.ts. */
export async function runNode(
  config: NodeConfig,
  log: Logger,
  { environment, fault }: { environment: NodeJS.ProcessEnv; fault?: string },
): Promise<void> {
  let daemon: Daemon | undefined;
  let stopping = false;

  async function end(exitCode: number, reason: string): Promise<void> {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, 'stopping');
    const watchdog = setTimeout(() => process.exit(exitCode || EXIT.unexpected), STOP_MS_MAX);
    try {
      await daemon?.stop();
    } catch (error) {
      log.error({ err: error }, 'the node did not stop in order');
    }
    clearTimeout(watchdog);
    process.exit(exitCode);
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end(EXIT.ok, signal));
  process.on('SIGUSR1', () => log.warn('ignored SIGUSR1: it would open the inspector, which reads all secrets'));
  const onBug = (error: unknown) => {
    log.fatal({ err: error }, 'unexpected error: please report it');
    void end(EXIT.unexpected, 'unexpected error');
  };
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
  daemon = await startDaemon({
    ...{ config, log, environment, createServices },
    ...(fault !== undefined && { misbehave: misbehaviourOf(fault, config, log) }),
    onStoreFailure(error) {
      log.fatal({ code: error.code }, error.message);
      process.exitCode = EXIT.store;
      void end(describeFailure(error).exitCode, error.code);
    },
  });
  process.send?.({ kind: 'started', url: daemon.url }); // for programs that start nodes with an IPC channel
}
