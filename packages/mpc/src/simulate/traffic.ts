/**
 * What went over the simulated network: counts for the benches, and one running hash over every delivery, by which two
 * runs are compared byte for byte.
 */
import { createHash, hash } from 'node:crypto';
import type { Envelope, PartyId } from '../transport.ts';

export interface TrafficCount {
  messages: number;
  /** Bytes of the bodies; session, tag and frame add about 80 bytes per message on a real link. */
  bytes: number;
}

export interface Traffic {
  countSent(from: PartyId, tag: string, bytes: number): void;
  traceDelivery(timeMs: number, from: PartyId, to: PartyId, envelope: Envelope): void;
  /** What each party sent, by the part of the tag before its first '/' (requests by the name of the exchange). */
  sent(): Map<PartyId, Map<string, Readonly<TrafficCount>>>;
  reset(): void;
  /** SHA-256 over time, sender, receiver, session, tag and body of every delivered envelope so far, hex. */
  trace(): string;
}

export function createTraffic(): Traffic {
  const counts = new Map<PartyId, Map<string, TrafficCount>>();
  const trace = createHash('sha256');
  return {
    countSent(from, tag, bytes) {
      const [prefix = tag] = tag.split('/', 1);
      const ofParty = counts.get(from) ?? new Map<string, TrafficCount>();
      counts.set(from, ofParty);
      const count = ofParty.get(prefix) ?? { messages: 0, bytes: 0 };
      ofParty.set(prefix, count);
      count.messages++;
      count.bytes += bytes;
    },
    traceDelivery(timeMs, from, to, { session, tag, body }) {
      trace.update(`${timeMs} ${from} ${to} ${session} ${tag.length} ${tag} ${hash('sha256', body)}\n`);
    },
    sent: () => new Map([...counts].map(([party, byPrefix]) => [party, structuredClone(byPrefix)])),
    reset: () => counts.clear(),
    trace: () => trace.copy().digest('hex'),
  };
}
