/** Parties that break PRSS-Init: each broadcasts, signed and the same to everybody, what no honest party does. */
import { claimSubject, decodeFirst, encodeFirst, slotOfFirst } from '@keyquorum/mpc/agreement/broadcast-messages';
import { HASH_BYTES, sha256 } from '@keyquorum/mpc/bytes';
import { PRSS_INIT_SLOTS } from '@keyquorum/mpc/prss/init';
import { BOX_KEY_BYTES } from '@keyquorum/mpc/prss/init-box';
import { signStatement } from '@keyquorum/mpc/runtime/statement';
import { type FaultStrategy, type FaultTools, intercept } from '@keyquorum/mpc/simulate/strategy';

const [KEYS, CONTRIBUTIONS, COMPLAINTS] = PRSS_INIT_SLOTS;

/** Broadcasts under the slot what `change` makes of the honest body. */
function broadcasts(
  name: string,
  slot: string,
  change: (body: Uint8Array, tools: FaultTools) => Uint8Array,
): FaultStrategy {
  return {
    name,
    wrap: (transport, tools) =>
      intercept(transport, {
        send(to, envelope, inner) {
          const first = slotOfFirst(envelope.tag) === slot ? decodeFirst(tools.self, envelope.body) : undefined;
          if (first === undefined) return inner.send(to, envelope);
          const body = change(first.body, tools);
          const claim = { sender: tools.self, length: body.length, digest: sha256(body) };
          const signature = signStatement(tools, claimSubject(envelope.session, slot, tools.self, claim));
          inner.send(to, { ...envelope, body: encodeFirst(signature, body) });
        },
      }),
  };
}

/** The first of the other parties. */
const otherThan = (self: number): number => (self === 1 ? 2 : 1);

export const INIT_LIES = {
  'malformed keys': broadcasts('cuts its keys', KEYS, (body) => body.slice(0, -1)),
  'a malformed contribution': broadcasts('cuts its contribution', CONTRIBUTIONS, (body) => body.slice(0, -1)),
  'a bad box': broadcasts('spoils its last box', CONTRIBUTIONS, (body) => {
    const spoilt = Uint8Array.from(body);
    spoilt[body.length - 1]! ^= 1;
    return spoilt;
  }),
  'a false complaint': broadcasts('complains with a key that was not announced', COMPLAINTS, (body, { self }) =>
    Uint8Array.of(...body.slice(0, HASH_BYTES), 1, otherThan(self), ...new Uint8Array(BOX_KEY_BYTES)),
  ),
} as const;

/** Is not heard in the first broadcast: the others have no key to seal a box for it. */
export const unheard: FaultStrategy = {
  name: 'is not heard when it announces its keys',
  wrap: (transport) =>
    intercept(transport, {
      send: (to, envelope, inner) => void (envelope.tag.startsWith(`broadcast/${KEYS}/`) || inner.send(to, envelope)),
    }),
};

/** Signs two contributions, one for parties with an odd number and one for the others. */
export const twoContributions: FaultStrategy = {
  name: 'broadcasts two contributions',
  wrap: (transport, tools) => {
    const other = INIT_LIES['a bad box'].wrap(transport, tools);
    return intercept(transport, { send: (to, envelope) => (to % 2 === 0 ? transport : other).send(to, envelope) });
  },
};
