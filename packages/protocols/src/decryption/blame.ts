/**
 * Who lied in a burnt preprocessing batch (SPEC R5.7, O11): every member of a set shows the set's key of this batch,
 * the value that t+1 members give is the right one, and from it everybody recomputes every party's SHARE. The epoch's
 * keys, from which the batch's keys derive one way, are never shown, so every other batch keeps its secrets.
 */
import type { PrssKeys } from '@keyquorum/mpc/prss/keys';
import { eraseKeys, sessionKeys } from '@keyquorum/mpc/prss/keys';
import { decodePrssKeys, encodePrssKeys, majorityKeys, prssKeysBytesMax } from '@keyquorum/mpc/prss/late-keys';
import { createPrss } from '@keyquorum/mpc/prss/prss';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { burn, type Proof } from '../closed/burn.ts';
import type { InconsistentOpening } from '../closed/opening-error.ts';
import { shareMessage } from './preprocessing.ts';

const STEP_MS = 5_000;

export async function blameBatch(
  session: Session,
  { failure, keys, bundles }: { failure: InconsistentOpening; keys: PrssKeys; bundles: number },
): Promise<Proof[]> {
  const { kernel, t } = session;
  const { family } = keys;
  return burn(session, {
    tag: failure.tag,
    messageBytes: failure.shares.messages.get(session.self)!.length,
    shares: failure.shares,
    reveal() {
      const own = sessionKeys(keys, session.id);
      const encoded = encodePrssKeys(own);
      eraseKeys(own);
      return encoded;
    },
    revealBytesMax: prssKeysBytesMax(family),
    recompute(reveals) {
      const claims = new Map<PartyId, PrssKeys>();
      for (const [party, bytes] of reveals) {
        const claimed = decodePrssKeys(family, party, bytes);
        if (claimed !== undefined) claims.set(party, claimed);
      }
      const keysOf = majorityKeys(family, claims, t);
      return (party) => {
        const agreed = keysOf(party);
        return agreed && shareMessage(kernel, createPrss(kernel, agreed), bundles).message;
      };
    },
    stepMs: STEP_MS,
  });
}
