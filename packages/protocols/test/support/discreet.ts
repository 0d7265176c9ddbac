/**
 * A liar beneath which the honest program runs would show the message it should have sent, signed: two signatures, and
 * nothing would have to be burnt. This one keeps that to itself.
 */
import { combine, type FaultStrategy, intercept } from '@keyquorum/mpc/simulate/strategy';

const TELLTALE = /\/(evidence|roots|conflict)$/;

const quiet: FaultStrategy = {
  name: 'shows no roots',
  wrap: (transport) =>
    intercept(transport, {
      send(to, envelope, inner) {
        if (!TELLTALE.test(envelope.tag)) inner.send(to, envelope);
      },
      answer: (_, exchange, answer) => (exchange.name === 'blob' ? Promise.reject(new Error('no')) : answer()),
    }),
};

/** The same lies, and nothing that gives them away. */
export function discreet(strategy: FaultStrategy): FaultStrategy {
  return { ...combine(quiet, strategy), name: strategy.name };
}
