/**
 * The only door between a protocol and the world. A protocol is a plain async function of a `Session` and typed inputs:
 * it imports no clock, socket, disk or random source. The libp2p node and the deterministic simulator give it the same
 * object (`runtime/mailbox.ts`) over different transports.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { Roster } from './roster.ts';
import type { PartyId, SessionId } from './transport.ts';

export interface Clock {
  /** Wall-clock milliseconds since 1970; virtual in the simulator. */
  now(): number;
  /** Resolves at the given time (at once when it has passed). Rejects with the signal's reason when aborted. */
  until(timeMs: number, signal?: AbortSignal): Promise<void>;
  /** Lets other work of this process run; long loops call it between batches. */
  yield(): Promise<void>;
}

/**
 * What went wrong with a message of another party. Honest parties are never reported as anything but silent or late.
 */
export type FaultKind = 'wrong-share' | 'equivocation' | 'malformed' | 'wrong-session' | 'silent' | 'late';

export interface Fault {
  readonly party: PartyId;
  readonly kind: FaultKind;
  /** One line for operators; never a share, key or plaintext. */
  readonly detail?: string;
}

export interface Received {
  readonly from: PartyId;
  readonly body: Uint8Array;
}

export interface ReceiveLimits {
  /** Longer bodies are dropped and reported as malformed. Every tag has a maximum known by its protocol. */
  readonly bytesMax: number;
  /** The iteration ends at this time; without it only the session's end stops it. */
  readonly deadlineMs?: number;
}

/** Ed25519 identity of this party. Signing never leaves the owner of the key. */
export interface Signer {
  sign(message: Uint8Array): Uint8Array;
}

/**
 * Durable memory of decisions that must never be taken twice. `get` and `set` are synchronous, so that test-and-set
 * needs no lock (SPEC R14); `sync` resolves once everything set before is on disk. A caller awaits `sync` before the
 * message that depends on the decision leaves.
 */
export interface Journal {
  get(key: string): Uint8Array | undefined;
  set(key: string, value: Uint8Array): void;
  delete(key: string): void;
  /** Keys with this prefix, in order. */
  keys(prefix: string): string[];
  sync(): Promise<void>;
}

export interface Session {
  readonly id: SessionId;
  readonly roster: Roster;
  readonly self: PartyId;
  readonly n: number;
  readonly t: number;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly signer: Signer;
  /** Fires when the session ends; its reason says why. Every send checks it first (SPEC R14). */
  readonly signal: AbortSignal;
  /** Fresh secret randomness in an array of its own. */
  random(bytes: number): Uint8Array;
  /**
   * Sends to one party. Sending to oneself is an error: a party knows its own values. The body must not change
   * afterwards: it may wait in a queue.
   */
  send(to: PartyId, tag: string, body: Uint8Array): void;
  /** Sends the same body to every other party. */
  sendAll(tag: string, body: Uint8Array): void;
  /**
   * The messages of the other parties under `tag`, as they arrive, at most one per sender (the first; a second,
   * different one is reported as equivocation). Ends at the deadline or after n-1 messages; throws when the session
   * ends. May be called once per tag; messages that came earlier are buffered within the mailbox limits.
   */
  receive(tag: string, limits: ReceiveLimits): AsyncIterable<Received>;
  /** Calls back for every message whose tag starts with `prefix` (for services whose tags are numbered). */
  listen(prefix: string, limits: { bytesMax: number }, handler: (tag: string, message: Received) => void): void;
  /**
   * Offers bytes to the other parties under their SHA-256 until the session ends. Returns the hash; who has computed it
   * already gives it.
   */
  offer(bytes: Uint8Array, hash?: Uint8Array): Uint8Array;
  /** What was offered is not held in memory any more: whoever asks gets what `load` reads, or nothing without it. */
  release(hash: Uint8Array, load?: () => Promise<Uint8Array | undefined>): void;
  /** Fetches offered bytes from any of the parties, in order, checking length and hash. Rejects when none has them. */
  fetch(hash: Uint8Array, from: readonly PartyId[], bytesMax: number): Promise<Uint8Array>;
  /** Bytes of all bodies sent in this session so far, once per receiver. */
  readonly bytesSent: number;
  report(fault: Fault): void;
  /** Ends the session: pending receives throw, buffers are dropped, later messages for it are refused. */
  close(reason?: Error): void;
}
