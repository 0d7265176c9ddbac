/**
 * Requests and answers as bytes of a stream (docs/protocols/transport.md, step L7).
 *
 * Request: id u32 | length u32 | body. Answer: id u32 | status u8 (0 answer, 1 refusal) | length u32 | body. Little
 * endian. A stream carries one exchange after the other, never two at once; the answer repeats the id of its request.
 */
import type { Exchange } from '@keyquorum/mpc/transport';

export const REQUEST_HEADER_BYTES = 8;
export const ANSWER_HEADER_BYTES = 9;
/** Header and body up to this size leave as one write: the copy costs less than another frame and record. */
const JOINED_BYTES_MAX = 64 * 1024;
const ANSWER = 0;
const REFUSAL = 1;

export interface AnswerHeader {
  readonly id: number;
  readonly refused: boolean;
  readonly length: number;
}

/** libp2p protocol id of an exchange; the network name keeps two networks on one host apart. */
export function exchangeProtocol(network: string, exchange: Exchange): string {
  return `/keyquorum/${network}/exchange/${exchange.name}/2`;
}

/** Chunks to write. A long body is not copied: it must not change before it is sent. */
export function encodeRequest(id: number, body: Uint8Array): Uint8Array[] {
  const [head, ...rest] = withRoom(REQUEST_HEADER_BYTES, body);
  head.writeUInt32LE(id, 0);
  head.writeUInt32LE(body.length, 4);
  return [head, ...rest];
}

/** Chunks to write, as for a request. Without a body: a refusal. */
export function encodeAnswer(id: number, body: Uint8Array | undefined): Uint8Array[] {
  const [head, ...rest] = withRoom(ANSWER_HEADER_BYTES, body ?? new Uint8Array(0));
  head.writeUInt32LE(id, 0);
  head.writeUInt8(body ? ANSWER : REFUSAL, 4);
  head.writeUInt32LE(body?.length ?? 0, 5);
  return [head, ...rest];
}

/** Header bytes to fill in, then the body, in the same chunk when it is short. Own memory: the body may be secret. */
function withRoom(headerBytes: number, body: Uint8Array): [Buffer, ...Uint8Array[]] {
  if (body.length > JOINED_BYTES_MAX) return [Buffer.alloc(headerBytes), body];
  const joined = Buffer.allocUnsafeSlow(headerBytes + body.length);
  joined.set(body, headerBytes);
  return [joined];
}

export function decodeRequestHeader(header: Buffer): { readonly id: number; readonly length: number } {
  return { id: header.readUInt32LE(0), length: header.readUInt32LE(4) };
}

/** Any status but 0 is a refusal. */
export function decodeAnswerHeader(header: Buffer): AnswerHeader {
  return { id: header.readUInt32LE(0), refused: header.readUInt8(4) !== ANSWER, length: header.readUInt32LE(5) };
}

/** The peer keeps to no rule of exchanges: it loses the stream, and the operator hears of it. */
export class ExchangeViolation extends Error {}

type Chunk = Uint8Array | Iterable<Uint8Array>;
export type Chunks = AsyncIterable<Chunk>;

/** Reads bytes by count from a source of chunks. The source has no back-pressure: whoever reads bounds what is sent. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Chunk>;
  readonly #held: Uint8Array[] = []; // none of them empty

  constructor(source: Chunks) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Waits for a byte to read; false at the end of the stream. */
  async more(): Promise<boolean> {
    while (this.#held.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done) return false;
      for (const chunk of value instanceof Uint8Array ? [value] : value) if (chunk.length > 0) this.#held.push(chunk);
    }
    return true;
  }

  /** True when all bytes that were looked at have been read. */
  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Exactly `count` bytes, in memory of their own. The caller has checked `count`. Rejects when the stream ends. */
  async read(count: number): Promise<Buffer> {
    const bytes = Buffer.alloc(count);
    let filled = 0;
    while (filled < count) {
      if (this.isEmpty && !(await this.more())) throw new Error('stream ended early');
      const chunk = this.#held.shift() ?? new Uint8Array(0);
      const take = Math.min(chunk.length, count - filled);
      bytes.set(take < chunk.length ? chunk.subarray(0, take) : chunk, filled);
      filled += take;
      if (take < chunk.length) this.#held.unshift(chunk.subarray(take));
    }
    return bytes;
  }
}
