/**
 * Whom a certified PRSS-Init proves corrupt (SPEC R2; docs/protocols/prss.md, "Who is proven corrupt"), for somebody
 * who has only the evidence: a quorum signed which broadcasts were delivered, and the verdict is a function of them.
 */
import type { InitScope } from '@keyquorum/mpc/prss/init-scope';
import { type CertifiedInit, type VerifiedInit, verifyInit } from '@keyquorum/mpc/prss/init-transcript';
import type { Roster } from '@keyquorum/mpc/roster';
import { epochScope } from '../epoch/epoch.ts';
import { keygenScope } from '../keygen/replay.ts';
import type { AccusedCeremony } from './ceremony-root.ts';
import { EvidenceError } from './evidence-error.ts';
import type { EvidenceProof } from './file.ts';

export type BrokenInit = Extract<EvidenceProof, { kind: 'broken-init' }>['value'];

/** @throws EvidenceError when the broadcasts do not convict the party */
export function requireBrokenInit(roster: Roster, ceremony: AccusedCeremony, { party, init }: BrokenInit): void {
  const { proven } = requireCertified(roster, ceremony, init);
  if (proven.includes(party)) return;
  throw new EvidenceError('EVIDENCE_REFUTED', `nothing that party ${party} broadcast in this PRSS-Init convicts it`);
}

/** What the PRSS-Init of the ceremony agreed on. @throws EvidenceError unless a quorum signed it */
export function requireCertified(roster: Roster, ceremony: AccusedCeremony, init: CertifiedInit): VerifiedInit {
  const { session } = ceremony;
  const agreed = verifyInit({ scope: scopeOf(roster, ceremony), roster, session }, init);
  if (agreed !== undefined) return agreed;
  throw new EvidenceError('EVIDENCE_CERTIFICATE', 'no quorum signed that these broadcasts made the PRSS keys');
}

function scopeOf(roster: Roster, ceremony: AccusedCeremony): InitScope {
  const { kind, session } = ceremony;
  if (kind === 'keygen') return keygenScope(roster, session, ceremony.announcement.content);
  if (kind === 'epoch') return epochScope(roster, session, ceremony.announcement.content);
  throw new EvidenceError('EVIDENCE_CEREMONY', 'no PRSS-Init is run there');
}
