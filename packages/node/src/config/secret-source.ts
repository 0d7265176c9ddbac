/** Secrets that are not in the files of a node: read from a file of their own, or from the environment. */
import { readFileSync, statSync } from 'node:fs';
import { systemCode } from '../store/store-error.ts';
import { ConfigError } from './config-error.ts';

const NEWLINE = 0x0a;
const OTHERS_MASK = 0o077;

/** Throws ConfigError when it is absent, empty, or readable by other users. `field`: the setting that names it. */
export function readSecretFile(file: string, field: string): Uint8Array {
  try {
    if ((statSync(file).mode & OTHERS_MASK) !== 0) {
      const message = `may be read by other users: chmod 600 ${file}`;
      throw new ConfigError('CONFIG_INVALID', { file, field, message });
    }
    return required(new Uint8Array(readFileSync(file)), { place: file, field });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const message = `cannot be read (${systemCode(error) ?? 'unknown cause'})`;
    throw new ConfigError('CONFIG_MISSING', { file, field, message });
  }
}

/** A line of text, without the newline at the end of the file. */
export function readSecretLine(file: string, field: string): Uint8Array {
  const bytes = readSecretFile(file, field);
  const end = bytes.at(-1) === NEWLINE ? bytes.length - 1 : bytes.length;
  const line = required(bytes.slice(0, end), { place: file, field });
  bytes.fill(0);
  return line;
}

/** Removes the variable, so that child processes and crash reports do not inherit it. Throws ConfigError. */
export function takeSecretVariable(variable: string, environment: NodeJS.ProcessEnv, field: string): Uint8Array {
  const text = environment[variable] ?? '';
  delete environment[variable];
  return required(new TextEncoder().encode(text), { place: `$${variable}`, field });
}

function required(bytes: Uint8Array, { place, field }: { place: string; field: string }): Uint8Array {
  if (bytes.length > 0) return bytes;
  throw new ConfigError('CONFIG_MISSING', { file: place, field, message: 'is empty or not set' });
}
