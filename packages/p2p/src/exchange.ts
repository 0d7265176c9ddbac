/**
 * Requests and responses over one short-lived stream each (docs/protocols/transport.md, step L7).
 *
 * Request: length u32 LE | body. Response: status u8 (0 answer, 1 refusal) | length u32 LE | body.
 * For control traffic: opening a stream costs milliseconds, and libp2p's pipes have no back-pressure, so every length
 * is checked before it is buffered and every exchange names its own maxima.
 */
import { type Exchange, type PartyId, TransportError } from '@keyquorum/mpc/transport';
import type { Connection, Stream } from '@libp2p/interface';
import { messageStreamToDuplex } from '@libp2p/utils';
import { pipe } from 'it-pipe';
import type { MeshEvent, MeshLimits } from './options.ts';

const ANSWER = 0;
const REFUSAL = 1;
const LENGTH_BYTES = 4;

type Chunk = Uint8Array | Iterable<Uint8Array>;
export type Handler = (from: PartyId, body: Uint8Array) => Promise<Uint8Array>;

/** libp2p protocol id of an exchange; the network name keeps two networks on one host apart. */
export function exchangeProtocol(network: string, exchange: Exchange): string {
  return `/keyquorum/${network}/exchange/${exchange.name}/1`;
}

class OversizeError extends Error {}
class RefusalError extends Error {}

/** Reads exactly `count` bytes at a time from a source of chunks. */
class ByteSource {
  readonly #chunks: AsyncIterator<Chunk>;
  #rest: Uint8Array[] = [];

  constructor(source: AsyncIterable<Chunk>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async read(count: number): Promise<Buffer> {
    const bytes = Buffer.alloc(count);
    let filled = 0;
    while (filled < count) {
      const chunk = this.#rest.shift() ?? (await this.#next());
      const take = Math.min(chunk.length, count - filled);
      bytes.set(chunk.subarray(0, take), filled);
      filled += take;
      if (take < chunk.length) this.#rest.unshift(chunk.subarray(take));
    }
    return bytes;
  }

  async readBody(bytesMax: number): Promise<Uint8Array> {
    const length = (await this.read(LENGTH_BYTES)).readUInt32LE(0);
    if (length > bytesMax) throw new OversizeError(`${length} bytes announced, at most ${bytesMax} allowed`);
    return this.read(length);
  }

  async #next(): Promise<Uint8Array> {
    const { value, done } = await this.#chunks.next();
    if (done) throw new Error('stream ended early');
    if (value instanceof Uint8Array) return value;
    this.#rest.push(...value);
    return this.#rest.shift() ?? new Uint8Array(0);
  }
}

function lengthOf(body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt32LE(body.length, 0);
  return bytes;
}

/** Asks over a new stream of `connection`. Rejects with TransportError; the stream is closed or reset in any case. */
export async function ask(
  connection: Connection,
  protocol: string,
  { to, exchange, body, signal }: { to: PartyId; exchange: Exchange; body: Uint8Array; signal: AbortSignal },
): Promise<Uint8Array> {
  let stream: Stream | undefined;
  const onAbort = () => stream?.abort(new Error('given up by the asker'));
  try {
    stream = await connection.newStream(protocol, { signal });
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    return await pipe([lengthOf(body), body], messageStreamToDuplex(stream), (source) =>
      readResponse(new ByteSource(source), exchange),
    );
  } catch (error) {
    stream?.abort(error instanceof Error ? error : new Error(String(error)));
    throw explain(error, connection, { to, exchange, signal });
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function readResponse(source: ByteSource, exchange: Exchange): Promise<Uint8Array> {
  const status = (await source.read(1))[0];
  if (status !== ANSWER) throw new RefusalError('refused');
  return source.readBody(exchange.responseBytesMax);
}

function explain(
  error: unknown,
  connection: Connection,
  { to, exchange, signal }: { to: PartyId; exchange: Exchange; signal: AbortSignal },
): TransportError {
  const what = `exchange ${exchange.name} with party ${to}`;
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof OversizeError) return new TransportError('PEER_OVERSIZE', to, `${what}: ${reason}`);
  if (signal.aborted) return new TransportError('PEER_TIMEOUT', to, `${what}: no answer before the signal fired`);
  if (error instanceof RefusalError) return new TransportError('PEER_REFUSED', to, `${what}: the peer refused`);
  if (connection.status !== 'open') return new TransportError('PEER_DOWN', to, `${what}: link lost (${reason})`);
  return new TransportError('PEER_REFUSED', to, `${what}: the peer gave the stream up (${reason})`);
}

/**
 * Answers one stream a peer opened. Never rejects. `onAnswered` is called once, when the handler is done and before the
 * asker can see the answer, so that an asker that keeps to its bound is never over ours.
 */
export async function answer(
  stream: Stream,
  { from, exchange, handler, limits, report, onAnswered }: AnswerOptions,
): Promise<void> {
  const timer = setTimeout(() => stream.abort(new Error('request took too long')), limits.exchangeReadMsMax);
  let finished = false;
  function finish(): void {
    if (!finished) onAnswered();
    finished = true;
  }
  async function* respond(source: AsyncIterable<Chunk>) {
    const request = await new ByteSource(source).readBody(exchange.requestBytesMax);
    clearTimeout(timer);
    const response = await runHandler(request);
    finish();
    yield Uint8Array.of(response ? ANSWER : REFUSAL);
    if (response) {
      yield lengthOf(response);
      yield response;
    }
  }
  async function runHandler(request: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      const response = await handler(from, request);
      if (response.length <= exchange.responseBytesMax) return response;
      throw new RangeError(`answer of ${response.length} bytes, at most ${exchange.responseBytesMax}`);
    } catch (error) {
      const reason = `${exchange.name}: ${error instanceof Error ? error.message : String(error)}`;
      report({ kind: 'exchange-refused', peer: from, reason });
      return undefined;
    }
  }
  try {
    const duplex = messageStreamToDuplex(stream);
    await pipe(duplex.source, respond, duplex.sink);
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)));
  } finally {
    clearTimeout(timer);
    finish();
  }
}

export interface AnswerOptions {
  readonly from: PartyId;
  readonly exchange: Exchange;
  readonly handler: Handler;
  readonly limits: MeshLimits;
  readonly report: (event: MeshEvent) => void;
  readonly onAnswered: () => void;
}

/** A bounded number of exchanges at once; the others wait in order. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** True when a slot was taken; false when none is free now. */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  /** Resolves with a slot taken. Rejects with the signal's reason, then without one. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.tryTake()) return;
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      this.#waiting.push(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
