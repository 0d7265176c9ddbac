/**
 * All decryptions of this node: which id means what, how far each is, and the answers. One owner object decides
 * in synchronous code (SPEC R14); a state is shown to callers only after it is durable.
 *
 * Bounds: `kept` finished requests; the oldest is forgotten first, and with it the meaning of its id.
 */
import type { Journal } from '@keyquorum/mpc/session';
import { ApiError, isRetriable } from '../errors/api-error.ts';
import type { Content } from './content.ts';
import { type Answer, decodeRecord, encodeRecord, type Failure, type RequestRecord } from './record.ts';

export interface RequestBook {
  /** Whether the id is bound to this content and needs no new run. Throws REQUEST_CONFLICT. */
  knows(content: Content): boolean;
  /**
   * Binds the id to the content; resolves when that is durable, or at once if it may ride with the next batch: nothing
   * that depends on it leaves before the ceremony's own records are durable, and with them this one. Throws BUSY. Only
   * after `knows` said no.
   */
  admit(content: Content, options?: { readonly riding?: boolean }): Promise<void>;
  finish(requestId: string, outcome: { answer: Answer } | { failure: Failure }): Promise<void>;
  get(requestId: string): RequestRecord | undefined;
  /** Calls back when the request has ended durably, at once if it has. Returns the way to unsubscribe. */
  onEnd(requestId: string, listener: () => void): () => void;
  running(): number;
  /** Ids of what is running. */
  pending(): string[];
}

interface Options {
  readonly table: Journal;
  readonly limits: { readonly kept: number; readonly running: number };
  now(): number;
}

export function createRequestBook(options: Options): Promise<RequestBook> {
  return Book.open(options);
}

class Book implements RequestBook {
  readonly #options: Options;
  /** What callers see. A finished record is here once it is durable. */
  readonly #records = new Map<string, RequestRecord>();
  /** Finished ids, oldest first. */
  readonly #finished = new Set<string>();
  readonly #listeners = new Map<string, Set<() => void>>();

  private constructor(options: Options) {
    this.#options = options;
  }

  /** Requests that were running when the process ended are over: their ciphertexts were never stored. */
  static async open(options: Options): Promise<Book> {
    const book = new Book(options);
    const records = options.table.keys('').map((key) => decodeRecord(options.table.get(key) ?? new Uint8Array()));
    const endMs = (record: RequestRecord) => record.finishedMs ?? Number.POSITIVE_INFINITY;
    for (const record of records.sort((one, other) => endMs(one) - endMs(other))) {
      book.#records.set(record.requestId, record);
      if (record.state !== 'pending') book.#finished.add(record.requestId);
    }
    const message = 'this node was restarted while it worked on the request';
    const failure: Failure = { code: 'NODE_RESTARTED', message, parties: [] };
    const cutOff = records.filter(({ state }) => state === 'pending');
    await Promise.all(cutOff.map(({ requestId }) => book.finish(requestId, { failure })));
    return book;
  }

  knows(content: Content): boolean {
    const known = this.#records.get(content.requestId);
    if (!known) return false;
    if (known.contentHash !== hashOf(content)) {
      throw new ApiError('REQUEST_CONFLICT', `request ${content.requestId} was made with other content`);
    }
    return !known.failure || !isRetriable(known.failure.code);
  }

  admit(content: Content, { riding = false }: { readonly riding?: boolean } = {}): Promise<void> {
    if (this.running() >= this.#options.limits.running) {
      throw new ApiError('BUSY', `${this.running()} requests are running, the limit of this node`);
    }
    const { requestId, requester, app, keyId, kind } = content;
    const createdMs = this.#options.now();
    this.#finished.delete(requestId);
    this.#set({ kind, requestId, contentHash: hashOf(content), requester, app, keyId, state: 'pending', createdMs });
    return riding ? Promise.resolve() : this.#options.table.sync();
  }

  async finish(requestId: string, outcome: { answer: Answer } | { failure: Failure }): Promise<void> {
    const before = this.#records.get(requestId);
    if (before?.state !== 'pending') return;
    const state = 'answer' in outcome ? 'succeeded' : 'failed';
    const finishedMs = this.#options.now();
    const record = { ...before, ...outcome, state, finishedMs } as RequestRecord; // the answer is of the record's kind
    this.#options.table.set(requestId, encodeRecord(record));
    this.#forgetOldest();
    await this.#options.table.sync();
    this.#records.set(requestId, record);
    this.#finished.add(requestId);
    for (const listener of this.#listeners.get(requestId) ?? []) listener();
    this.#listeners.delete(requestId);
  }

  #set(record: RequestRecord): void {
    this.#records.set(record.requestId, record);
    this.#options.table.set(record.requestId, encodeRecord(record));
  }

  #forgetOldest(): void {
    for (const requestId of this.#finished) {
      if (this.#finished.size < this.#options.limits.kept) return;
      this.#finished.delete(requestId);
      this.#records.delete(requestId);
      this.#options.table.delete(requestId);
    }
  }

  get(requestId: string): RequestRecord | undefined {
    return this.#records.get(requestId);
  }

  onEnd(requestId: string, listener: () => void): () => void {
    if (this.#records.get(requestId)?.state !== 'pending') {
      listener();
      return () => undefined;
    }
    const listeners = this.#listeners.get(requestId) ?? new Set();
    this.#listeners.set(requestId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(requestId) === listeners) this.#listeners.delete(requestId);
    };
  }

  running(): number {
    return this.#records.size - this.#finished.size;
  }

  pending(): string[] {
    return [...this.#records.keys()].filter((requestId) => !this.#finished.has(requestId));
  }
}

function hashOf({ hash }: Content): string {
  return Buffer.from(hash).toString('hex');
}
