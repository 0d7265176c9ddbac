/**
 * The judge of evidence: from the file and the roster alone, without a network or a store, whether a party is corrupt
 * (SPEC R3, R5.7; docs/protocols/closed-openings.md, "Evidence"). Nothing in the file is believed that is not signed by
 * enough parties or committed to by what they signed; seed, opened bits and the right message are recomputed.
 *
 * A file that passes proves, if at most t parties are corrupt, that the accused is one of them. A double signature
 * proves it without that condition. Costs as much as 2t+2 parties' work in the first steps of a key generation.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import { verifyEvidence } from '@keyquorum/mpc/agreement/evidence';
import { equalBytes, sha256, toHex } from '@keyquorum/mpc/bytes';
import type { Roster } from '@keyquorum/mpc/roster';
import { rosterDigest, verifyStatement } from '@keyquorum/mpc/runtime/statement';
import { shareSubject } from '../closed/signed-shares.ts';
import { requireBrokenInit } from './broken-init.ts';
import { type AccusedCeremony, readCeremonyRoot } from './ceremony-root.ts';
import { type ContributionJudge, requireBadContribution } from './contribution.ts';
import { EvidenceError } from './evidence-error.ts';
import { decodeEvidenceFile, type EvidenceProof, type WrongShare } from './file.ts';
import { rightKeygenMessage } from './keygen-message.ts';
import { rightShareMessage } from './share-message.ts';
import { type EvidenceSummary, summaryOf } from './summary.ts';

type DoubleSignature = Extract<EvidenceProof, { kind: 'double-signature' }>['value'];

/** Who is proven corrupt, of what. @throws EvidenceError when the file proves nothing */
export async function verifyEvidenceFile(
  { kernel, ...curves }: { readonly kernel: Kernel } & ContributionJudge,
  roster: Roster,
  encoded: Uint8Array,
): Promise<EvidenceSummary> {
  const charge = readCharge(roster, encoded);
  const { ceremony, proof } = charge;
  if (proof.kind === 'bad-contribution') await requireBadContribution(curves, roster, ceremony, proof.value);
  else requireMessage(kernel, roster, charge);
  return summaryOf(ceremony, proof);
}

/** The same for all but contributions. @throws EvidenceError when the file proves nothing */
export function verifyMessageEvidence(kernel: Kernel, roster: Roster, encoded: Uint8Array): EvidenceSummary {
  const charge = readCharge(roster, encoded);
  requireMessage(kernel, roster, charge);
  return summaryOf(charge.ceremony, charge.proof);
}

/**
 * The same for what convicts without any secret: double signatures and broken PRSS-Inits. Takes milliseconds, so that a
 * party may judge what others send. @throws EvidenceError when the file proves nothing
 */
export function verifyBroadcastEvidence(roster: Roster, encoded: Uint8Array): EvidenceSummary {
  const charge = readCharge(roster, encoded);
  requireBroadcast(roster, charge);
  return summaryOf(charge.ceremony, charge.proof);
}

/** What a file about this network says, not yet whether it is true. */
interface Charge {
  readonly ceremony: AccusedCeremony;
  readonly proof: EvidenceProof;
}

function readCharge(roster: Roster, encoded: Uint8Array): Charge {
  const { network, ceremony, proof } = decodeEvidenceFile(encoded);
  const own = rosterDigest(roster);
  if (equalBytes(network, own)) return { ceremony: readCeremonyRoot(roster, ceremony), proof };
  const problem = `about the network ${toHex(network).slice(0, 8)}, this roster is ${toHex(own).slice(0, 8)}`;
  throw new EvidenceError('EVIDENCE_NETWORK', problem);
}

function requireMessage(kernel: Kernel, roster: Roster, charge: Charge): void {
  const { ceremony, proof } = charge;
  if (proof.kind === 'wrong-share') requireWrongShare(kernel, roster, { ceremony, share: proof.value });
  else requireBroadcast(roster, charge);
}

function requireBroadcast(roster: Roster, { ceremony, proof }: Charge): void {
  if (proof.kind === 'double-signature') requireDoubleSignature(roster, ceremony, proof.value);
  else if (proof.kind === 'broken-init') requireBrokenInit(roster, ceremony, proof.value);
  else throw new EvidenceError('EVIDENCE_CEREMONY', 'want two signatures or a PRSS-Init, which need no recomputation');
}

function requireDoubleSignature(roster: Roster, { session }: AccusedCeremony, double: DoubleSignature): void {
  if (double.first.subject.session !== session) {
    throw new EvidenceError('EVIDENCE_CEREMONY', 'the signed claims are of another session than the ceremony');
  }
  if (verifyEvidence(roster, double) === undefined) {
    throw new EvidenceError(
      'EVIDENCE_SIGNATURE',
      `party ${double.party} did not sign two claims that exclude each other`,
    );
  }
}

function requireWrongShare(
  kernel: Kernel,
  roster: Roster,
  { ceremony, share }: { ceremony: AccusedCeremony; share: WrongShare },
): void {
  const { party, step, length, digest, signature } = share;
  const subject = shareSubject(ceremony.session, step, length, digest);
  if (!verifyStatement(roster, party, subject, signature)) {
    throw new EvidenceError('EVIDENCE_SIGNATURE', `party ${party} did not sign this message of step ${step}`);
  }
  if (equalBytes(sha256(rightMessage(kernel, roster, { ceremony, share })), digest)) {
    throw new EvidenceError('EVIDENCE_REFUTED', `party ${party} signed exactly what it should have sent`);
  }
}

function rightMessage(
  kernel: Kernel,
  roster: Roster,
  { ceremony, share }: { ceremony: AccusedCeremony; share: WrongShare },
): Uint8Array {
  if (ceremony.kind === 'keygen') return rightKeygenMessage(kernel, roster, ceremony, share);
  if (ceremony.kind === 'preprocessing') return rightShareMessage(kernel, roster, ceremony, share);
  throw new EvidenceError('EVIDENCE_CEREMONY', 'nobody signs shares there');
}
