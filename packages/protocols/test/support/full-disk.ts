/** A disk of one party that is full after some more writes, until there is space again. */
import type { PartyId } from '@keyquorum/mpc/transport';
import type { SimulatedNetwork } from './network.ts';

export interface FullDisk {
  /** The next `writes` writes succeed, all later ones fail. */
  fillAfter(writes: number): void;
  free(): void;
  /** What could not be written: the buffers of the caller, not copies. */
  readonly refused: { readonly name: string; readonly bytes: Uint8Array }[];
}

/** Puts the stores of the party behind it. To be called before its services start. */
export function fullDisk({ publics, secrets }: SimulatedNetwork, party: PartyId): FullDisk {
  let left = Number.POSITIVE_INFINITY;
  const refused: FullDisk['refused'] = [];

  async function write(name: string, bytes: Uint8Array, put: () => Promise<void>): Promise<void> {
    if (left-- > 0) return put();
    refused.push({ name, bytes });
    throw Object.assign(new Error(`cannot write ${name}: ENOSPC`), { code: 'STORE_FAILED' }); // what a StoreError says
  }

  const [secret, open] = [secrets.get(party)!, publics.get(party)!];
  secrets.set(party, { ...secret, put: (name, bytes) => write(name, bytes, () => secret.put(name, bytes)) });
  publics.set(party, { ...open, put: (name, bytes) => write(name, bytes, () => open.put(name, bytes)) });
  return {
    fillAfter(writes) {
      left = writes;
    },
    free() {
      left = Number.POSITIVE_INFINITY;
    },
    refused,
  };
}
