/**
 * Answers to one peer's requests of one exchange, one after the other on a stream that it keeps open
 * (docs/protocols/transport.md, step L7).
 *
 * libp2p's pipes have no back-pressure, so every length is checked before it is buffered, and a peer that sends before
 * it took its last answer breaks the rules and loses the stream. An idle stream holds nothing but its own memory.
 */
import type { Exchange, PartyId } from '@keyquorum/mpc/transport';
import type { Stream } from '@libp2p/interface';
import { messageStreamToDuplex } from '@libp2p/utils';
import { pipe } from 'it-pipe';
import {
  ByteSource,
  type Chunks,
  decodeRequestHeader,
  ExchangeViolation,
  encodeAnswer,
  REQUEST_HEADER_BYTES,
} from './exchange-frames.ts';
import type { MeshEvent, MeshLimits } from './options.ts';
import type { Slots } from './slots.ts';
import { sendFewerWindowUpdates } from './window-updates.ts';

export type Handler = (from: PartyId, body: Uint8Array) => Promise<Uint8Array>;

export interface AnswerModules {
  readonly from: PartyId;
  readonly exchange: Exchange;
  readonly handler: Handler;
  /** One is taken per request, and given back before the asker can see the answer: who keeps to its bound finds one. */
  readonly slots: Slots;
  readonly limits: MeshLimits;
  readonly report: (event: MeshEvent) => void;
}

/** Answers all requests of a stream that the peer opened, until it ends. Never rejects. */
export async function answerAll(stream: Stream, modules: AnswerModules): Promise<void> {
  if (stream.status === 'open') await new Answerer(stream, modules).run();
}

class Answerer {
  readonly #stream: Stream;
  readonly #modules: AnswerModules;
  #busy = false;
  #holdsSlot = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Stream, modules: AnswerModules) {
    this.#stream = stream;
    sendFewerWindowUpdates(stream);
    this.#modules = modules;
  }

  async run(): Promise<void> {
    const { from, exchange, report } = this.#modules;
    this.#stream.addEventListener('message', () => {
      if (this.#busy) this.#abort(new ExchangeViolation('request before the answer to the last one'));
    });
    try {
      const duplex = messageStreamToDuplex(this.#stream);
      await pipe(duplex.source, (chunks: Chunks) => this.#answers(new ByteSource(chunks)), duplex.sink);
    } catch (error) {
      if (error instanceof ExchangeViolation)
        report({ kind: 'violation', peer: from, reason: `exchange ${exchange.name}: ${error.message}` });
      this.#abort(error instanceof Error ? error : new Error(String(error)));
    } finally {
      clearTimeout(this.#timer);
      this.#giveSlot();
    }
  }

  async *#answers(bytes: ByteSource): AsyncGenerator<Uint8Array> {
    while (await bytes.more()) {
      if (this.#stream.writeBufferLength > 0) throw new ExchangeViolation('request before the last answer was taken');
      const [id, request] = await this.#readRequest(bytes);
      this.#busy = true;
      const response = await this.#handle(request);
      this.#busy = false;
      this.#giveSlot();
      yield* encodeAnswer(id, response);
    }
  }

  async #readRequest(bytes: ByteSource): Promise<[number, Uint8Array]> {
    const { exchange, limits, slots } = this.#modules;
    this.#timer = setTimeout(() => this.#abort(new Error('request took too long')), limits.exchangeReadMsMax);
    const { id, length } = decodeRequestHeader(await bytes.read(REQUEST_HEADER_BYTES));
    if (length > exchange.requestBytesMax) {
      throw new ExchangeViolation(`request of ${length} bytes, at most ${exchange.requestBytesMax}`);
    }
    if (!slots.tryTake()) throw new Error('too many exchanges at once');
    this.#holdsSlot = true;
    const request = await bytes.read(length);
    if (!bytes.isEmpty) throw new ExchangeViolation('bytes after the request');
    clearTimeout(this.#timer);
    return [id, request];
  }

  /** Undefined: a refusal. */
  async #handle(request: Uint8Array): Promise<Uint8Array | undefined> {
    const { from, exchange, handler, report } = this.#modules;
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

  #giveSlot(): void {
    if (this.#holdsSlot) this.#modules.slots.give();
    this.#holdsSlot = false;
  }

  #abort(reason: Error): void {
    try {
      this.#stream.abort(reason);
    } catch {
      // It is being given up; whatever state it was in no longer matters.
    }
  }
}
