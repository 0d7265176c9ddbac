/**
 * A contribution to a reference string that its author signed and that no honest party signs
 * (docs/protocols/crs.md, "Cheating"): the checks of the ceremony once more, for somebody who has only the evidence.
 */
import { decodeContribution, decodeHead, HEAD_BYTES } from '@keyquorum/crs/contribution';
import { CrsError } from '@keyquorum/crs/crs-error';
import { CrsParametersError } from '@keyquorum/crs/parameters';
import { type CrsPosition, type CrsSubject, startPosition } from '@keyquorum/crs/state';
import { positionAfter, verifyContribution } from '@keyquorum/crs/verification';
import { inThisThread } from '@keyquorum/crs/workers';
import type { Bls446, RandomBytes } from '@keyquorum/kernel/bls446';
import { equalBytes, sha256 } from '@keyquorum/mpc/bytes';
import type { Roster } from '@keyquorum/mpc/roster';
import { verifyStatement } from '@keyquorum/mpc/runtime/statement';
import { type CrsFormat, TFHE_FORMAT } from '../crs/content.ts';
import { headSubject } from '../crs/judge.ts';
import type { AccusedCeremony } from './ceremony-root.ts';
import { EvidenceError } from './evidence-error.ts';
import type { EvidenceProof } from './file.ts';

export type BadContributionProof = Extract<EvidenceProof, { kind: 'bad-contribution' }>['value'];

export interface ContributionJudge {
  readonly curve: Bls446;
  readonly random: RandomBytes;
  readonly format?: CrsFormat;
}

/** @throws EvidenceError when an honest party could have signed it */
export async function requireBadContribution(
  { curve, random, format = TFHE_FORMAT }: ContributionJudge,
  roster: Roster,
  ceremony: AccusedCeremony,
  { party, base, signature, contribution }: BadContributionProof,
): Promise<void> {
  if (ceremony.kind !== 'crs') throw new EvidenceError('EVIDENCE_CEREMONY', 'no reference string is made there');
  const subject = subjectOf(format, ceremony);
  const head = contribution.subarray(0, HEAD_BYTES);
  if (!verifyStatement(roster, party, headSubject(ceremony.session, party, head), signature)) {
    throw new EvidenceError('EVIDENCE_SIGNATURE', `party ${party} did not sign this contribution`);
  }
  try {
    requireSignedLists(contribution, party);
    const checks = { round: party, contribution: decodeContribution(contribution, subject.parameters.size, party) };
    const tools = { curve, workers: inThisThread(curve, random) };
    await verifyContribution(tools, subject, positionOf(subject, base), checks);
  } catch (error) {
    if (!(error instanceof CrsError)) throw error;
    if (error.code === 'CRS_BASE')
      throw new EvidenceError('EVIDENCE_SECRETS', 'it builds on another base than is shown');
    return;
  }
  throw new EvidenceError('EVIDENCE_REFUTED', `the contribution of party ${party} is right`);
}

function subjectOf(
  format: CrsFormat,
  { announcement, content }: Extract<AccusedCeremony, { kind: 'crs' }>,
): CrsSubject {
  try {
    return format.subject(announcement.id, content);
  } catch (error) {
    if (!(error instanceof CrsParametersError)) throw error;
    throw new EvidenceError('EVIDENCE_CEREMONY', error.message, { cause: error });
  }
}

/** Anybody could show an honest head with other lists. @throws CrsError for a head that is none */
function requireSignedLists(contribution: Uint8Array, party: number): void {
  const { lists } = decodeHead(contribution.subarray(0, HEAD_BYTES), party);
  if (equalBytes(sha256(contribution.subarray(HEAD_BYTES)), lists)) return;
  throw new EvidenceError('EVIDENCE_SECRETS', 'the lists are not those that the head names');
}

/** The base may be made up: then an honest contribution fails at its base, which proves nothing. */
function positionOf(subject: CrsSubject, base: Uint8Array | null): CrsPosition {
  if (base === null) return startPosition(subject);
  try {
    return positionAfter(decodeHead(base, base[1] ?? 0));
  } catch (error) {
    if (!(error instanceof CrsError)) throw error;
    throw new EvidenceError('EVIDENCE_SECRETS', `the base is no head of a contribution: ${error.message}`, {
      cause: error,
    });
  }
}
