/**
 * Who lied in a burnt key generation: from the revealed PRSS contributions, what every party should have sent in the
 * step that failed (SPEC R5.7). The session's key is used by nobody.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { PrssInit } from '@keyquorum/mpc/prss/init';
import { encodeOpenings, keysFromOpenings, openingsFromReveals } from '@keyquorum/mpc/prss/init-contributions';
import { certifiedInit } from '@keyquorum/mpc/prss/init-transcript';
import { createPrss, type Prss } from '@keyquorum/mpc/prss/prss';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { Announcement } from '../ceremony/starting.ts';
import { burn, type RightMessage } from '../closed/burn.ts';
import type { InconsistentOpening } from '../closed/opening-error.ts';
import type { Proof } from '../closed/proof.ts';
import type { Reveals } from '../closed/reveals.ts';
import { announcedRoot } from '../evidence/file.ts';
import { decisiveSets } from './replay.ts';

/** What the failing step's honest messages are computed from, besides the keys. */
export type MessageOf = (kernel: Kernel, prss: { readonly c: Prss; readonly a2: Prss }) => Uint8Array;

const STEP_MS = 5_000;

export async function blame(
  session: Session,
  burnt: { failure: InconsistentOpening; init: PrssInit; announcement: Announcement; messageOf: MessageOf },
): Promise<Proof[]> {
  const { kernel } = session;
  const { failure, init, announcement, messageOf } = burnt;
  const { contributions } = init;
  const { commitments } = contributions;
  return burn(session, {
    tag: failure.tag,
    ceremony: announcedRoot(announcement),
    messageBytes: failure.shares.messages.get(session.self)!.length,
    shares: failure.shares,
    reveal: () => contributions.encodeReveal(),
    revealBytesMax: contributions.revealBytesMax,
    recompute(reveals: Reveals) {
      const bodies = new Map([...reveals].map(([party, { body }]) => [party, body]));
      const known = openingsFromReveals(commitments, bodies);
      return (party: PartyId): RightMessage | undefined => {
        const openings = encodeOpenings(commitments, decisiveSets(commitments.scope, party), known);
        const keys = keysFromOpenings(commitments, party, known);
        const c = keys?.get('C');
        const a2 = keys?.get('A2');
        if (openings === undefined || c === undefined || a2 === undefined) return undefined;
        const message = messageOf(kernel, { c: createPrss(kernel, c), a2: createPrss(kernel, a2) });
        const shown = { init: certifiedInit(init), openings };
        return { message, secrets: { kind: 'openings', value: shown } };
      };
    },
    stepMs: STEP_MS,
  });
}
