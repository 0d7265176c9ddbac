/** Messages that were right once, at another place. */
import type { Envelope, SessionId } from '../../transport.ts';
import { type FaultStrategy, intercept } from '../strategy.ts';

/** Other sessions a message is sent to as well; a real node may run for months. */
const SESSIONS_MAX = 8;
/** Old messages kept for replay. */
const MESSAGES_MAX = 1024;

/** Sends every message a second time under the ids of its other sessions, and under one that nobody knows. */
export function wrongSession(): FaultStrategy {
  return {
    name: 'repeats its messages in other sessions',
    wrap(transport) {
      const sessions: SessionId[] = [];
      return intercept(transport, {
        send(peer, envelope, inner) {
          const { session } = envelope;
          if (!sessions.includes(session)) sessions.unshift(session);
          sessions.length = Math.min(sessions.length, SESSIONS_MAX);
          inner.send(peer, envelope);
          for (const other of [...sessions, flipped(session)]) {
            if (other !== session) inner.send(peer, { ...envelope, session: other });
          }
        },
      });
    },
  };
}

/** Sends what it sent under the same tag in an earlier session instead of the new message; and everything twice. */
export function replay(): FaultStrategy {
  return {
    name: 'replays messages of earlier sessions',
    wrap(transport) {
      const first = new Map<string, Envelope>();
      return intercept(transport, {
        send(peer, envelope, inner) {
          const key = `${peer} ${envelope.tag}`;
          const old = first.get(key) ?? envelope;
          if (first.size < MESSAGES_MAX) first.set(key, old);
          const stale = { ...envelope, body: new Uint8Array(old.body) };
          inner.send(peer, stale);
          inner.send(peer, stale);
        },
      });
    },
  };
}

/** A session id that differs in the last digit. */
function flipped(session: SessionId): SessionId {
  return session.slice(0, -1) + (session.endsWith('0') ? '1' : '0');
}
