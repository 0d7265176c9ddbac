/**
 * Checks the messages of one turn, each once, and remembers what they were (docs/protocols/crs.md, step T2). What its
 * author signed and no honest party signs becomes evidence.
 */
import {
  type Contribution,
  type ContributionHead,
  contributionBytes,
  decodeContribution,
  decodeHead,
  encodeContribution,
  HEAD_BYTES,
} from '@keyquorum/crs/contribution';
import { CrsError } from '@keyquorum/crs/crs-error';
import type { CrsState, CrsSubject } from '@keyquorum/crs/state';
import { stateAfter, verifyContribution } from '@keyquorum/crs/verification';
import { type DoubleSignature, doubleSignature } from '@keyquorum/mpc/agreement/evidence';
import { equalBytes, sha256, toHex } from '@keyquorum/mpc/bytes';
import { fetchPatiently } from '@keyquorum/mpc/patient-fetch';
import { SIGNATURE_BYTES, type Subject, signStatement, verifyStatement } from '@keyquorum/mpc/runtime/statement';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import { shareSubject } from '../closed/signed-shares.ts';
import type { KeptWorkers } from './curve-modules.ts';

/** A head with the signature of its author: what the transcript keeps. */
export interface SignedHead {
  readonly head: ContributionHead;
  readonly signature: Uint8Array;
}

export interface Accepted extends SignedHead {
  readonly state: CrsState;
  /** As its author sent it. */
  readonly message: Uint8Array;
}

/** A signed contribution that no honest party makes, and the head that it was to build on. */
export interface BadContribution {
  readonly party: PartyId;
  readonly base: ContributionHead | undefined;
  readonly signature: Uint8Array;
  /** Encoded. */
  readonly contribution: Uint8Array;
}

export type CrsProof =
  | { readonly kind: 'bad-contribution'; readonly value: BadContribution }
  | { readonly kind: 'double-signature'; readonly value: DoubleSignature };

export interface TurnLimits {
  /** How long to wait for a contribution, and again for checks and votes. */
  readonly turnMs: number;
  /** Above any delay of a message between honest parties, and the difference of clocks. */
  readonly roundMs: number;
}

export interface Judged {
  readonly round: PartyId;
  /** What heads are signed for, whatever session carries them. */
  readonly ceremony: SessionId;
  readonly subject: CrsSubject;
  /** What the contribution must build on, and its head; none for the start. */
  readonly state: CrsState;
  readonly base: ContributionHead | undefined;
  readonly checkers: KeptWorkers;
  readonly limits: TurnLimits;
  /** What proves the author corrupt. */
  onProof(proof: CrsProof): void;
}

/** A quorum vouches for what fails here: this machine, or more than t parties, cannot be trusted. */
export class CrsDisagreementError extends Error {
  override readonly name = 'CrsDisagreementError';
  readonly code = 'CRS_DISAGREEMENT';
}

export interface Judge {
  /** @throws CrsError when it is not to be accepted; who broke the rules of messages is reported */
  check(message: Uint8Array): Promise<Accepted>;
  /** Signs this party's own. */
  sign(contribution: Contribution): Uint8Array;
  /** What this party has signed is known to be right, and offered to others. Returns its digest. */
  adopt(message: Uint8Array): Uint8Array;
  /** A message from those who vouch for its hash, one of whom is honest. */
  pull(digest: Uint8Array, voters: readonly PartyId[]): Promise<Uint8Array>;
  /** What a quorum voted for. @throws CrsDisagreementError when it fails here */
  accept(digest: Uint8Array, voters: readonly PartyId[]): Promise<Accepted>;
}

/** Messages of the author carry this tag, and its signature stands under it. */
export function turnTag(round: PartyId): string {
  return `turn/${round}`;
}

/** What the author of a contribution signs: its head, which names everything else. */
export function headSubject(session: SessionId, round: PartyId, headBytes: Uint8Array): Subject {
  return shareSubject(session, turnTag(round), headBytes.length, sha256(headBytes));
}

/** Layout: signature 64 | contribution. */
export function turnMessageBytes({ parameters }: CrsSubject): number {
  return SIGNATURE_BYTES + contributionBytes(parameters.size);
}

/** @param signal ends checks that are not needed any more */
export function createJudge(session: Session, turn: Judged, signal: AbortSignal): Judge {
  const { round, ceremony, subject, state } = turn;
  const checked = new Map<string, Promise<Accepted>>();
  let signed: { readonly subject: Subject; readonly signature: Uint8Array } | undefined;

  /** The head, if its author signed it. Two different ones are a proof. @throws CrsError */
  function signedHead(signature: Uint8Array, headBytes: Uint8Array): SignedHead {
    const claim = { subject: headSubject(ceremony, round, headBytes), signature };
    if (!verifyStatement(session.roster, round, claim.subject, signature)) {
      throw new CrsError('CRS_MALFORMED', round, 'is not signed by that party');
    }
    if (signed !== undefined && !equalBytes(signed.subject.digest, claim.subject.digest)) {
      session.report({ party: round, kind: 'equivocation', detail: `${turnTag(round)}: signed two contributions` });
      turn.onProof({ kind: 'double-signature', value: doubleSignature(round, signed, claim) });
    }
    signed ??= claim;
    return { head: decodeHead(headBytes, round), signature };
  }

  async function verify(message: Uint8Array): Promise<Accepted> {
    const want = turnMessageBytes(subject);
    if (message.length !== want) throw new CrsError('CRS_MALFORMED', round, `${message.length} bytes, want ${want}`);
    const signature = Uint8Array.from(message.subarray(0, SIGNATURE_BYTES));
    const bytes = message.subarray(SIGNATURE_BYTES);
    const head = signedHead(signature, bytes.subarray(0, HEAD_BYTES));
    try {
      const contribution = decodeContribution(bytes, subject.parameters.size, round);
      const checks = { round, contribution };
      const after = await turn.checkers.run(signal, (tools) => verifyContribution(tools, subject, state, checks));
      return { ...head, state: after, message };
    } catch (error) {
      if (error instanceof CrsError && isProvable(error, head, bytes)) {
        const value = { party: round, base: turn.base, signature, contribution: Uint8Array.from(bytes) };
        turn.onProof({ kind: 'bad-contribution', value });
      }
      throw error;
    }
  }

  function check(message: Uint8Array): Promise<Accepted> {
    const digest = sha256(message);
    const known = checked.get(toHex(digest));
    if (known !== undefined) return known;
    const verdict = verify(message);
    checked.set(toHex(digest), verdict);
    verdict.then(
      () => session.offer(message, digest), // who lacks it may pull it from here
      (error) => {
        if (!(error instanceof CrsError)) return;
        session.report({ party: round, kind: 'malformed', detail: `${turnTag(round)}: ${error.message}` });
      },
    );
    return verdict;
  }

  function pull(hash: Uint8Array, from: readonly PartyId[]): Promise<Uint8Array> {
    const { roundMs, turnMs } = turn.limits;
    const times = { everyMs: roundMs, deadlineMs: session.clock.now() + turnMs };
    return fetchPatiently(session, { hash, from, bytesMax: turnMessageBytes(subject), ...times, signal });
  }

  return {
    check,
    pull,
    sign(contribution) {
      const bytes = encodeContribution(contribution);
      const signature = signStatement(session, headSubject(ceremony, round, bytes.subarray(0, HEAD_BYTES)));
      const message = new Uint8Array(SIGNATURE_BYTES + bytes.length);
      message.set(signature);
      message.set(bytes, SIGNATURE_BYTES);
      return message;
    },
    adopt(message) {
      const signature = message.subarray(0, SIGNATURE_BYTES);
      const contribution = decodeContribution(message.subarray(SIGNATURE_BYTES), subject.parameters.size, round);
      const own = { head: contribution.head, signature, state: stateAfter(contribution), message };
      const digest = session.offer(message);
      checked.set(toHex(digest), Promise.resolve(own));
      return digest;
    },
    async accept(digest, voters) {
      try {
        return await (checked.get(toHex(digest)) ?? check(await pull(digest, voters)));
      } catch (error) {
        if (!(error instanceof CrsError)) throw error;
        const problem = `a quorum accepted what this node finds wrong: ${error.message}; check its memory and software`;
        throw new CrsDisagreementError(problem, { cause: error });
      }
    },
  };
}

/** Lists are signed through their hash in the head; and which base is the right one only votes tell. */
function isProvable({ code }: CrsError, { head }: SignedHead, contribution: Uint8Array): boolean {
  return code !== 'CRS_BASE' && equalBytes(sha256(contribution.subarray(HEAD_BYTES)), head.lists);
}
