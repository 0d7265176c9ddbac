/**
 * Corrupt parties. A strategy wraps the transport of an otherwise honest party and lies there: the program above is the
 * honest one, so every lie is well timed. The same strategies work around the transport of a real node.
 */
import type { Roster } from '../roster.ts';
import type { Clock, Signer } from '../session.ts';
import type { Envelope, Exchange, PartyId, Transport, TransportEvents } from '../transport.ts';
import type { Prng } from './prng.ts';
import type { ShareMessageCodec } from './share-message.ts';

export interface FaultTools {
  readonly roster: Roster;
  readonly self: PartyId;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: Prng;
  /** The corrupt parties, this one included, and randomness they share. */
  readonly colluders: readonly PartyId[];
  readonly shared: Prng;
  /** How shares lie inside the messages of the protocols under test. */
  readonly codecs: readonly ShareMessageCodec[];
  /** Ends this process at once. */
  crash(): void;
}

export interface FaultStrategy {
  /** What it does, with its parameters: printed with the seed. */
  readonly name: string;
  wrap(transport: Transport, tools: FaultTools): Transport;
}

/** Corrupt parties and what each does. */
export type Faults = Readonly<Record<PartyId, FaultStrategy>>;

/** One line: who is corrupt and how. */
export function describeFaults(faults: Faults): string {
  const parts = Object.entries(faults).map(([party, { name }]) => `party ${party} ${name}`);
  return parts.length === 0 ? 'no faults' : parts.join('; ');
}

/** Several strategies at once; the first is nearest to the network. */
export function combine(...strategies: readonly FaultStrategy[]): FaultStrategy {
  return {
    name: strategies.map(({ name }) => name).join(' and '),
    wrap: (transport, tools) => strategies.reduce((inner, strategy) => strategy.wrap(inner, tools), transport),
  };
}

/** The hooks of a strategy; each does what the wrapped transport does unless it is given. */
export interface Hooks {
  send?(to: PartyId, envelope: Envelope, inner: Transport): void;
  receive?(from: PartyId, envelope: Envelope, deliver: TransportEvents['onEnvelope']): void;
  /** The answer of this party to a request, when the honest answer is `answer`. */
  answer?(from: PartyId, exchange: Exchange, answer: () => Promise<Uint8Array>): Promise<Uint8Array>;
}

export function intercept(inner: Transport, hooks: Hooks): Transport {
  return {
    self: inner.self,
    start: ({ onEnvelope, onPeer }) =>
      inner.start({
        onPeer,
        onEnvelope: (from, envelope) =>
          hooks.receive ? hooks.receive(from, envelope, onEnvelope) : onEnvelope(from, envelope),
      }),
    send: (to, envelope) => (hooks.send ? hooks.send(to, envelope, inner) : inner.send(to, envelope)),
    queuedBytes: (to) => inner.queuedBytes(to),
    drained: (to, bytes) => inner.drained(to, bytes),
    isUp: (peer) => inner.isUp(peer),
    request: (to, exchange, body, signal) => inner.request(to, exchange, body, signal),
    serve: (exchange, handler) =>
      inner.serve(exchange, (from, body) => {
        const answer = () => handler(from, body);
        return hooks.answer ? hooks.answer(from, exchange, answer) : answer();
      }),
    stop: () => inner.stop(),
  };
}
