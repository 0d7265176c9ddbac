/** Two stories: different bodies for different receivers, or two bodies for one. */
import type { Envelope } from '../../transport.ts';
import { combine, type FaultStrategy, intercept } from '../strategy.ts';
import { equivocateShares } from './shares.ts';

/**
 * Tells parties with an odd number something else: other shares where it can sign them, else a body with a flipped bit.
 */
export function equivocate(): FaultStrategy {
  const others: FaultStrategy = {
    name: 'flips a bit for others',
    wrap: (transport, { codecs }) =>
      intercept(transport, {
        send(to, envelope, inner) {
          const signsShares = codecs.some(({ matches }) => matches(envelope.tag));
          inner.send(to, to % 2 === 0 || signsShares ? envelope : flipBit(envelope));
        },
      }),
  };
  return { ...combine(others, equivocateShares()), name: 'equivocates' };
}

/** Sends a second, different message under every tag: the mailbox of the receiver must keep the first. */
export function contradict(): FaultStrategy {
  return {
    name: 'contradicts itself',
    wrap: (transport) =>
      intercept(transport, {
        send(to, envelope, inner) {
          inner.send(to, envelope);
          inner.send(to, flipBit(envelope));
        },
      }),
  };
}

function flipBit(envelope: Envelope): Envelope {
  const body = new Uint8Array(envelope.body);
  const last = body.length - 1;
  if (last >= 0) body[last] = (body[last] ?? 0) ^ 1;
  return { ...envelope, body: last >= 0 ? body : Uint8Array.of(0) };
}
