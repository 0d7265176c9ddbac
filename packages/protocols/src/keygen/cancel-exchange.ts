/** How nodes tell each other that an operator cancels a key generation. What a peer's word is worth: endings.ts. */
import { fromHex, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import type { Exchange } from '@keyquorum/mpc/transport';
import type { Log } from '../log.ts';
import type { Endings } from './endings.ts';

const cancelExchange: Exchange = { name: 'ceremony/cancel', requestBytesMax: 32, responseBytesMax: 1 };

/**
 * Takes the word of peers, and passes it on when it ends a ceremony here. Returns the way to cancel one by this node's
 * operator, here and at all others. @throws CeremonyError CEREMONY_UNKNOWN
 */
export function serveCancel(
  { transport, connected }: Party,
  endings: Pick<Endings, 'cancel' | 'cancelBy'>,
  { signal, log }: { signal: AbortSignal; log: Log },
): (id: string) => void {
  function tellOthers(id: string): void {
    for (const peer of connected()) {
      const told = transport.request(peer, cancelExchange, fromHex(id), signal);
      told.catch(() => undefined); // the operator of that node can cancel there
    }
  }
  transport.serve(cancelExchange, async (from, body) => {
    const id = toHex(body);
    log({ level: 'warn', message: 'a peer cancels a ceremony', id, from });
    if (endings.cancelBy(from, id)) tellOthers(id);
    return Uint8Array.of(1);
  });
  return (id) => {
    endings.cancel(id);
    tellOthers(id);
  };
}
