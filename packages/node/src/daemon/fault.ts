/**
 * Misbehaviour on purpose, for demonstrations and tests: `--fault` of `keyquorum start`, refused without
 * KEYQUORUM_FAULTS=1. The strategies are those of the simulator, wrapped around the real transport.
 */
import { randomBytes } from 'node:crypto';
import { realClock } from '@keyquorum/mpc/runtime/clock';
import { strategyByName } from '@keyquorum/mpc/simulate/faults/catalogue';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import { SHARE_CODECS } from '@keyquorum/protocols/share-codecs';
import type { Logger } from 'pino';
import type { NodeConfig } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import type { DaemonOptions } from './daemon.ts';

type Misbehaviour = NonNullable<DaemonOptions['misbehave']>;

/** Throws ConfigError for an unknown kind. */
export function misbehaviourOf(text: string, { party, network }: NodeConfig, log: Logger): Misbehaviour {
  const strategy = strategyByName(text);
  if (!strategy) {
    const message = `fault: got "${text.slice(0, 40)}", want wrong-share, silent, equivocate or slow:MS`;
    throw new ConfigError('CONFIG_INVALID', { file: 'command line', field: 'fault', message });
  }
  log.warn({ fault: strategy.name }, 'this node MISBEHAVES on purpose');
  const seed = randomBytes(16).toString('hex');
  return (transport, signer) =>
    strategy.wrap(transport, {
      roster: network.roster,
      self: party,
      signer,
      clock: realClock,
      random: createPrng(`${seed} own`),
      colluders: [party],
      shared: createPrng(`${seed} shared`),
      codecs: SHARE_CODECS,
      crash: () => process.kill(process.pid, 'SIGKILL'),
    });
}
