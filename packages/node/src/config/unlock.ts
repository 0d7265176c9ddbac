/** Reads what opens the store, from where the configuration says. The caller erases the bytes. */
import { readFileSync, statSync } from 'node:fs';
import type { Unlock } from '../store/master-key.ts';
import { systemCode } from '../store/store-error.ts';
import type { UnlockSource } from './config.ts';
import { ConfigError } from './config-error.ts';

const NEWLINE = 0x0a;
const OTHERS_MASK = 0o077;

/** Throws ConfigError when it is absent, empty, or readable by other users. */
export function readUnlock(source: UnlockSource, environment: NodeJS.ProcessEnv): Unlock {
  if (source.kind === 'passphrase-env') {
    const text = environment[source.variable] ?? '';
    delete environment[source.variable]; // child processes and crash reports do not inherit it
    return { kind: 'passphrase', bytes: required(new TextEncoder().encode(text), `$${source.variable}`) };
  }
  const bytes = required(readPrivateFile(source.file), source.file);
  if (source.kind === 'key-file') return { kind: 'key-file', bytes };
  const end = bytes.at(-1) === NEWLINE ? bytes.length - 1 : bytes.length;
  return { kind: 'passphrase', bytes: required(bytes.slice(0, end), source.file) };
}

function readPrivateFile(file: string): Uint8Array {
  try {
    if ((statSync(file).mode & OTHERS_MASK) !== 0) {
      const message = `may be read by other users: chmod 600 ${file}`;
      throw new ConfigError('CONFIG_INVALID', { file, field: 'unlock', message });
    }
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const message = `cannot be read (${systemCode(error) ?? 'unknown cause'})`;
    throw new ConfigError('CONFIG_MISSING', { file, field: 'unlock', message });
  }
}

function required(bytes: Uint8Array, place: string): Uint8Array {
  if (bytes.length > 0) return bytes;
  throw new ConfigError('CONFIG_MISSING', { file: place, field: 'unlock', message: 'is empty or not set' });
}
