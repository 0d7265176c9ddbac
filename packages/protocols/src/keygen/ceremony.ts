/**
 * Key generation as a ceremony of a node: announced by the node that was asked, run by all, restarted when a liar was
 * found (at most t times, each names at least one), and recorded. A node that did not see how an attempt ended keeps
 * its shares until it has learnt that from the others (recovery.ts).
 */
import { AgreementError } from '@keyquorum/mpc/agreement/agreement-error';
import { equalBytes, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { PrssInitError } from '@keyquorum/mpc/prss/init-error';
import { partiesOf } from '@keyquorum/mpc/roster';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import type { Board } from '../ceremony/board.ts';
import { serveCancel } from '../ceremony/cancel-exchange.ts';
import { type Ceremony, CeremonyError, isFinal } from '../ceremony/ceremony.ts';
import { failureOf, OtherContentError, PeerRestartedError, withMissing } from '../ceremony/failure.ts';
import { type Announcement, announcedSession, leadMs, RESTART_LEAD_MS } from '../ceremony/starting.ts';
import type { ProvenParties } from '../closed/proven.ts';
import type { DecryptionJob, DecryptionOutcome } from '../decryption/job.ts';
import { closeLater } from '../linger.ts';
import type { Log } from '../log.ts';
import type { KeygenRequest, ServiceLimits } from '../services.ts';
import { abandon, createAttempts } from './attempts.ts';
import { bodyChunks } from './chunks.ts';
import { decodeContent, encodeContent } from './content.ts';
import { createEndings } from './endings.ts';
import type { KeyExchange } from './key-exchange.ts';
import type { KeyStore, PromisedKey } from './key-store.ts';
import { generateKey, KeygenBurntError } from './keygen.ts';
import { keygenPlan } from './material.ts';
import { createProgress, totalUnits } from './progress.ts';
import { createRecovery } from './recovery.ts';
import { tryKey } from './trial.ts';

/** Restarts after a PRSS-Init that messages came too late for: each has rounds twice as long. */
const INIT_ATTEMPTS_MAX = 4;
/** How long a party that signed COMPLETE asks how the attempt ended before it calls the ceremony failed. */
const RECORD_ROUNDS = 5;
const RECORD_WAIT_MS = 1_000;

export interface KeygenModules {
  readonly party: Party;
  readonly board: Board;
  readonly keys: KeyStore;
  readonly exchange: KeyExchange;
  readonly proven: ProvenParties;
  /** Enters whom t+1 others name. */
  learnProven(): Promise<void>;
  readonly limits: ServiceLimits;
  readonly epoch: () => number;
  announce(announcement: Announcement): Promise<PartyId[]>;
  /** For the trial of a key that has no record yet. */
  decrypt(job: DecryptionJob): Promise<DecryptionOutcome>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

export interface KeygenCeremonies {
  /** Asked here. Idempotent for equal content. @throws CeremonyError CEREMONY_EXISTS, UnsoundSizeError */
  request(request: KeygenRequest): Ceremony;
  /** Announced by another node: what it asks for. @throws when this node refuses */
  accept(announcement: Announcement, from: PartyId): KeygenRequest;
  enter(announcement: Announcement): void;
  /** By this node's operator, who also asks the others to. @throws CeremonyError CEREMONY_UNKNOWN */
  cancel(id: string): void;
  /** Ends what cannot end well any more: a restarted peer knows nothing of the sessions it was in. */
  peerRestarted(peer: PartyId): void;
  /** Completes or shreds what this or an earlier life of the node left unfinished; called when a peer comes up. */
  recover(): void;
}

export function createKeygenCeremonies(modules: KeygenModules): KeygenCeremonies {
  const { party, board, keys, proven, limits, signal, log } = modules;
  const { clock, journal, roster } = party;
  const endings = createEndings({ board, proven, t: roster.t });
  const attempts = createAttempts({ journal, clock, signal, onError: endBadly });
  const asked = new Set<string>();
  const cancel = serveCancel(party, endings, { name: 'ceremony/cancel', signal, log });
  const recovery = createRecovery(modules);
  /** Parties that did not accept the newest announcement made here. */
  const missing = new Map<string, readonly PartyId[]>();

  /** The content a request id stands for on this node; entered with the first announcement. */
  function contentOf(id: string): Uint8Array | undefined {
    return journal.get(`keygen/${id}`);
  }

  function announceAttempt(id: string, attempt: number, content: Uint8Array): void {
    const startMs = Math.round(clock.now() + (attempt === 0 ? leadMs(limits.roundMs) : RESTART_LEAD_MS));
    modules.announce({ kind: 'keygen', id, attempt, startMs, content }).then(
      (parties) => noteMissing(id, parties),
      (error) => log({ level: 'warn', message: 'announcing a key generation failed', error: String(error) }),
    );
  }

  function noteMissing(id: string, silent: readonly PartyId[]): void {
    const parties = silent.filter((each) => !proven.list().includes(each));
    missing.set(id, parties);
    if (parties.length === 0) return;
    log({ level: 'warn', message: 'parties did not start a key generation', id, parties });
    if (board.get(id)?.state === 'running') board.progress(id, { waitingFor: parties });
  }

  async function run(
    announcement: Announcement,
    { cancelled, replaced, crippled }: { cancelled: AbortSignal; replaced: AbortSignal; crippled: AbortSignal },
  ): Promise<void> {
    const { id, attempt, content } = announcement;
    const { parameters, purpose } = decodeContent(content);
    const deadlineMs = board.get(id)!.deadlineMs;
    const ends = AbortSignal.any([signal, cancelled, replaced, crippled]);
    const session = party.open(announcedSession(roster, announcement), { signal: ends });
    const choice = keySetChoice(parameters);
    const agreed = { keyId: id, session: session.id, parameters, purpose, attempt, startMs: announcement.startMs };
    const promised = (seed: Uint8Array): PromisedKey => ({ ...agreed, epoch: modules.epoch(), seed: toHex(seed) });
    const expected = expectedParties();
    expected.catch(() => undefined); // generateKey sees it, unless it fails before
    const progress = createProgress(clock, bodyChunks(choice).length, (change) =>
      board.progress(id, { ...change, bytesSent: session.bytesSent }),
    );
    try {
      const key = await generateKey(session, {
        choice,
        announcement,
        expected,
        roundMs: limits.roundMs * 2 ** attempt,
        deadlineMs,
        bytesPerSecond: limits.keygenBytesPerSecond,
        async prove(proofs) {
          await expected.catch(() => undefined); // whom this attempt began without is not changed by what only some saw
          await proven.add(proofs);
        },
        ...progress,
        keep: (shares) => keys.keep(id, session.id, shares),
        bodies: keys.bodies(session.id),
        promise: (seed) => keys.promise(promised(seed)),
        async tryKey(key) {
          if (limits.poolTarget === 0) return; // a network without material decrypts nothing, a trial neither
          await keys.loadPending({ keyId: id, session: session.id, parameters });
          await tryKey(party.kernel, { keyId: id, ...key }, (job) => modules.decrypt({ ...job, deadlineMs }));
        },
      });
      progress.onPhase('publish');
      await keys.activate({ ...promised(key.seed), certificate: toHex(key.certificate) });
      board.succeed(id);
    } catch (error) {
      if (signal.aborted) return; // what is on disk decides at the next start
      if (!(await giveUp(id, session.id))) return;
      if (error instanceof KeygenBurntError) await proven.add(error.proofs);
      if (replaced.aborted) return;
      if (cancelled.aborted) return board.abort(id);
      afterFailure(announcement, error);
    } finally {
      closeLater(session);
    }
  }

  /** All parties that nobody has proven corrupt. Who was away, or slow to find out, asks the others. */
  async function expectedParties(): Promise<PartyId[]> {
    await modules.learnProven();
    return partiesOf(roster).filter((each) => !proven.list().includes(each));
  }

  /**
   * Of an attempt that failed here: true. If this party signed COMPLETE, a quorum may have: then it asks the others
   * first, and false means that the key was completed after all. The shares stay until that is known.
   */
  async function giveUp(id: string, session: SessionId): Promise<boolean> {
    if (abandon(journal, session)) {
      await keys.setAside(id, session);
      return true;
    }
    for (let round = 0; round < RECORD_ROUNDS; round++) {
      if (await recovery.one(id, session)) break;
      await clock.until(clock.now() + RECORD_WAIT_MS, signal);
    }
    const isMade = keys.record(id) !== undefined;
    if (isMade) board.succeed(id);
    return !isMade;
  }

  function afterFailure({ id, attempt, content }: Announcement, error: unknown): void {
    if (attempt + 1 < attemptsAfter(error)) {
      board.progress(id, { phase: 'restarting' });
      if (asked.has(id)) announceAttempt(id, attempt + 1, content);
      return;
    }
    const culprits = error instanceof KeygenBurntError ? error.proofs.map((proof) => proof.party) : [];
    board.fail(id, withMissing(failureOf(error, culprits), missing.get(id)));
    log({ level: 'error', message: 'key generation failed', id, error: String(error) });
  }

  /**
   * A burnt session named a liar, so at most t of them happen; a late PRSS-Init revealed nothing and is simply
   * repeated.
   */
  function attemptsAfter(error: unknown): number {
    if (error instanceof KeygenBurntError) return error.proofs.length > 0 ? INIT_ATTEMPTS_MAX + roster.t : 0;
    return error instanceof PrssInitError || error instanceof AgreementError ? INIT_ATTEMPTS_MAX : 0;
  }

  board.watch((ceremony) => {
    if (ceremony.kind === 'keygen' && isFinal(ceremony)) recovery.soon();
  });

  return {
    request(request) {
      const content = encodeContent(request);
      const known = contentOf(request.requestId);
      if (known !== undefined && !equalBytes(known, content)) {
        throw new CeremonyError('CEREMONY_EXISTS', `the id ${request.requestId} was used for another request`);
      }
      const running = board.get(request.requestId);
      if (running !== undefined) return running;
      requireSound(request);
      asked.add(request.requestId);
      announceAttempt(request.requestId, 0, content);
      return board.get(request.requestId)!;
    },
    accept({ id, content, attempt }, from) {
      const known = contentOf(id);
      if (known !== undefined && !equalBytes(known, content)) {
        endings.lose(from, new OtherContentError(from), id);
        throw new Error('the id was used for another request');
      }
      if (modules.epoch() === 0) throw new Error('this node has no epoch yet');
      const request = { requestId: id, ...decodeContent(content) };
      requireSound(request);
      const state = board.get(id)?.state;
      if (attempt === 0 && state !== undefined) throw new Error('the ceremony exists');
      if (attempt > 0 && state !== 'running') throw new Error('no such ceremony is under way');
      if (attempt >= INIT_ATTEMPTS_MAX + roster.t) throw new Error('too many attempts');
      if (attempts.hasCompleted(id)) throw new Error('this node has signed COMPLETE in an earlier attempt');
      return request;
    },
    enter(announcement) {
      const { id, attempt, content } = announcement;
      if (attempt === 0) {
        journal.set(`keygen/${id}`, content);
        board.begin('keygen', id, { deadlineMs: clock.now() + limits.keygenDeadlineMs, total: totalOf(content) });
      }
      const ends = endings.attempt(id);
      const session = announcedSession(roster, announcement);
      attempts.begin({ id, session, startMs: announcement.startMs }, (replaced) =>
        run(announcement, { ...ends, replaced }),
      );
      watchDeadline(id);
    },
    cancel,
    peerRestarted: (peer) => endings.lose(peer, new PeerRestartedError(peer)),
    recover: recovery.soon,
  };

  /** @throws UnsoundSizeError when a committee of this size has no noise for such a key */
  function requireSound({ parameters }: KeygenRequest): void {
    keygenPlan(keySetChoice(parameters), roster);
  }

  /** What was to be done after a failure failed too, most likely at the disk. */
  function endBadly(id: string, error: unknown): void {
    log({ level: 'error', message: 'key generation ended badly', id, error: String(error) });
    if (!signal.aborted) board.fail(id, failureOf(error));
  }

  /** A restart that nobody announces must not leave the ceremony running for ever. */
  function watchDeadline(id: string): void {
    const { deadlineMs } = board.get(id)!;
    const passed = { code: 'CEREMONY_DEADLINE', message: 'the deadline passed', culprits: [], absent: [] };
    const fail = (): void => board.fail(id, withMissing(passed, missing.get(id)));
    clock.until(deadlineMs + 1_000, signal).then(fail, () => undefined);
  }
}

function totalOf(content: Uint8Array): number {
  return totalUnits(bodyChunks(keySetChoice(decodeContent(content).parameters)).length);
}
