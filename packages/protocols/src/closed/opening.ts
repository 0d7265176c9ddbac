/**
 * One detected opening of a closed session, with agreement on its result (SPEC R3, R5;
 * docs/protocols/closed-openings.md, steps C1..C5). The opened values have degree 2t: with all shares any cheat is
 * seen, with fewer none is, and nothing is ever corrected.
 *  C1 every party signs its shares and sends them to all;
 *  C2 a party that holds the shares of all expected parties checks that every element lies on one degree-2t polynomial;
 *  C3 it signs the digest of the opened values (OK in the middle of a session, COMPLETE at its end) and sends that;
 *  C4 t+1 equal digests prove the values to parties that could not check: they pull and adopt them, then sign too;
 *  C5 a quorum of signatures ends the step. If no digest comes up and the shares are inconsistent: InconsistentOpening,
 *     and the caller burns the session (burn.ts). If shares are missing: a stall, which says who, and proves nothing.
 */
import { type Certificate, digestSubject } from '@keyquorum/mpc/agreement/certificate';
import { decisionSubject } from '@keyquorum/mpc/agreement/decision';
import { LABELS } from '@keyquorum/mpc/labels';
import { quorumOf } from '@keyquorum/mpc/roster';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { decideComplete } from './complete.ts';
import { untilDeadline } from './deadline.ts';
import { InconsistentOpening } from './opening-error.ts';
import { exchangeShares, type SignedShares } from './signed-shares.ts';
import { openVoteBox, type Tally, type VoteBox } from './vote-box.ts';

/** After the own shares were found inconsistent, this long others may still show a digest that t+1 parties checked. */
const ADOPTION_WAIT_MS = 4_000;
export interface OpeningStep {
  /** Tag of the share messages; unique in the session. */
  readonly tag: string;
  /** This party's shares as they go on the wire. */
  readonly message: Uint8Array;
  /** Whose shares are needed: all parties that are not proven corrupt (SPEC R3). */
  readonly expected: readonly PartyId[];
  /** Opened values, canonically encoded, or undefined when the shares are not on polynomials of degree 2t. */
  readonly decode: (messages: ReadonlyMap<PartyId, Uint8Array>) => Uint8Array | undefined;
  readonly valuesBytesMax: number;
  /** Called before this party signs, with the values it signs for: makes durable what the signature promises. */
  readonly beforeSigning?: (values: Uint8Array, digest: Uint8Array) => Promise<void>;
  readonly seal: 'ok' | 'complete';
  readonly deadlineMs: number;
  /** Told now and then who is waited for. */
  readonly onWaiting?: (parties: readonly PartyId[]) => void;
}

export interface Opened {
  readonly values: Uint8Array;
  /** SHA-256 of the values: what the certificate is about. */
  readonly digest: Uint8Array;
  readonly certificate: Certificate;
  readonly shares: SignedShares;
}

/** What the signatures of a step are about: the SHA-256 of the values, in this session and step. */
export function sealSubject(
  session: Session['id'],
  { tag, seal }: Pick<OpeningStep, 'tag' | 'seal'>,
  digest: Uint8Array,
) {
  return seal === 'complete' ? decisionSubject(session, seal, digest) : digestSubject(LABELS.ok, session, tag, digest);
}

/** Runs the step. @throws StalledOpening, InconsistentOpening, or the session's reason when it ends */
export async function openClosed(session: Session, step: OpeningStep): Promise<Opened> {
  const { tag } = step;
  const votes = openVoteBox(session, `${tag}/${step.seal}`, (digest) => sealSubject(session.id, step, digest));
  const shares = exchangeShares(session, step); // C1
  const values = await inTime(session, step, shares, votes, obtainValues(session, step, shares, votes));
  const digest = session.offer(values); // others may adopt them from here
  await step.beforeSigning?.(values, digest);
  if (step.seal === 'complete') await decideComplete(session, digest);
  votes.cast(digest); // C3
  const sealed = Promise.race([votes.reached(quorumOf(session.roster)), spoiled(session, step, shares)]);
  await inTime(session, step, shares, votes, sealed);
  return { values, digest, certificate: votes.certificate(digest), shares }; // C5
}

/** C2, or C4 when another digest is proven first or the own shares do not fit. */
async function obtainValues(
  session: Session,
  step: OpeningStep,
  shares: SignedShares,
  votes: VoteBox,
): Promise<Uint8Array> {
  const adopted = votes.reached(session.t + 1).then((tally) => adopt(session, step, tally));
  adopted.catch(() => undefined); // either it is raced below or the own check has won
  const own = shares.complete.then(() => step.decode(shares.messages));
  const first = await Promise.race([own, adopted]);
  if (first !== undefined) return first;
  const waited = session.clock.until(session.clock.now() + ADOPTION_WAIT_MS, session.signal).then(() => undefined);
  const late = await Promise.race([adopted, waited]);
  if (late !== undefined) return late;
  throw inconsistent(step, shares, 'the shares of all parties are here and do not lie on one polynomial of degree 2t');
}

/**
 * Rejects when a party is known to have signed two messages and no quorum forms in spite of it: then the others, to
 * whom it sent the wrong one, burn the session, and this party helps to prove it. Never resolves.
 */
async function spoiled(session: Session, step: OpeningStep, shares: SignedShares): Promise<never> {
  await shares.conflict;
  await session.clock.until(session.clock.now() + 2 * ADOPTION_WAIT_MS, session.signal);
  throw inconsistent(step, shares, 'a party signed two different messages, and the step did not end in spite of it');
}

function inconsistent({ tag }: OpeningStep, shares: SignedShares, what: string): InconsistentOpening {
  return new InconsistentOpening(`${tag}: ${what}`, { tag, shares });
}

/** C4: the values behind a digest that t+1 parties signed, from one of them. */
function adopt(session: Session, step: OpeningStep, { digest, voters }: Tally): Promise<Uint8Array> {
  return session.fetch(digest, voters, step.valuesBytesMax);
}

/** The parties that the step waits for: those whose shares are missing, else those whose signature is. */
function waitingFor(shares: SignedShares, votes: VoteBox): PartyId[] {
  const missing = shares.missing();
  return missing.length > 0 ? missing : votes.missing();
}

function inTime<T>(
  session: Session,
  { tag, deadlineMs, onWaiting }: OpeningStep,
  shares: SignedShares,
  votes: VoteBox,
  work: Promise<T>,
): Promise<T> {
  const waiting = () => waitingFor(shares, votes);
  return untilDeadline(session, { tag, deadlineMs, waitingFor: waiting, ...(onWaiting && { onWaiting }) }, work);
}
