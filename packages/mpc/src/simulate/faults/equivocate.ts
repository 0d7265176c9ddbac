/** Two stories: different bodies for different receivers, or two bodies for one. */
import { claimSubject, decodeFirst, encodeFirst, slotOfFirst } from '../../agreement/broadcast-messages.ts';
import { sha256 } from '../../bytes.ts';
import { signStatement } from '../../runtime/statement.ts';
import type { Envelope } from '../../transport.ts';
import { combine, type FaultStrategy, type FaultTools, intercept } from '../strategy.ts';
import { equivocateShares } from './shares.ts';

/**
 * Tells parties with an odd number something else: other shares and other broadcasts, signed like the true ones, and in
 * any other message a flipped bit.
 */
export function equivocate(): FaultStrategy {
  const others: FaultStrategy = {
    name: 'tells others something else',
    wrap: (transport, tools) =>
      intercept(transport, {
        send(to, envelope, inner) {
          const signsShares = tools.codecs.some(({ matches }) => matches(envelope.tag));
          if (to % 2 === 0 || signsShares) return inner.send(to, envelope);
          inner.send(to, otherBroadcast(envelope, tools) ?? flipBit(envelope));
        },
      }),
  };
  return { ...combine(others, equivocateShares()), name: 'equivocates' };
}

/** The first message of a broadcast with another body, properly signed; undefined for any other message. */
function otherBroadcast(envelope: Envelope, tools: FaultTools): Envelope | undefined {
  const slot = slotOfFirst(envelope.tag);
  const first = slot === undefined ? undefined : decodeFirst(tools.self, envelope.body);
  if (slot === undefined || !first || first.body.length === 0) return undefined;
  const { body } = flipBit({ ...envelope, body: first.body });
  const claim = { sender: tools.self, length: body.length, digest: sha256(body) };
  const signature = signStatement(tools, claimSubject(envelope.session, slot, tools.self, claim));
  return { ...envelope, body: encodeFirst(signature, body) };
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
