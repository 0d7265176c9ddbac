/**
 * Who lied in a burnt key generation: from the revealed PRSS contributions, what every party should have sent in the
 * step that failed (SPEC R5.7). The session's key is used by nobody.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { PrssInit } from '@keyquorum/mpc/prss/init';
import { keysFromReveals } from '@keyquorum/mpc/prss/init-contributions';
import { createPrss, type Prss } from '@keyquorum/mpc/prss/prss';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { burn, type Proof } from '../closed/burn.ts';
import type { InconsistentOpening } from '../closed/opening-error.ts';

/** What the failing step's honest messages are computed from, besides the keys. */
export type MessageOf = (kernel: Kernel, prss: { readonly c: Prss; readonly a2: Prss }) => Uint8Array;

const STEP_MS = 5_000;

export async function blame(
  session: Session,
  { failure, init, messageOf }: { failure: InconsistentOpening; init: PrssInit; messageOf: MessageOf },
): Promise<Proof[]> {
  const { kernel } = session;
  return burn(session, {
    tag: failure.tag,
    messageBytes: failure.shares.messages.get(session.self)!.length,
    shares: failure.shares,
    reveal: () => init.contributions.encodeReveal(),
    revealBytesMax: init.contributions.revealBytesMax,
    recompute(reveals) {
      const keysOf = keysFromReveals(init.contributions.commitments, reveals);
      return (party: PartyId) => {
        const keys = keysOf(party);
        const c = keys?.get('C');
        const a2 = keys?.get('A2');
        if (c === undefined || a2 === undefined) return undefined;
        return messageOf(kernel, { c: createPrss(kernel, c), a2: createPrss(kernel, a2) });
      };
    },
    stepMs: STEP_MS,
  });
}
