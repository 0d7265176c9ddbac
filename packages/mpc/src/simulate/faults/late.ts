/** Honest, but everything it says takes longer. */
import { type FaultStrategy, intercept } from '../strategy.ts';

export function late(delayMs: number): FaultStrategy {
  return {
    name: `late by ${delayMs} ms`,
    wrap: (transport, { clock }) =>
      intercept(transport, {
        send(peer, envelope, inner) {
          void clock.until(clock.now() + delayMs).then(() => inner.send(peer, envelope));
        },
        async answer(_peer, _exchange, answer) {
          await clock.until(clock.now() + delayMs);
          return answer();
        },
      }),
  };
}
