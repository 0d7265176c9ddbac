/**
 * One detected opening of a closed session, with agreement on its result (SPEC R3, R5;
 * docs/protocols/closed-openings.md, steps C1..C5). The opened values have degree 2t: with all shares any cheat is
 * seen, with fewer none is, and nothing is ever corrected.
 *  C1 every party signs its shares and sends them to all, or to the kings of the step (kings.ts);
 *  C2 a party that holds the shares of all expected parties checks that every element lies on one degree-2t polynomial;
 *  C3 it signs the digest of the opened values (OK in the middle of a session, COMPLETE at its end) and sends that;
 *  C4 t+1 equal digests prove the values to parties that could not check: they adopt what a king sent, or pull them,
 *     then sign too;
 *  C5 a quorum of signatures ends the step. If no digest comes up and the shares are inconsistent: InconsistentOpening,
 *     and the caller burns the session (burn.ts). If shares are missing: a stall, which says who, and proves nothing.
 */
import { type Certificate, digestSubject } from '@keyquorum/mpc/agreement/certificate';
import { decisionSubject } from '@keyquorum/mpc/agreement/decision';
import { equalBytes, sha256 } from '@keyquorum/mpc/bytes';
import { LABELS } from '@keyquorum/mpc/labels';
import { fetchPatiently } from '@keyquorum/mpc/patient-fetch';
import { quorumOf } from '@keyquorum/mpc/roster';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { decideComplete } from './complete.ts';
import { untilDeadline } from './deadline.ts';
import { type Kings, kingOf } from './kings.ts';
import { InconsistentOpening } from './opening-error.ts';
import { exchangeShares, type SignedShares } from './signed-shares.ts';
import { openVoteBox, type Tally, type VoteBox } from './vote-box.ts';

/** After the own shares were found inconsistent, this long others may still show a digest that t+1 parties checked. */
const ADOPTION_WAIT_MS = 4_000;
/** What is on its way for so long, while nothing else came about either, is asked for. */
const PATIENCE_MS = 3_000;
/** A voter that gave up, or lost its link, refuses; meanwhile the reason may come that ends the step here, too. */
const ASK_AGAIN_MS = 1_000;
/** After it a party that waits for kings finds out for itself whose shares they lack. */
const KINGS_SILENT_MS = 30_000;

export interface OpeningStep {
  /** Tag of the share messages; unique in the session. */
  readonly tag: string;
  /** This party's shares as they go on the wire. */
  readonly message: Uint8Array;
  /** Whose shares are needed: all parties that are not proven corrupt (SPEC R3). */
  readonly expected: readonly PartyId[];
  /** Who is sent the shares and sends the values to the others; by default everybody opens. */
  readonly kings?: Kings;
  /** Opened values, canonically encoded, or undefined when the shares are not on polynomials of degree 2t. */
  readonly decode: (messages: ReadonlyMap<PartyId, Uint8Array>) => Uint8Array | undefined;
  readonly valuesBytesMax: number;
  /** Called before this party signs, with the values it signs for: makes durable what the signature promises. */
  readonly beforeSigning?: (values: Uint8Array, digest: Uint8Array) => Promise<void>;
  readonly seal: 'ok' | 'complete';
  readonly deadlineMs: number;
  /** Told now and then who is waited for. */
  readonly onWaiting?: (parties: readonly PartyId[]) => void;
  /** When an earlier step ended last: messages of this one may have waited for its messages. */
  readonly progressMs?: () => number;
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

/** One run of a step. */
interface Run {
  readonly session: Session;
  readonly step: OpeningStep;
  readonly shares: SignedShares;
  readonly votes: VoteBox;
  /** Fires when the values are known, or nobody looks for them any more. */
  readonly known: AbortSignal;
}

/** Made once: an abort without a reason records a stack each time. */
const KNOWN = new Error('the values are known, or will not be');

/** Runs the step. @throws StalledOpening, InconsistentOpening, or the session's reason when it ends */
export async function openClosed(session: Session, step: OpeningStep): Promise<Opened> {
  const { tag, kings } = step;
  const votes = openVoteBox(session, `${tag}/${step.seal}`, (digest) => sealSubject(session.id, step, digest));
  const shares = exchangeShares(session, { ...step, ...(kings && { receivers: [...kings.keys()] }) }); // C1
  const known = new AbortController();
  const run: Run = { session, step, shares, votes, known: AbortSignal.any([session.signal, known.signal]) };
  askWhenLate(run).catch(() => undefined); // the values are known
  const values = await inTime(run, obtainValues(run)).finally(() => known.abort(KNOWN));
  shares.suffice();
  const digest = session.offer(values); // others may adopt them from here
  await step.beforeSigning?.(values, digest);
  if (step.seal === 'complete') await decideComplete(session, digest);
  votes.cast(digest); // C3
  await inTime(run, Promise.race([votes.reached(quorumOf(session.roster)), spoiled(run)]));
  return { values, digest, certificate: votes.certificate(digest), shares }; // C5
}

/**
 * C1, for those who were not sent what they need. A party that is no king waits for kings: one of them is honest, and
 * signs as soon as it has all shares. If the others have not by then, this party opens, too.
 */
async function askWhenLate(run: Run): Promise<void> {
  const { session, step, shares, votes } = run;
  const isServed = step.kings !== undefined && !step.kings.has(session.self);
  if (isServed) await Promise.race([votes.reached(1), patience(run, KINGS_SILENT_MS)]);
  await patience(run, PATIENCE_MS);
  shares.ask();
}

/** Until nothing has come about for so long. Rejects when the values are known. */
async function patience({ session: { clock }, step, known }: Run, quietMs: number): Promise<void> {
  const begunMs = clock.now();
  const endMs = () => Math.max(begunMs, step.progressMs?.() ?? 0) + quietMs;
  while (clock.now() < endMs()) await clock.until(endMs(), known);
}

/** C2, or C4 when another digest is proven first or the own shares do not fit. */
async function obtainValues(run: Run): Promise<Uint8Array> {
  const { session, shares, votes } = run;
  const sent = valuesOfKing(run);
  sent.catch(() => undefined); // ended by the session
  const adopted = votes.reached(session.t + 1).then((tally) => adopt(run, tally, sent));
  adopted.catch(() => undefined); // either it is raced below or the own check has won
  const own = shares.complete.then(() => openOwn(run));
  const first = await Promise.race([own, adopted]);
  if (first !== undefined) return first;
  const waited = session.clock.until(session.clock.now() + ADOPTION_WAIT_MS, session.signal).then(() => undefined);
  const late = await Promise.race([adopted, waited]);
  if (late !== undefined) return late;
  throw inconsistent(run, 'the shares of all parties are here and do not lie on one polynomial of degree 2t');
}

/** C2. A king sends what it opened to those it serves. If the shares do not fit, all others are to look, too. */
function openOwn({ session, step, shares }: Run): Uint8Array | undefined {
  const values = step.decode(shares.messages);
  if (values === undefined) {
    shares.show().catch(() => undefined); // ended by the session
    return undefined;
  }
  for (const party of step.kings?.get(session.self) ?? []) session.send(party, valuesTag(step), values);
  return values;
}

/** C4: the values behind a digest that t+1 parties signed: what the king has sent, or else from one of them. */
async function adopt(run: Run, { digest, voters }: Tally, sent: Promise<Uint8Array | undefined>): Promise<Uint8Array> {
  const { session, step, known } = run;
  const king = step.kings && kingOf(step.kings, session.self);
  if (king !== undefined && voters.includes(king)) {
    const values = await Promise.race([sent, patience(run, PATIENCE_MS).then(() => undefined)]);
    if (values !== undefined && equalBytes(sha256(values), digest)) return values;
  }
  const sought = { hash: digest, from: voters, bytesMax: step.valuesBytesMax, everyMs: ASK_AGAIN_MS };
  return fetchPatiently(session, { ...sought, signal: known });
}

/** What the king that serves this party sends it; for a king, nothing. To be believed when t+1 signed it. */
async function valuesOfKing({ session, step }: Run): Promise<Uint8Array | undefined> {
  const king = step.kings && kingOf(step.kings, session.self);
  if (king === undefined) return undefined;
  for await (const { from, body } of session.receive(valuesTag(step), { bytesMax: step.valuesBytesMax })) {
    if (from === king) return body;
  }
  return undefined;
}

function valuesTag({ tag }: OpeningStep): string {
  return `${tag}/values`;
}

/**
 * Rejects when a party is known to have signed two messages and no quorum forms in spite of it: then the others, to
 * whom it sent the wrong one, burn the session, and this party helps to prove it. Never resolves.
 */
async function spoiled(run: Run): Promise<never> {
  const { session, shares } = run;
  await shares.conflict;
  await session.clock.until(session.clock.now() + 2 * ADOPTION_WAIT_MS, session.signal);
  throw inconsistent(run, 'a party signed two different messages, and the step did not end in spite of it');
}

function inconsistent({ step: { tag }, shares }: Run, what: string): InconsistentOpening {
  return new InconsistentOpening(`${tag}: ${what}`, { tag, shares });
}

/** The parties that the step waits for: for their shares, else for the signatures of kings, else of anybody. */
function waitingFor({ step: { kings }, shares, votes }: Run): PartyId[] {
  const missing = shares.missing();
  if (missing.length > 0) return missing;
  const unsigned = votes.missing();
  const openers = unsigned.filter((party) => kings?.has(party));
  return openers.length > 0 ? openers : unsigned;
}

function inTime<T>(run: Run, work: Promise<T>): Promise<T> {
  const { tag, deadlineMs, onWaiting } = run.step;
  const wait = { tag, deadlineMs, waitingFor: () => waitingFor(run), ...(onWaiting && { onWaiting }) };
  return untilDeadline(run.session, wait, work);
}
