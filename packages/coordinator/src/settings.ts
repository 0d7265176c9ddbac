/** The settings file of the coordinator: JSON, checked against a schema that fills in what is not said. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Committee } from '@keyquorum/client/committee';
import { SLOTS_MAX } from '@keyquorum/client/slots';
import Type, { type Static } from 'typebox';
import { Check, Default, Errors } from 'typebox/value';
import { REQUEST_BYTES_MAX } from './contract.ts';

const FILE_LENGTH_MAX = 2 ** 20;
const MEBIBYTE = 2 ** 20;
/** Responses of 15 nodes to a request with 256 ciphertexts, in hex, take half of it. */
const REPORT_BYTES_MAX = 64 * MEBIBYTE;

const Address = Type.Unsafe<`0x${string}`>(Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' }));
const integer = (initial: number, minimum: number, description: string) => {
  return Type.Integer({ default: initial, minimum, maximum: Number.MAX_SAFE_INTEGER, description });
};

const Limits = Type.Object(
  {
    requestsPerMinute: integer(600, 1, 'calls from one address'),
    running: integer(256, SLOTS_MAX, 'requests to nodes under way; a batch counts each ciphertext'),
    runningPerCaller: integer(128, SLOTS_MAX, 'of them by one caller'),
    runningBytes: integer(256 * MEBIBYTE, REQUEST_BYTES_MAX, 'of ciphertexts in requests under way, as base64'),
    ciphertextBytes: integer(256 * MEBIBYTE, MEBIBYTE, 'handed over by all callers, in memory'),
    ciphertextBytesPerCaller: integer(64 * MEBIBYTE, MEBIBYTE, 'of them by one caller'),
    ciphertextSeconds: integer(3_600, 1, 'until one that nobody uses is forgotten'),
    waiting: integer(1_024, 1, 'long polls and event streams'),
    waitingPerCaller: integer(64, 1, 'of them by one caller'),
    kept: integer(10_000, 1, 'finished requests'),
    keptBytes: integer(256 * MEBIBYTE, REPORT_BYTES_MAX, 'of their records'),
    keptHours: integer(168, 1, 'until a finished request is forgotten'),
  },
  { additionalProperties: false, default: {} },
);
export type Limits = Static<typeof Limits>;

const Settings = Type.Object(
  {
    threshold: Type.Integer({ minimum: 1 }),
    gatewayChainId: Type.Integer({ minimum: 1 }),
    decryptionContract: Address,
    nodes: Type.Array(
      Type.Object({ party: Type.Integer(), url: Type.String(), signer: Address }, { additionalProperties: false }),
    ),
    folder: Type.String({ minLength: 1, description: 'of its database; relative to this file' }),
    host: Type.String({ default: '127.0.0.1' }),
    port: Type.Integer({ default: 8080, minimum: 0, maximum: 65_535 }),
    origins: Type.Array(Type.String({ pattern: '^https?://[^/*\\s]{1,300}$' }), {
      default: [],
      maxItems: 100,
      description: 'whose pages may read answers in a browser (CORS)',
    }),
    trustProxy: Type.Boolean({ default: false, description: 'X-Forwarded-For tells the address of a caller' }),
    deadlineSeconds: integer(60, 1, 'how long nodes may take for one request'),
    collectSeconds: integer(15, 0, 'how long the others may take when there is a result'),
    logLevel: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' }),
    limits: Limits,
  },
  { additionalProperties: false },
);

export interface Settings extends Omit<Static<typeof Settings>, 'threshold' | 'gatewayChainId' | 'nodes'> {
  readonly committee: Committee;
}

export const DEFAULT_LIMITS: Limits = requireLimits();

function requireLimits(): Limits {
  const limits = Default(Limits, {});
  if (!Check(Limits, limits)) throw new Error('limits without a default');
  return limits;
}

/** The file cannot be used; the message says which field and why. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly code = 'SETTINGS_INVALID';
}

/** @throws SettingsError */
export async function readSettings(path: string): Promise<Settings> {
  const parsed = parse(path, await textOf(path));
  const value = Default(Settings, parsed);
  if (!Check(Settings, value)) throw new SettingsError(`${path}: ${problemOf(value)}`);
  const { threshold, gatewayChainId, decryptionContract, nodes, folder, ...rest } = value;
  const committee = { threshold, gatewayChainId: BigInt(gatewayChainId), decryptionContract, nodes };
  return { ...rest, decryptionContract, folder: resolve(dirname(path), folder), committee };
}

/** The first problem that an operator can act on, never the value itself. */
function problemOf(value: unknown): string {
  const errors = Errors(Settings, value);
  for (const { keyword, instancePath, params } of errors) {
    if (keyword === 'additionalProperties') return `${instancePath}/${params.additionalProperties[0]}: unknown field`;
  }
  const [first] = errors;
  return `${first?.instancePath || '/'}: ${first?.message ?? 'does not match'}`;
}

async function textOf(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length <= FILE_LENGTH_MAX) return text;
  } catch (cause) {
    throw new SettingsError(`${path}: cannot be read; check the path`, { cause });
  }
  throw new SettingsError(`${path}: longer than ${FILE_LENGTH_MAX} characters`);
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SettingsError(`${path}: no JSON`, { cause });
  }
}
