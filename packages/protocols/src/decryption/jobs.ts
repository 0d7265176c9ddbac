/**
 * The requests this node has admitted: what their blocks are, which are still to be opened, and who waits for them. The
 * inner products b - <a, s> are computed at admission, while the request is being bound; the ciphertexts (16 KiB a
 * block and more) are not kept. Phases, flooded sums and results for users are shares of secrets: they stay while
 * slower parties may still need our answer, then are erased.
 */
import type { Gr64, Gr128 } from '@keyquorum/kernel/batch';
import type { Fault } from '@keyquorum/mpc/session';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import type { Piece } from '@keyquorum/tfhe/ciphertext';
import { DecryptionError, type DecryptionJob, type Output } from './job.ts';
import { PIECE_BYTES } from './lifting.ts';
import type { ProposalItem } from './proposal.ts';
import type { Layout } from './user-shares.ts';

/** A value whose phases wait for bundles of the pool. */
export interface BoundValue {
  readonly kind: 'bound';
  readonly layout: Layout;
  /** Shares of the phases of its LWE ciphertexts, plus half a step (docs/protocols/decryption.md, D1). */
  readonly shares: Gr64;
  /** Per LWE ciphertext: which of the four bits belong to the value; the others are never opened. */
  readonly wanted: Uint8Array;
  readonly pieces: readonly Piece[];
  /** For users: masks of the pieces (D6). */
  readonly liftMasks: Gr64 | undefined;
}

/** A value whose phases are hidden by noise: they are opened, or handed out, as they are. */
export interface FloodedValue {
  readonly kind: 'flooded';
  readonly layout: Layout;
  /** Phases plus noise, four blocks to an element (F2). */
  readonly shares: Gr128;
  /** Names the noise. */
  readonly mask: SessionId;
}

export type JobValue = BoundValue | FloodedValue;

export interface Job {
  readonly requestId: string;
  readonly keyId: string;
  readonly contentHash: Uint8Array;
  readonly output: Output;
  readonly first: PartyId | undefined;
  readonly values: readonly JobValue[];
  /**
   * Per value, valid once its blocks are opened. Public: the message of each LWE ciphertext. For users: shares of the
   * pieces, PIECE_BYTES each; nothing for flooded values.
   */
  readonly results: readonly Uint8Array[];
  readonly faults: Fault[];
  readonly startedMs: number;
  /** Of the request itself, when it has one. */
  readonly deadlineMs: number | undefined;
  /** Resolves when all results are there. */
  readonly opened: Promise<void>;
  settled: boolean;
  /** Its shares are zeros: it failed, or is forgotten. */
  erased: boolean;
}

export interface JobBoard {
  /** The job of a request id; throws REQUEST_CONFLICT when the id stands for other content. */
  find(request: DecryptionJob, output: Output): Job | undefined;
  add(request: DecryptionJob, output: Output, values: readonly JobValue[], nowMs: number): Job;
  /** The admitted job an item belongs to, when the item is exactly part of it. */
  match(item: ProposalItem): Job | undefined;
  /** Resolves true when all items match admitted jobs; false when `signal` fires first. */
  admitted(items: readonly ProposalItem[], signal: AbortSignal): Promise<boolean>;
  /** Everything of the job that needs material and is not opened yet. */
  missing(job: Job): ProposalItem[];
  /** Enters the results of one item, in order of its blocks or pieces; settles the job when it was the last. */
  enter(item: ProposalItem, results: Uint8Array): void;
  /** Enters the messages of a flooded value. */
  enterFlooded(job: Job, value: number, messages: Uint8Array): void;
  fail(job: Job, error: DecryptionError): void;
  /** Drops settled jobs older than this. */
  forgetBefore(timeMs: number): void;
  pending(): Job[];
}

interface Entry extends Job {
  /** Per value and block: 1 while it is not opened. */
  readonly missing: readonly Uint8Array[];
  resolve(): void;
  reject(error: DecryptionError): void;
}

/** Indices of the pieces in a run of blocks, in order. */
export function piecesIn({ pieces }: BoundValue, { firstBlock, blocks }: Run): number[] {
  const isIn = (block: number) => block >= firstBlock && block < firstBlock + blocks;
  return [...pieces.keys()].filter((index) => isIn(pieces[index]!.block));
}

type Run = Pick<ProposalItem, 'firstBlock' | 'blocks'>;

export function createJobBoard(onForget: (job: Job) => void = () => undefined): JobBoard {
  const jobs = new Map<string, Entry>();
  const waiters = new Set<() => void>();

  function match(item: ProposalItem): Entry | undefined {
    const job = jobs.get(item.requestId);
    const value = job?.values[item.value];
    if (job === undefined || value?.kind !== 'bound') return undefined;
    const sameRequest = job.keyId === item.keyId && Buffer.compare(job.contentHash, item.contentHash) === 0;
    const same = sameRequest && job.output === item.output;
    return same && item.blocks > 0 && item.firstBlock + item.blocks <= value.wanted.length ? job : undefined;
  }

  function forget(job: Entry): void {
    for (const value of job.values) {
      value.shares.fill(0);
      if (value.kind === 'bound') value.liftMasks?.fill(0);
    }
    if (job.output === 'user') for (const result of job.results) result.fill(0);
    job.erased = true;
    jobs.delete(job.requestId);
    onForget(job);
  }

  function settle(job: Entry): void {
    if (job.settled || job.missing.some((blocks) => blocks.includes(1))) return;
    job.settled = true;
    job.resolve();
  }

  return {
    find(request, output) {
      const job = jobs.get(request.requestId);
      if (job === undefined) return undefined;
      const sameRequest = job.keyId === request.keyId && Buffer.compare(job.contentHash, request.contentHash) === 0;
      if (sameRequest && job.output === output) return job;
      throw new DecryptionError('REQUEST_CONFLICT', `request ${request.requestId} was admitted with other content`);
    },
    add(request, output, values, nowMs) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      promise.catch(() => undefined); // callers that asked get the rejection; a job without a caller may fail quietly
      const { requestId, keyId, contentHash, first, deadlineMs } = request;
      const entry: Entry = {
        ...{ requestId, keyId, contentHash, output, first, deadlineMs, values, resolve, reject },
        results: values.map((value) => new Uint8Array(resultBytes(value, output))),
        missing: values.map((value) => new Uint8Array(openedBlocks(value, output)).fill(1)),
        faults: [],
        startedMs: nowMs,
        opened: promise,
        settled: false,
        erased: false,
      };
      jobs.set(request.requestId, entry);
      settle(entry); // nothing to open when all values are flooded, and for a user
      for (const wake of waiters) wake();
      return entry;
    },
    match,
    admitted(items, signal) {
      const ready = (): boolean => items.every((item) => match(item) !== undefined);
      if (ready()) return Promise.resolve(true);
      return new Promise((resolve) => {
        const finish = (result: boolean) => {
          waiters.delete(check);
          resolve(result);
        };
        const check = () => ready() && finish(true);
        waiters.add(check);
        signal.addEventListener('abort', () => finish(false), { once: true });
        if (signal.aborted) finish(false);
      });
    },
    missing(job) {
      const entry = jobs.get(job.requestId);
      if (entry !== job) return [];
      return entry.missing.flatMap((blocks, value) => {
        return job.values[value]!.kind === 'bound' ? missingRuns(job, blocks, value) : [];
      });
    },
    enter(item, results) {
      const job = match(item);
      if (job === undefined || job.settled) return;
      const result = job.results[item.value]!;
      if (job.output === 'public') result.set(results, item.firstBlock);
      else {
        piecesIn(job.values[item.value] as BoundValue, item).forEach((piece, index) => {
          result.set(results.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES), piece * PIECE_BYTES);
        });
      }
      job.missing[item.value]!.fill(0, item.firstBlock, item.firstBlock + item.blocks);
      settle(job);
    },
    enterFlooded(job, value, messages) {
      const entry = jobs.get(job.requestId);
      if (entry !== job || job.settled) return;
      entry.results[value]!.set(messages);
      entry.missing[value]!.fill(0);
      settle(entry);
    },
    fail(job, error) {
      const entry = jobs.get(job.requestId);
      if (entry === undefined || entry.settled) return;
      entry.settled = true;
      forget(entry); // the same request may be tried again
      entry.reject(error);
    },
    forgetBefore(timeMs) {
      for (const job of jobs.values()) if (job.settled && job.startedMs < timeMs) forget(job);
    },
    pending: () => [...jobs.values()].filter((job) => !job.settled),
  };
}

/** LWE ciphertexts of a value that are opened: none of a flooded one when a user gets the shares themselves. */
function openedBlocks(value: JobValue, output: Output): number {
  if (value.kind === 'bound') return value.wanted.length;
  return output === 'public' ? value.layout.blocks : 0;
}

function resultBytes(value: JobValue, output: Output): number {
  if (output === 'public' || value.kind === 'flooded') return openedBlocks(value, output);
  return value.pieces.length * PIECE_BYTES;
}

/** Maximal runs of blocks that are not opened. */
function missingRuns(job: Job, missing: Uint8Array, value: number): ProposalItem[] {
  const runs: ProposalItem[] = [];
  const { output, requestId, contentHash, keyId } = job;
  for (let block = 0; block < missing.length; block++) {
    if (missing[block] === 0) continue;
    const last = runs.at(-1);
    if (last !== undefined && last.firstBlock + last.blocks === block)
      runs[runs.length - 1] = { ...last, blocks: last.blocks + 1 };
    else runs.push({ output, requestId, contentHash, keyId, value, firstBlock: block, blocks: 1 });
  }
  return runs;
}
