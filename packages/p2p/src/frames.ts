/**
 * Frames of a link stream (docs/protocols/transport.md): how bytes of one libp2p stream become frames and back.
 *
 * Layout, little-endian: length u32 (of what follows) | type u8 | payload.
 *   HELLO  version u8 | lane u8 | from u8 | to u8 | n u8 | network 32 | epoch 8 | heard epoch 8 | heard seq u48
 *   DATA   seq u48 | fragment (envelope-frames.ts)
 *   ACK    seq u48, cumulative
 *   PING   token u32, PONG the same token
 * Cost: 4 + 1 bytes per frame, 7 more per DATA. Promise: no length is believed before it is checked, and a frame that
 * breaks the layout fails the stream with LinkError.
 */

export const PROTOCOL_VERSION = 1;
/** A whole frame with its length word; also the most bytes handed to one stream.send (best measured batch size). */
export const FRAME_BYTES_MAX = 256 * 1024;
/** Length word and type. */
export const FRAME_PREFIX_BYTES = 5;
export const SEQ_BYTES = 6; // u48: 2^48 frames of 100 bytes are 28 petabytes
export const EPOCH_BYTES = 8;
export const NETWORK_HASH_BYTES = 32;

export const HELLO = 1;
export const DATA = 2;
export const ACK = 3;
export const PING = 4;
export const PONG = 5;

const LENGTH_BYTES = 4;
const HELLO_BYTES = 5 + NETWORK_HASH_BYTES + 2 * EPOCH_BYTES + SEQ_BYTES;
const TOKEN_BYTES = 4;
const SCRATCH_BYTES_FIRST = 4096;

export type LinkErrorCode =
  | 'LINK_VIOLATION' // the peer broke the frame or envelope layout, or the order of frames
  | 'LINK_MISMATCH' //  the peer is configured for another network, version, roster size or party number
  | 'LINK_LOST'; //     the stream closed, was replaced, or the peer fell silent

/** Why a stream to a peer was given up. Never leaves the mesh except as text in events. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
  readonly code: LinkErrorCode;
  constructor(code: LinkErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Hello {
  readonly version: number;
  /** LANE number of the stream, so that a stream opened under the wrong protocol id is noticed. */
  readonly lane: number;
  readonly from: number;
  readonly to: number;
  readonly rosterSize: number;
  /** SHA-256 of the network name, hex. */
  readonly networkHash: string;
  /** Random, hex: one life of the sender's memory for this link. */
  readonly epoch: string;
  /** The receiver's epoch as the sender last saw it; all zero when they never spoke. */
  readonly heardEpoch: string;
  /** Last DATA sequence number the sender has taken in from `heardEpoch` on this lane. */
  readonly heardSeq: number;
}

function frame(type: number, payloadBytes: number): Buffer {
  const bytes = Buffer.alloc(FRAME_PREFIX_BYTES + payloadBytes);
  bytes.writeUInt32LE(1 + payloadBytes, 0);
  bytes[LENGTH_BYTES] = type;
  return bytes;
}

export function encodeHello(hello: Hello): Buffer {
  const bytes = frame(HELLO, HELLO_BYTES);
  let at = FRAME_PREFIX_BYTES;
  for (const byte of [hello.version, hello.lane, hello.from, hello.to, hello.rosterSize]) bytes[at++] = byte;
  for (const hex of [hello.networkHash, hello.epoch, hello.heardEpoch]) at += bytes.write(hex, at, 'hex');
  bytes.writeUIntLE(hello.heardSeq, at, SEQ_BYTES);
  return bytes;
}

/** `payload` is the frame without length and type. The version stands first, so that any later layout can be told. */
export function decodeHello(payload: Buffer): Hello {
  const version = payload[0] ?? 0;
  if (version !== PROTOCOL_VERSION) {
    throw new LinkError('LINK_MISMATCH', `peer speaks link version ${version}, want ${PROTOCOL_VERSION}`);
  }
  if (payload.length !== HELLO_BYTES) throw violation(`HELLO of ${payload.length} bytes, want ${HELLO_BYTES}`);
  const networkAt = 5;
  const epochAt = networkAt + NETWORK_HASH_BYTES;
  const heardAt = epochAt + EPOCH_BYTES;
  return {
    version,
    lane: payload.readUInt8(1),
    from: payload.readUInt8(2),
    to: payload.readUInt8(3),
    rosterSize: payload.readUInt8(4),
    networkHash: payload.toString('hex', networkAt, epochAt),
    epoch: payload.toString('hex', epochAt, heardAt),
    heardEpoch: payload.toString('hex', heardAt, heardAt + EPOCH_BYTES),
    heardSeq: payload.readUIntLE(heardAt + EPOCH_BYTES, SEQ_BYTES),
  };
}

export function encodeAck(seq: number): Buffer {
  const bytes = frame(ACK, SEQ_BYTES);
  bytes.writeUIntLE(seq, FRAME_PREFIX_BYTES, SEQ_BYTES);
  return bytes;
}

export function decodeAck(payload: Buffer): number {
  if (payload.length !== SEQ_BYTES) throw violation(`ACK of ${payload.length} bytes, want ${SEQ_BYTES}`);
  return payload.readUIntLE(0, SEQ_BYTES);
}

export function encodeProbe(type: typeof PING | typeof PONG, token: number): Buffer {
  const bytes = frame(type, TOKEN_BYTES);
  bytes.writeUInt32LE(token, FRAME_PREFIX_BYTES);
  return bytes;
}

export function decodeProbe(payload: Buffer): number {
  if (payload.length !== TOKEN_BYTES) throw violation(`probe of ${payload.length} bytes, want ${TOKEN_BYTES}`);
  return payload.readUInt32LE(0);
}

export function violation(message: string): LinkError {
  return new LinkError('LINK_VIOLATION', message);
}

/** Cuts a byte stream into frames. A frame inside one chunk is passed uncopied; others meet in one kept buffer. */
export class FrameReader {
  readonly #onFrame: (frame: Buffer) => void;
  #scratch = Buffer.alloc(SCRATCH_BYTES_FIRST);
  #have = 0; // bytes of the current frame in scratch, its length word included
  #want = LENGTH_BYTES;

  /** `onFrame` gets type and payload; the bytes are valid only during the call. What it throws, `push` throws. */
  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < bytes.length) {
      if (this.#have === 0) at = this.#passWholeFrames(bytes, at);
      const take = Math.min(this.#want - this.#have, bytes.length - at);
      bytes.copy(this.#scratch, this.#have, at, at + take);
      at += take;
      this.#have += take;
      if (this.#have === this.#want) this.#advance();
    }
  }

  #passWholeFrames(bytes: Buffer, from: number): number {
    let at = from;
    while (bytes.length - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + checkedLength(bytes.readUInt32LE(at));
      if (end > bytes.length) break;
      this.#onFrame(bytes.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    return at;
  }

  #advance(): void {
    if (this.#want === LENGTH_BYTES) {
      this.#want = LENGTH_BYTES + checkedLength(this.#scratch.readUInt32LE(0));
      if (this.#want > this.#scratch.length) this.#growScratch();
      return;
    }
    const end = this.#want;
    this.#have = 0;
    this.#want = LENGTH_BYTES;
    this.#onFrame(this.#scratch.subarray(LENGTH_BYTES, end));
  }

  #growScratch(): void {
    const larger = Buffer.alloc(this.#want > SCRATCH_BYTES_FIRST * 4 ? FRAME_BYTES_MAX : SCRATCH_BYTES_FIRST * 4);
    this.#scratch.copy(larger, 0, 0, this.#have);
    this.#scratch = larger;
  }
}

function checkedLength(length: number): number {
  if (length < 1 || length > FRAME_BYTES_MAX - LENGTH_BYTES) {
    throw violation(`frame length ${length}, want 1..${FRAME_BYTES_MAX - LENGTH_BYTES}`);
  }
  return length;
}
