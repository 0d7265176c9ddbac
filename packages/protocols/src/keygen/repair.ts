/**
 * Gets back from peers what this node's disk has lost of the bodies of a finished key. The certificate is in this
 * node's record, so any peer may be asked: one that has other bytes is passed over.
 */
import type { Party } from '@keyquorum/mpc/party';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { Log } from '../log.ts';
import { MaterialDamagedError } from '../material/public-object.ts';
import { completeBodies, verifyRecord } from './certified-bodies.ts';
import { certifiedRecord, type KeyExchange } from './key-exchange.ts';
import type { KeyStore } from './key-store.ts';

export interface RepairModules {
  readonly party: Party;
  readonly keys: KeyStore;
  readonly exchange: KeyExchange;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Chunks that were fetched. @throws MaterialDamagedError when no peer has what is missing, and what the disk says */
export async function repairBodies({ party, keys, exchange, signal, log }: RepairModules, keyId: string) {
  const record = keys.record(keyId)!;
  /** Peers that were right so far, or not asked: a liar is asked once. */
  const sources = party.connected();

  async function fromPeers<T>(what: string, get: (peer: PartyId) => Promise<T>): Promise<T> {
    for (let peer = sources[0]; peer !== undefined; peer = sources[0]) {
      try {
        return await get(peer);
      } catch (error) {
        if (signal.aborted) throw error;
        log({ level: 'warn', message: 'a peer has not what this disk lost', keyId, from: peer, error: String(error) });
        sources.shift();
      }
    }
    throw new MaterialDamagedError(`key ${keyId}: no peer that is up has ${what}`);
  }

  async function digestsFrom(peer: PartyId): Promise<Uint8Array> {
    const { digests } = certifiedRecord(party, await exchange.askRecord(peer, keyId));
    verifyRecord(party.roster, record, digests);
    return digests;
  }

  const digests = await keys
    .certified(keyId)
    .digests()
    .catch((error) => {
      if (!(error instanceof MaterialDamagedError)) throw error;
      return fromPeers('the digests of its chunks', digestsFrom);
    });
  return completeBodies(record, { store: keys.bodies(record.session), digests }, (index, fits) =>
    fromPeers(`chunk ${index}`, (peer) => exchange.chunk(peer, { keyId, index, fits })),
  );
}
