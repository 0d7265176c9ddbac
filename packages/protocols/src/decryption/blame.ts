/**
 * Who lied in a burnt preprocessing batch (SPEC R5.7, O11): every member of a set shows the set's key of this batch,
 * the value that t+1 members give is the right one, and from it everybody recomputes every party's SHARE. The epoch's
 * keys, from which the batch's keys derive one way, are never shown, so every other batch keeps its secrets.
 */
import type { Family } from '@keyquorum/mpc/prss/family';
import type { PrssKeys } from '@keyquorum/mpc/prss/keys';
import { eraseKeys, sessionKeys } from '@keyquorum/mpc/prss/keys';
import { decodePrssKeys, encodePrssKeys, majorityKeys, prssKeysBytesMax } from '@keyquorum/mpc/prss/late-keys';
import { createPrss } from '@keyquorum/mpc/prss/prss';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { burn, type RightMessage } from '../closed/burn.ts';
import type { InconsistentOpening } from '../closed/opening-error.ts';
import type { Proof } from '../closed/proof.ts';
import type { Reveals } from '../closed/reveals.ts';
import type { ShownSecrets } from '../evidence/file.ts';
import { decodeStart } from './batch-record.ts';
import { shareMessage } from './preprocessing.ts';

const STEP_MS = 5_000;

export async function blameBatch(
  session: Session,
  { failure, keys, start }: { failure: InconsistentOpening; keys: PrssKeys; start: Uint8Array },
): Promise<Proof[]> {
  const { kernel, t } = session;
  const { family } = keys;
  const { bundles } = decodeStart(start);
  return burn(session, {
    tag: failure.tag,
    ceremony: { kind: 'preprocessing', value: start },
    messageBytes: failure.shares.messages.get(session.self)!.length,
    shares: failure.shares,
    reveal() {
      const own = sessionKeys(keys, session.id);
      const encoded = encodePrssKeys(own);
      eraseKeys(own);
      return encoded;
    },
    revealBytesMax: prssKeysBytesMax(family),
    recompute(reveals: Reveals) {
      const claims = readClaims(family, reveals);
      const secrets: ShownSecrets = { kind: 'keys', value: claims.map(({ shown }) => shown) };
      const keysOf = majorityKeys(family, new Map(claims.map(({ shown, claimed }) => [shown.party, claimed])), t);
      return (party: PartyId): RightMessage | undefined => {
        const agreed = keysOf(party);
        return agreed && { message: shareMessage(kernel, createPrss(kernel, agreed), bundles).message, secrets };
      };
    },
    stepMs: STEP_MS,
  });
}

/** The reveals that are keys, in party order. */
function readClaims(family: Family, reveals: Reveals) {
  const inOrder = [...reveals].sort(([left], [right]) => left - right);
  return inOrder.flatMap(([party, { body, signature }]) => {
    const claimed = decodePrssKeys(family, party, body);
    return claimed === undefined ? [] : [{ shown: { party, signature, keys: body }, claimed }];
  });
}
