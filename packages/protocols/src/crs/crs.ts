/**
 * The ceremony that makes a common reference string (docs/protocols/crs.md, steps T1 to T5): every party multiplies a
 * secret of its own into the powers of a number that nobody knows, one after the other, checked by all.
 */
import { headDigest } from '@keyquorum/crs/contribution';
import { crsDigest } from '@keyquorum/crs/crs-file';
import type { CrsPoints } from '@keyquorum/crs/state';
import { encodeCertificate } from '@keyquorum/mpc/agreement/certificate';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { Announcement } from '../ceremony/starting.ts';
import { complete } from '../closed/complete.ts';
import type { CrsCeremony } from './attempt.ts';
import type { Certified, Chain } from './chain.ts';
import { type CurveModules, type KeptWorkers, keepWorkers } from './curve-modules.ts';
import type { CrsProof, SignedHead, TurnLimits } from './judge.ts';
import { completeDigest } from './transcript.ts';
import { type Turn, type TurnPhase, takeTurn } from './turn.ts';

/** Where in a ceremony a party begins, or goes on after a restart. */
export interface Place {
  /** The announcement whose session the parties are in. */
  readonly attempt: Announcement;
  /** The turn they are in; n+1 after the last. */
  readonly round: number;
  /** When it began. */
  readonly startMs: number;
  /** What it builds on. */
  readonly chain: Chain;
}

export interface CrsInput {
  readonly ceremony: CrsCeremony;
  readonly place: Place;
  readonly limits: TurnLimits;
  readonly deadlineMs: number;
  readonly curves: CurveModules;
  isProven(party: PartyId): boolean;
  isUp(party: PartyId): boolean;
  /** The session has come to this place. */
  onPlace(place: Place): void;
  onPhase(round: PartyId, phase: TurnPhase): void;
  /** A turn ended; the party that did not contribute is told. */
  onTurn(round: PartyId, end: 'accepted' | 'skipped'): void;
  onWaiting(parties: readonly PartyId[]): void;
  onProof(proof: CrsProof): void;
  /** Makes durable what was accepted on top of `earlier`, before this party goes on from it. */
  keepChain(earlier: readonly SignedHead[], last: Certified): Promise<void>;
  own(): Promise<Uint8Array | undefined>;
  keepOwn(message: Uint8Array): Promise<void>;
  mayVote(round: PartyId): boolean;
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

/** The time that the ceremony was given is over: parties were away, or restarted and too late. */
export class CrsTimeoutError extends Error {
  override readonly name = 'CrsTimeoutError';
  readonly code = 'CRS_TIMEOUT';
  constructor() {
    super('it did not end within its time: parties were away, or restarted and too few of them came back');
  }
}

/**
 * Runs the ceremony in the announced session, from `place` on.
 * @throws CrsTooFewError, CrsDisagreementError, StalledOpening, the session's reason, or what the disk says
 */
export async function generateCrs(session: Session, input: CrsInput): Promise<GeneratedCrs> {
  const { ceremony, place, deadlineMs, onWaiting } = input;
  await session.clock.until(place.startMs, session.signal);
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
  const certificate = await complete(session, { digest, of: ceremony.session, deadlineMs, onWaiting });
  return { contributions, file, certificate: encodeCertificate(certificate) };
}

/** T1 to T3 for every party whose turn is not over; of states only the newest is kept. */
async function takeTurns(session: Session, input: CrsInput): Promise<Chain> {
  const checkers = keepWorkers(input.curves);
  try {
    return await takeTurnsWith(checkers, session, input);
  } finally {
    await checkers.close();
  }
}

async function takeTurnsWith(checkers: KeptWorkers, session: Session, input: CrsInput): Promise<Chain> {
  let { place } = input;
  while (place.round <= session.n) {
    input.onPlace(place);
    const { round, chain } = place;
    const { endMs, accepted } = await takeTurn(session, { ...turnOf(input, place, session), checkers });
    place = { ...place, round: round + 1, startMs: endMs };
    if (accepted !== undefined) {
      const { head, signature, state, message, certificate } = accepted;
      await input.keepChain(chain.contributions, { attempt: place.attempt, message, certificate });
      place = { ...place, chain: { contributions: [...chain.contributions, { head, signature }], state } };
    }
    input.onTurn(round, accepted ? 'accepted' : 'skipped');
  }
  input.onPlace(place);
  return place.chain;
}

function turnOf(input: CrsInput, { round, startMs, chain }: Place, { self }: Session): Omit<Turn, 'checkers'> {
  const { ceremony, limits, curves, onProof, own, keepOwn } = input;
  const { session, subject } = ceremony;
  const { contributions, state } = chain;
  return {
    ...{ round, ceremony: session, subject, state, base: contributions.at(-1)?.head, startMs, limits, curves, onProof },
    ...{ own, keepOwn },
    mayVote: () => input.mayVote(round),
    isProven: input.isProven(round),
    isUp: () => round === self || input.isUp(round),
    onPhase: (phase) => input.onPhase(round, phase),
  };
}
