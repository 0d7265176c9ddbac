/** What a file of evidence says, in words: whom it accuses of what, in which step of which ceremony. */
import type { Roster } from '@keyquorum/mpc/roster';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import { turnTag } from '../crs/judge.ts';
import { type AccusedCeremony, readCeremonyRoot } from './ceremony-root.ts';
import { accusedOf, decodeEvidenceFile, type EvidenceProof } from './file.ts';

export interface EvidenceSummary {
  readonly party: PartyId;
  readonly kind: EvidenceProof['kind'];
  readonly ceremony: AccusedCeremony['kind'];
  /** As in the list of ceremonies: of a batch, its session; else the id it was announced under. */
  readonly ceremonyId: string;
  /** Of a key generation, from 0. */
  readonly attempt: number;
  readonly session: SessionId;
  /** Tag of the signed message; of a PRSS-Init, its name. */
  readonly step: string;
}

/** Reads only: `verifyEvidenceFile` tells whether it is true. @throws EvidenceError */
export function summarise(roster: Roster, encoded: Uint8Array): EvidenceSummary {
  const { ceremony, proof } = decodeEvidenceFile(encoded);
  return summaryOf(readCeremonyRoot(roster, ceremony), proof);
}

export function summaryOf(ceremony: AccusedCeremony, proof: EvidenceProof): EvidenceSummary {
  const { kind, session } = ceremony;
  const named =
    kind === 'preprocessing'
      ? { ceremonyId: session, attempt: 0 }
      : { ceremonyId: ceremony.announcement.id, attempt: ceremony.announcement.attempt };
  const step = stepOf(proof);
  return { party: accusedOf(proof), kind: proof.kind, ceremony: kind, ...named, session, step };
}

function stepOf(proof: EvidenceProof): string {
  if (proof.kind === 'wrong-share') return proof.value.step;
  if (proof.kind === 'broken-init') return 'prss-init';
  return proof.kind === 'bad-contribution' ? turnTag(proof.value.party) : proof.value.first.subject.tag;
}
