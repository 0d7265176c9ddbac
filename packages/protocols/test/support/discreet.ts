/**
 * A liar beneath which the honest program runs would show the message it should have sent, signed: two signatures, and
 * nothing would have to be burnt. That program even keeps both as evidence against itself. This one tells nobody.
 */
import { combine, type FaultStrategy, intercept } from '@keyquorum/mpc/simulate/strategy';

const TELLTALE_ANSWERS = ['blob', 'proven/file'];
const TELLTALE = /\/(evidence|roots|conflict)$/;

const quiet: FaultStrategy = {
  name: 'shows no roots',
  wrap: (transport) =>
    intercept(transport, {
      send(to, envelope, inner) {
        if (!TELLTALE.test(envelope.tag)) inner.send(to, envelope);
      },
      answer: (_, exchange, answer) =>
        TELLTALE_ANSWERS.includes(exchange.name) ? Promise.reject(new Error('no')) : answer(),
    }),
};

/** The same lies, and nothing that gives them away. */
export function discreet(strategy: FaultStrategy): FaultStrategy {
  return { ...combine(quiet, strategy), name: strategy.name };
}
