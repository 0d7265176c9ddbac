/** Stops in the middle of a step: the process ends instead of its k-th send. */
import { type FaultStrategy, intercept } from '../strategy.ts';

/** `send`: which of its sends is never made, from 1. Counts anew when the party comes back. */
export function crashAtSend(send: number): FaultStrategy {
  return {
    name: `crashes at send ${send}`,
    wrap(transport, { crash }) {
      let sends = 0;
      return intercept(transport, {
        send(peer, envelope, inner) {
          if (++sends === send) crash();
          if (sends < send) inner.send(peer, envelope);
        },
      });
    },
  };
}
