/** Stores of a simulated party: maps that copy, as a disk would. */
import type { PublicStore, SecretStore } from '@keyquorum/protocols/storage';

function createTable() {
  const table = new Map<string, Uint8Array>();
  return {
    async put(name: string, bytes: Uint8Array) {
      table.set(name, new Uint8Array(bytes));
    },
    async get(name: string) {
      const bytes = table.get(name);
      return bytes && new Uint8Array(bytes);
    },
    async delete(name: string) {
      table.delete(name);
    },
    async names(prefix: string) {
      return [...table.keys()].filter((name) => name.startsWith(prefix)).sort();
    },
  };
}

export function createMemoryStores(): { secrets: SecretStore; publics: PublicStore } {
  const { put, get, delete: shred, names } = createTable();
  return { secrets: { put, get, shred, names }, publics: createTable() };
}
