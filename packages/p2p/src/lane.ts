/**
 * One lane to one peer: ordered, exactly-once envelopes over a row of short-lived libp2p streams
 * (docs/protocols/transport.md). Control and bulk traffic have a lane, a stream and a TCP connection each, so that
 * megabytes never stand in front of a round message.
 *
 * Facts of libp2p 3 this file is built around: `message` events are bare byte chunks; an exception in a listener is an
 * uncaughtException of the process; `send` never refuses, it buffers, and only the `drain` EVENT tells when to go on
 * (`onDrain()` resolves at once from its second call); a dialer learns only from our HELLO that it was admitted.
 */

import { releaseBuffer } from '@keyquorum/kernel/release';
import type { Envelope } from '@keyquorum/mpc/transport';
import type { Connection, Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface';
import { EnvelopeAssembler, encodeEnvelope, readSeq } from './envelope-frames.ts';
import {
  ACK,
  DATA,
  decodeAck,
  decodeHello,
  decodeProbe,
  encodeAck,
  encodeHello,
  encodeProbe,
  FRAME_BYTES_MAX,
  FrameReader,
  HELLO,
  type Hello,
  LinkError,
  PING,
  PONG,
  violation,
} from './frames.ts';
import { SendQueue } from './send-queue.ts';
import { sendFewerWindowUpdates } from './window-updates.ts';

/** An ACK leaves when this much has arrived since the last one … */
const ACK_BYTES = 256 * 1024;
/** … or this long after the first unacknowledged frame. Long enough that rounds are not slowed by extra frames. */
const ACK_DELAY_MS = 20;
const YAMUX_HEADER_BYTES = 12;
/** Time for an orderly close before the connection is reset. */
const CLOSE_MS_MAX = 1_000;

export type LaneName = 'control' | 'bulk';

export interface LaneOwner {
  /** What we introduce ourselves with on a new stream. */
  hello(lane: Lane): Hello;
  /** Checks the peer's HELLO, then calls `lane.resume`; throws LinkError to refuse the stream. */
  onHello(lane: Lane, hello: Hello): void;
  onEnvelope(envelope: Envelope): void;
  onReady(lane: Lane): void;
  onLost(lane: Lane, reason: Error): void;
  onAcknowledged(): void;
}

export interface LaneStats {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly envelopesSent: number;
  readonly envelopesReceived: number;
  readonly queuedBytes: number;
  readonly resentFrames: number;
  readonly streams: number;
}

/** One stream and what belongs to it alone. Late events of an old wire find that it is not the lane's wire any more. */
interface Wire {
  readonly stream: Stream;
  readonly connection: Connection;
  readonly reader: FrameReader;
  peerEpoch: string | undefined; // set by HELLO; DATA flows after that only
  heardMs: number;
}

export class Lane {
  readonly name: LaneName;
  roundTripMs: number | undefined;
  readonly #owner: LaneOwner;
  readonly #queue = new SendQueue();
  readonly #assembler: EnvelopeAssembler;
  #wire: Wire | undefined;
  #heardSeq = 0;
  #unackedBytes = 0;
  #ackTimer: NodeJS.Timeout | undefined;
  #flushing = false;
  #paused = false;
  readonly #count = { sent: 0, received: 0, envelopesSent: 0, envelopesReceived: 0, resent: 0, streams: 0 };

  constructor(name: LaneName, bodyBytesMax: number, owner: LaneOwner) {
    this.name = name;
    this.#assembler = new EnvelopeAssembler(bodyBytesMax);
    this.#owner = owner;
  }

  get attached(): boolean {
    return this.#wire !== undefined;
  }

  get ready(): boolean {
    return this.#wire?.peerEpoch !== undefined;
  }

  get peerEpoch(): string | undefined {
    return this.#wire?.peerEpoch;
  }

  get connection(): Connection | undefined {
    return this.ready ? this.#wire?.connection : undefined;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  get heardSeq(): number {
    return this.#heardSeq;
  }

  stats(): LaneStats {
    const { sent, received, envelopesSent, envelopesReceived, resent, streams } = this.#count;
    return {
      bytesSent: sent,
      bytesReceived: received,
      envelopesSent,
      envelopesReceived,
      queuedBytes: this.#queue.bytes,
      resentFrames: resent,
      streams,
    };
  }

  /** Takes a fresh stream into use; an older one is given up. HELLO leaves at once. */
  attach(stream: Stream, connection: Connection): void {
    this.fail(new LinkError('LINK_LOST', 'replaced by a newer stream'));
    sendFewerWindowUpdates(stream);
    const reader = new FrameReader((frame) => {
      if (this.#wire === wire) this.#onFrame(wire, frame);
    });
    const wire: Wire = {
      stream,
      connection,
      reader,
      peerEpoch: undefined,
      heardMs: performance.now(),
    };
    this.#wire = wire;
    this.#count.streams += 1;
    this.#guard(wire, () => {
      stream.addEventListener('message', (event) => this.#guard(wire, () => this.#onMessage(wire, event)));
      stream.addEventListener('drain', () => this.#guard(wire, () => this.#scheduleFlush()));
      stream.addEventListener('close', (event) => this.#guard(wire, () => this.#onClose(event)));
      this.#write(wire, encodeHello(this.#owner.hello(this)));
    });
  }

  /** Queues one envelope; it leaves with everything else of this turn of the event loop. The body is copied. */
  send(envelope: Envelope): void {
    this.#queue.push(encodeEnvelope(envelope, (bytes) => this.#queue.allocate(bytes)));
    this.#count.envelopesSent += 1;
    this.#scheduleFlush();
  }

  /**
   * Lets DATA flow after the peer's HELLO. `heardSeq` is the last frame of ours that it holds, undefined when it holds
   * nothing of this life of ours.
   */
  resume(peerEpoch: string, heardSeq: number | undefined): void {
    if (!this.#wire) return;
    if (heardSeq === undefined || heardSeq < this.#queue.acked) this.#queue.renumber();
    else this.#queue.acknowledge(heardSeq);
    this.#count.resent += this.#queue.rewind();
    this.#wire.peerEpoch = peerEpoch;
    if (this.#paused) this.#wire.stream.pause();
    this.#owner.onReady(this);
    this.#owner.onAcknowledged();
    this.#scheduleFlush();
  }

  /** The peer's numbering starts again at 1: it lost its memory, or it dropped its queue. */
  resetReceived(): void {
    this.#heardSeq = 0;
    this.#assembler.reset();
  }

  clearQueue(): void {
    this.#queue.clear();
  }

  /** Stops reading: the peer is held after one stream window, and nothing is lost. Kept across reconnects. */
  pause(): void {
    this.#paused = true;
    if (this.ready) this.#wire?.stream.pause();
  }

  unpause(): void {
    this.#paused = false;
    const wire = this.#wire;
    if (!wire) return;
    wire.heardMs = performance.now();
    this.#guard(wire, () => {
      if (wire.stream.status === 'open' && wire.stream.readStatus === 'paused') wire.stream.resume();
    });
  }

  /** Heartbeat. `excused`: we ourselves were held up, so the peer's silence proves nothing. */
  tick(nowMs: number, silenceMsMax: number, excused: boolean): void {
    const wire = this.#wire;
    if (!wire) return;
    if (excused || this.#paused) wire.heardMs = nowMs;
    const silentMs = nowMs - wire.heardMs;
    if (silentMs > silenceMsMax) {
      this.fail(new LinkError('LINK_LOST', `no byte from the peer for ${Math.round(silentMs)} ms`));
      return;
    }
    this.#guard(wire, () => {
      if (!this.ready || wire.stream.writableNeedsDrain) return; // queued data is a sign of life as good as a PING
      this.#write(wire, encodeProbe(PING, microseconds()));
      this.#scheduleFlush();
    });
  }

  /** Gives the stream and its connection up. Safe to call at any time. */
  fail(reason: Error): void {
    const wire = this.#wire;
    if (!wire) return;
    this.#wire = undefined;
    this.#unackedBytes = 0;
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    if (reason instanceof LinkError && reason.code === 'LINK_MISMATCH') closeAfterHello(wire.connection, reason);
    else {
      abortQuietly(wire.stream, reason);
      abortQuietly(wire.connection, reason);
    }
    this.#owner.onLost(this, reason);
  }

  #guard(wire: Wire, body: () => void): void {
    if (this.#wire !== wire) return;
    try {
      body();
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #onClose(event: StreamCloseEvent): void {
    this.fail(new LinkError('LINK_LOST', event.error ? `stream closed: ${event.error.message}` : 'stream closed'));
  }

  #onMessage(wire: Wire, event: StreamMessageEvent): void {
    wire.heardMs = performance.now();
    this.#count.received += event.data.byteLength;
    for (const chunk of event.data instanceof Uint8Array ? [event.data] : event.data) {
      wire.reader.push(chunk);
      // A view from within one yamux header of its buffer's start to its end leaves no room for data of other streams.
      releaseBuffer(chunk, YAMUX_HEADER_BYTES);
    }
  }

  #onFrame(wire: Wire, frame: Buffer): void {
    const type = frame[0];
    const payload = frame.subarray(1);
    if (wire.peerEpoch === undefined) {
      if (type !== HELLO) throw violation(`frame type ${type} before HELLO`);
      this.#owner.onHello(this, decodeHello(payload));
    } else if (type === DATA) this.#onData(payload);
    else if (type === ACK) {
      this.#queue.acknowledge(decodeAck(payload));
      this.#owner.onAcknowledged();
    } else if (type === PING) {
      if (!wire.stream.writableNeedsDrain) this.#write(wire, encodeProbe(PONG, decodeProbe(payload)));
    } else if (type === PONG) this.roundTripMs = ((microseconds() - decodeProbe(payload)) >>> 0) / 1000;
    else throw violation(`frame type ${type} after HELLO`);
  }

  #onData(payload: Buffer): void {
    const seq = readSeq(payload);
    if (seq !== this.#heardSeq + 1) throw violation(`frame ${seq} after frame ${this.#heardSeq}`);
    const envelope = this.#assembler.accept(payload);
    this.#heardSeq = seq;
    this.#unackedBytes += payload.length;
    if (this.#unackedBytes >= ACK_BYTES) this.#acknowledge();
    else this.#ackTimer ??= setTimeout(() => this.#acknowledge(), ACK_DELAY_MS).unref();
    if (!envelope) return;
    this.#count.envelopesReceived += 1;
    this.#owner.onEnvelope(envelope);
  }

  #acknowledge(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    const wire = this.#wire;
    if (!wire || this.#unackedBytes === 0) return;
    this.#unackedBytes = 0;
    this.#guard(wire, () => this.#write(wire, encodeAck(this.#heardSeq)));
  }

  /** setImmediate, not a microtask: it runs in this turn, after all that was readable, and so joins what it caused. */
  #scheduleFlush(): void {
    if (this.#flushing || !this.ready || !this.#queue.hasUnsent) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      const wire = this.#wire;
      if (wire?.peerEpoch !== undefined) this.#guard(wire, () => this.#flush(wire));
    });
  }

  /** One batch per turn, so that megabytes of one lane leave room for the others. */
  #flush(wire: Wire): void {
    if (wire.stream.writableNeedsDrain) return; // the drain event continues
    const batch = this.#queue.nextBatch(FRAME_BYTES_MAX);
    if (batch && this.#write(wire, batch)) this.#scheduleFlush();
  }

  #write(wire: Wire, bytes: Uint8Array): boolean {
    this.#count.sent += bytes.length;
    return wire.stream.send(bytes);
  }
}

/** Probe token: the sender's own clock, modulo 71 minutes, so that a PONG needs no memory of its PING. */
function microseconds(): number {
  return Math.floor(performance.now() * 1000) >>> 0;
}

/** A reset may overtake our HELLO, and then only we would see the mismatch: close in order instead. */
function closeAfterHello(connection: Connection, reason: Error): void {
  connection.close({ signal: AbortSignal.timeout(CLOSE_MS_MAX) }).catch(() => abortQuietly(connection, reason));
}

function abortQuietly(target: { abort(reason: Error): void }, reason: Error): void {
  try {
    target.abort(reason);
  } catch {
    // It is being given up; whatever state it was in no longer matters.
  }
}
