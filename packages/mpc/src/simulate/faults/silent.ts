/** Sends nothing and answers nothing; hears and computes like an honest party. */
import type { PartyId } from '../../transport.ts';
import { type FaultStrategy, intercept } from '../strategy.ts';

/** `to`: silent towards these parties only. */
export function silent(to?: readonly PartyId[]): FaultStrategy {
  const ignores = (peer: PartyId) => to === undefined || to.includes(peer);
  return {
    name: to ? `silent to ${to.join(', ')}` : 'silent',
    wrap: (transport) =>
      intercept(transport, {
        send(peer, envelope, inner) {
          if (!ignores(peer)) inner.send(peer, envelope);
        },
        answer: (peer, _exchange, answer) => (ignores(peer) ? new Promise(() => undefined) : answer()),
      }),
  };
}
