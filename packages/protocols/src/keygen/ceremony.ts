/**
 * Key generation as a ceremony of a node: announced by the node that was asked, run by all, restarted when a liar was
 * found (at most t times, each names at least one), recorded, and completed from a peer's record by a node that missed
 * the end.
 */
import { decode, encode } from '@keyquorum/codec/codec';
import { bytes, struct, text } from '@keyquorum/codec/composites';
import { AgreementError } from '@keyquorum/mpc/agreement/agreement-error';
import { decide, isCompleted } from '@keyquorum/mpc/agreement/decision';
import { equalBytes, fromHex, HASH_BYTES, sha256Hex, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { PrssInitError } from '@keyquorum/mpc/prss/init-error';
import { partiesOf } from '@keyquorum/mpc/roster';
import type { Exchange, PartyId, SessionId } from '@keyquorum/mpc/transport';
import { readCompactPublicKey } from '@keyquorum/tfhe/compact-public-key';
import { parameterSet } from '@keyquorum/tfhe/parameters';
import { ask } from '../ask.ts';
import type { Board } from '../ceremony/board.ts';
import { type Ceremony, CeremonyError } from '../ceremony/ceremony.ts';
import { failureOf } from '../ceremony/failure.ts';
import { type Announcement, announcedSession } from '../ceremony/starting.ts';
import type { ProvenParties } from '../closed/proven.ts';
import { closeLater } from '../linger.ts';
import type { Log } from '../log.ts';
import type { KeygenRequest, KeyRecord, ParameterSetName, ServiceLimits } from '../services.ts';
import { decodeContent, encodeContent } from './content.ts';
import type { KeyStore } from './key-store.ts';
import { type GeneratedKey, generateKey, KEYGEN_PHASES, KeygenBurntError } from './keygen.ts';

/** Restarts after a PRSS-Init that messages came too late for: each has rounds twice as long. */
const INIT_ATTEMPTS_MAX = 4;
/** Time for the announcement to reach everybody before the first round. */
const LEAD_MS = 800;
/** How long a party that signed COMPLETE looks for the record of the finished key. */
const RECORD_ROUNDS = 5;
const RECORD_WAIT_MS = 1_000;
const RECORD_LIMIT_MS = 10_000;
const RECORD_RETRY_MS = 5_000;
/** This long after the deadline of a ceremony no other party ends it any more. */
const OTHERS_LATE_MS = 30_000;
/** Stands for "this attempt is given up here" in the place of a burnt step. */
const ABANDONED = new Uint8Array(HASH_BYTES);

const recordCodec = struct({ record: text(16_384), publicKey: bytes(2 ** 20) });
const recordExchange: Exchange = { name: 'key/record', requestBytesMax: 32, responseBytesMax: 2 ** 20 + 2 ** 15 };

export interface KeygenModules {
  readonly party: Party;
  readonly board: Board;
  readonly keys: KeyStore;
  readonly proven: ProvenParties;
  readonly limits: ServiceLimits;
  readonly epoch: () => number;
  announce(announcement: Announcement): Promise<PartyId[]>;
  publicKeyBytes(record: KeyRecord): Promise<Uint8Array | undefined>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

export interface KeygenCeremonies {
  /** Asked here. Idempotent for equal content. @throws CeremonyError CEREMONY_EXISTS */
  request(request: KeygenRequest): Ceremony;
  /** Announced by another node: what it asks for. @throws when this node refuses */
  accept(announcement: Announcement): KeygenRequest;
  enter(announcement: Announcement): void;
  cancel(id: string): void;
  /** Completes or shreds what this or an earlier life of the node left unfinished; called when a peer comes up. */
  recover(): Promise<void>;
}

interface Attempt {
  readonly replaced: AbortController;
  /** Never rejects. */
  readonly ended: Promise<void>;
}

export function createKeygenCeremonies(modules: KeygenModules): KeygenCeremonies {
  const { party, board, keys, proven, limits, signal, log } = modules;
  const { clock, journal, roster, transport } = party;
  const aborts = new Map<string, AbortController>();
  /** The newest attempt of each ceremony: a later one replaces it. */
  const attempts = new Map<string, Attempt>();
  const asked = new Set<string>();
  let recovering: Promise<void> | undefined;

  transport.serve(recordExchange, async (_from, body) => {
    const record = keys.record(toHex(body));
    const publicKey = record && (await modules.publicKeyBytes(record));
    if (record === undefined || publicKey === undefined) throw new Error('no such key');
    return encode(recordCodec, { record: JSON.stringify(record), publicKey });
  });

  /** The content a request id stands for on this node; entered with the first announcement. */
  function contentOf(id: string): Uint8Array | undefined {
    return journal.get(`keygen/${id}`);
  }

  function announceAttempt(id: string, attempt: number, content: Uint8Array): void {
    const announcement = { kind: 'keygen', id, attempt, startMs: Math.round(clock.now()) + LEAD_MS, content } as const;
    modules.announce(announcement).then(
      (refusing) =>
        refusing.length > 0 && board.get(id)?.state === 'running' && board.progress(id, { waitingFor: refusing }),
      (error) => log({ level: 'warn', message: 'announcing a key generation failed', error: String(error) }),
    );
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
    try {
      const key = await generateKey(session, {
        parameters: parameterSet(parameters),
        context: content,
        expected: partiesOf(roster).filter((each) => !proven.list().includes(each)),
        startMs: announcement.startMs,
        roundMs: limits.roundMs * 2 ** attempt,
        deadlineMs,
        onPhase: (phase) =>
          board.progress(id, {
            phase,
            done: KEYGEN_PHASES.indexOf(phase),
            waitingFor: [],
            bytesSent: session.bytesSent,
          }),
        onWaiting: (waitingFor) => board.progress(id, { waitingFor, bytesSent: session.bytesSent }),
        keep: (shares) => keys.keep(id, session.id, shares),
      });
      const { startMs } = announcement;
      await keys.activate(
        recordOf(key, { keyId: id, session: session.id, parameters, purpose, attempt, startMs }),
        bodyOf(parameters, key),
      );
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
    decide(journal, session, 'burn', ABANDONED); // from now on it signs no COMPLETE; no effect if it did, or was burnt
    const completed = isCompleted(journal, session);
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
    board.fail(id, failureOf(error, culprits));
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

  function recordOf(key: GeneratedKey, agreed: Agreed): KeyRecord {
    const objects = key.objects.map(({ type, bytes: object }) => ({
      type,
      sha256: sha256Hex(object),
      size: object.length,
    }));
    return { ...agreed, epoch: modules.epoch(), objects, certificate: toHex(key.certificate), seed: toHex(key.seed) };
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
      asked.add(request.requestId);
      announceAttempt(request.requestId, 0, content);
      return board.get(request.requestId)!;
    },
    accept({ id, content, attempt }) {
      const known = contentOf(id);
      if (known !== undefined && !equalBytes(known, content)) throw new Error('the id was used for another request');
      if (modules.epoch() === 0) throw new Error('this node has no epoch yet');
      const request = { requestId: id, ...decodeContent(content) };
      const state = board.get(id)?.state;
      if (attempt === 0 && state !== undefined) throw new Error('the ceremony exists');
      if (attempt > 0 && state !== 'running') throw new Error('no such ceremony is under way');
      return request;
    },
    enter(announcement) {
      const { id, attempt, content } = announcement;
      if (attempt === 0) {
        journal.set(`keygen/${id}`, content);
        board.begin('keygen', id, { deadlineMs: clock.now() + limits.keygenDeadlineMs, total: KEYGEN_PHASES.length });
      }
      const controller = aborts.get(id) ?? new AbortController();
      aborts.set(id, controller);
      const replaced = new AbortController();
      const ended = replace(attempts.get(id), announcement.startMs)
        .then(() => run(announcement, { cancelled: controller.signal, replaced: replaced.signal }))
        .catch((error) => log({ level: 'error', message: 'key generation ended badly', id, error: String(error) }));
      attempts.set(id, { replaced, ended });
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

  /** Lets the earlier attempt end by itself while there is time: it may be about to prove who must be left out. */
  async function replace(earlier: Attempt | undefined, startMs: number): Promise<void> {
    if (earlier === undefined) return;
    await Promise.race([earlier.ended, clock.until(startMs, signal)]);
    earlier.replaced.abort(new Error('a later attempt has begun'));
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
      const { record, publicKey } = decode(recordCodec, answer);
      const parsed = JSON.parse(record) as KeyRecord; // its certificate decides; wrong fields fail to verify
      if (parsed.session !== session || parsed.keyId !== keyId) return false;
      const { body } = readCompactPublicKey(publicKey, parameterSet(parsed.parameters));
      await keys.activate({ ...parsed, epoch: modules.epoch() }, body);
      return true;
    } catch (error) {
      log({ level: 'warn', message: 'a peer sent a bad record of a key', keyId, from: peer, error: String(error) });
      return false;
    }
  }
}

function bodyOf(parameters: ParameterSetName, key: GeneratedKey): Uint8Array {
  const object = key.objects.find(({ type }) => type === 'CompactPublicKey')!;
  return readCompactPublicKey(object.bytes, parameterSet(parameters)).body;
}
