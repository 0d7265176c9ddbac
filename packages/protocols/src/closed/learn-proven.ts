/**
 * A party that was away when a session was burnt does not know whom it proved, and would wait for that party's shares
 * for ever (SPEC R3). It asks the others: what t+1 of them say was seen by an honest one. The list only grows.
 */
import { decode, encode, u8 } from '@keyquorum/codec/codec';
import { vector } from '@keyquorum/codec/composites';
import type { Party } from '@keyquorum/mpc/party';
import { partiesOf } from '@keyquorum/mpc/roster';
import type { Exchange, PartyId } from '@keyquorum/mpc/transport';
import { ask } from '../ask.ts';
import type { ProvenParties } from './proven.ts';

const PARTIES_MAX = 15;
const ANSWER_LIMIT_MS = 2_000;

const listCodec = vector(u8, PARTIES_MAX);
const provenExchange: Exchange = { name: 'proven/list', requestBytesMax: 0, responseBytesMax: 8 + PARTIES_MAX };

export function serveProven(party: Party, proven: ProvenParties): void {
  party.transport.serve(provenExchange, async () => encode(listCodec, [...proven.list()]));
}

/** Asks everybody that is up, and enters whom t+1 of them name. Resolves with the newly entered. */
export async function learnProven(party: Party, proven: ProvenParties, signal: AbortSignal): Promise<PartyId[]> {
  const named = new Map<PartyId, number>();
  const asked = party.connected().map(async (to) => {
    const question = { to, exchange: provenExchange, body: new Uint8Array(0), limitMs: ANSWER_LIMIT_MS, signal };
    for (const each of new Set(decode(listCodec, await ask(party, question)))) {
      named.set(each, (named.get(each) ?? 0) + 1);
    }
  });
  await Promise.allSettled(asked); // who is silent or sends something else names nobody
  const known = proven.list();
  const learnt = partiesOf(party.roster).filter(
    (each) => (named.get(each) ?? 0) > party.roster.t && !known.includes(each),
  );
  await proven.adopt(learnt);
  return learnt;
}
