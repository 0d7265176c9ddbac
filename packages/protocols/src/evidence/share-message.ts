/**
 * What a party should have sent as SHARE of a preprocessing batch, for somebody who has only the evidence. The keys of
 * the batch derive from keys of the epoch, which stay secret, so nothing public fixes them but what the members of each
 * set showed and signed: what t+1 members say is said by an honest one, and honest members say the truth.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import { familyC } from '@keyquorum/mpc/prss/family';
import type { PrssKeys } from '@keyquorum/mpc/prss/keys';
import { decodePrssKeys, majorityKeys } from '@keyquorum/mpc/prss/late-keys';
import { createPrss } from '@keyquorum/mpc/prss/prss';
import type { Roster } from '@keyquorum/mpc/roster';
import { verifyStatement } from '@keyquorum/mpc/runtime/statement';
import type { PartyId } from '@keyquorum/mpc/transport';
import { revealSubject } from '../closed/reveals.ts';
import { SHARE_TAG, shareMessage } from '../decryption/preprocessing.ts';
import type { AccusedCeremony } from './ceremony-root.ts';
import { EvidenceError } from './evidence-error.ts';
import type { WrongShare } from './file.ts';

type BatchCeremony = Extract<AccusedCeremony, { kind: 'preprocessing' }>;

/** @throws EvidenceError when the file does not determine it */
export function rightShareMessage(
  kernel: Kernel,
  roster: Roster,
  { session, start }: BatchCeremony,
  { party, step, secrets }: WrongShare,
): Uint8Array {
  if (step !== SHARE_TAG) throw new EvidenceError('EVIDENCE_CEREMONY', `a preprocessing batch has no step ${step}`);
  if (secrets.kind !== 'keys') throw new EvidenceError('EVIDENCE_SECRETS', 'want session keys that members showed');
  const family = familyC(roster);
  const claims = new Map<PartyId, PrssKeys>();
  for (const { party: member, signature, keys } of secrets.value) {
    if (!verifyStatement(roster, member, revealSubject(session, step, keys), signature)) {
      throw new EvidenceError('EVIDENCE_SECRETS', `party ${member} did not sign the keys it is said to have shown`);
    }
    const claimed = decodePrssKeys(family, member, keys);
    if (claimed === undefined) throw new EvidenceError('EVIDENCE_SECRETS', `party ${member} showed no keys`);
    claims.set(member, claimed);
  }
  const agreed = majorityKeys(family, claims, roster.t)(party);
  if (agreed === undefined) {
    const problem = `fewer than t+1 members show the same key of some set of party ${party}`;
    throw new EvidenceError('EVIDENCE_SECRETS', problem);
  }
  return shareMessage(kernel, createPrss(kernel, agreed), start.bundles).message;
}
