/** Stores in memory with the contracts of `storage.ts`; they outlive a crash of the party, like a disk. */
import type { PublicStore, SecretStore } from '../../src/storage.ts';

export function memorySecrets(): SecretStore {
  const secrets = new Map<string, Uint8Array>();
  return {
    put: async (name, secret) => void secrets.set(name, Uint8Array.from(secret)),
    get: async (name) => secrets.get(name)?.slice(),
    async shred(name) {
      secrets.get(name)?.fill(0);
      secrets.delete(name);
    },
    names: async (prefix) => [...secrets.keys()].filter((name) => name.startsWith(prefix)).sort(),
  };
}

export function memoryPublics(): PublicStore {
  const files = new Map<string, Uint8Array>();
  return {
    put: async (name, bytes) => void files.set(name, Uint8Array.from(bytes)),
    get: async (name) => files.get(name)?.slice(),
    delete: async (name) => void files.delete(name),
    names: async (prefix) => [...files.keys()].filter((name) => name.startsWith(prefix)).sort(),
  };
}
