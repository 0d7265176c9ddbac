/** How nodes tell each other that an operator cancels a ceremony. What a peer's word is worth, its kind decides. */
import { fromHex, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import type { Exchange, PartyId } from '@keyquorum/mpc/transport';
import type { Log } from '../log.ts';

export interface Cancelling {
  /** This node's own operator. @throws CeremonyError CEREMONY_UNKNOWN */
  cancel(id: string): void;
  /** The operator of another node. True when this ends it here, now. @throws CeremonyError CEREMONY_UNKNOWN */
  cancelBy(peer: PartyId, id: string): boolean;
}

interface CancelModules {
  /** Of the exchange: one for each kind of ceremony. */
  readonly name: string;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Takes the word of peers, and passes it on when it ends a ceremony here. Returns the way to cancel one by this node's
 * operator, here and at all others. @throws CeremonyError CEREMONY_UNKNOWN
 */
export function serveCancel(
  { transport, connected }: Party,
  cancelling: Cancelling,
  { name, signal, log }: CancelModules,
): (id: string) => void {
  const cancelExchange: Exchange = { name, requestBytesMax: 32, responseBytesMax: 1 };

  function tellOthers(id: string): void {
    for (const peer of connected()) {
      const told = transport.request(peer, cancelExchange, fromHex(id), signal);
      told.catch(() => undefined); // the operator of that node can cancel there
    }
  }
  transport.serve(cancelExchange, async (from, body) => {
    const id = toHex(body);
    log({ level: 'warn', message: 'a peer cancels a ceremony', id, from });
    if (cancelling.cancelBy(from, id)) tellOthers(id);
    return Uint8Array.of(1);
  });
  return (id) => {
    cancelling.cancel(id);
    tellOthers(id);
  };
}
