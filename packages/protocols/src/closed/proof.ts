/** A party proven corrupt, with the file that convinces everybody else of it (evidence/file.ts). */
import type { Roster } from '@keyquorum/mpc/roster';
import { rosterDigest } from '@keyquorum/mpc/runtime/statement';
import type { PartyId } from '@keyquorum/mpc/transport';
import { accusedOf, type CeremonyRoot, type EvidenceProof, encodeEvidenceFile } from '../evidence/file.ts';

export interface Proof {
  readonly party: PartyId;
  readonly kind: EvidenceProof['kind'];
  readonly evidence: Uint8Array;
}

export function proofOf(roster: Roster, ceremony: CeremonyRoot, proof: EvidenceProof): Proof {
  const evidence = encodeEvidenceFile({ network: rosterDigest(roster), ceremony, proof });
  return { party: accusedOf(proof), kind: proof.kind, evidence };
}
