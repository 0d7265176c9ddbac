/**
 * Parties that lie when told: one network is set up honestly and then serves many scenarios, in which other parties lie
 * in other ways. Every party has the wrapper; outside of its lies it is transparent.
 */
import type { FaultStrategy, Faults, FaultTools } from '@keyquorum/mpc/simulate/strategy';
import type { Exchange, PartyId, Transport, TransportEvents } from '@keyquorum/mpc/transport';

type Handler = Parameters<Transport['serve']>[1];

/** What an honest party put on its transport, so that a strategy can be put around it later. */
interface Seat {
  readonly inner: Transport;
  readonly tools: FaultTools;
  events: TransportEvents | undefined;
  readonly handlers: Map<Exchange, Handler>;
  lie: Lie | undefined;
  /** It has sent the message that its lies begin with. */
  begun: boolean;
}

/** A strategy around the transport of a seat; what it receives and answers is captured here. */
interface Lie {
  readonly transport: Transport;
  events: TransportEvents | undefined;
  readonly handlers: Map<string, Handler>;
}

interface Scenario {
  readonly faults: Faults;
  readonly label: string;
  readonly since: RegExp | undefined;
}

export interface Lies {
  /** For `simulate`: every party, honest until `start`. */
  readonly faults: Faults;
  /**
   * From now on these parties lie; the others are honest. `label` seeds what the liars draw. With `since`: each from
   * the first message on that it sends under such a tag.
   */
  start(faults: Faults, label: string, since?: RegExp): void;
  stop(): void;
}

export function createLies(n: number): Lies {
  const seats = new Map<PartyId, Seat>();
  let current: Scenario | undefined;

  function lieOf(seat: Seat): Lie | undefined {
    const strategy = current?.faults[seat.tools.self];
    if (current === undefined || strategy === undefined) return undefined;
    if (current.since !== undefined && !seat.begun) return undefined;
    seat.lie ??= makeLie(seat, strategy, current);
    return seat.lie;
  }

  const switched: FaultStrategy = {
    name: 'lies when told',
    wrap(inner, tools) {
      const seat: Seat = { inner, tools, events: undefined, handlers: new Map(), lie: undefined, begun: false };
      seats.set(tools.self, seat);
      return {
        ...pass(inner),
        start(events) {
          seat.events = events;
          return inner.start({
            onEnvelope: (from, envelope) => (lieOf(seat)?.events ?? events).onEnvelope(from, envelope),
            onPeer: (peer, state) => events.onPeer(peer, state),
          });
        },
        send(to, envelope) {
          if (current?.since?.test(envelope.tag)) seat.begun = true;
          (lieOf(seat)?.transport ?? inner).send(to, envelope);
        },
        request: (to, exchange, body, signal) => (lieOf(seat)?.transport ?? inner).request(to, exchange, body, signal),
        serve(exchange, handler) {
          seat.handlers.set(exchange, handler);
          lieOf(seat)?.transport.serve(exchange, handler);
          inner.serve(exchange, (from, body) => (lieOf(seat)?.handlers.get(exchange.name) ?? handler)(from, body));
        },
      };
    },
  };

  return {
    faults: Object.fromEntries(Array.from({ length: n }, (_, index) => [index + 1, switched])),
    start(faults, label, since) {
      current = { faults, label, since };
      for (const seat of seats.values()) Object.assign(seat, { lie: undefined, begun: false });
    },
    stop() {
      current = undefined;
      for (const seat of seats.values()) seat.lie = undefined;
    },
  };
}

function makeLie({ inner, tools, events, handlers }: Seat, strategy: FaultStrategy, { faults, label }: Scenario): Lie {
  const captured: { events: TransportEvents | undefined; handlers: Map<string, Handler> } = {
    events: undefined,
    handlers: new Map(),
  };
  const capturing: Transport = {
    ...pass(inner),
    async start(wrapped) {
      captured.events = wrapped;
    },
    serve: (exchange, handler) => void captured.handlers.set(exchange.name, handler),
  };
  const transport = strategy.wrap(capturing, {
    ...tools,
    colluders: Object.keys(faults).map(Number),
    random: tools.random.fork(label),
    shared: tools.shared.fork(label),
  });
  if (events !== undefined) void transport.start(events); // the capturing transport starts at once
  for (const [exchange, handler] of handlers) transport.serve(exchange, handler);
  return Object.assign(captured, { transport });
}

/** The methods of a transport as functions of their own. */
function pass(inner: Transport): Transport {
  return {
    self: inner.self,
    start: (events) => inner.start(events),
    send: (to, envelope) => inner.send(to, envelope),
    queuedBytes: (to) => inner.queuedBytes(to),
    drained: (to, bytes) => inner.drained(to, bytes),
    isUp: (peer) => inner.isUp(peer),
    request: (to, exchange, body, signal) => inner.request(to, exchange, body, signal),
    serve: (exchange, handler) => inner.serve(exchange, handler),
    stop: () => inner.stop(),
  };
}
