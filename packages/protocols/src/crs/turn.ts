/**
 * One turn of the ceremony (docs/protocols/crs.md, steps T1 to T3): the party whose turn it is sends its signed
 * contribution, everybody checks it and votes, and all end with the same contribution or with none.
 */
import { contribute, decodeHead, HEAD_BYTES } from '@keyquorum/crs/contribution';
import { CrsError } from '@keyquorum/crs/crs-error';
import type { Certificate } from '@keyquorum/mpc/agreement/certificate';
import { equalBytes, sha256 } from '@keyquorum/mpc/bytes';
import { SIGNATURE_BYTES } from '@keyquorum/mpc/runtime/statement';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { type Ballot, openBallot } from './ballot.ts';
import { type CurveModules, withWorkers } from './curve-modules.ts';
import { type Accepted, createJudge, type Judge, type Judged, turnMessageBytes, turnTag } from './judge.ts';

/** Nobody waits longer for a party without a link to it. */
const ABSENT_ROUNDS = 5;

export type TurnPhase = 'contribute' | 'wait' | 'verify' | 'agree';

export interface Turn extends Judged {
  /** Nobody waits for a party that is proven corrupt. */
  readonly isProven: boolean;
  /** When it began here. */
  readonly startMs: number;
  /** For this party's own contribution: workers that know its secret end with it. */
  readonly curves: CurveModules;
  /** What this party signed in its turn before it was restarted. */
  own(): Promise<Uint8Array | undefined>;
  /** Makes what this party signs durable, before it is sent. */
  keepOwn(message: Uint8Array): Promise<void>;
  /** Test-and-set: whether this party has no vote in this turn yet, not before a restart either. */
  mayVote(): boolean;
  /** Is there a link to the party whose turn it is? */
  isUp(): boolean;
  onPhase(phase: TurnPhase): void;
}

export interface TurnResult {
  readonly endMs: number;
  /** Undefined when the turn was skipped. */
  readonly accepted: (Accepted & { readonly certificate: Certificate }) | undefined;
}

/**
 * Runs the turn of party `turn.round` and ends when all honest parties do, and this one holds what was accepted.
 * @throws CrsDisagreementError, or the session's reason
 */
export async function takeTurn(session: Session, turn: Turn): Promise<TurnResult> {
  const { round, startMs, limits } = turn;
  const closesMs = startMs + 2 * limits.turnMs;
  const ballot = openBallot(session, turnTag(round), { closesMs, roundMs: limits.roundMs });
  const over = new AbortController();
  const judge = createJudge(session, turn, over.signal);
  const work = round === session.self ? contributeOwn : checkAndVote;
  work(session, turn, { ballot, judge, signal: over.signal }).catch(() => undefined); // then this party has no vote
  try {
    const end = await ballot.end;
    const endMs = session.clock.now();
    if (end === undefined) return { endMs, accepted: undefined };
    turn.onPhase('agree');
    const { certificate } = end;
    return { endMs, accepted: { ...(await judge.accept(end.digest, end.voters)), certificate } };
  } finally {
    over.abort(new Error(`the turn of party ${round} is over`));
  }
}

interface Tools {
  readonly ballot: Ballot;
  readonly judge: Judge;
  /** Ends work that is not needed any more. */
  readonly signal: AbortSignal;
}

/** T1. The only vote of this party in its turn is for what it has signed, and it signs once. */
async function contributeOwn(session: Session, turn: Turn, { ballot, judge, signal }: Tools): Promise<void> {
  const { round, subject, state, startMs, limits, curves } = turn;
  const { random } = session;
  turn.onPhase('contribute');
  let message = await turn.own();
  if (message === undefined) {
    const made = await withWorkers(curves, signal, (tools) => contribute(tools, subject, state, { round, random }));
    if (session.clock.now() > startMs + limits.turnMs) return; // the others have voted that nothing came
    message = judge.sign(made);
    await turn.keepOwn(message);
  } else if (!equalBytes(baseOf(message, round), state.digest)) return; // it built on what the others do not
  const digest = judge.adopt(message);
  session.sendAll(turnTag(round), message);
  ballot.cast(digest);
}

function baseOf(message: Uint8Array, round: PartyId): Uint8Array {
  return decodeHead(message.subarray(SIGNATURE_BYTES, SIGNATURE_BYTES + HEAD_BYTES), round).base;
}

/** T2. */
async function checkAndVote(session: Session, turn: Turn, { ballot, judge }: Tools): Promise<void> {
  if (turn.isProven) return vote(session, turn, ballot);
  turn.onPhase('wait');
  const message = await arrival(session, turn, { ballot, judge });
  if (message === undefined) return vote(session, turn, ballot);
  turn.onPhase('verify');
  return vote(session, turn, ballot, (await isGood(judge, message)) ? sha256(message) : undefined);
}

/** Once in a turn, ever: on disk before it is sent. */
async function vote({ journal }: Session, turn: Turn, ballot: Ballot, digest?: Uint8Array): Promise<void> {
  if (!turn.mayVote()) return;
  await journal.sync();
  ballot.cast(digest);
}

async function isGood(judge: Judge, message: Uint8Array): Promise<boolean> {
  try {
    await judge.check(message);
    return true;
  } catch (error) {
    if (error instanceof CrsError) return false;
    throw error;
  }
}

/** The contribution, from its author or from others that vouch for it; undefined when none comes in time. */
async function arrival(
  session: Session,
  turn: Turn,
  { ballot, judge }: Pick<Tools, 'ballot' | 'judge'>,
): Promise<Uint8Array | undefined> {
  const { clock, signal } = session;
  const came = new AbortController();
  const pulled = ballot.vouched.then(({ digest, voters }) => judge.pull(digest, voters));
  const some = Promise.any([fromAuthor(session, turn), pulled]);
  const over = AbortSignal.any([signal, came.signal]);
  const late = clock.until(turn.startMs + turn.limits.turnMs, over);
  const either = Promise.race([some, late.then(() => undefined), absence(session, turn, over)]);
  return either.catch(() => undefined).finally(() => came.abort());
}

/** Resolves when there was no link to the author for some rounds. */
async function absence({ clock }: Session, { limits, isUp }: Turn, over: AbortSignal): Promise<undefined> {
  for (let rounds = 0; rounds < ABSENT_ROUNDS; rounds = isUp() ? 0 : rounds + 1) {
    await clock.until(clock.now() + limits.roundMs, over);
  }
  return undefined;
}

/** The first message of the author; others send none under this tag. */
async function fromAuthor(session: Session, { round, subject }: Turn): Promise<Uint8Array> {
  for await (const { from, body } of session.receive(turnTag(round), { bytesMax: turnMessageBytes(subject) })) {
    if (from === round) return body;
    session.report({ party: from, kind: 'malformed', detail: `${turnTag(round)}: it is not its turn` });
  }
  throw new Error(`party ${round} sent nothing`);
}
