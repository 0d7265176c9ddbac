/**
 * The network of a simulation: every pair of parties has a link with seeded delays. Messages are never lost while both
 * ends live, may overtake each other (which a real link forbids: protocols must not rely on order), and wait at a cut
 * link until it heals. A crash loses what is on its way to the dead process, and by chance what it had sent.
 */
import { crc32 } from 'node:zlib';
import type { PeerState } from '../party.ts';
import type { Envelope, Exchange, PartyId, Transport, TransportEvents } from '../transport.ts';
import { ENVELOPE_BODY_BYTES_MAX, TransportError } from '../transport.ts';
import type { Prng } from './prng.ts';
import type { Scheduler } from './scheduler.ts';
import type { Traffic } from './traffic.ts';
import type { Life } from './virtual-clock.ts';

export interface Latency {
  readonly minMs: number;
  readonly maxMs: number;
}

export interface NetworkOptions {
  readonly parties: readonly PartyId[];
  readonly latency: Latency;
  /** False: messages of one link arrive in the order sent, like on the real one. */
  readonly reorder: boolean;
}

type Handler = (from: PartyId, body: Uint8Array) => Promise<Uint8Array>;

/** A running process: what its transport received at `start` and `serve`. */
interface Endpoint {
  readonly life: Life;
  readonly handlers: Map<string, Handler>;
  events: TransportEvents | undefined;
}

interface Link {
  cut: boolean;
  /** Deliveries that wait for the link to heal. */
  held: (() => void)[];
  queuedBytes: number;
  drained: { readonly bytes: number; readonly resolve: () => void }[];
  lastArrivalMs: number;
}

export interface SimulatedNetwork {
  /** The transport of a process of `self` that starts now; the one of an earlier process is dead. */
  transport(self: PartyId, life: Life): Transport;
  /** Cuts every link between parties of different groups; a party in no group is alone. */
  partition(groups: readonly (readonly PartyId[])[]): void;
  heal(): void;
  /** Tells the others that the process of `self` is gone, or back without its memory. */
  announce(self: PartyId, state: PeerState): void;
}

/** A sent message reaches a living receiver although its sender died: decided by a fair coin. */
const SURVIVES_CRASH = 0.5;

export function createNetwork(
  { parties, latency, reorder }: NetworkOptions,
  { scheduler, traffic, random }: { scheduler: Scheduler; traffic: Traffic; random: Prng },
): SimulatedNetwork {
  const endpoints = new Map<PartyId, Endpoint>();
  const links = new Map<string, Link>();

  const linkOf = (from: PartyId, to: PartyId): Link => {
    const key = `${from}>${to}`;
    const link = links.get(key) ?? { cut: false, held: [], queuedBytes: 0, drained: [], lastArrivalMs: 0 };
    links.set(key, link);
    return link;
  };
  const isAlive = (party: PartyId) => endpoints.get(party)?.life.alive === true;
  const isUp = (from: PartyId, to: PartyId) => !linkOf(from, to).cut && isAlive(from) && isAlive(to);

  /** Runs `arrive` after the delay of the link; a cut link holds it back. */
  const travel = (link: Link, arrive: () => void) => {
    let timeMs = scheduler.now() + latency.minMs + random.unit() * (latency.maxMs - latency.minMs);
    if (!reorder) timeMs = Math.max(timeMs, link.lastArrivalMs);
    link.lastArrivalMs = timeMs;
    scheduler.at(timeMs, () => {
      if (link.cut) link.held.push(() => travel(link, arrive));
      else arrive();
    });
  };

  const send = (from: PartyId, life: Life, to: PartyId, envelope: Envelope) => {
    if (!life.alive) return; // a dead process: its code may still run to its next wait
    const receiver = endpoints.get(to);
    if (!receiver) throw new RangeError(`send: no party ${to}`);
    const { session, tag, body } = envelope;
    if (body.length > ENVELOPE_BODY_BYTES_MAX) throw new RangeError(`send ${tag}: ${body.length} bytes`);
    traffic.countSent(from, tag, body.length);
    if (!receiver.life.alive) return;
    const link = linkOf(from, to);
    link.queuedBytes += body.length;
    const checksum = crc32(body);
    travel(link, () => {
      settle(link, body.length);
      if (!receiver.life.alive || (!life.alive && !random.chance(SURVIVES_CRASH))) return;
      if (crc32(body) !== checksum) throw new Error(`${tag} of party ${from}: its body was changed after it was sent`);
      const copy = { session, tag, body: new Uint8Array(body) };
      traffic.traceDelivery(scheduler.now(), from, to, copy);
      receiver.events?.onEnvelope(from, copy);
    });
  };

  const request = (from: PartyId, life: Life, to: PartyId, exchange: Exchange, body: Uint8Array, signal: AbortSignal) =>
    new Promise<Uint8Array>((resolve, reject) => {
      if (signal.aborted) return reject(timeout(to, exchange));
      signal.addEventListener('abort', () => reject(timeout(to, exchange)), { once: true });
      if (!life.alive) return; // a dead process never hears an answer
      if (!isUp(from, to)) return reject(new TransportError('PEER_DOWN', to, `${exchange.name}: party ${to} is down`));
      const receiver = endpoints.get(to);
      traffic.countSent(from, exchange.name, body.length);
      const answer = (action: () => void) => travel(linkOf(to, from), () => life.alive && action());
      travel(linkOf(from, to), () => {
        const refuse = () => reject(new TransportError('PEER_REFUSED', to, `${exchange.name}: party ${to} refused`));
        const lost = () => reject(new TransportError('PEER_DOWN', to, `${exchange.name}: party ${to} went down`));
        if (!receiver?.life.alive) return answer(lost);
        const handler = receiver.handlers.get(exchange.name);
        if (!handler) return answer(refuse);
        Promise.resolve()
          .then(() => handler(from, new Uint8Array(body)))
          .then(
            (bytes) => {
              if (!receiver.life.alive) return answer(lost);
              traffic.countSent(to, exchange.name, bytes.length);
              const copy = new Uint8Array(bytes);
              if (copy.length <= exchange.responseBytesMax) answer(() => resolve(copy));
              else
                answer(() => reject(new TransportError('PEER_OVERSIZE', to, `${exchange.name}: ${copy.length} bytes`)));
            },
            () => answer(refuse),
          );
      });
    });

  const tell = (party: PartyId, peer: PartyId, state: PeerState) => {
    const endpoint = endpoints.get(party);
    if (endpoint?.life.alive) endpoint.events?.onPeer(peer, state);
  };

  const setCut = (from: PartyId, to: PartyId, cut: boolean) => {
    const link = linkOf(from, to);
    if (from === to || link.cut === cut) return;
    link.cut = cut;
    if (cut) settle(link, 0, true);
    for (const deliver of cut ? [] : link.held.splice(0)) deliver();
    if (isAlive(to)) tell(from, to, cut ? 'down' : 'up');
  };

  return {
    transport(self, life) {
      const endpoint: Endpoint = { life, handlers: new Map(), events: undefined };
      endpoints.set(self, endpoint);
      return {
        self,
        async start(events) {
          endpoint.events = events;
          scheduler.at(scheduler.now(), () => {
            for (const peer of parties) if (peer !== self && life.alive && isUp(self, peer)) events.onPeer(peer, 'up');
          });
        },
        send: (to, envelope) => send(self, life, to, envelope),
        queuedBytes: (to) => linkOf(self, to).queuedBytes,
        drained(to, bytes) {
          const link = linkOf(self, to);
          if (link.queuedBytes <= bytes || !isUp(self, to)) return Promise.resolve();
          return new Promise((resolve) => link.drained.push({ bytes, resolve }));
        },
        isUp: (peer) => isUp(self, peer),
        request: (to, exchange, body, signal) => request(self, life, to, exchange, body, signal),
        serve: (exchange, handler) => void endpoint.handlers.set(exchange.name, handler),
        async stop() {
          life.alive = false;
        },
      };
    },

    partition(groups) {
      const groupOf = (party: PartyId) => groups.findIndex((group) => group.includes(party));
      for (const from of parties) {
        for (const to of parties) setCut(from, to, groupOf(from) !== groupOf(to) || groupOf(from) === -1);
      }
    },
    heal() {
      for (const from of parties) for (const to of parties) setCut(from, to, false);
    },
    announce(self, state) {
      for (const peer of parties) if (peer !== self && !linkOf(peer, self).cut) tell(peer, self, state);
    },
  };
}

/** Takes arrived bytes off the queue and wakes who waits for that; a cut link wakes everybody. */
function settle(link: Link, bytes: number, all = false): void {
  link.queuedBytes -= bytes;
  const waiting = link.drained.splice(0);
  for (const waiter of waiting) {
    if (all || link.queuedBytes <= waiter.bytes) waiter.resolve();
    else link.drained.push(waiter);
  }
}

function timeout(peer: PartyId, exchange: Exchange): TransportError {
  return new TransportError('PEER_TIMEOUT', peer, `${exchange.name}: no answer from party ${peer} in time`);
}
