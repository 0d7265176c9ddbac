/**
 * Sorts incoming envelopes into sessions. A session may be opened later than the first message for it arrives (parties
 * start at different times), so early messages wait within quotas. A session id is used once: closed ids are remembered
 * and refused. Everything a peer can make this party remember is bounded and counted per peer.
 */
import type { Fault, Session } from '../session.ts';
import { ENVELOPE_BODY_BYTES_MAX, type Envelope, type PartyId, type SessionId } from '../transport.ts';
import { createBlobStore } from './blobs.ts';
import type { InboxLimits } from './inbox.ts';
import type { PartyModules } from './modules.ts';
import { isSessionId, isTag } from './names.ts';
import { type OpenSession, openSession } from './open-session.ts';
import { SessionError } from './session-error.ts';

export interface MailboxLimits extends InboxLimits {
  /** Messages for sessions not open here, per peer: bytes, number of sessions, and how long they wait. */
  readonly earlyBytesMax: number;
  readonly earlySessionsMax: number;
  readonly earlyAgeMs: number;
  /**
   * Closed session ids remembered in memory; ids that must never return are refused by the journal of their protocol.
   */
  readonly closedIdsMax: number;
}

const MIB = 2 ** 20;

export const MAILBOX_LIMITS: MailboxLimits = {
  unclaimedBytesMax: 64 * MIB,
  unclaimedMessagesMax: 16_384,
  listenedTagsMax: 16_384,
  earlyBytesMax: 16 * MIB,
  earlySessionsMax: 256,
  earlyAgeMs: 120_000, // a party may compute for a minute before it opens the next session of a ceremony
  closedIdsMax: 16_384, // about 2 MB
};

/** Bytes an early message costs besides its body. */
const EARLY_OVERHEAD_BYTES = 256;

interface Early {
  readonly tag: string;
  readonly body: Uint8Array;
  readonly expiresMs: number;
  readonly order: number;
}

/** Early messages of one peer, by session in order of arrival. */
interface EarlyQueue {
  readonly sessions: Map<SessionId, Early[]>;
  bytes: number;
}

export interface Mailbox {
  onEnvelope(from: PartyId, envelope: Envelope): void;
  open(id: SessionId, options?: { signal?: AbortSignal; onFault?: (fault: Fault) => void }): Session;
  /** Closes every open session. */
  closeAll(reason: Error): void;
}

export function createMailbox(modules: PartyModules, limits: MailboxLimits = MAILBOX_LIMITS): Mailbox {
  const { clock, roster, self } = modules;
  const blobs = createBlobStore(modules);
  const open = new Map<SessionId, OpenSession>();
  const closed = new Set<SessionId>();
  const early = new Map<PartyId, EarlyQueue>();
  let arrivals = 0;

  const remember = (id: SessionId) => {
    closed.add(id);
    for (const oldest of closed) {
      if (closed.size <= limits.closedIdsMax) break;
      closed.delete(oldest);
    }
  };

  const hold = (from: PartyId, { session, tag, body }: Envelope) => {
    const queue = early.get(from) ?? { sessions: new Map<SessionId, Early[]>(), bytes: 0 };
    early.set(from, queue);
    dropExpired(queue, clock.now());
    const messages = queue.sessions.get(session) ?? [];
    const cost = body.length + EARLY_OVERHEAD_BYTES;
    if (queue.bytes + cost > limits.earlyBytesMax) return; // dropped: protocols pull what they miss
    if (messages.length === 0 && queue.sessions.size >= limits.earlySessionsMax) return;
    messages.push({ tag, body, expiresMs: clock.now() + limits.earlyAgeMs, order: arrivals++ });
    queue.sessions.set(session, messages);
    queue.bytes += cost;
  };

  /** Early messages for a session, in order of arrival over all peers. */
  const takeEarly = (id: SessionId) => {
    const taken: (Early & { from: PartyId })[] = [];
    for (const [from, queue] of early) {
      dropExpired(queue, clock.now());
      for (const message of removeSession(queue, id)) taken.push({ ...message, from });
    }
    return taken.sort((left, right) => left.order - right.order);
  };

  return {
    onEnvelope(from, envelope) {
      if (from === self || from < 1 || from > roster.n) return;
      const { session: id, tag, body } = envelope;
      if (!isSessionId(id) || !isTag(tag) || body.length > ENVELOPE_BODY_BYTES_MAX) {
        modules.onFault?.({ party: from, kind: 'malformed', detail: 'envelope with a bad session id, tag or length' });
        return;
      }
      const session = open.get(id);
      if (session) session.inbox.deliver(from, tag, body);
      else if (!closed.has(id)) hold(from, envelope);
    },

    open(id, { signal, onFault } = {}) {
      if (!isSessionId(id)) throw new RangeError('session id: want 64 lower-case hex characters');
      if (open.has(id) || closed.has(id)) throw new SessionError('SESSION_ID_USED', `session ${id} was opened before`);
      const report = (fault: Fault) => {
        onFault?.(fault);
        modules.onFault?.(fault, id);
      };
      const onClose = () => {
        open.delete(id);
        remember(id);
      };
      const opened = openSession(id, { modules, blobs, limits, onClose, report }, signal);
      if (opened.session.signal.aborted) return opened.session; // was aborted before it began: stays closed
      open.set(id, opened);
      for (const { from, tag, body } of takeEarly(id)) opened.inbox.deliver(from, tag, body);
      return opened.session;
    },

    closeAll(reason) {
      for (const { session } of [...open.values()]) session.close(reason);
    },
  };
}

function dropExpired(queue: EarlyQueue, nowMs: number): void {
  for (const [id, messages] of queue.sessions) {
    const [oldest] = messages;
    if (oldest && oldest.expiresMs > nowMs) continue;
    // The whole session goes: a part of its messages would only look like a faulty peer.
    removeSession(queue, id);
  }
}

function removeSession(queue: EarlyQueue, id: SessionId): Early[] {
  const messages = queue.sessions.get(id) ?? [];
  queue.sessions.delete(id);
  for (const { body } of messages) queue.bytes -= body.length + EARLY_OVERHEAD_BYTES;
  return messages;
}
