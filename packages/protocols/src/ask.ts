/**
 * One request to one peer with a time limit: a peer that takes questions and answers none must not hold up who asks.
 */
import type { Party } from '@keyquorum/mpc/party';
import type { Exchange, PartyId } from '@keyquorum/mpc/transport';

export interface Question {
  readonly to: PartyId;
  readonly exchange: Exchange;
  readonly body: Uint8Array;
  /** Longest wait for the answer, milliseconds. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** @throws TransportError PEER_TIMEOUT after the limit, and as `Transport.request` */
export async function ask({ transport, clock }: Party, question: Question): Promise<Uint8Array> {
  const { to, exchange, body, limitMs, signal } = question;
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  clock.until(clock.now() + limitMs, either).then(
    () => ended.abort(new Error(`no answer in ${limitMs} ms`)),
    () => undefined, // answered, or stopping
  );
  return transport.request(to, exchange, body, either).finally(() => ended.abort());
}
