/**
 * The ceremony that makes a common reference string (docs/protocols/crs.md, steps T1 to T5): every party multiplies a
 * secret of its own into the powers of a number that nobody knows, one after the other, checked by all.
 */
import { headDigest } from '@keyquorum/crs/contribution';
import { crsDigest } from '@keyquorum/crs/crs-file';
import { type CrsPoints, type CrsState, type CrsSubject, startState } from '@keyquorum/crs/state';
import { encodeCertificate } from '@keyquorum/mpc/agreement/certificate';
import { enterSession } from '@keyquorum/mpc/agreement/decision';
import { partiesOf } from '@keyquorum/mpc/roster';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { complete } from '../closed/complete.ts';
import type { CurveModules } from './curve-modules.ts';
import type { CrsProof, SignedHead } from './judge.ts';
import { completeDigest } from './transcript.ts';
import { type TurnLimits, type TurnPhase, takeTurn } from './turn.ts';

export interface CrsInput {
  readonly subject: CrsSubject;
  /** Agreed start of the first turn. */
  readonly startMs: number;
  readonly limits: TurnLimits;
  readonly deadlineMs: number;
  readonly curves: CurveModules;
  isProven(party: PartyId): boolean;
  isUp(party: PartyId): boolean;
  onPhase(round: PartyId, phase: TurnPhase): void;
  /** A turn ended; the party that did not contribute is told. */
  onTurn(round: PartyId, end: 'accepted' | 'skipped'): void;
  onWaiting(parties: readonly PartyId[]): void;
  onProof(proof: CrsProof): void;
  /** The file of the result. */
  encode(points: CrsPoints): Uint8Array;
  /** Makes the file durable, before this party promises it (T4). */
  keep(file: Uint8Array): Promise<void>;
}

export interface GeneratedCrs {
  readonly contributions: readonly SignedHead[];
  /** Digest of the file. */
  readonly file: Uint8Array;
  /** COMPLETE of a quorum, encoded. */
  readonly certificate: Uint8Array;
}

/** So few contributions were accepted that no honest party may be among them: the secret might be known. */
export class CrsTooFewError extends Error {
  override readonly name = 'CrsTooFewError';
  readonly code = 'CRS_TOO_FEW';
}

/**
 * Runs the ceremony in the announced session.
 * @throws CrsTooFewError, CrsDisagreementError, StalledOpening, the session's reason, or what the disk says
 */
export async function generateCrs(session: Session, input: CrsInput): Promise<GeneratedCrs> {
  const { startMs, deadlineMs, onWaiting } = input;
  enterSession(session.journal, session.id);
  await session.clock.until(startMs, session.signal);
  const { contributions, state } = await takeTurns(session, input);
  const last = contributions.at(-1);
  if (last === undefined || contributions.length <= session.t) {
    const problem = `${contributions.length} contributions were accepted, want ${session.t + 1}: one of them honest`;
    throw new CrsTooFewError(problem);
  }
  const { g1, g2 } = state;
  const bytes = input.encode({ g1, g2 }); // T4
  await input.keep(bytes);
  const file = crsDigest(bytes);
  const digest = completeDigest(headDigest(last.head), file);
  const certificate = await complete(session, { digest, deadlineMs, onWaiting });
  return { contributions, file, certificate: encodeCertificate(certificate) };
}

/** T1 to T3 for every party; of states only the newest is kept. */
async function takeTurns(
  session: Session,
  input: CrsInput,
): Promise<{ readonly contributions: readonly SignedHead[]; readonly state: CrsState }> {
  const { subject, limits, curves, onProof } = input;
  const contributions: SignedHead[] = [];
  let state = startState(subject);
  let startMs = input.startMs;
  for (const round of partiesOf(session.roster)) {
    const result = await takeTurn(session, {
      ...{ round, subject, state, base: contributions.at(-1)?.head, startMs, limits, curves, onProof },
      isProven: input.isProven(round),
      isUp: () => round === session.self || input.isUp(round),
      onPhase: (phase) => input.onPhase(round, phase),
    });
    startMs = result.endMs;
    const { accepted } = result;
    if (accepted !== undefined) {
      contributions.push({ head: accepted.head, signature: accepted.signature });
      state = accepted.state;
    }
    input.onTurn(round, accepted ? 'accepted' : 'skipped');
  }
  return { contributions, state };
}
