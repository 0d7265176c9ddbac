/**
 * The incoming messages of one open session. Holds exactly one message per (sender, tag): an equal repetition is
 * ignored, a different one is reported as equivocation once and never changes what was received first. Everything a
 * peer can make it remember is bounded per peer. Costs one SHA-256 per message.
 */
import { sha256Hex } from '../bytes.ts';
import type { Clock, Fault, Received, ReceiveLimits } from '../session.ts';
import type { PartyId } from '../transport.ts';
import { Collector } from './collector.ts';

export interface InboxLimits {
  /** Bodies of one peer that wait for a `receive` or `listen` that does not exist yet: bytes and number. */
  readonly unclaimedBytesMax: number;
  readonly unclaimedMessagesMax: number;
  /** Hashes remembered per peer for tags of `listen`; older repetitions would reach the handler again. */
  readonly listenedTagsMax: number;
}

/** Why a deadline is not waited for: a reason of our own, since the default one, an exception, is dear to make. */
const FINISHED = 'finished';

interface Listener {
  readonly prefix: string;
  readonly bytesMax: number;
  readonly handler: (tag: string, message: Received) => void;
}

interface Unclaimed extends Received {
  readonly tag: string;
  readonly order: number;
}

/** What one peer has sent. */
interface Sender {
  /** SHA-256 of the first message per tag. */
  readonly heard: Map<string, string>;
  /** Tags of `heard` that belong to listeners, oldest first. */
  readonly listened: Set<string>;
  readonly unclaimed: Map<string, Unclaimed>;
  unclaimedBytes: number;
  overflowed: boolean;
}

export interface InboxModules {
  /** The other parties. */
  readonly peers: readonly PartyId[];
  readonly clock: Clock;
  readonly limits: InboxLimits;
  report(fault: Fault): void;
  /** A handler of `listen` threw: our own bug, which ends the session. */
  onHandlerError(error: unknown): void;
}

export class Inbox {
  readonly #modules: InboxModules;
  readonly #senders: ReadonlyMap<PartyId, Sender>;
  readonly #collectors = new Map<string, Collector>();
  readonly #listeners: Listener[] = [];
  readonly #equivocations = new Set<string>();
  #arrivals = 0;
  #closed = false;

  constructor(modules: InboxModules) {
    this.#modules = modules;
    this.#senders = new Map(modules.peers.map((peer) => [peer, emptySender()]));
  }

  /** Takes one message that the link proved to be from `from`. Never throws. */
  deliver(from: PartyId, tag: string, body: Uint8Array): void {
    const sender = this.#senders.get(from);
    if (!sender || this.#closed) return;
    const digest = sha256Hex(body);
    const first = sender.heard.get(tag);
    if (first !== undefined) {
      if (first !== digest) this.#reportEquivocation(from, tag);
      return;
    }
    const collector = this.#collectors.get(tag);
    const listener = collector ? undefined : this.#listenerOf(tag);
    if (!collector && !listener && !this.#hold(sender, { from, tag, body, order: this.#arrivals++ })) return;
    sender.heard.set(tag, digest);
    if (collector) this.#collect(collector, { from, body }, tag);
    else if (listener) this.#hear(listener, sender, { from, body }, tag);
  }

  /** @throws RangeError for a second call with the same tag. */
  receive(tag: string, { bytesMax, deadlineMs }: ReceiveLimits): Collector {
    if (this.#collectors.has(tag)) throw new RangeError(`receive ${tag}: called twice in one session`);
    const finished = new AbortController();
    const collector = new Collector(bytesMax, this.#modules.peers.length, () => finished.abort(FINISHED));
    this.#collectors.set(tag, collector);
    for (const { from, body } of this.#release((waiting) => waiting === tag))
      this.#collect(collector, { from, body }, tag);
    if (deadlineMs !== undefined && !finished.signal.aborted) {
      this.#modules.clock.until(deadlineMs, finished.signal).then(
        () => collector.expire(),
        () => undefined, // finished before its deadline
      );
    }
    return collector;
  }

  /** @throws RangeError for a second listener with the same prefix. */
  listen(prefix: string, bytesMax: number, handler: Listener['handler']): void {
    if (this.#listeners.some((other) => other.prefix === prefix))
      throw new RangeError(`listen ${prefix}: called twice`);
    const listener = { prefix, bytesMax, handler };
    this.#listeners.push(listener);
    this.#listeners.sort((left, right) => right.prefix.length - left.prefix.length); // the longest prefix decides
    const early = this.#release((tag) => this.#listenerOf(tag) === listener);
    // Not inside this call: the handler may use what its owner sets up after `listen` returns, longer prefixes
    // included.
    queueMicrotask(() => {
      for (const { from, tag, body } of early) {
        this.#hear(this.#listenerOf(tag) ?? listener, this.#senders.get(from), { from, body }, tag);
      }
    });
  }

  /** Ends every pending receive with `reason` and forgets all bodies. */
  close(reason: unknown): void {
    this.#closed = true;
    for (const collector of this.#collectors.values()) collector.fail(reason);
    this.#collectors.clear();
    this.#listeners.length = 0;
    for (const sender of this.#senders.values()) {
      sender.heard.clear();
      sender.unclaimed.clear();
    }
  }

  #collect(collector: Collector, message: Received, tag: string): void {
    const fits = this.#checkLength(message, tag, collector.bytesMax);
    if (collector.late)
      this.#modules.report({ party: message.from, kind: 'late', detail: `${tag}: after the deadline` });
    collector.accept(fits ? message : undefined);
  }

  #hear(listener: Listener, sender: Sender | undefined, message: Received, tag: string): void {
    if (!sender || this.#closed || !this.#checkLength(message, tag, listener.bytesMax)) return;
    sender.listened.add(tag);
    if (sender.listened.size > this.#modules.limits.listenedTagsMax) forgetOldest(sender);
    try {
      listener.handler(tag, message);
    } catch (error) {
      this.#modules.onHandlerError(error);
    }
  }

  #checkLength({ from, body }: Received, tag: string, bytesMax: number): boolean {
    if (body.length <= bytesMax) return true;
    this.#modules.report({
      party: from,
      kind: 'malformed',
      detail: `${tag}: ${body.length} bytes, at most ${bytesMax}`,
    });
    return false;
  }

  #reportEquivocation(from: PartyId, tag: string): void {
    const key = `${from}/${tag}`;
    if (this.#equivocations.has(key)) return;
    this.#equivocations.add(key);
    this.#modules.report({ party: from, kind: 'equivocation', detail: `${tag}: two different messages` });
  }

  #listenerOf(tag: string): Listener | undefined {
    return this.#listeners.find(({ prefix }) => tag.startsWith(prefix));
  }

  /** Keeps a message nobody waits for yet. False when the peer's quota is full: the message is lost. */
  #hold(sender: Sender, message: Unclaimed): boolean {
    const { unclaimedBytesMax, unclaimedMessagesMax } = this.#modules.limits;
    const bytes = sender.unclaimedBytes + message.body.length;
    if (bytes > unclaimedBytesMax || sender.unclaimed.size >= unclaimedMessagesMax) {
      const detail = `${message.tag}: dropped, this party's buffer of the session is full`;
      if (!sender.overflowed) this.#modules.report({ party: message.from, kind: 'silent', detail });
      sender.overflowed = true;
      return false;
    }
    sender.unclaimed.set(message.tag, message);
    sender.unclaimedBytes = bytes;
    return true;
  }

  /** Removes the held messages with a wanted tag and returns them in order of arrival. */
  #release(wanted: (tag: string) => boolean): Unclaimed[] {
    const released: Unclaimed[] = [];
    for (const sender of this.#senders.values()) {
      for (const message of sender.unclaimed.values()) {
        if (!wanted(message.tag)) continue;
        sender.unclaimed.delete(message.tag);
        sender.unclaimedBytes -= message.body.length;
        released.push(message);
      }
    }
    return released.sort((left, right) => left.order - right.order);
  }
}

function emptySender(): Sender {
  return { heard: new Map(), listened: new Set(), unclaimed: new Map(), unclaimedBytes: 0, overflowed: false };
}

function forgetOldest(sender: Sender): void {
  for (const tag of sender.listened) {
    sender.listened.delete(tag);
    sender.heard.delete(tag);
    return;
  }
}
