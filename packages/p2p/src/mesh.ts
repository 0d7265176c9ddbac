/**
 * The network of a party: one libp2p node, one link per peer, exchanges beside them. Implements Transport of
 * `@keyquorum/mpc` (docs/protocols/transport.md). This file only assembles; the protocol is in link.ts and lane.ts.
 *
 * Promises: an envelope is delivered exactly once while both processes live, whatever connections do; envelopes of one
 * sender up to 64 KiB arrive in the order sent, longer ones too, but not relative to each other. Nothing in here waits
 * for a slow peer, and nothing a peer sends raises an exception outside.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Envelope, Exchange, PartyId, Transport, TransportEvents } from '@keyquorum/mpc/transport';
import type { Connection, Stream } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { Libp2p } from 'libp2p';
import { answerAll, type Handler } from './answerer.ts';
import { Asker } from './asker.ts';
import { exchangeProtocol } from './exchange-frames.ts';
import { LinkError } from './frames.ts';
import type { LaneName } from './lane.ts';
import { type Admission, createNode, peerIdOf } from './libp2p-node.ts';
import { Link } from './link.ts';
import {
  DEFAULT_LIMITS,
  MeshConfigError,
  type MeshEvent,
  type MeshLimits,
  type MeshOptions,
  type PeerStats,
} from './options.ts';
import { Slots } from './slots.ts';

const LINK_PROTOCOLS: Readonly<Record<LaneName, string>> = {
  control: '/keyquorum/link/control/1',
  bulk: '/keyquorum/link/bulk/1',
};
const NETWORK_HASH_LABEL = 'KEYQUORUM/p2p/network/v1|';
/** A tick later than this many intervals means our own process stood still. */
const LATE_TICKS = 3;
/** Streams of an exchange as a multiple of the exchanges at once: those that run, twice as many idle, some closing. */
const STREAMS_FACTOR = 4;

export interface Mesh extends Transport {
  /** One entry per peer, by party number. */
  stats(): readonly PeerStats[];
  /** Multiaddrs listened on, without peer id; empty before `start`. */
  addresses(): readonly string[];
  /** Stops reading bulk envelopes of a peer, which is then held at the source; control traffic goes on. */
  pause(from: PartyId): void;
  resume(from: PartyId): void;
}

interface Peer {
  readonly party: PartyId;
  readonly peerId: string;
  readonly address: Multiaddr;
  readonly link: Link;
  readonly asker: Asker;
  readonly answering: Slots;
}

/** Checks the configuration (MeshConfigError) and builds the mesh. No socket is opened before `start`. */
export function createMesh(options: MeshOptions): Mesh {
  return new Libp2pMesh(options);
}

class Libp2pMesh implements Mesh {
  readonly self: PartyId;
  readonly #options: MeshOptions;
  readonly #limits: MeshLimits;
  readonly #peers = new Map<PartyId, Peer>();
  readonly #parties = new Map<string, PartyId>(); // by peer id
  readonly #exchanges = new Map<string, { exchange: Exchange; handler: Handler }>();
  #node: Libp2p | undefined;
  #events: TransportEvents | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #tickedMs = 0;

  constructor(options: MeshOptions) {
    checkOptions(options);
    this.self = options.self;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const networkHash = createHash('sha256')
      .update(NETWORK_HASH_LABEL + options.network)
      .digest('hex');
    for (const { party, publicKey, address } of options.peers) {
      const peerId = peerIdOf(publicKey).toString();
      if (this.#parties.has(peerId)) throw new MeshConfigError(`party ${party} has the public key of another party`);
      this.#parties.set(peerId, party);
      const link = this.#createLink(party, networkHash);
      this.#peers.set(party, {
        party,
        peerId,
        address: multiaddr(`${address}/p2p/${peerId}`),
        link,
        asker: this.#createAsker(party, link),
        answering: new Slots(this.#limits.exchangesMax),
      });
    }
  }

  async start(events: TransportEvents): Promise<void> {
    if (this.#events) throw new Error('mesh: start is called once');
    this.#events = events;
    this.#node = await createNode({
      secretKey: this.#options.secretKey,
      listen: this.#options.listen,
      peerCount: this.#peers.size,
      dialMsMax: this.#limits.dialMsMax,
      exchangesMax: this.#limits.exchangesMax,
      admit: (peerId, direction) => this.#admit(peerId, direction),
      onRefused: (peerId, reason) => this.#report({ kind: 'refused', peerId, reason }),
    });
    for (const lane of ['control', 'bulk'] as const) {
      await this.#node.handle(LINK_PROTOCOLS[lane], (stream, connection) => this.#accept(lane, stream, connection), {
        maxInboundStreams: 2,
        maxOutboundStreams: 2,
      });
    }
    for (const name of this.#exchanges.keys()) await this.#handleExchange(this.#node, name);
    this.#report({ kind: 'listening', addresses: this.addresses() });
    this.#tickedMs = performance.now();
    this.#ticker = setInterval(() => this.#tick(), this.#limits.pingIntervalMs);
    for (const { link } of this.#peers.values()) link.start();
  }

  send(to: PartyId, envelope: Envelope): void {
    this.#peer(to).link.send(envelope);
  }

  queuedBytes(to: PartyId): number {
    return this.#peer(to).link.queuedBytes;
  }

  drained(to: PartyId, bytes: number): Promise<void> {
    return this.#peer(to).link.drained(bytes);
  }

  isUp(peer: PartyId): boolean {
    return this.#peer(peer).link.isUp;
  }

  pause(from: PartyId): void {
    this.#peer(from).link.pause();
  }

  resume(from: PartyId): void {
    this.#peer(from).link.resume();
  }

  async request(to: PartyId, exchange: Exchange, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const peer = this.#peer(to);
    if (body.length > exchange.requestBytesMax) {
      throw new RangeError(
        `exchange ${exchange.name}: request of ${body.length} bytes, at most ${exchange.requestBytesMax}`,
      );
    }
    return peer.asker.request(exchange, body, signal);
  }

  serve(exchange: Exchange, handler: Handler): void {
    const { name } = exchange;
    if (!/^[a-z0-9/-]{1,64}$/.test(name)) throw new RangeError(`exchange name ${name}: want [a-z0-9/-]{1,64}`);
    if (this.#exchanges.has(name)) throw new Error(`exchange ${name} is already served`);
    this.#exchanges.set(name, { exchange, handler });
    if (this.#node) this.#handleExchange(this.#node, name).catch((error) => this.#receiverFailed(this.self, error));
  }

  stats(): readonly PeerStats[] {
    return [...this.#peers.values()]
      .map(({ link, asker }) => ({ ...link.stats(), requests: asker.stats() }))
      .sort((left, right) => left.party - right.party);
  }

  addresses(): readonly string[] {
    return this.#node?.getMultiaddrs().map((address) => address.toString().replace(/\/p2p\/[^/]+$/, '')) ?? [];
  }

  async stop(): Promise<void> {
    clearInterval(this.#ticker);
    for (const { link, asker } of this.#peers.values()) {
      link.stop();
      asker.closeIdle();
    }
    await this.#node?.stop();
  }

  #createLink(peer: PartyId, networkHash: string): Link {
    const dials = this.self < peer;
    return new Link(
      { self: this.self, peer, rosterSize: this.#options.peers.length + 1, networkHash },
      {
        limits: this.#limits,
        random: this.#options.random ?? randomBytes,
        open: dials ? (lane, signal) => this.#open(peer, lane, signal) : undefined,
        onEnvelope: (from, envelope) => this.#deliver(from, () => this.#events?.onEnvelope(from, envelope)),
        onPeer: (from, state) => {
          if (state === 'down') this.#peers.get(from)?.asker.closeIdle();
          this.#deliver(from, () => this.#events?.onPeer(from, state));
        },
        report: (event) => this.#report(event),
      },
    );
  }

  #createAsker(peer: PartyId, link: Link): Asker {
    return new Asker({
      peer,
      network: this.#options.network,
      limits: this.#limits,
      connection: () => link.connection,
      report: (event) => this.#report(event),
    });
  }

  #peer(party: PartyId): Peer {
    const peer = this.#peers.get(party);
    if (!peer) throw new RangeError(`party ${party} is not a peer of party ${this.self}`);
    return peer;
  }

  /** The lower party number dials, so a connection the other way round is never ours. */
  #admit(peerId: string, direction: 'inbound' | 'outbound'): Admission {
    const party = this.#parties.get(peerId);
    if (party === undefined) return { admitted: false, reason: 'peer id is not in the configuration' };
    const expected = party < this.self ? 'inbound' : 'outbound';
    if (direction === expected) return { admitted: true };
    return { admitted: false, reason: `party ${party} must not open ${direction} connections` };
  }

  #accept(lane: LaneName, stream: Stream, connection: Connection): void {
    const party = this.#parties.get(connection.remotePeer.toString());
    if (party === undefined || party > this.self) stream.abort(new LinkError('LINK_LOST', 'wrong direction'));
    else this.#peer(party).link.accept(lane, stream, connection);
  }

  async #open(party: PartyId, lane: LaneName, signal: AbortSignal): Promise<[Stream, Connection]> {
    if (!this.#node) throw new LinkError('LINK_LOST', 'not started');
    // force: each lane has a connection of its own
    const connection = await this.#node.dial(this.#peer(party).address, { signal, force: true });
    try {
      return [await connection.newStream(LINK_PROTOCOLS[lane], { signal }), connection];
    } catch (error) {
      connection.abort(error instanceof Error ? error : new Error(String(error)));
      if (error instanceof Error && error.name === 'UnsupportedProtocolError') {
        throw new LinkError('LINK_MISMATCH', `peer does not speak ${LINK_PROTOCOLS[lane]}; compare both versions`);
      }
      throw error;
    }
  }

  async #handleExchange(node: Libp2p, name: string): Promise<void> {
    const served = this.#exchanges.get(name);
    if (!served) return;
    const onStream = (stream: Stream, connection: Connection): void => {
      const from = this.#parties.get(connection.remotePeer.toString());
      const peer = from === undefined ? undefined : this.#peers.get(from);
      if (!peer) {
        stream.abort(new Error('peer id is not in the configuration'));
        return;
      }
      const { party, answering: slots } = peer;
      const report = (event: MeshEvent) => this.#report(event);
      void answerAll(stream, { ...served, from: party, slots, limits: this.#limits, report }); // never rejects
    };
    await node.handle(exchangeProtocol(this.#options.network, served.exchange), onStream, {
      maxInboundStreams: STREAMS_FACTOR * this.#limits.exchangesMax,
      maxOutboundStreams: STREAMS_FACTOR * this.#limits.exchangesMax,
    });
  }

  #tick(): void {
    const nowMs = performance.now();
    const excused = nowMs - this.#tickedMs > LATE_TICKS * this.#limits.pingIntervalMs;
    this.#tickedMs = nowMs;
    for (const { link, asker } of this.#peers.values()) {
      link.tick(nowMs, excused);
      asker.tick(nowMs);
    }
  }

  #deliver(from: PartyId, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#receiverFailed(from, error);
    }
  }

  #receiverFailed(peer: PartyId, error: unknown): void {
    this.#report({ kind: 'receiver-failed', peer, reason: error instanceof Error ? error.message : String(error) });
  }

  /** The log must not be able to break the link. */
  #report(event: MeshEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch {
      // Nobody is left to tell.
    }
  }
}

function checkOptions({ network, self, secretKey, peers }: MeshOptions): void {
  if (!/^[a-z0-9-]{1,32}$/.test(network)) throw new MeshConfigError('network: want [a-z0-9-]{1,32}');
  if (secretKey.length !== 32) throw new MeshConfigError(`secretKey: ${secretKey.length} bytes, want 32`);
  const seen = new Set<PartyId>();
  for (const party of [self, ...peers.map((peer) => peer.party)]) {
    if (!Number.isInteger(party) || party < 1 || party > 15) throw new MeshConfigError(`party ${party}: want 1..15`);
    if (seen.has(party)) throw new MeshConfigError(`party ${party} appears twice`);
    seen.add(party);
  }
  for (const { party, publicKey, address } of peers) {
    if (publicKey.length !== 32)
      throw new MeshConfigError(`party ${party}: public key of ${publicKey.length} bytes, want 32`);
    if (/\/p2p\//.test(address))
      throw new MeshConfigError(`party ${party}: address with a peer id; the public key says it`);
  }
}
