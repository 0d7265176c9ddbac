/**
 * Our requests to one peer over streams that are kept and used again (docs/protocols/transport.md, step L7).
 *
 * Opening a stream costs a negotiation, several turns of the event loop on both sides: more than the rest of an
 * exchange together. So a stream whose exchange ended in order waits for the next exchange of the same name. A stream
 * carries one exchange at a time and is aborted whenever that exchange ends in any other way, and whenever a byte comes
 * that no request asked for: no answer can be taken for that of another request.
 */
import { type Exchange, type PartyId, TransportError } from '@keyquorum/mpc/transport';
import type { Connection, Stream } from '@libp2p/interface';
import { messageStreamToDuplex } from '@libp2p/utils';
import { pipe } from 'it-pipe';
import {
  ANSWER_HEADER_BYTES,
  ByteSource,
  type Chunks,
  decodeAnswerHeader,
  ExchangeViolation,
  encodeRequest,
  exchangeProtocol,
} from './exchange-frames.ts';
import type { MeshEvent, MeshLimits } from './options.ts';
import { Slots } from './slots.ts';
import { sendFewerWindowUpdates } from './window-updates.ts';

/** Idle streams kept per peer, as a multiple of the exchanges that may run at once: room for two busy names. */
const IDLE_FACTOR = 2;

class OversizeError extends Error {}
class RefusalError extends Error {}

export interface AskerModules {
  readonly peer: PartyId;
  readonly network: string;
  readonly limits: MeshLimits;
  /** The connection to ask on, undefined while the link is down. */
  readonly connection: () => Connection | undefined;
  readonly report: (event: MeshEvent) => void;
}

export interface AskerStats {
  /** Requests sent. */
  readonly asked: number;
  readonly streamsOpened: number;
  readonly idleStreams: number;
}

export class Asker {
  readonly #modules: AskerModules;
  readonly #slots: Slots;
  /** Least recently used first. */
  #idle: AskingStream[] = [];
  #asked = 0;
  #streamsOpened = 0;

  constructor(modules: AskerModules) {
    this.#modules = modules;
    this.#slots = new Slots(modules.limits.exchangesMax);
  }

  /** Rejects with TransportError. The body must not change until then. */
  async request(exchange: Exchange, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const { peer, connection: current } = this.#modules;
    const what = `exchange ${exchange.name} with party ${peer}`;
    await this.#slots.take(signal).catch(() => {
      throw new TransportError('PEER_TIMEOUT', peer, `${what}: signal fired while waiting`);
    });
    try {
      const connection = current();
      if (!connection) throw new TransportError('PEER_DOWN', peer, `${what}: no link to the party`);
      return await this.#ask(connection, exchange, body, signal).catch((error) => {
        throw explain(error, what, { peer, connection, signal });
      });
    } finally {
      this.#slots.give();
    }
  }

  stats(): AskerStats {
    return { asked: this.#asked, streamsOpened: this.#streamsOpened, idleStreams: this.#idle.length };
  }

  /** Gives up streams that nobody used for `exchangeIdleMsMax`. */
  tick(nowMs: number): void {
    const oldestMs = nowMs - this.#modules.limits.exchangeIdleMsMax;
    this.#drop((stream) => !stream.usable || stream.usedMs < oldestMs);
  }

  closeIdle(): void {
    this.#drop(() => true);
  }

  async #ask(connection: Connection, exchange: Exchange, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const protocol = exchangeProtocol(this.#modules.network, exchange);
    const stream = this.#takeIdle(connection, protocol) ?? (await this.#open(connection, exchange, protocol, signal));
    const onAbort = () => stream.fail(new Error('given up by the asker'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    this.#asked += 1;
    try {
      return await stream.ask(body, exchange.responseBytesMax);
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#keep(stream);
    }
  }

  async #open(
    connection: Connection,
    { name }: Exchange,
    protocol: string,
    signal: AbortSignal,
  ): Promise<AskingStream> {
    const stream = await connection.newStream(protocol, { signal, negotiateFully: false });
    this.#streamsOpened += 1;
    const { peer, report } = this.#modules;
    return new AskingStream({ stream, connection, protocol }, (reason) =>
      report({ kind: 'violation', peer, reason: `exchange ${name}: ${reason}` }),
    );
  }

  #takeIdle(connection: Connection, protocol: string): AskingStream | undefined {
    const at = this.#idle.findLastIndex(
      (stream) => stream.usable && stream.isOn(connection) && stream.protocol === protocol,
    );
    return at < 0 ? undefined : this.#idle.splice(at, 1)[0];
  }

  #keep(stream: AskingStream): void {
    if (!stream.usable) return;
    if (!stream.isOn(this.#modules.connection())) {
      stream.fail(unused());
      return;
    }
    stream.usedMs = performance.now();
    this.#idle.push(stream);
    if (this.#idle.length > IDLE_FACTOR * this.#modules.limits.exchangesMax) this.#idle.shift()?.fail(unused());
  }

  #drop(condition: (stream: AskingStream) => boolean): void {
    const dropped = this.#idle.filter(condition);
    if (dropped.length === 0) return;
    this.#idle = this.#idle.filter((stream) => !dropped.includes(stream));
    for (const stream of dropped) stream.fail(unused());
  }
}

interface Opened {
  readonly stream: Stream;
  readonly connection: Connection;
  readonly protocol: string;
}
interface Asked {
  readonly id: number;
  readonly bytesMax: number;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (reason: Error) => void;
}

class AskingStream {
  usedMs = 0;
  readonly #opened: Opened;
  readonly #onViolation: (reason: string) => void;
  #lastId = 0;
  #asked: Asked | undefined;

  constructor(opened: Opened, onViolation: (reason: string) => void) {
    this.#opened = opened;
    sendFewerWindowUpdates(opened.stream);
    this.#onViolation = onViolation;
    void this.#read(); // never rejects
  }

  /** No exchange runs, and another one may. */
  get usable(): boolean {
    const { status, writeStatus } = this.#opened.stream;
    return this.#asked === undefined && status === 'open' && writeStatus === 'writable';
  }

  get protocol(): string {
    return this.#opened.protocol;
  }

  isOn(connection: Connection | undefined): boolean {
    return this.#opened.connection === connection;
  }

  /**
   * Only while `usable`. Rejects when the stream fails, and then the stream is of no more use, or with RefusalError.
   */
  ask(body: Uint8Array, bytesMax: number): Promise<Uint8Array> {
    this.#lastId = (this.#lastId + 1) >>> 0;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#asked = { id, bytesMax, resolve, reject };
      try {
        for (const chunk of encodeRequest(id, body)) this.#opened.stream.send(chunk);
      } catch (error) {
        this.fail(asError(error));
      }
    });
  }

  /** Gives the stream up, and the exchange that runs on it. */
  fail(reason: Error): void {
    const asked = this.#asked;
    this.#asked = undefined;
    abortQuietly(this.#opened.stream, reason);
    asked?.reject(reason);
  }

  async #read(): Promise<void> {
    try {
      const { source } = messageStreamToDuplex(this.#opened.stream);
      await pipe(source, (chunks: Chunks) => this.#readAnswers(new ByteSource(chunks)));
      this.fail(new Error('stream ended by the peer'));
    } catch (error) {
      if (error instanceof ExchangeViolation) this.#onViolation(error.message);
      this.fail(asError(error));
    }
  }

  async #readAnswers(bytes: ByteSource): Promise<void> {
    while (await bytes.more()) {
      const asked = this.#asked;
      if (!asked) throw new ExchangeViolation('bytes that no request asked for');
      const { id, refused, length } = decodeAnswerHeader(await bytes.read(ANSWER_HEADER_BYTES));
      if (id !== asked.id) throw new ExchangeViolation(`answer to request ${id}, ${asked.id} is asked`);
      const bytesMax = refused ? 0 : asked.bytesMax;
      if (length > bytesMax) throw new OversizeError(`${length} bytes announced, at most ${bytesMax} allowed`);
      const answer = await bytes.read(length);
      if (!bytes.isEmpty) throw new ExchangeViolation('bytes after the answer');
      if (this.#asked !== asked) return; // given up meanwhile
      this.#asked = undefined;
      if (refused) asked.reject(new RefusalError('refused'));
      else asked.resolve(answer);
    }
  }
}

function explain(
  error: unknown,
  what: string,
  { peer, connection, signal }: { peer: PartyId; connection: Connection; signal: AbortSignal },
): TransportError {
  const reason = asError(error).message;
  if (error instanceof OversizeError) return new TransportError('PEER_OVERSIZE', peer, `${what}: ${reason}`);
  if (error instanceof RefusalError) return new TransportError('PEER_REFUSED', peer, `${what}: the peer refused`);
  if (signal.aborted) return new TransportError('PEER_TIMEOUT', peer, `${what}: no answer before the signal fired`);
  if (connection.status !== 'open') return new TransportError('PEER_DOWN', peer, `${what}: link lost (${reason})`);
  return new TransportError('PEER_REFUSED', peer, `${what}: the stream was given up (${reason})`);
}

function unused(): Error {
  return new Error('stream not needed');
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function abortQuietly(stream: Stream, reason: Error): void {
  try {
    stream.abort(reason);
  } catch {
    // It is being given up; whatever state it was in no longer matters.
  }
}
