/** Which released batches a node has: for parties that catch up (SPEC R7) and for their self-test (SPEC O12). */
import { decode, encode } from '@keyquorum/codec/codec';
import { fixedBytes, vector } from '@keyquorum/codec/composites';
import { fromHex, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import type { Exchange, PartyId, SessionId, Transport } from '@keyquorum/mpc/transport';
import { ask } from '../ask.ts';
import type { PublicStore } from '../storage.ts';

const BATCHES_MAX = 1024;
/** Short: who catches up asks one peer after the other, and some may be silent. */
const ANSWER_LIMIT_MS = 1_000;
const PREFIX = 'pool/';

const listCodec = vector(fixedBytes(32), BATCHES_MAX);
const listExchange: Exchange = { name: 'pool/list', requestBytesMax: 0, responseBytesMax: 8 + 32 * BATCHES_MAX };

/** Name of a batch's public record in the store. */
export function recordName(batch: SessionId): string {
  return PREFIX + batch;
}

/** The batches whose records are in the store. */
export async function storedBatches(publics: PublicStore): Promise<SessionId[]> {
  return (await publics.names(PREFIX)).map((name) => name.slice(PREFIX.length));
}

export function serveBatchList(transport: Transport, publics: PublicStore): void {
  transport.serve(listExchange, async () =>
    encode(listCodec, (await storedBatches(publics)).slice(0, BATCHES_MAX).map(fromHex)),
  );
}

/** The batches of a peer. @throws TransportError, or CodecError when the answer is no list */
export async function batchesOf(party: Party, peer: PartyId, signal: AbortSignal): Promise<SessionId[]> {
  const question = { to: peer, exchange: listExchange, body: new Uint8Array(0), limitMs: ANSWER_LIMIT_MS, signal };
  return decode(listCodec, await ask(party, question)).map(toHex);
}
