/** Reads what opens the store, from where the configuration says. The caller erases the bytes. */
import type { Unlock } from '../store/master-key.ts';
import type { UnlockSource } from './config.ts';
import { readSecretFile, readSecretLine, takeSecretVariable } from './secret-source.ts';

const FIELD = 'unlock';

/** Throws ConfigError when it is absent, empty, or readable by other users. */
export function readUnlock(source: UnlockSource, environment: NodeJS.ProcessEnv): Unlock {
  switch (source.kind) {
    case 'passphrase-env':
      return { kind: 'passphrase', bytes: takeSecretVariable(source.variable, environment, FIELD) };
    case 'passphrase-file':
      return { kind: 'passphrase', bytes: readSecretLine(source.file, FIELD) };
    case 'key-file':
      return { kind: 'key-file', bytes: readSecretFile(source.file, FIELD) };
  }
}
