/**
 * The async iterable behind `Session.receive`: a queue with at most one waiting reader, no timer of its own. Holds at
 * most n-1 messages. Ends when every other party was heard or the deadline passed; throws when the session ends.
 */
import type { Received } from '../session.ts';

type Next = IteratorResult<Received, undefined>;

const END: Next = { done: true, value: undefined };

export class Collector implements AsyncIterable<Received>, AsyncIterator<Received, undefined> {
  readonly bytesMax: number;
  readonly #onFinished: () => void;
  #expected: number;
  #queue: Received[] = [];
  #waiting: { resolve: (next: Next) => void; reject: (reason: unknown) => void } | undefined;
  #state: 'open' | 'heard-all' | 'late' | 'returned' | 'failed' = 'open';
  #failure: unknown;

  /** `expected`: number of senders to wait for. `onFinished` runs once, when no further message can matter. */
  constructor(bytesMax: number, expected: number, onFinished: () => void) {
    this.bytesMax = bytesMax;
    this.#expected = expected;
    this.#onFinished = onFinished;
  }

  /** True when the deadline passed before every party was heard. */
  get late(): boolean {
    return this.#state === 'late';
  }

  /** One sender was heard; without a message when what it sent was refused. */
  accept(message: Received | undefined): void {
    if (this.#state !== 'open') return;
    this.#expected--;
    if (message && this.#waiting) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve({ done: false, value: message });
    } else if (message) this.#queue.push(message);
    if (this.#expected === 0) this.#finish('heard-all');
  }

  /** The deadline passed: what has arrived is still handed out, then the iteration ends. */
  expire(): void {
    if (this.#state === 'open') this.#finish('late');
  }

  /** The session ended: what has arrived is dropped, and the reader gets `reason`. */
  fail(reason: unknown): void {
    if (this.#state === 'failed') return;
    this.#failure = reason;
    this.#queue = [];
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#finish('failed');
    waiting?.reject(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Next> {
    if (this.#state === 'failed') return Promise.reject(this.#failure);
    const value = this.#queue.shift();
    if (value) return Promise.resolve({ done: false, value });
    if (this.#state !== 'open') return Promise.resolve(END);
    if (this.#waiting) return Promise.reject(new RangeError('receive: one reader at a time'));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** The reader left its loop: later messages are dropped. */
  return(): Promise<Next> {
    this.#queue = [];
    if (this.#state === 'open') this.#finish('returned');
    return Promise.resolve(END);
  }

  #finish(state: 'heard-all' | 'late' | 'returned' | 'failed'): void {
    const wasOpen = this.#state === 'open';
    this.#state = state;
    this.#waiting?.resolve(END);
    this.#waiting = undefined;
    if (wasOpen) this.#onFinished();
  }
}
