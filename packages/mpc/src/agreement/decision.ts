/**
 * Decisions a party takes at most once per session, ever: COMPLETE or BURN (SPEC R5.6). The test-and-set is
 * synchronous, the record is on disk before the signature exists, and a session this process did not enter is never
 * decided: a party that lost or rolled back its memory signs neither.
 *
 * Together with quorums that share an honest party this makes COMPLETE and BURN certificates exclusive in any network.
 */
import { equalBytes, HASH_BYTES } from '../bytes.ts';
import { LABELS } from '../labels.ts';
import { type Speaker, type Subject, signStatement } from '../runtime/statement.ts';
import type { Journal } from '../session.ts';
import type { SessionId } from '../transport.ts';
import { digestSubject } from './certificate.ts';

export type DecisionKind = 'complete' | 'burn';
/**
 * 'signed': decided now. 'already': the same decision was taken before. 'refused': another one was, or may have been.
 */
export type DecisionResult = 'signed' | 'already' | 'refused';

const PREFIX = 'decision/';
/** First byte of a record; decided records continue with the digest. */
const ENTERED = 0;
const DECIDED: Readonly<Record<DecisionKind, number>> = { complete: 1, burn: 2 };
const ABANDONED = 3;

/** Notes that this process takes part in a session. False, without effect, for a session that has a record. */
export function enterSession(journal: Journal, session: SessionId): boolean {
  if (journal.get(PREFIX + session)) return false;
  journal.set(PREFIX + session, Uint8Array.of(ENTERED));
  return true;
}

/**
 * Gives up every session of earlier processes that is undecided. To be called at every boot before any session is
 * entered: the disk may be an old copy, on which a decision that was taken is missing.
 */
export function abandonEnteredSessions(journal: Journal): void {
  for (const key of journal.keys(PREFIX)) {
    if (journal.get(key)?.[0] === ENTERED) journal.set(key, Uint8Array.of(ABANDONED));
  }
}

/** Synchronous test-and-set. The decision may be told to others only after `journal.sync()`: see `signDecision`. */
export function decide(journal: Journal, session: SessionId, kind: DecisionKind, digest: Uint8Array): DecisionResult {
  if (digest.length !== HASH_BYTES) throw new RangeError(`decision digest: ${digest.length} bytes, want ${HASH_BYTES}`);
  const wanted = Uint8Array.of(DECIDED[kind], ...digest);
  const record = journal.get(PREFIX + session);
  if (record && equalBytes(record, wanted)) return 'already';
  if (record?.length !== 1 || record[0] !== ENTERED) return 'refused';
  journal.set(PREFIX + session, wanted);
  return 'signed';
}

/** What this party decided COMPLETE over, if it did: others may go on with the session's result, come what may here. */
export function completedDigest(journal: Journal, session: SessionId): Uint8Array | undefined {
  const record = journal.get(PREFIX + session);
  return record?.[0] === DECIDED.complete ? record.slice(1) : undefined;
}

/** True when this party decided COMPLETE. */
export function isCompleted(journal: Journal, session: SessionId): boolean {
  return completedDigest(journal, session) !== undefined;
}

/**
 * True when this party took part in the session and never signs COMPLETE: it decided BURN, or its process ended before
 * it had decided. No decision of its own: on an old disk it does not know whether it had signed.
 */
export function neverCompletes(journal: Journal, session: SessionId): boolean {
  const state = journal.get(PREFIX + session)?.[0];
  return state === DECIDED.burn || state === ABANDONED;
}

/** Forgets a session for good: later decisions about it are refused unless it is entered again. */
export function forgetSession(journal: Journal, session: SessionId): void {
  journal.delete(PREFIX + session);
}

/** What a decision signs. COMPLETE and BURN have labels of their own. */
export function decisionSubject(session: SessionId, kind: DecisionKind, digest: Uint8Array): Subject {
  return digestSubject(LABELS[kind], session, kind, digest);
}

/** Decides, makes that durable, then signs. Undefined when the decision is refused. */
export async function signDecision(
  speaker: Speaker & { readonly journal: Journal },
  session: SessionId,
  kind: DecisionKind,
  digest: Uint8Array,
): Promise<Uint8Array | undefined> {
  if (decide(speaker.journal, session, kind, digest) === 'refused') return undefined;
  await speaker.journal.sync();
  return signStatement(speaker, decisionSubject(session, kind, digest));
}
