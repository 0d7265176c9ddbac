/**
 * The link to one peer: two lanes, one life (docs/protocols/transport.md, steps L1 to L6).
 *
 * L1 The lower party number dials both lanes and dials again; the other side only accepts.
 * L2 Each side begins with HELLO. Different network, version, roster size or party numbers: LINK_MISMATCH, told once.
 * L3 An epoch the peer has not used before means a new memory: both lanes forget what they received from it.
 * L4 HELLO says what arrived of ours; the rest is sent again. If the peer lost what it had, numbers start at 1.
 * L5 The link is up while both lanes are ready.
 * L6 Above `queuedBytesMax` the link is failed: both queues are dropped and a new epoch tells the peer.
 */
import { ENVELOPE_BODY_BYTES_MAX, type Envelope, type PartyId } from '@keyquorum/mpc/transport';
import type { Connection, Stream } from '@libp2p/interface';
import { EPOCH_BYTES, type Hello, LinkError, PROTOCOL_VERSION } from './frames.ts';
import { Lane, type LaneName, type LaneOwner } from './lane.ts';
import type { MeshEvent, MeshLimits, PeerStats } from './options.ts';

/** Longest body on the control lane; longer ones go over the bulk lane. */
export const CONTROL_BODY_BYTES_MAX = 64 * 1024;
/** Ended epochs remembered per peer, so that a late stream of a dead process is not taken for another restart. */
const ENDED_EPOCHS_MAX = 8;
const LANES: readonly LaneName[] = ['control', 'bulk'];

export interface LinkIdentity {
  readonly self: PartyId;
  readonly peer: PartyId;
  readonly rosterSize: number;
  readonly networkHash: string;
}

/** Doors of a link to the rest of the mesh. */
export interface LinkModules {
  readonly limits: MeshLimits;
  readonly random: (bytes: number) => Uint8Array;
  /** Opens a fresh connection and on it a stream for the lane. Absent when the peer dials us. */
  readonly open?: ((lane: LaneName, signal: AbortSignal) => Promise<[Stream, Connection]>) | undefined;
  readonly onEnvelope: (from: PartyId, envelope: Envelope) => void;
  readonly onPeer: (peer: PartyId, state: 'up' | 'down' | 'restarted') => void;
  readonly report: (event: MeshEvent) => void;
}

export class Link implements LaneOwner {
  readonly peer: PartyId;
  readonly #identity: LinkIdentity;
  readonly #modules: LinkModules;
  readonly #control: Lane;
  readonly #bulk: Lane;
  #epoch: string;
  #peerEpoch: string | undefined;
  readonly #endedEpochs: string[] = [];
  #up = false;
  #ups = 0;
  #mismatch: string | undefined;
  #waiters: { readonly bytes: number; readonly resolve: () => void }[] = [];
  #attempt = 0;
  #redialTimer: NodeJS.Timeout | undefined;
  #dialing = false;
  readonly #stop = new AbortController();

  constructor(identity: LinkIdentity, modules: LinkModules) {
    this.peer = identity.peer;
    this.#identity = identity;
    this.#modules = modules;
    this.#control = new Lane('control', CONTROL_BODY_BYTES_MAX, this);
    this.#bulk = new Lane('bulk', ENVELOPE_BODY_BYTES_MAX, this);
    this.#epoch = this.#newEpoch();
  }

  get isUp(): boolean {
    return this.#up;
  }

  get queuedBytes(): number {
    return this.#control.queuedBytes + this.#bulk.queuedBytes;
  }

  /** The connection exchanges run on. */
  get connection(): Connection | undefined {
    return this.#control.connection;
  }

  stats(): Omit<PeerStats, 'requests'> {
    return {
      party: this.peer,
      up: this.#up,
      roundTripMs: this.#control.roundTripMs,
      control: this.#control.stats(),
      bulk: this.#bulk.stats(),
      reconnects: Math.max(0, this.#ups - 1),
    };
  }

  /** Begins dialing if that is our part. */
  start(): void {
    this.#scheduleDial();
  }

  /** A stream the peer opened. */
  accept(lane: LaneName, stream: Stream, connection: Connection): void {
    this.#lane(lane).attach(stream, connection);
  }

  send(envelope: Envelope): void {
    if (this.#stop.signal.aborted) return;
    this.#lane(envelope.body.length > CONTROL_BODY_BYTES_MAX ? 'bulk' : 'control').send(envelope);
    if (this.queuedBytes > this.#modules.limits.queuedBytesMax) this.#overflow();
  }

  drained(bytes: number): Promise<void> {
    if (!this.#up || this.queuedBytes <= bytes) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ bytes, resolve }));
  }

  pause(): void {
    this.#bulk.pause();
  }

  resume(): void {
    this.#bulk.unpause();
  }

  tick(nowMs: number, excused: boolean): void {
    for (const name of LANES) this.#lane(name).tick(nowMs, this.#modules.limits.silenceMsMax, excused);
  }

  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#redialTimer);
    this.#failLanes(new LinkError('LINK_LOST', 'this party stops'));
    this.#wake(Number.POSITIVE_INFINITY);
  }

  hello(lane: Lane): Hello {
    const { self, peer, rosterSize, networkHash } = this.#identity;
    return {
      version: PROTOCOL_VERSION,
      lane: LANES.indexOf(lane.name),
      from: self,
      to: peer,
      rosterSize,
      networkHash,
      epoch: this.#epoch,
      heardEpoch: this.#peerEpoch ?? '00'.repeat(EPOCH_BYTES),
      heardSeq: lane.heardSeq,
    };
  }

  onHello(lane: Lane, hello: Hello): void {
    this.#checkConfiguration(lane, hello);
    this.#mismatch = undefined;
    if (hello.epoch !== this.#peerEpoch) this.#beginPeerLife(lane, hello.epoch);
    lane.resume(hello.epoch, hello.heardEpoch === this.#epoch ? hello.heardSeq : undefined);
  }

  onEnvelope(envelope: Envelope): void {
    this.#modules.onEnvelope(this.peer, envelope);
  }

  onAcknowledged(): void {
    if (this.#waiters.length > 0) this.#wake(this.queuedBytes);
  }

  onReady(): void {
    if (this.#up || !this.#control.ready || !this.#bulk.ready) return;
    this.#up = true;
    this.#ups += 1;
    this.#attempt = 0;
    this.#modules.report({ kind: 'up', peer: this.peer });
    this.#modules.onPeer(this.peer, 'up');
  }

  onLost(_lane: Lane, reason: Error): void {
    this.#reportFault(reason);
    if (this.#up) this.#goDown(reason.message);
    this.#scheduleDial();
  }

  #lane(name: LaneName): Lane {
    return name === 'control' ? this.#control : this.#bulk;
  }

  #newEpoch(): string {
    return Buffer.from(this.#modules.random(EPOCH_BYTES)).toString('hex');
  }

  #checkConfiguration(lane: Lane, hello: Hello): void {
    const { self, peer, rosterSize, networkHash } = this.#identity;
    const mismatch = (what: string) => new LinkError('LINK_MISMATCH', `${what}; compare both configurations`);
    if (hello.networkHash !== networkHash) throw mismatch('peer belongs to another network (name differs)');
    if (hello.rosterSize !== rosterSize) throw mismatch(`peer counts ${hello.rosterSize} parties, we ${rosterSize}`);
    if (hello.from !== peer) throw mismatch(`peer calls itself party ${hello.from}, we know its key as party ${peer}`);
    if (hello.to !== self) throw mismatch(`peer takes us for party ${hello.to}, we are party ${self}`);
    if (hello.lane !== LANES.indexOf(lane.name)) throw mismatch(`peer opened the ${lane.name} lane as ${hello.lane}`);
  }

  #beginPeerLife(lane: Lane, epoch: string): void {
    if (this.#endedEpochs.includes(epoch)) throw new LinkError('LINK_LOST', 'late stream of an ended peer process');
    const before = this.#peerEpoch;
    this.#peerEpoch = epoch;
    for (const name of LANES) {
      const other = this.#lane(name);
      if (other !== lane && other.peerEpoch !== undefined) other.fail(new LinkError('LINK_LOST', 'peer restarted'));
      other.resetReceived();
    }
    if (before === undefined) return;
    this.#endedEpochs.push(before);
    if (this.#endedEpochs.length > ENDED_EPOCHS_MAX) this.#endedEpochs.shift();
    this.#modules.report({ kind: 'restarted', peer: this.peer });
    this.#modules.onPeer(this.peer, 'restarted');
  }

  #overflow(): void {
    this.#modules.report({ kind: 'overflow', peer: this.peer, queuedBytes: this.queuedBytes });
    this.#epoch = this.#newEpoch(); // before the lanes fail: what they say next must carry it
    this.#control.clearQueue();
    this.#bulk.clearQueue();
    const wasUp = this.#up;
    this.#failLanes(new LinkError('LINK_LOST', 'send queue overflow'));
    if (!wasUp) this.#goDown('send queue overflow');
  }

  #failLanes(reason: LinkError): void {
    this.#control.fail(reason);
    this.#bulk.fail(reason);
  }

  #goDown(reason: string): void {
    this.#up = false;
    this.#modules.report({ kind: 'down', peer: this.peer, reason });
    this.#modules.onPeer(this.peer, 'down');
    this.#wake(0);
  }

  /** Wakes who waits for at most `queued` bytes; all of them when the link is down. */
  #wake(queued: number): void {
    const ready = this.#waiters.filter(({ bytes }) => !this.#up || queued <= bytes);
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }

  #reportFault(reason: Error): void {
    if (!(reason instanceof LinkError)) return;
    if (reason.code === 'LINK_VIOLATION') {
      this.#modules.report({ kind: 'violation', peer: this.peer, reason: reason.message });
    }
    if (reason.code !== 'LINK_MISMATCH' || reason.message === this.#mismatch) return;
    this.#mismatch = reason.message;
    this.#modules.report({ kind: 'configuration-mismatch', peer: this.peer, reason: reason.message });
  }

  #backoffMs(): number {
    if (this.#ups === 0 && this.#attempt++ === 0) return 0; // the very first dial
    const { redialMsMin, redialMsMax } = this.#modules.limits;
    const jitter = 0.5 + (this.#modules.random(1)[0] ?? 0) / 256;
    const delay = Math.min(redialMsMax, redialMsMin * 2 ** Math.min(this.#attempt, 16)) * jitter;
    this.#attempt += 1;
    return delay;
  }

  #scheduleDial(): void {
    if (!this.#modules.open || this.#dialing || this.#redialTimer || this.#stop.signal.aborted) return;
    this.#redialTimer = setTimeout(() => {
      this.#redialTimer = undefined;
      void this.#dialMissingLanes(); // never rejects
    }, this.#backoffMs());
  }

  async #dialMissingLanes(): Promise<void> {
    this.#dialing = true;
    try {
      for (const name of LANES) {
        if (this.#lane(name).attached) continue;
        const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#modules.limits.dialMsMax)]);
        const opened = await this.#modules.open?.(name, signal);
        if (opened && !this.#stop.signal.aborted) this.#lane(name).attach(...opened);
      }
    } catch (error) {
      this.#onDialFailed(error);
    } finally {
      this.#dialing = false;
    }
    if (!this.#control.attached || !this.#bulk.attached) this.#scheduleDial();
  }

  #onDialFailed(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#modules.report({ kind: 'dial-failed', peer: this.peer, attempt: this.#attempt, reason });
    if (error instanceof LinkError) this.#reportFault(error);
  }
}
