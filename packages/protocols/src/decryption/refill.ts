/**
 * Keeps the pool full (docs/protocols/preprocessing.md, steps P1..P5; SPEC O2, O4, O10, O12):
 *  P1 when the pool is low, the leader of the turn asks every party for a fresh signed nonce;
 *  P2 it sends START with all nonces; the batch's session id is the hash of START;
 *  P3 a party whose nonce is still unused joins: SHARE, exact opening, COMPLETE (preprocessing.ts);
 *  P4 a quorum of COMPLETE signatures releases the batch: its public record goes to disk, the batch into the pool;
 *  P5 a party that missed a released batch pulls the record from any other, checks certificate and digest and
 *     recomputes its own shares.
 * Exact acceptance needs every party that is not proven corrupt; without one the pool is not refilled and says why.
 */

import { isCompleted } from '@keyquorum/mpc/agreement/decision';
import { fromHex, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { partiesOf } from '@keyquorum/mpc/roster';
import { type Subject, signStatement, verifyStatement } from '@keyquorum/mpc/runtime/statement';
import type { Session } from '@keyquorum/mpc/session';
import type { Exchange, PartyId, SessionId } from '@keyquorum/mpc/transport';
import { ask } from '../ask.ts';
import type { Board } from '../ceremony/board.ts';
import { failureOf } from '../ceremony/failure.ts';
import { InconsistentOpening, StalledOpening } from '../closed/opening-error.ts';
import type { ProvenParties } from '../closed/proven.ts';
import type { EpochKeys } from '../epoch/epoch.ts';
import { labels } from '../labels.ts';
import { closeLater } from '../linger.ts';
import type { Log } from '../log.ts';
import type { PublicStore } from '../storage.ts';
import { batchesOf, recordName, storedBatches } from './batch-list.ts';
import {
  BATCH_BUNDLES_MAX,
  type BatchStart,
  batchId,
  decodeRecord,
  decodeStart,
  encodeRecord,
  encodeStart,
  RECORD_BYTES_MAX,
  type SignedNonce,
} from './batch-record.ts';
import { blameBatch } from './blame.ts';
import { type Ledger, stripesOf } from './ledger.ts';
import type { Pool } from './pool.ts';
import { preprocess, recomputeBatch, verifyRecord } from './preprocessing.ts';
import type { Reservations } from './reservations.ts';

const NONCE_BYTES = 32;
/** Nonces handed out to one leader and not used yet; older ones are forgotten, which only refuses their START. */
const NONCES_MAX = 8;
const NONCE_WAIT_MS = 2_000;
/** Longest wait for a record (4 MiB). */
const RECORD_LIMIT_MS = 10_000;
/** A leader that has not produced a batch by then is followed by the next party, beside it if need be. */
const TURN_MS = 20_000;
/** Nobody waits longer for one batch. */
const BATCH_DEADLINE_MS = 60_000;
const TICK_MS = 500;
/** A party with a full pool helps another that has none, after a reboot, but not more often than this. */
const FAVOUR_MS = 30_000;
/** While the pool has this part of its target, each step of a batch waits so long for requests that are under way. */
const COMFORT = 1 / 4;
const CALM_MS = 1_000;
/** Material beyond this many times the target makes the oldest batches dispensable. */
const SURPLUS = 4;
const RATE_WINDOW = 8;

const nonceExchange: Exchange = { name: 'pool/nonce', requestBytesMax: 0, responseBytesMax: NONCE_BYTES + 64 };
const startExchange: Exchange = { name: 'pool/start', requestBytesMax: 4096, responseBytesMax: 1 };
const recordExchange: Exchange = { name: 'pool/record', requestBytesMax: 32, responseBytesMax: RECORD_BYTES_MAX };

export interface RefillModules {
  readonly party: Party;
  readonly pool: Pool;
  readonly ledger: Ledger;
  readonly reservations: Reservations;
  readonly publics: PublicStore;
  readonly board: Board;
  readonly epoch: EpochKeys;
  readonly target: number;
  readonly batchBundles: number;
  /** Parties proven corrupt: their shares are neither waited for nor used. */
  readonly proven: ProvenParties;
  /** Asks the others whom they have proven corrupt; never rejects. */
  learnProven(): Promise<void>;
  /** Resolves when no decryption is under way here, or after `limitMs`. */
  calm(limitMs: number): Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

export interface Refill {
  /** Loads the batches on disk, then keeps the pool full until the signal fires. */
  run(): Promise<void>;
  /** Pulls released batches that this node lacks; called when a peer comes up. */
  catchUp(): Promise<void>;
  /** Whether the batches on disk have been loaded. */
  loaded(): boolean;
  /** '' while the pool is full or filling. */
  reason(): string;
  perSecond(): number;
}

export function createRefill(modules: RefillModules): Refill {
  const { party, epoch, pool, ledger, reservations, publics, board, signal, log } = modules;
  const { roster, self, transport, clock } = party;
  const others = partiesOf(roster).filter((id) => id !== self);
  /** By the leader that each was given to. */
  const nonces = new Map<PartyId, Set<string>>();
  const running = new Map<SessionId, { readonly leader: PartyId; readonly sinceMs: number }>();
  /** Batches whose START spent a nonce of this life of the process. */
  const joined = new Set<SessionId>();
  const finished: { atMs: number; tookMs: number; bundles: number }[] = [];
  let loaded = false;
  let reason = '';
  let lowSinceMs: number | undefined;
  let nextFavourMs = 0;

  transport.serve(nonceExchange, async (from) => signedNonce(from));
  transport.serve(startExchange, async (from, body) => {
    const start = Uint8Array.from(body);
    join(start, from).catch((error) =>
      log({ level: 'warn', message: 'preprocessing batch failed', error: String(error) }),
    );
    return Uint8Array.of(1);
  });
  transport.serve(recordExchange, async (_from, body) => {
    const record = await publics.get(recordName(toHex(body)));
    if (record === undefined) throw new Error('no such batch');
    return record;
  });

  function signedNonce(leader: PartyId): Uint8Array {
    const nonce = party.random(NONCE_BYTES);
    const given = nonces.get(leader) ?? new Set();
    const oldest = given.size >= NONCES_MAX ? given.values().next().value : undefined;
    if (oldest !== undefined) given.delete(oldest);
    nonces.set(leader, given.add(toHex(nonce)));
    return Buffer.concat([nonce, signStatement(party, nonceSubject(nonce))]);
  }

  /** True once, if this party gave the nonce that START lists to its leader, in this life of the process. */
  function spendNonce({ leader, nonces: listed }: BatchStart): boolean {
    const own = listed.find(({ party: id }) => id === self);
    return own !== undefined && nonces.get(leader)?.delete(toHex(own.nonce)) === true;
  }

  /** Parties whose shares a batch needs: all that are not proven corrupt (SPEC R3). */
  function expected(): PartyId[] {
    const proven = modules.proven.list();
    return partiesOf(roster).filter((id) => !proven.includes(id));
  }

  /** P1, P2. */
  async function lead(): Promise<void> {
    await modules.learnProven();
    const nonceOf = async (id: PartyId): Promise<[PartyId, Uint8Array] | undefined> => {
      if (id === self) return [id, signedNonce(self)];
      const question = { to: id, exchange: nonceExchange, body: new Uint8Array(0), limitMs: NONCE_WAIT_MS, signal };
      const answer = await ask(party, question).catch(() => undefined);
      return answer === undefined || answer.length !== NONCE_BYTES + 64 ? undefined : [id, answer];
    };
    const answers = (await Promise.all(expected().map(nonceOf))).filter((each) => each !== undefined);
    const missing = expected().filter((id) => !answers.some(([party]) => party === id));
    reason = reasonOf(missing);
    if (missing.length > 0) return;
    const listed = answers.map(([id, answer]) => ({
      party: id,
      nonce: answer.subarray(0, NONCE_BYTES),
      signature: answer.subarray(NONCE_BYTES),
    }));
    const elsewhere = withOtherStart(listed);
    if (elsewhere.length > 0) {
      reason = otherStart(elsewhere, roster.t);
      return;
    }
    const start = encodeStart({ epoch: epoch.epoch, bundles: modules.batchBundles, leader: self, nonces: listed });
    // A party that is not reached stalls the batch, which says so.
    for (const id of others) transport.request(id, startExchange, start, signal).catch(() => undefined);
    await join(start, self);
  }

  /** P3, P4. Throws when START is not acceptable or the batch does not complete. */
  async function join(encoded: Uint8Array, from: PartyId): Promise<void> {
    const start = decodeStart(encoded);
    if (start.leader !== from) throw new Error(`party ${from} sends the START of party ${start.leader}`);
    if (!listsExpected(start)) await modules.learnProven();
    requireGoodStart(start);
    const id = batchId(roster, encoded);
    if (running.has(id) || pool.has(id)) return;
    const startedMs = clock.now();
    running.set(id, { leader: from, sinceMs: startedMs });
    joined.add(id);
    const deadlineMs = startedMs + BATCH_DEADLINE_MS;
    const session = party.open(id, { signal });
    board.begin('preprocessing', id, { deadlineMs, total: 1 });
    try {
      const result = await preprocess(session, {
        ...{ keys: epoch.keys, bundles: start.bundles, expected: expected(), deadlineMs, turn },
        onWaiting: (waitingFor) => board.progress(id, { phase: 'shares', waitingFor, bytesSent: session.bytesSent }),
      });
      const record = { start: encoded, certificate: result.certificate, values: result.values };
      await publics.put(recordName(id), encodeRecord(record));
      pool.add({ id, material: result.material }, Promise.resolve());
      reservations.prefetch(stripesOf(id, start.bundles, roster.n));
      noteFinished(start.bundles, startedMs);
      board.succeed(id);
    } catch (error) {
      board.fail(id, failureOf(error));
      if (error instanceof StalledOpening) reason = reasonOf(error.absent);
      if (error instanceof InconsistentOpening) await blameFor(session, error, encoded);
      throw error;
    } finally {
      running.delete(id);
      closeLater(session);
      if (!pool.has(id) && isCompleted(party.journal, id)) void catchUp(); // others may have released the batch
    }
  }

  async function blameFor(session: Session, failure: InconsistentOpening, start: Uint8Array): Promise<void> {
    reason = '';
    await modules.proven.add(await blameBatch(session, { failure, keys: epoch.keys, start }));
  }

  function listsExpected({ nonces: listed }: BatchStart): boolean {
    return listed.map(({ party: id }) => id).join() === expected().join();
  }

  function requireGoodStart(start: BatchStart): void {
    if (start.epoch !== epoch.epoch) throw new Error(`START for epoch ${start.epoch}, this is ${epoch.epoch}`);
    if (start.bundles < roster.n || start.bundles > BATCH_BUNDLES_MAX)
      throw new Error(`START of ${start.bundles} bundles`);
    if (!listsExpected(start)) throw new Error('START lists other parties than all that are not proven corrupt');
    requireOurNonces(start);
    // Only this party's own wish for material, and its patience, limit what a corrupt leader can make it compute.
    // One batch of each leader and t+1 in all: t corrupt leaders cannot hold up an honest one.
    if (isLeading(start.leader) || running.size > roster.t) throw new Error('START while others are under way');
    const full = level() > 2 * modules.target;
    if (full && clock.now() < nextFavourMs) throw new Error('START while the pool is full');
    // Synchronous: the nonce is spent before anything is sent, so an old START is refused (SPEC O2).
    if (!spendNonce(start)) throw new Error('START with a nonce that is not open');
    if (full) nextFavourMs = clock.now() + FAVOUR_MS;
  }

  /** Bound to the start of the epoch that this party has keys of: keys of two starts never meet in a batch. */
  function nonceSubject(nonce: Uint8Array): Subject {
    const { start } = epoch;
    return { domain: labels.poolNonce, session: start, tag: 'nonce', receiver: 0, length: NONCE_BYTES, digest: nonce };
  }

  /** The parties whose nonces are not signed for this party's start of the epoch. */
  function withOtherStart(listed: readonly SignedNonce[]): PartyId[] {
    const isForOurs = ({ party: id, nonce, signature }: SignedNonce): boolean =>
      verifyStatement(roster, id, nonceSubject(nonce), signature);
    return listed.filter((each) => !isForOurs(each)).map(({ party: id }) => id);
  }

  function requireOurNonces(start: BatchStart): void {
    const [other] = withOtherStart(start.nonces);
    if (other !== undefined) throw new Error(`the nonce of party ${other} is not for this node's start of the epoch`);
  }

  function noteFinished(bundles: number, startedMs: number): void {
    finished.push({ atMs: clock.now(), tookMs: clock.now() - startedMs, bundles });
    if (finished.length > RATE_WINDOW) finished.shift();
  }

  /** True when the batch's nonce of this party is of this life of the process: then no earlier life can have echoed. */
  function isOfThisLife(id: SessionId, start: BatchStart): boolean {
    return joined.has(id) || spendNonce(start);
  }

  /** P5 for one batch. What an earlier life may have echoed on is recalled first (SPEC O13). */
  async function adopt(id: SessionId, encoded: Uint8Array): Promise<void> {
    const record = decodeRecord(encoded);
    const start = decodeStart(record.start);
    if (batchId(roster, record.start) !== id || start.epoch !== epoch.epoch) throw new Error('record of another batch');
    verifyRecord(roster, id, start.bundles, record);
    requireOurNonces(start); // with keys of another start the shares would be wrong
    if (pool.has(id) || running.has(id) || ledger.isRetired(id)) return;
    const material = recomputeBatch(party.kernel, {
      id,
      keys: epoch.keys,
      bundles: start.bundles,
      values: record.values,
    });
    await publics.put(recordName(id), encoded);
    const stripes = stripesOf(id, start.bundles, roster.n);
    pool.add({ id, material }, isOfThisLife(id, start) ? Promise.resolve() : reservations.recall(stripes));
  }

  async function catchUpFrom(peer: PartyId): Promise<void> {
    const question = { to: peer, limitMs: RECORD_LIMIT_MS, signal };
    for (const id of await batchesOf(party, peer, signal)) {
      if (pool.has(id) || running.has(id) || ledger.isRetired(id)) continue;
      await adopt(id, await ask(party, { ...question, exchange: recordExchange, body: fromHex(id) }));
      log({ level: 'info', message: 'caught up with a preprocessing batch', batch: id, from: peer });
    }
  }

  async function catchUp(): Promise<void> {
    for (const peer of others) {
      if (transport.isUp(peer)) await catchUpFrom(peer).catch(() => undefined); // the next peer has it too
    }
  }

  async function load(): Promise<void> {
    for (const id of await storedBatches(publics)) {
      const record = await publics.get(recordName(id));
      // Of another epoch, or damaged: dropped.
      if (record !== undefined) await adopt(id, record).catch(() => publics.delete(recordName(id)));
      await clock.yield();
    }
  }

  async function dropSpent(): Promise<void> {
    const spent = pool.removeSpent(clock.now(), SURPLUS * modules.target);
    for (const id of spent) ledger.retire(id); // at once: nobody may take one in again meanwhile
    if (spent.length > 0) await ledger.sync();
    for (const id of spent) {
      reservations.forgetBatch(id);
      await publics.delete(recordName(id));
    }
  }

  /** The pool counts as what its poorest owner could still bind, times n: any of them may be asked next. */
  function level(): number {
    return Math.min(...pool.freeByOwner()) * roster.n;
  }

  /** Synchronous rounds of another ceremony must not be made late by the work of a batch. */
  function roundsAreRunning(): boolean {
    return board.list().some(({ state, phase }) => state === 'running' && phase === 'prss-init');
  }

  function isLeading(leader: PartyId): boolean {
    return [...running.values()].some((batch) => batch.leader === leader);
  }

  /** Whether a batch is under way that a leader's turn has not yet passed over. */
  function isBusy(): boolean {
    return [...running.values()].some(({ sinceMs }) => clock.now() < sinceMs + TURN_MS);
  }

  /** A batch keeps a core busy for a tenth of a second: a request that somebody waits for goes first. */
  async function turn(): Promise<void> {
    if (level() >= modules.target * COMFORT) await modules.calm(CALM_MS);
  }

  /** Leads when it is this party's turn: the turns rotate with the batches made and with time. */
  async function tick(): Promise<void> {
    await dropSpent();
    const low = lowSinceMs === undefined ? modules.target / 2 : modules.target;
    if (level() >= low) {
      lowSinceMs = undefined;
      reason = '';
      return;
    }
    lowSinceMs ??= clock.now();
    const number = pool.batches() + Math.floor((clock.now() - lowSinceMs) / TURN_MS);
    if (isBusy() || isLeading(self) || roundsAreRunning() || (number % roster.n) + 1 !== self) return;
    await turn();
    await lead();
  }

  return {
    async run() {
      await load();
      loaded = true;
      while (!signal.aborted) {
        const before = pool.batches();
        await tick().catch((error) =>
          log({ level: 'warn', message: 'preprocessing batch failed', error: String(error) }),
        );
        if (pool.batches() === before) await clock.until(clock.now() + TICK_MS, signal);
      }
    },
    catchUp,
    loaded: () => loaded,
    reason: () => reason,
    perSecond() {
      const tookMs = finished.reduce((sum, each) => sum + each.tookMs, 0);
      return tookMs === 0 ? 0 : (1000 * finished.reduce((sum, each) => sum + each.bundles, 0)) / tookMs;
    },
  };
}

function reasonOf(missing: readonly PartyId[]): string {
  if (missing.length === 0) return '';
  return `waiting for ${missing.map((id) => `party ${id}`).join(', ')}: a batch needs the shares of every party`;
}

/** More than t others include an honest one: then it is this node that has to take their keys (epoch/ceremony.ts). */
function otherStart(elsewhere: readonly PartyId[], t: number): string {
  const who = elsewhere.map((id) => `party ${id}`).join(', ');
  const which = elsewhere.length > t ? 'this node' : who;
  return `${who}: other keys of the epoch than this node's; restart ${which} while the others are up`;
}
