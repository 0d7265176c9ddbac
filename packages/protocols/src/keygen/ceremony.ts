/**
 * Key generation as a ceremony of a node: announced by the node that was asked, run by all, restarted when a liar was
 * found (at most t times, each names at least one), recorded, and completed from a peer's record by a node that missed
 * the end.
 */
import { decode, encode, u32 } from '@keyquorum/codec/codec';
import { bytes, fixedBytes, struct, text } from '@keyquorum/codec/composites';
import { AgreementError } from '@keyquorum/mpc/agreement/agreement-error';
import { equalBytes, fromHex, HASH_BYTES, sha256, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { familyA2 } from '@keyquorum/mpc/prss/family';
import { PrssInitError } from '@keyquorum/mpc/prss/init-error';
import { partiesOf } from '@keyquorum/mpc/roster';
import type { Session } from '@keyquorum/mpc/session';
import type { Exchange, PartyId, SessionId } from '@keyquorum/mpc/transport';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import { ask } from '../ask.ts';
import type { Board, Change } from '../ceremony/board.ts';
import { type Ceremony, CeremonyError } from '../ceremony/ceremony.ts';
import { failureOf, withMissing } from '../ceremony/failure.ts';
import { type Announcement, announcedSession, leadMs } from '../ceremony/starting.ts';
import type { ProvenParties } from '../closed/proven.ts';
import { closeLater } from '../linger.ts';
import type { Log } from '../log.ts';
import type { KeygenRequest, KeyRecord, ServiceLimits } from '../services.ts';
import { abandon, createAttempts } from './attempts.ts';
import { digestOfChunk } from './bodies.ts';
import { bodyChunks, chunkBytes } from './chunks.ts';
import { decodeContent, encodeContent } from './content.ts';
import { type KeyStore, type UndescribedRecord, verifyRecord } from './key-store.ts';
import { type GeneratedKey, generateKey, KEYGEN_PHASES, KeygenBurntError, type KeygenPhase } from './keygen.ts';
import { keygenPlan } from './material.ts';

/** Restarts after a PRSS-Init that messages came too late for: each has rounds twice as long. */
const INIT_ATTEMPTS_MAX = 4;
/** How long a party that signed COMPLETE looks for the record of the finished key. */
const RECORD_ROUNDS = 5;
const RECORD_WAIT_MS = 1_000;
const RECORD_LIMIT_MS = 10_000;
const RECORD_RETRY_MS = 5_000;
/** This long after the deadline of a ceremony no other party ends it any more. */
const OTHERS_LATE_MS = 30_000;

const DIGESTS_BYTES_MAX = 2 ** 16;
const recordCodec = struct({ record: text(16_384), digests: bytes(DIGESTS_BYTES_MAX) });
const recordExchange: Exchange = {
  name: 'key/record',
  requestBytesMax: 32,
  responseBytesMax: DIGESTS_BYTES_MAX + 2 ** 15,
};

/** One chunk of the public parts of a finished key. */
const chunkCodec = struct({ keyId: fixedBytes(32), index: u32 });
const chunkExchange: Exchange = { name: 'key/chunk', requestBytesMax: 36, responseBytesMax: 2 ** 21 };

/** After the protocol, a node describes what it publishes. */
const PHASES = [...KEYGEN_PHASES, 'publish'] as const;
type CeremonyPhase = KeygenPhase | 'publish';

export interface KeygenModules {
  readonly party: Party;
  readonly board: Board;
  readonly keys: KeyStore;
  readonly proven: ProvenParties;
  readonly limits: ServiceLimits;
  readonly epoch: () => number;
  announce(announcement: Announcement): Promise<PartyId[]>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

export interface KeygenCeremonies {
  /** Asked here. Idempotent for equal content. @throws CeremonyError CEREMONY_EXISTS, UnsoundSizeError */
  request(request: KeygenRequest): Ceremony;
  /** Announced by another node: what it asks for. @throws when this node refuses */
  accept(announcement: Announcement): KeygenRequest;
  enter(announcement: Announcement): void;
  cancel(id: string): void;
  /** Completes or shreds what this or an earlier life of the node left unfinished; called when a peer comes up. */
  recover(): Promise<void>;
}

export function createKeygenCeremonies(modules: KeygenModules): KeygenCeremonies {
  const { party, board, keys, proven, limits, signal, log } = modules;
  const { clock, journal, roster, transport } = party;
  const aborts = new Map<string, AbortController>();
  const attempts = createAttempts({ journal, clock, signal, onError: endBadly });
  const asked = new Set<string>();
  /** Parties that did not accept the newest announcement made here. */
  const missing = new Map<string, readonly PartyId[]>();
  let recovering: Promise<void> | undefined;

  transport.serve(recordExchange, async (_from, body) => {
    const record = keys.record(toHex(body));
    const digests = record && (await keys.bodies(record.session).digests());
    if (record === undefined || digests === undefined) throw new Error('no such key');
    return encode(recordCodec, { record: JSON.stringify(record), digests });
  });
  transport.serve(chunkExchange, async (_from, body) => {
    const { keyId, index } = decode(chunkCodec, body);
    const record = keys.record(toHex(keyId));
    const values = record && (await keys.bodies(record.session).get(index));
    if (values === undefined) throw new Error('no such chunk');
    return values;
  });

  /** The content a request id stands for on this node; entered with the first announcement. */
  function contentOf(id: string): Uint8Array | undefined {
    return journal.get(`keygen/${id}`);
  }

  function announceAttempt(id: string, attempt: number, content: Uint8Array): void {
    const startMs = Math.round(clock.now() + leadMs(limits.roundMs * 2 ** attempt));
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
    { cancelled, replaced }: { cancelled: AbortSignal; replaced: AbortSignal },
  ): Promise<void> {
    const { id, attempt, content } = announcement;
    const { parameters, purpose } = decodeContent(content);
    const deadlineMs = board.get(id)!.deadlineMs;
    const ends = AbortSignal.any([signal, cancelled, replaced]);
    const session = party.open(announcedSession(roster, announcement), { signal: ends });
    const choice = keySetChoice(parameters);
    const progress = progressOf(id, session, bodyChunks(choice).length);
    try {
      const key = await generateKey(session, {
        choice,
        context: content,
        expected: partiesOf(roster).filter((each) => !proven.list().includes(each)),
        startMs: announcement.startMs,
        roundMs: limits.roundMs * 2 ** attempt,
        deadlineMs,
        bytesPerSecond: limits.keygenBytesPerSecond,
        ...progress,
        keep: (shares) => keys.keep(id, session.id, shares),
        bodies: keys.bodies(session.id),
      });
      const { startMs } = announcement;
      progress.onPhase('publish');
      await keys.activate(recordOf(key, { keyId: id, session: session.id, parameters, purpose, attempt, startMs }));
      board.succeed(id);
    } catch (error) {
      if (signal.aborted) return; // what is on disk decides at the next start
      if (!(await giveUp(id, session.id))) return;
      if (replaced.aborted) return;
      if (cancelled.aborted) return board.abort(id);
      await afterFailure(announcement, session.id, error);
    } finally {
      closeLater(session);
    }
  }

  /**
   * Shreds the shares of a failed attempt: true. If this party signed COMPLETE, the others may use the key: then it
   * waits for their record, and false means that the key was completed after all.
   */
  async function giveUp(id: string, session: SessionId): Promise<boolean> {
    const completed = !abandon(journal, session);
    for (let round = 0; completed && round < RECORD_ROUNDS; round++) {
      await recoverOne(id, session);
      if (keys.record(id) !== undefined) {
        board.succeed(id);
        return false;
      }
      await clock.until(clock.now() + RECORD_WAIT_MS, signal);
    }
    if (!completed) await keys.discard(id, session);
    return true;
  }

  async function afterFailure(announcement: Announcement, session: SessionId, error: unknown): Promise<void> {
    const { id, attempt, content } = announcement;
    if (error instanceof KeygenBurntError) await proven.add(session, error.proofs);
    if (attempt + 1 < attemptsAfter(error)) {
      board.progress(id, { phase: 'restarting' });
      if (asked.has(id)) announceAttempt(id, attempt + 1, content);
      return;
    }
    const culprits = error instanceof KeygenBurntError ? error.proofs.map((proof) => proof.party) : [];
    board.fail(id, withMissing(failureOf(error, culprits), missing.get(id)));
    log({ level: 'error', message: 'key generation failed', id, error: String(error) });
  }

  type Agreed = Pick<KeyRecord, 'keyId' | 'session' | 'parameters' | 'purpose' | 'attempt' | 'startMs'>;

  /**
   * A burnt session named a liar, so at most t of them happen; a late PRSS-Init revealed nothing and is simply
   * repeated.
   */
  function attemptsAfter(error: unknown): number {
    if (error instanceof KeygenBurntError) return error.proofs.length > 0 ? INIT_ATTEMPTS_MAX + roster.t : 0;
    return error instanceof PrssInitError || error instanceof AgreementError ? INIT_ATTEMPTS_MAX : 0;
  }

  function recordOf(key: GeneratedKey, agreed: Agreed): UndescribedRecord {
    return { ...agreed, epoch: modules.epoch(), certificate: toHex(key.certificate), seed: toHex(key.seed) };
  }

  /** Phases and chunks as one scale: every phase is a unit, the bodies as many as they have chunks. */
  function progressOf(id: string, session: Session, chunks: number) {
    let [done, firstMs] = [0, 0];
    const tell = (change: Change): void => board.progress(id, { ...change, done, bytesSent: session.bytesSent });
    return {
      onPhase(phase: CeremonyPhase) {
        done = PHASES.indexOf(phase) + (PHASES.indexOf(phase) > PHASES.indexOf('bodies') ? chunks - 1 : 0);
        firstMs = clock.now();
        tell({ phase, waitingFor: [], etaSeconds: null });
      },
      onOpened(opened: number) {
        done = PHASES.indexOf('bodies') + opened;
        const etaSeconds = ((clock.now() - firstMs) / 1_000) * ((chunks - opened) / opened);
        tell({ etaSeconds: Math.ceil(etaSeconds) });
      },
      onWaiting: (waitingFor: readonly PartyId[]) => tell({ waitingFor }),
    };
  }

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
    accept({ id, content, attempt }) {
      const known = contentOf(id);
      if (known !== undefined && !equalBytes(known, content)) throw new Error('the id was used for another request');
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
      const controller = aborts.get(id) ?? new AbortController();
      aborts.set(id, controller);
      const session = announcedSession(roster, announcement);
      attempts.begin({ id, session, startMs: announcement.startMs }, (replaced) =>
        run(announcement, { cancelled: controller.signal, replaced }),
      );
      watchDeadline(id);
    },
    cancel(id) {
      const controller = aborts.get(id);
      if (controller === undefined) throw new CeremonyError('CEREMONY_UNKNOWN', `no key generation ${id} on this node`);
      controller.abort(new Error('cancelled by an operator'));
    },
    recover() {
      recovering ??= recoverAll().finally(() => {
        recovering = undefined;
      });
      return recovering;
    },
  };

  /** @throws UnsoundSizeError when a committee of this size has no noise for such a key */
  function requireSound({ parameters }: KeygenRequest): void {
    keygenPlan(keySetChoice(parameters), familyA2(roster).subsets.length);
  }

  /** What was to be done after a failure failed too, most likely at the disk. */
  function endBadly(id: string, error: unknown): void {
    log({ level: 'error', message: 'key generation ended badly', id, error: String(error) });
    if (!signal.aborted) board.fail(id, failureOf(error));
  }

  /** A restart that nobody announces must not leave the ceremony running for ever. */
  function watchDeadline(id: string): void {
    const { deadlineMs } = board.get(id)!;
    const fail = (): void =>
      board.fail(id, { code: 'CEREMONY_DEADLINE', message: 'the deadline passed', culprits: [], absent: [] });
    clock.until(deadlineMs + 1_000, signal).then(fail, () => undefined);
  }

  async function recoverAll(): Promise<void> {
    for (;;) {
      const kept = (await keys.unfinished()).filter(({ keyId }) => board.get(keyId)?.state !== 'running');
      let early = false;
      for (const { keyId, session } of kept) {
        if (!(await recoverOne(keyId, session))) early ||= mayYetEnd(keyId);
      }
      if (!early) return;
      await clock.until(clock.now() + RECORD_RETRY_MS, signal);
    }
  }

  /** The others may still be at it: that nobody has the key now means nothing. */
  function mayYetEnd(keyId: string): boolean {
    return clock.now() < (board.get(keyId)?.deadlineMs ?? 0) + OTHERS_LATE_MS;
  }

  /** True when the key was completed, or given up: all were asked, nobody has it and nobody can make it any more. */
  async function recoverOne(keyId: string, session: SessionId): Promise<boolean> {
    let refusals = 0;
    for (const peer of party.connected()) {
      const question = { to: peer, exchange: recordExchange, body: fromHex(keyId), limitMs: RECORD_LIMIT_MS, signal };
      const answer = await ask(party, question).catch((error) => {
        if ((error as { code?: unknown }).code === 'PEER_REFUSED') refusals += 1; // silence says nothing
        return undefined;
      });
      if (answer === undefined || !(await activateFrom(answer, keyId, session, peer))) continue;
      log({ level: 'info', message: 'completed a key from the record of a peer', keyId, from: peer });
      return true;
    }
    if (refusals < roster.n - 1 || mayYetEnd(keyId)) return false;
    await keys.discard(keyId, session);
    return true;
  }

  /** False when the answer of the peer is no certified record of this ceremony: the next peer is asked. */
  async function activateFrom(answer: Uint8Array, keyId: string, session: SessionId, peer: PartyId): Promise<boolean> {
    try {
      const { record, digests } = decode(recordCodec, answer);
      const parsed = JSON.parse(record) as KeyRecord; // its certificate decides; wrong fields fail to verify
      if (parsed.session !== session || parsed.keyId !== keyId) return false;
      verifyRecord(roster, parsed, digests);
      await completeBodies(parsed, digests, peer);
      await keys.activate({ ...parsed, epoch: modules.epoch() });
      return true;
    } catch (error) {
      log({ level: 'warn', message: 'a peer sent a bad record of a key', keyId, from: peer, error: String(error) });
      return false;
    }
  }

  /** Pulls what this node did not see opened. @throws when the peer has other bytes */
  async function completeBodies({ keyId, session, parameters }: KeyRecord, digests: Uint8Array, peer: PartyId) {
    const store = keys.bodies(session);
    const chunks = bodyChunks(keySetChoice(parameters));
    if (digests.length !== HASH_BYTES * chunks.length) throw new Error('wrong number of chunks');
    for (const chunk of chunks) {
      const { index } = chunk;
      const right = digestOfChunk(digests, index);
      const own = await store.get(index);
      if (own !== undefined && equalBytes(sha256(own), right)) continue;
      const body = encode(chunkCodec, { keyId: fromHex(keyId), index });
      const question = { to: peer, exchange: chunkExchange, body, limitMs: RECORD_LIMIT_MS, signal };
      const values = await ask(party, question);
      if (values.length !== chunkBytes(chunk) || !equalBytes(sha256(values), right)) {
        throw new Error(`chunk ${index} has other bytes`);
      }
      await store.put(index, values);
    }
    await store.putDigests(Uint8Array.from(digests));
  }
}

function totalOf(content: Uint8Array): number {
  return PHASES.length - 1 + bodyChunks(keySetChoice(decodeContent(content).parameters)).length;
}
