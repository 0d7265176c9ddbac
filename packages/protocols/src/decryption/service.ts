/**
 * Decryption as a service of one node: admits jobs and assembles their outcomes. Squashed values are opened at once, or
 * a user gets their shares as they are. Blocks of the others are bound to pool material by some party, and the online
 * protocol runs for everything that is bound. Any node may be asked and every node answers: the initiator of a request
 * is the party that was asked, then the next one and so on, skipping parties that are down or whose stripes are empty,
 * so nobody has to agree on it (SPEC R4). Running one request twice with different bundles is harmless: the results are
 * the same, shares for users too.
 */
import { createHash } from 'node:crypto';
import { asGr128 } from '@keyquorum/kernel/batch';
import { fromHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { partiesOf } from '@keyquorum/mpc/roster';
import type { Fault, Session } from '@keyquorum/mpc/session';
import { RobustOpeningError } from '@keyquorum/mpc/sharing/robust';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import { concat } from '../concat.ts';
import { sessionIdOf } from '../digest.ts';
import { labels } from '../labels.ts';
import type { Log } from '../log.ts';
import { type AdmissionModules, admitValues } from './admission.ts';
import { createContentOpenings } from './content-openings.ts';
import { floodedMessages } from './flooding.ts';
import { DecryptionError, type DecryptionJob, type DecryptionOutcome, type Output, type UserShares } from './job.ts';
import { createJobBoard, type Job } from './jobs.ts';
import { eraseMaterial, type Material } from './material.ts';
import type { Pool } from './pool.ts';
import { bundlesOf, liftBundlesOf, maskBundlesOf, onlineSessionId, type ProposalItem } from './proposal.ts';
import { openRuns, runsOf } from './runs.ts';
import type { Bound } from './stripe-binding.ts';
import { ownShares } from './user-shares.ts';

/** A proposed request that is not certified by then is proposed by the next party. */
const ATTEMPT_MS = 2_000;
/** How long an echo waits for the request itself to arrive. */
const ADMISSION_WAIT_MS = 1_500;
/** Finished jobs answer late proposals of slower parties this long. */
const RETAIN_MS = 120_000;
/** One online session is eleven short rounds; a party that is late by this is reported. */
const ONLINE_DEADLINE_MS = 15_000;

export interface DecryptionModules extends Omit<AdmissionModules, 'kernel'> {
  readonly party: Party;
  readonly pool: () => Pool | undefined;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

interface OnlineRun {
  readonly items: readonly ProposalItem[];
  /** One bundle per block of the items. */
  readonly material: Material;
  /** Bundles that lend their bits to items for users. */
  readonly lent: Material;
  readonly deadlineMs: number;
}

export interface DecryptionService {
  decrypt(job: DecryptionJob): Promise<DecryptionOutcome>;
  userShares(job: DecryptionJob): Promise<UserShares>;
  /** For the bindings: waits until the items are admitted here. */
  admitted(items: readonly ProposalItem[]): Promise<boolean>;
  /** For the bindings: runs the online protocol of a certified proposal. */
  onBound(bound: Bound): void;
  /** For work that can wait: resolves when all requests that are under way here have ended, or after `limitMs`. */
  calm(limitMs: number): Promise<void>;
}

export function createDecryptionService(modules: DecryptionModules): DecryptionService {
  const { party, signal, log } = modules;
  const { roster, clock, kernel } = party;
  const openings = createContentOpenings(party, signal);
  const board = createJobBoard((job) => openings.forget(floodedOpeningId(job)));
  let proposing: Promise<void> | undefined;
  const toPropose = new Set<Job>();

  /** Resolves to what `outcomeOf` makes of the job, at once when it is settled. */
  async function admit<T>(request: DecryptionJob, output: Output, outcomeOf: (job: Job) => T): Promise<T> {
    for (;;) {
      const job = board.find(request, output) ?? start(request, output);
      await job.opened;
      if (!job.erased) return outcomeOf(job); // else it was forgotten in the meantime, and is admitted anew
    }
  }

  function start(request: DecryptionJob, output: Output): Job {
    const values = admitValues({ ...modules, kernel }, request, output);
    const job = board.add(request, output, values, clock.now());
    board.forgetBefore(clock.now() - RETAIN_MS);
    const failed = (error: unknown) => board.fail(job, asDecryptionError(error));
    if (output === 'public') {
      openFlooded(job).catch((error) => failed(error instanceof RobustOpeningError ? missedDeadline(job) : error));
    }
    if (board.missing(job).length > 0) follow(job).catch(failed);
    return job;
  }

  /** Opens everything of the job that is flooded (F3), in one session. */
  async function openFlooded(job: Job): Promise<void> {
    const values = job.values.flatMap((each, index) => (each.kind === 'flooded' ? [{ ...each, index }] : []));
    if (values.length === 0) return;
    const opened = await openings.open({
      id: floodedOpeningId(job),
      shares: asGr128(concat(values.map(({ shares }) => shares))),
      deadlineMs: deadlineOf(job),
      onFault: (fault) => noteFault([job], fault),
    });
    noteSilent([job]);
    let at = 0;
    for (const { index, layout, shares } of values) {
      const sums = asGr128(opened.subarray(at, at + shares.length));
      board.enterFlooded(job, index, floodedMessages(sums, layout.blocks));
      at += shares.length;
    }
    opened.fill(0); // the noise beside the messages is nobody's business
  }

  function deadlineOf(job: Job): number {
    return job.deadlineMs ?? job.startedMs + modules.deadlineMs;
  }

  /** Watches over a job until it is settled: proposes when it is this party's turn, gives up at the deadline. */
  async function follow(job: Job): Promise<void> {
    const deadlineMs = deadlineOf(job);
    for (let attempt = 0; !job.settled; attempt++) {
      if (initiator(job, attempt) === party.self) schedule(job);
      const turnEndsMs = Math.min(deadlineMs, job.startedMs + (attempt + 1) * ATTEMPT_MS);
      const ended = clock.until(turnEndsMs, signal);
      await Promise.race([ended, job.opened.catch(() => undefined)]);
      if (!job.settled && clock.now() >= deadlineMs) throw missedDeadline(job);
    }
  }

  /**
   * The party that proposes in this attempt, as far as this party can see. At first one whose stripes serve the whole
   * request, if there is any, since what does not fit waits for the next attempt; then everybody in turn.
   */
  function initiator(job: Job, attempt: number): PartyId {
    const { requestId, first } = job;
    const start = first ?? (createHash('sha256').update(requestId).digest().readUInt32LE(0) % roster.n) + 1;
    const free = modules.pool()?.freeByOwner() ?? [];
    const up = partiesOf(roster).filter((id) => id === party.self || party.transport.isUp(id));
    const withFree = (bundles: number) => up.filter((id) => (free[id - 1] ?? 0) >= bundles);
    const enough = attempt === 0 ? withFree(Math.max(1, bundlesOf(board.missing(job)))) : [];
    const usable = enough.length > 0 ? enough : withFree(1);
    const from = usable.findIndex((id) => id >= start); // -1, past the last one: begin again with the lowest
    return usable[(Math.max(from, 0) + attempt) % usable.length] ?? party.self;
  }

  /** Jobs admitted in one turn of the event loop share proposals. */
  function schedule(job: Job): void {
    toPropose.add(job);
    proposing ??= clock.yield().then(() => {
      proposing = undefined;
      const items = [...toPropose].filter((each) => !each.settled).flatMap((each) => board.missing(each));
      toPropose.clear();
      modules.pool()?.propose(items); // what did not fit is proposed in the next attempt, by whoever has material
    });
    proposing.catch(() => undefined);
  }

  function missedDeadline(job: Job): DecryptionError {
    const free = modules.pool()?.freeByOwner() ?? [];
    const needed = bundlesOf(board.missing(job));
    const down = partiesOf(roster).filter((id) => id !== party.self && !party.transport.isUp(id));
    const available = free.reduce((sum, each) => sum + each, 0);
    if (available < needed) {
      const holds = `the pool holds ${available} bundles and the request needs ${needed}`;
      const message = `${holds}; it is refilled once every party answers`;
      return new DecryptionError('POOL_EMPTY', message, down);
    }
    const message = `fewer than 2t+1 parties answered within ${modules.deadlineMs} ms`;
    return new DecryptionError('DECRYPTION_TIMEOUT', message, down);
  }

  async function runOnline({ stripe, proposal, digest }: Bound): Promise<void> {
    const { items, low } = proposal;
    const blocks = maskBundlesOf(items);
    const material = modules.pool()?.take(stripe, low, blocks);
    const lent = modules.pool()?.take(stripe, low + blocks, liftBundlesOf(items));
    if (material === undefined || lent === undefined)
      return log({ level: 'warn', message: 'bound material is not here', batch: stripe.batch });
    const session = party.open(onlineSessionId(digest), {
      signal,
      onFault: (fault) => noteFault(jobsOf(items), fault),
    });
    const deadlineMs = clock.now() + ONLINE_DEADLINE_MS;
    try {
      await openItems(session, { items, material, lent, deadlineMs });
      await clock.until(deadlineMs, signal); // late shares of liars are still looked at, and slow parties answered
    } finally {
      session.close();
    }
  }

  /** Erases the material. */
  async function openItems(session: Session, { items, material, lent, deadlineMs }: OnlineRun): Promise<void> {
    try {
      if (!(await admittedWithin(items, ONLINE_DEADLINE_MS))) return;
      const runs = runsOf(items, (item) => board.match(item)!, lent);
      const results = await openRuns(session, runs, { material, deadlineMs });
      noteSilent(runs.map(({ job }) => job));
      for (const [index, { item }] of runs.entries()) {
        board.enter(item, results[index]!);
        results[index]!.fill(0); // the board has a copy
      }
    } finally {
      eraseMaterial(material);
      eraseMaterial(lent);
    }
  }

  /** The admitted jobs that the items are of. */
  function jobsOf(items: readonly ProposalItem[]): Job[] {
    return items.flatMap((item) => board.match(item) ?? []);
  }

  /** Every job concerned tells of the fault, once. */
  function noteFault(jobs: readonly Job[], fault: Fault): void {
    for (const job of new Set(jobs)) {
      const known = job.faults.some(({ party: id, kind }) => id === fault.party && kind === fault.kind);
      if (!known) job.faults.push(fault);
    }
  }

  function noteSilent(jobs: readonly Job[]): void {
    for (const id of partiesOf(roster)) {
      if (id === party.self || party.transport.isUp(id)) continue;
      noteFault(jobs, { party: id, kind: 'silent', detail: 'no link to it' });
    }
  }

  /** What `wait` gives; the signal it is handed fires after `limitMs` or when the node stops. */
  function within<T>(limitMs: number, wait: (late: AbortSignal) => Promise<T>): Promise<T> {
    const ended = new AbortController();
    const end = () => ended.abort('over'); // a reason of its own: making the default one costs more than all this
    const timer = clock.until(clock.now() + limitMs, AbortSignal.any([signal, ended.signal]));
    timer.catch(() => undefined).finally(end);
    return wait(ended.signal).finally(end);
  }

  /** Whether the items are admitted here within the limit. */
  function admittedWithin(items: readonly ProposalItem[], limitMs: number): Promise<boolean> {
    return within(limitMs, (late) => board.admitted(items, late));
  }

  async function calm(limitMs: number): Promise<void> {
    const running = board.pending();
    if (running.length === 0) return;
    const over = Promise.allSettled(running.map(({ opened }) => opened));
    await within(limitMs, (late) => Promise.race([over, fired(late)]));
  }

  return {
    decrypt: (request) => admit(request, 'public', ({ results, faults }) => ({ messages: results, faults })),
    userShares: (request) => admit(request, 'user', (job) => ownShares(kernel, job, roster.t)),
    admitted: (items) => admittedWithin(items, ADMISSION_WAIT_MS),
    calm,
    onBound(bound) {
      runOnline(bound).catch((error) => {
        if (!signal.aborted) log({ level: 'warn', message: 'online session failed', error: String(error) });
      });
    },
  };
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** One opening per request; parties that hold other words in it never meet. */
function floodedOpeningId({ requestId, contentHash, values }: Job): SessionId {
  const masks = values.flatMap((each) => (each.kind === 'flooded' ? [fromHex(each.mask)] : []));
  return sessionIdOf(labels.floodedOpening, fromHex(requestId), contentHash, ...masks);
}

function asDecryptionError(error: unknown): DecryptionError {
  if (error instanceof DecryptionError) return error;
  return new DecryptionError('DECRYPTION_ABORTED', `the node stopped working on the request: ${String(error)}`);
}
