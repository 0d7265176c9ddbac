/** The public objects of this node's keys as the caretaker looks after them: read here, given back by peers. */
import type { Party } from '@keyquorum/mpc/party';
import type { Log } from '../log.ts';
import { type Caretaker, createCaretaker, type Holding } from '../material/caretaker.ts';
import { createKeyExchange, type KeyExchange } from './key-exchange.ts';
import type { KeyStore } from './key-store.ts';
import { repairBodies } from './repair.ts';

export interface KeyMaterial {
  readonly caretaker: Caretaker;
  readonly exchange: KeyExchange;
}

interface Modules {
  readonly party: Party;
  readonly keys: KeyStore;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Serves the key exchange from now on; the caretaker waits for its `run`. */
export function createKeyMaterial({ party, keys, signal, log }: Modules): KeyMaterial {
  const holdings = (): Holding[] =>
    keys.records().map(({ keyId: id }) => ({
      id,
      objects: keys.objects(id),
      repair: () => repairBodies({ party, keys, exchange, signal, log }, id),
    }));
  const caretaker = createCaretaker({ clock: party.clock, signal, log, holdings });
  const exchange = createKeyExchange({ party, keys, signal, onDamaged: caretaker.suspect });
  return { caretaker, exchange };
}
