/**
 * Misbehaviour on purpose, for demonstrations and tests: `--fault` of `keyquorum start`, refused without
 * KEYQUORUM_FAULTS=1. The strategies are those of the simulator, wrapped around the real transport.
 */
import type { Roster } from '@keyquorum/mpc/roster';
import { intercept } from '@keyquorum/mpc/simulate/strategy';
import type { Envelope, PartyId, Transport } from '@keyquorum/mpc/transport';
import type { Logger } from 'pino';
import { ConfigError } from '../config/config-error.ts';
import type { DaemonOptions } from './daemon.ts';

type Misbehaviour = NonNullable<DaemonOptions['misbehave']>;

const DELAY_MS_MAX = 600_000;

/** Throws ConfigError for an unknown kind. */
export async function parseFault(text: string, roster: Roster, log: Logger): Promise<Misbehaviour> {
  const misbehaviour = strategyOf(text, roster);
  log.warn({ fault: text }, 'this node MISBEHAVES on purpose');
  return misbehaviour;
}

function strategyOf(text: string, _roster: Roster): Misbehaviour {
  const [kind, argument = ''] = text.split(':');
  if (kind === 'silent') return (transport) => intercept(transport, { send: () => undefined });
  if (kind === 'slow') {
    const delayMs = Number(argument);
    if (Number.isInteger(delayMs) && delayMs > 0 && delayMs <= DELAY_MS_MAX) return slow(delayMs);
  }
  const message = `fault: got "${text.slice(0, 40)}", want wrong-share, silent, equivocate or slow:MS`;
  throw new ConfigError('CONFIG_INVALID', { file: 'command line', field: 'fault', message });
}

function slow(delayMs: number): Misbehaviour {
  return (transport) =>
    intercept(transport, {
      send(to: PartyId, envelope: Envelope, inner: Transport) {
        setTimeout(() => inner.send(to, envelope), delayMs).unref();
      },
    });
}
