/**
 * Envelopes as DATA frames (docs/protocols/transport.md): split on the way out, put together on the way in.
 *
 * Payload of DATA, little-endian: seq u48 | first u8 | [first = 1: session 32 | tag length u8 | tag |
 * body length u32] | body bytes. Every fragment but the last fills its frame, so an envelope has exactly one encoding.
 * Cost: 49 bytes + tag per envelope, 12 per further 256 KiB. One copy each way: the sender may erase or reuse `body`
 * as soon as `encodeEnvelope` returned, the receiver owns what it gets.
 */
import { ENVELOPE_BODY_BYTES_MAX, type Envelope, TAG_LENGTH_MAX } from '@keyquorum/mpc/transport';
import { DATA, FRAME_BYTES_MAX, FRAME_PREFIX_BYTES, SEQ_BYTES, violation } from './frames.ts';

const SESSION_BYTES = 32;
const SESSION = /^[0-9a-f]{64}$/;
const TAG = new RegExp(`^[\\x20-\\x7e]{1,${TAG_LENGTH_MAX}}$`);
const FIRST_AT = FRAME_PREFIX_BYTES + SEQ_BYTES;
/** Frame bytes before the body of a continuing fragment, and before the tag of a first one. */
const DATA_PREFIX_BYTES = FIRST_AT + 1;
const FIRST_FIXED_BYTES = SESSION_BYTES + 1 + 4; // session, tag length, body length
/** Header bytes of the first fragment inside the payload, without the tag. */
const FIRST_PAYLOAD_BYTES = SEQ_BYTES + 1 + FIRST_FIXED_BYTES;

/** Memory for a frame, to be filled completely. */
export type AllocateFrame = (bytes: number) => Buffer;

/** The DATA frames of an envelope; `writeSeq` numbers them. Throws RangeError for an envelope outside the contract. */
export function encodeEnvelope(
  { session, tag, body }: Envelope,
  allocate: AllocateFrame = Buffer.allocUnsafeSlow,
): Buffer[] {
  if (!SESSION.test(session)) throw new RangeError('envelope session: want 64 lower-case hex digits');
  if (!TAG.test(tag)) throw new RangeError(`envelope tag: want 1..${TAG_LENGTH_MAX} printable ASCII characters`);
  if (body.length > ENVELOPE_BODY_BYTES_MAX) {
    throw new RangeError(`envelope ${tag}: body of ${body.length} bytes, at most ${ENVELOPE_BODY_BYTES_MAX}`);
  }
  const bodyAt = DATA_PREFIX_BYTES + FIRST_FIXED_BYTES + tag.length;
  const head = dataFrame(allocate, bodyAt, body.subarray(0, FRAME_BYTES_MAX - bodyAt));
  head[FIRST_AT] = 1;
  let at = DATA_PREFIX_BYTES;
  at += head.write(session, at, 'hex');
  head[at++] = tag.length;
  at += head.write(tag, at, 'latin1');
  head.writeUInt32LE(body.length, at);
  const frames = [head];
  for (let from = FRAME_BYTES_MAX - bodyAt; from < body.length; from += FRAME_BYTES_MAX - DATA_PREFIX_BYTES) {
    const end = from + FRAME_BYTES_MAX - DATA_PREFIX_BYTES;
    frames.push(dataFrame(allocate, DATA_PREFIX_BYTES, body.subarray(from, end)));
  }
  return frames;
}

function dataFrame(allocate: AllocateFrame, bodyAt: number, body: Uint8Array): Buffer {
  const bytes = allocate(bodyAt + body.length); // filled completely here, by encodeEnvelope and by writeSeq
  bytes.writeUInt32LE(bytes.length - 4, 0);
  bytes[FRAME_PREFIX_BYTES - 1] = DATA;
  bytes[FIRST_AT] = 0;
  bytes.set(body, bodyAt);
  return bytes;
}

export function writeSeq(frame: Buffer, seq: number): void {
  frame.writeUIntLE(seq, FRAME_PREFIX_BYTES, SEQ_BYTES);
}

/** True for the frame an envelope begins with. */
export function beginsEnvelope(frame: Buffer): boolean {
  return frame[FIRST_AT] === 1;
}

export function readSeq(payload: Buffer): number {
  if (payload.length <= SEQ_BYTES) throw violation(`DATA of ${payload.length} bytes, want more than ${SEQ_BYTES}`);
  return payload.readUIntLE(0, SEQ_BYTES);
}

interface Pending {
  readonly envelope: Envelope;
  filled: number;
}

/** Puts the fragments of one lane together. Holds at most one unfinished envelope, of at most `bodyBytesMax`. */
export class EnvelopeAssembler {
  readonly #bodyBytesMax: number;
  #pending: Pending | undefined;

  constructor(bodyBytesMax: number) {
    this.#bodyBytesMax = bodyBytesMax;
  }

  /** Takes one DATA payload in; the finished envelope with its last fragment. Throws LinkError for a broken layout. */
  accept(payload: Buffer): Envelope | undefined {
    const first = payload[SEQ_BYTES];
    if (first === 1) return this.#begin(payload);
    if (first !== 0) throw violation(`DATA with fragment mark ${first}`);
    return this.#fill(payload.subarray(SEQ_BYTES + 1), FRAME_BYTES_MAX - DATA_PREFIX_BYTES);
  }

  /** Forgets the unfinished envelope: the peer that began it is gone. */
  reset(): void {
    this.#pending = undefined;
  }

  #begin(payload: Buffer): Envelope | undefined {
    if (this.#pending) throw violation(`envelope begins inside ${this.#pending.envelope.tag}`);
    if (payload.length < FIRST_PAYLOAD_BYTES) throw violation(`envelope header of ${payload.length} bytes`);
    const sessionAt = SEQ_BYTES + 1;
    const tagAt = sessionAt + SESSION_BYTES + 1;
    const tagLength = payload.readUInt8(tagAt - 1);
    const bodyAt = tagAt + tagLength + 4;
    if (payload.length < bodyAt) throw violation(`envelope header cut at ${payload.length} of ${bodyAt} bytes`);
    const tag = payload.toString('latin1', tagAt, tagAt + tagLength);
    if (!TAG.test(tag))
      throw violation(`envelope tag of ${tagLength} bytes, want 1..${TAG_LENGTH_MAX} printable ASCII`);
    const total = payload.readUInt32LE(bodyAt - 4);
    if (total > this.#bodyBytesMax)
      throw violation(`envelope ${tag} announces ${total} bytes over ${this.#bodyBytesMax}`);
    const session = payload.toString('hex', sessionAt, sessionAt + SESSION_BYTES);
    this.#pending = { envelope: { session, tag, body: new Uint8Array(total) }, filled: 0 };
    return this.#fill(payload.subarray(bodyAt), FRAME_BYTES_MAX - (FRAME_PREFIX_BYTES + bodyAt));
  }

  #fill(part: Buffer, capacity: number): Envelope | undefined {
    const pending = this.#pending;
    if (!pending) throw violation('fragment without an envelope');
    const { envelope } = pending;
    const want = Math.min(envelope.body.length - pending.filled, capacity);
    if (part.length !== want) throw violation(`fragment of ${part.length} bytes in ${envelope.tag}, want ${want}`);
    envelope.body.set(part, pending.filled);
    pending.filled += part.length;
    if (pending.filled < envelope.body.length) return undefined;
    this.#pending = undefined;
    return envelope;
  }
}
