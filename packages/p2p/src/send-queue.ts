/**
 * Frames of one lane on their way out: numbered from 1, kept until acknowledged, sent again after a reconnect
 * (docs/protocols/transport.md). No I/O and no clock in here. Amortised O(1) per frame.
 */
import { beginsEnvelope, writeSeq } from './envelope-frames.ts';
import { FRAME_BYTES_MAX, violation } from './frames.ts';

/** Dead slots before the array is compacted; keeps the copying amortised. */
const SLACK_FRAMES = 1024;
/** Memory of acknowledged frames kept to be filled again: 4 MiB. In a steady flow little of it is idle. */
const SPARE_BUFFERS_MAX = 16;

export class SendQueue {
  #frames: Buffer[] = [];
  #head = 0; //   index of the oldest unacknowledged frame
  #cursor = 0; // index of the next frame to send
  #acked = 0; //  its sequence number is #acked + 1
  #bytes = 0;
  readonly #spare: ArrayBufferLike[] = []; // of FRAME_BYTES_MAX each

  /** Bytes not yet acknowledged, sent or not. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Last sequence number the peer has acknowledged. */
  get acked(): number {
    return this.#acked;
  }

  get hasUnsent(): boolean {
    return this.#cursor < this.#frames.length;
  }

  /**
   * Memory for a frame to push; for one above half the maximum that of an acknowledged frame, if there is. Should the
   * peer have acknowledged what had not left us yet, it spoils its own frames only: memory stays with one peer's queue.
   */
  allocate(bytes: number): Buffer {
    if (2 * bytes <= FRAME_BYTES_MAX) return Buffer.allocUnsafeSlow(bytes);
    const spare = this.#spare.pop() ?? Buffer.allocUnsafeSlow(FRAME_BYTES_MAX).buffer;
    return Buffer.from(spare, 0, bytes);
  }

  push(frames: readonly Buffer[]): void {
    for (const frame of frames) {
      writeSeq(frame, this.#acked + 1 + this.#frames.length - this.#head);
      this.#frames.push(frame);
      this.#bytes += frame.length;
    }
  }

  /** The next unsent frames, joined up to `bytesMax` (at least one frame); undefined when all are sent. */
  nextBatch(bytesMax: number): Uint8Array | undefined {
    const from = this.#cursor;
    let bytes = 0;
    while (this.#cursor < this.#frames.length) {
      const next = (this.#frames[this.#cursor] as Buffer).length;
      if (bytes > 0 && bytes + next > bytesMax) break;
      bytes += next;
      this.#cursor += 1;
    }
    if (this.#cursor === from) return undefined;
    if (this.#cursor === from + 1) return this.#frames[from];
    return Buffer.concat(this.#frames.slice(from, this.#cursor), bytes);
  }

  /** Cumulative: everything up to `seq` has arrived. Throws LinkError when `seq` was never sent. */
  acknowledge(seq: number): void {
    const arrived = seq - this.#acked;
    if (arrived <= 0) return;
    if (arrived > this.#cursor - this.#head) throw violation(`ACK of frame ${seq}, which was never sent`);
    this.#drop(arrived);
    this.#acked = seq;
  }

  /** Everything unacknowledged will be sent again. Returns how many frames that repeats. */
  rewind(): number {
    const repeated = this.#cursor - this.#head;
    this.#cursor = this.#head;
    return repeated;
  }

  /**
   * The peer has lost its memory: numbers start at 1 again. Whole unacknowledged envelopes stay queued; the rest of an
   * envelope whose beginning died with the old peer is dropped.
   */
  renumber(): void {
    let cut = this.#head;
    while (cut < this.#frames.length && !beginsEnvelope(this.#frames[cut] as Buffer)) cut += 1;
    this.#drop(cut - this.#head);
    this.#cursor = this.#head;
    this.#acked = 0;
    for (let index = this.#head; index < this.#frames.length; index++) {
      writeSeq(this.#frames[index] as Buffer, index - this.#head + 1);
    }
  }

  /** Drops everything; the next frame is number 1. */
  clear(): void {
    this.#frames = [];
    this.#head = 0;
    this.#cursor = 0;
    this.#acked = 0;
    this.#bytes = 0;
  }

  #drop(count: number): void {
    for (let index = this.#head; index < this.#head + count; index++) {
      const { length, buffer } = this.#frames[index] as Buffer;
      this.#bytes -= length;
      if (buffer.byteLength === FRAME_BYTES_MAX && this.#spare.length < SPARE_BUFFERS_MAX) this.#spare.push(buffer);
      this.#frames[index] = EMPTY; // lets the frame be collected before the array is compacted
    }
    this.#head += count;
    this.#cursor = Math.max(this.#cursor, this.#head);
    if (this.#head < SLACK_FRAMES || this.#head * 2 < this.#frames.length) return;
    this.#frames.splice(0, this.#head);
    this.#cursor -= this.#head;
    this.#head = 0;
  }
}

const EMPTY = Buffer.alloc(0);
