/** Real meshes on loopback sockets with port 0, and a recorder that turns their events into promises. */
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import type { Envelope, PartyId, TransportEvents } from '@keyquorum/mpc/transport';
import { createMesh, type Mesh } from '../src/mesh.ts';
import type { MeshEvent, MeshOptions, MeshPeer } from '../src/options.ts';
import { Relay } from './relay.ts';

const NOWHERE = '/ip4/127.0.0.1/tcp/9';
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Fixed test identity. */
export function seedOf(party: number): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`p2p test party ${party}`).digest());
}

export function publicKeyOf(seed: Uint8Array): Uint8Array {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32));
}

export function peerOf(party: PartyId, address = NOWHERE): MeshPeer {
  return { party, publicKey: publicKeyOf(seedOf(party)), address };
}

export function session(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

interface Received {
  readonly from: PartyId;
  readonly envelope: Envelope;
}
type PeerChange = { readonly peer: PartyId; readonly state: 'up' | 'down' | 'restarted' };

/** A log that can be waited on: `find` resolves with the first entry, past or future, that matches. */
export class Log<T> {
  readonly entries: T[] = [];
  #waiting: { readonly test: (entry: T) => boolean; readonly resolve: (entry: T) => void }[] = [];

  add(entry: T): void {
    this.entries.push(entry);
    const ready = this.#waiting.filter(({ test }) => test(entry));
    this.#waiting = this.#waiting.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve(entry);
  }

  find(test: (entry: T) => boolean): Promise<T> {
    const known = this.entries.find(test);
    return known === undefined ? this.next(test) : Promise.resolve(known);
  }

  /** Future entries only. */
  next(test: (entry: T) => boolean): Promise<T> {
    return new Promise((resolve) => this.#waiting.push({ test, resolve }));
  }
}

/** One party under test: the mesh and everything it said. */
export class Party implements TransportEvents {
  readonly mesh: Mesh;
  readonly envelopes = new Log<Received>();
  readonly changes = new Log<PeerChange>();
  readonly events = new Log<MeshEvent>();

  constructor(options: Omit<MeshOptions, 'onEvent'>) {
    this.mesh = createMesh({ ...options, onEvent: (event) => this.events.add(event) });
  }

  start(): Promise<void> {
    return this.mesh.start(this);
  }

  onEnvelope(from: PartyId, envelope: Envelope): void {
    this.envelopes.add({ from, envelope });
  }

  onPeer(peer: PartyId, state: 'up' | 'down' | 'restarted'): void {
    this.changes.add({ peer, state });
  }

  async receive(from: PartyId, tag: string): Promise<Uint8Array> {
    const { envelope } = await this.envelopes.find((entry) => entry.from === from && entry.envelope.tag === tag);
    return envelope.body;
  }

  /** Resolves when all links are up. */
  async up(): Promise<void> {
    for (const { party } of this.mesh.stats()) await this.peerUp(party);
  }

  async peerUp(peer: PartyId): Promise<void> {
    if (!this.mesh.isUp(peer)) await this.changes.next((change) => change.peer === peer && change.state === 'up');
  }

  get address(): string {
    return this.mesh.addresses()[0]!;
  }
}

export type Overrides = Partial<Pick<MeshOptions, 'limits' | 'network' | 'listen'>>;

export function partyOptions(
  self: PartyId,
  n: number,
  addresses: ReadonlyMap<PartyId, string>,
  overrides: Overrides = {},
) {
  const others = Array.from({ length: n }, (_, index) => index + 1).filter((party) => party !== self);
  return {
    network: 'test',
    self,
    secretKey: seedOf(self),
    listen: '/ip4/127.0.0.1/tcp/0',
    peers: others.map((party) => peerOf(party, addresses.get(party))),
    ...overrides,
  };
}

/** Starts parties n..1, highest first: nobody dials it, so each address is known when it is needed. */
export async function startParties(n: number, overrides: Overrides = {}, network?: Network): Promise<Party[]> {
  const addresses = new Map<PartyId, string>();
  const parties: Party[] = [];
  for (let self = n; self >= 1; self--) {
    const seen = network ? await network.addressesFor(self, addresses) : addresses;
    const party = new Party(partyOptions(self, n, seen, overrides));
    await party.start();
    addresses.set(self, party.address);
    parties.unshift(party);
  }
  return parties;
}

export async function startMesh(n: number, overrides: Overrides = {}, network?: Network): Promise<Party[]> {
  const parties = await startParties(n, overrides, network);
  await Promise.all(parties.map((party) => party.up()));
  return parties;
}

export async function stopAll(parties: readonly Party[]): Promise<void> {
  await Promise.all(parties.map(({ mesh }) => mesh.stop()));
}

/** One relay per pair of parties. */
export class Network {
  readonly relays: Relay[] = [];

  /** What `dialer` must dial instead of the true addresses. */
  async addressesFor(_dialer: PartyId, addresses: ReadonlyMap<PartyId, string>): Promise<Map<PartyId, string>> {
    const relayed = new Map<PartyId, string>();
    for (const [party, address] of addresses) {
      const relay = await Relay.to(address);
      this.relays.push(relay);
      relayed.set(party, relay.address);
    }
    return relayed;
  }

  async close(): Promise<void> {
    await Promise.all(this.relays.map((relay) => relay.close()));
  }
}
