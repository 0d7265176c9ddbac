/**
 * Structured logs, one JSON line each. Secrets do not get here by construction (nothing logs bodies or keys); redaction
 * is the second lock, for headers that a library might print.
 */
import type { Log } from '@keyquorum/protocols/log';
import { type DestinationStream, type Logger, pino } from 'pino';

const SECRET_FIELDS = ['authorization', 'apiKey', 'secretKey', 'passphrase', 'seed', 'share', 'key', 'master'];

export function createLog(options: {
  readonly level: string;
  readonly party: number;
  readonly network: string;
  readonly destination?: DestinationStream;
}): Logger {
  const { level, party, network, destination } = options;
  const paths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `req.headers.${field}`, `headers.${field}`]);
  const settings = { level, base: { party, network }, redact: { paths, censor: '[secret]' } };
  return destination ? pino(settings, destination) : pino(settings);
}

/** The services' log as this logger. */
export function serviceLog(log: Logger): Log {
  return ({ level, message, ...fields }) => log[level](fields, message);
}
