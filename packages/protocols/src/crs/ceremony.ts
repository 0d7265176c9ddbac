/**
 * The making of a reference string as a ceremony of a node: announced by the node that was asked, run by all, gone on
 * with after a restart (rejoin.ts), recorded, and taken from a peer by a node that missed the end (recovery.ts). An id
 * is used once: what fails is asked for again under another one.
 */
import { encodeHead } from '@keyquorum/crs/contribution';
import { enterSession, forgetSession, isCompleted } from '@keyquorum/mpc/agreement/decision';
import { equalBytes } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { rosterDigest } from '@keyquorum/mpc/runtime/statement';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import type { Board } from '../ceremony/board.ts';
import { type Cancelling, serveCancel } from '../ceremony/cancel-exchange.ts';
import { type Ceremony, CeremonyError, isFinal } from '../ceremony/ceremony.ts';
import { failureOf, NODE_RESTARTED, withMissing } from '../ceremony/failure.ts';
import { type Announcement, announcedSession, encodeAnnouncement, leadMs } from '../ceremony/starting.ts';
import { proofOf } from '../closed/proof.ts';
import type { ProvenParties } from '../closed/proven.ts';
import { announcedRoot, type EvidenceProof } from '../evidence/file.ts';
import { closeLater } from '../linger.ts';
import type { Log } from '../log.ts';
import type { CrsRequest, ServiceLimits } from '../services.ts';
import { type CrsCeremony, ceremonyOf } from './attempt.ts';
import { encodeChain, startOfChain } from './chain.ts';
import { type CrsFormat, decodeCrsContent, encodeCrsContent } from './content.ts';
import { type CrsInput, CrsTimeoutError, type GeneratedCrs, generateCrs, type Place } from './crs.ts';
import type { CrsStore } from './crs-store.ts';
import type { CurveModules } from './curve-modules.ts';
import type { CrsProof } from './judge.ts';
import type { CrsMemory } from './memory.ts';
import { createCrsProgress, unitsOf } from './progress.ts';
import { createCrsRecovery } from './recovery.ts';
import { createRejoin } from './rejoin.ts';
import { encodeTranscript, verifyTranscript } from './transcript.ts';

/** For the end, after all turns: files are written and signatures gathered. */
const END_MS = 60_000;

export interface CrsModules {
  readonly party: Party;
  readonly board: Board;
  readonly store: CrsStore;
  readonly memory: CrsMemory;
  readonly proven: ProvenParties;
  readonly curves: CurveModules;
  readonly format: CrsFormat;
  readonly limits: ServiceLimits;
  announce(announcement: Announcement): Promise<PartyId[]>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

export interface CrsCeremonies {
  /** Asked here. Idempotent for equal content. @throws CeremonyError CEREMONY_EXISTS, CrsParametersError */
  request(request: CrsRequest): Ceremony;
  /** Announced by another node: what it asks for. @throws when this node refuses */
  accept(announcement: Announcement): CrsRequest;
  enter(announcement: Announcement): void;
  /** Goes on with what an earlier process of this node was in; called once, when the transport is started. */
  resume(): void;
  /** Here at once; the others stop when t+1 parties ask. @throws CeremonyError CEREMONY_UNKNOWN */
  cancel(id: string): void;
  /** Takes finished reference strings that this node missed from its peers; called when one comes up. */
  recover(): void;
}

/** Of one attempt. */
interface Running {
  readonly session: Session;
  readonly proofs: Promise<void>[];
}

export function createCrsCeremonies(modules: CrsModules): CrsCeremonies {
  const { party, board, store, memory, proven, curves, format, limits, signal, log } = modules;
  const { clock, journal, roster } = party;
  const aborts = new Map<string, AbortController>();
  const missing = new Map<string, readonly PartyId[]>();
  const rejoin = createRejoin({
    ...{ party, memory, log, curve: curves.curve, roundMs: limits.roundMs },
    announce: (announcement) => modules.announce(announcement),
  });
  const isRunning = (id: string): boolean => aborts.has(id) && !rejoin.isWaiting(id);
  /** Failed here, before the time that the others have is over. */
  const mayYetEnd = (): boolean =>
    board
      .list()
      .filter(({ kind, state, deadlineMs }) => kind === 'crs' && state === 'failed' && clock.now() < deadlineMs)
      .some(({ id }) => store.record(id) === undefined);
  const recovery = createCrsRecovery({
    ...{ party, store, curve: curves.curve, format, signal, log },
    ...{ isRunning, mayYetEnd },
  });
  let recovering = false;

  /** By id, the peers that cancel it: what a quorum can finish, t parties do not stop. */
  const cancelledBy = new Map<string, Set<PartyId>>();
  const cancelling: Cancelling = {
    cancel(id) {
      running(id).abort(new Error('cancelled by an operator'));
    },
    cancelBy(peer, id) {
      const controller = running(id);
      const asking = (cancelledBy.get(id) ?? new Set()).add(peer);
      cancelledBy.set(id, asking);
      if (controller.signal.aborted || asking.size <= roster.t) return false;
      cancelling.cancel(id);
      return true;
    },
  };
  const cancel = serveCancel(party, cancelling, { name: 'crs/cancel', signal, log });

  function running(id: string): AbortController {
    const controller = aborts.get(id);
    if (controller !== undefined) return controller;
    throw new CeremonyError('CEREMONY_UNKNOWN', `no such ceremony ${id} on this node`);
  }

  /** The content an id stands for on this node; entered with its announcement. */
  const contentOf = (id: string): Uint8Array | undefined => journal.get(`crs/${id}`);

  /** @param place where to begin; asked for when an earlier process was in it */
  async function run(start: Announcement, place?: Place): Promise<void> {
    const { id } = start;
    const [cancelled, late, ended] = [new AbortController(), new AbortController(), new AbortController()];
    aborts.set(id, cancelled);
    const over = AbortSignal.any([signal, cancelled.signal, late.signal]);
    const { deadlineMs } = board.get(id)!;
    const onTime = clock
      .until(deadlineMs, AbortSignal.any([over, ended.signal]))
      .then(() => late.abort(new CrsTimeoutError()));
    onTime.catch(() => undefined); // it ended before
    try {
      const ceremony = ceremonyOf(roster, start, format);
      const isOver = async (): Promise<boolean> => {
        await recovery.all();
        return store.record(id) !== undefined;
      };
      const from = place ?? (await rejoin.place(ceremony, { isOver, signal: over }));
      if (from !== undefined) await runFrom(ceremony, from, over);
      board.succeed(id);
    } catch (error) {
      if (!signal.aborted) await endBadly(id, error, cancelled.signal.aborted);
    } finally {
      aborts.delete(id);
      ended.abort();
      if (!signal.aborted) await memory.forget(id);
    }
  }

  async function runFrom(ceremony: CrsCeremony, place: Place, over: AbortSignal): Promise<void> {
    const session = party.open(announcedSession(roster, place.attempt), { signal: over });
    const proofs: Promise<void>[] = [];
    try {
      const made = await generateCrs(session, inputOf(ceremony, place, { session, proofs }));
      await publish(ceremony, made);
    } finally {
      rejoin.left(ceremony.start.id);
      await Promise.allSettled(proofs);
      closeLater(session);
    }
  }

  function inputOf(ceremony: CrsCeremony, place: Place, { session, proofs }: Running): CrsInput {
    const { start, subject } = ceremony;
    const { id } = start;
    const { attempt } = place.attempt;
    return {
      ...{ ceremony, place, deadlineMs: board.get(id)!.deadlineMs, curves },
      limits: { turnMs: limits.crsTurnMs, roundMs: limits.roundMs },
      isProven: (each) => proven.list().includes(each),
      isUp: (each) => party.transport.isUp(each),
      onPlace: rejoin.at,
      ...createCrsProgress({
        ...{ roster, clock, log, id, from: place.round },
        tell: (change) => board.progress(id, { ...change, bytesSent: session.bytesSent }),
      }),
      onProof: (proof) => proofs.push(keepProof(start, proof)),
      keepChain: (earlier, last) => memory.keepChain(id, encodeChain(earlier, last)),
      own: () => memory.own(id),
      keepOwn: (message) => memory.keepOwn(id, message),
      mayVote: (round) => memory.mayVote(id, attempt, round),
      encode: (points) => format.encode(subject, points),
      keep: (file) => store.keepFile(id, file),
    };
  }

  async function publish({ start }: CrsCeremony, made: GeneratedCrs): Promise<void> {
    const network = rosterDigest(roster);
    const transcript = encodeTranscript({ network, announcement: encodeAnnouncement(start), ...made });
    await store.publish(verifyTranscript(curves.curve, roster, transcript, format), transcript);
  }

  /** Nothing went wrong in `run` itself but a bug, or the disk. */
  function launch(start: Announcement, place?: Place): void {
    run(start, place).catch((error) => {
      const { id } = start;
      log({ level: 'error', message: 'a reference string ended badly', id, error: String(error) });
      if (!signal.aborted) board.fail(id, failureOf(error));
    });
  }

  /** The others may have ended well: then this node has the same result a little later. */
  async function endBadly(id: string, error: unknown, isCancelled: boolean): Promise<void> {
    aborts.delete(id);
    await recovery.all();
    if (store.record(id) !== undefined) return board.succeed(id);
    await store.discard(id);
    if (isCancelled) return board.abort(id);
    board.fail(id, withMissing(failureOf(error), missing.get(id)));
    log({ level: 'error', message: 'making a reference string failed', id, error: String(error) });
  }

  async function keepProof(announcement: Announcement, proof: CrsProof): Promise<void> {
    await proven.add([proofOf(roster, announcedRoot(announcement), inFile(proof))]);
  }

  function noteMissing(id: string, parties: readonly PartyId[]): void {
    if (parties.length === 0) return;
    missing.set(id, parties);
    log({ level: 'warn', message: 'parties did not start to make a reference string', id, parties });
  }

  function deadlineAfter(startMs: number): number {
    const turnMs = 2 * limits.crsTurnMs + (roster.t + 2) * limits.roundMs;
    return startMs + roster.n * turnMs + END_MS;
  }

  /**
   * What this process does not know to have signed, no other did: a disk that is older than its last decision is found
   * out by the journal's owner. Only ends of key generation can also be abandoned, so they keep a rule of their own.
   */
  function enterAgain(session: SessionId): void {
    if (isCompleted(journal, session)) return;
    forgetSession(journal, session);
    enterSession(journal, session);
  }

  return {
    request(request) {
      const { requestId: id } = request;
      const content = encodeCrsContent(request);
      const known = contentOf(id);
      if (known !== undefined && !equalBytes(known, content)) {
        throw new CeremonyError('CEREMONY_EXISTS', `the id ${id} was used for another request`);
      }
      const running = board.get(id);
      if (running !== undefined) return running;
      format.subject(id, request); // sound, or it throws
      const startMs = Math.round(clock.now() + leadMs(limits.roundMs));
      modules.announce({ kind: 'crs', id, attempt: 0, startMs, content }).then(
        (parties) => noteMissing(id, parties),
        (error) => log({ level: 'warn', message: 'announcing a reference string failed', error: String(error) }),
      );
      return board.get(id)!;
    },
    accept(announcement) {
      const { id, content, attempt } = announcement;
      if (attempt > 0) {
        const { start } = rejoin.accept(announcement);
        return { requestId: id, ...decodeCrsContent(start.content) };
      }
      const known = contentOf(id);
      if (known !== undefined && !equalBytes(known, content)) throw new Error('the id was used for another request');
      if (known !== undefined || board.get(id) !== undefined || store.record(id) !== undefined) {
        throw new Error('the ceremony exists');
      }
      const request = { requestId: id, ...decodeCrsContent(content) };
      format.subject(id, request);
      return request;
    },
    enter(announcement) {
      const { id, content, startMs, attempt } = announcement;
      if (attempt > 0) return rejoin.enter(announcement);
      journal.set(`crs/${id}`, content);
      memory.enter(announcement);
      const ceremony = ceremonyOf(roster, announcement, format);
      enterSession(journal, ceremony.session);
      board.begin('crs', id, { deadlineMs: deadlineAfter(startMs), total: unitsOf(roster) });
      launch(announcement, { attempt: announcement, round: 1, startMs, chain: startOfChain(ceremony) });
    },
    resume() {
      for (const { id } of board.list().filter((each) => each.kind === 'crs' && !isFinal(each))) {
        const start = memory.entered(id)?.start;
        if (start === undefined) board.fail(id, NODE_RESTARTED);
        else {
          enterAgain(ceremonyOf(roster, start, format).session);
          launch(start);
        }
      }
    },
    cancel,
    recover() {
      if (recovering) return;
      recovering = true;
      const failed = (error: unknown): void => {
        if (!signal.aborted)
          log({ level: 'warn', message: 'recovering reference strings failed', error: String(error) });
      };
      recovery
        .untilEnd()
        .catch(failed)
        .finally(() => {
          recovering = false;
        });
    },
  };
}

function inFile(proof: CrsProof): EvidenceProof {
  if (proof.kind === 'double-signature') return proof;
  const { base, ...accused } = proof.value;
  return { kind: proof.kind, value: { ...accused, base: base ? encodeHead(base) : null } };
}
