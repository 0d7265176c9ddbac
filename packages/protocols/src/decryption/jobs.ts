/**
 * The requests this node has admitted: what their blocks are, which are still to be opened, and who waits for them. The
 * inner products b - <a, s> are computed at admission, while the request is being bound; the ciphertexts (16 KiB a
 * block and more) are not kept. Phases and flooded sums are shares of secrets: they stay while slower parties may still
 * need our answer, then are erased.
 */
import type { Gr64, Gr128 } from '@keyquorum/kernel/batch';
import type { Fault } from '@keyquorum/mpc/session';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import { messageMasks } from '@keyquorum/tfhe/ciphertext';
import { DecryptionError, type DecryptionJob, type DecryptionOutcome } from './job.ts';
import type { ProposalItem } from './proposal.ts';

/** This party's shares of one value, as it is opened. */
export type ValueShares =
  /** Phases of its LWE ciphertexts, plus half a step (docs/protocols/decryption.md, D1): need bundles of the pool. */
  | { readonly kind: 'phases'; readonly shares: Gr64 }
  /** Phases plus noise, four blocks to an element (F2): are opened as they are. `mask` names the noise. */
  | { readonly kind: 'flooded'; readonly shares: Gr128; readonly mask: SessionId };

export interface Job {
  readonly requestId: string;
  readonly keyId: string;
  readonly contentHash: Uint8Array;
  readonly first: PartyId | undefined;
  /** Per value: which bits of each 4-bit message belong to it; the others are never opened. */
  readonly wanted: readonly Uint8Array[];
  readonly values: readonly ValueShares[];
  /** Per value: opened messages; 255 where not opened yet. */
  readonly messages: readonly Uint8Array[];
  readonly faults: Fault[];
  readonly startedMs: number;
  /** Of the request itself, when it has one. */
  readonly deadlineMs: number | undefined;
  readonly outcome: Promise<DecryptionOutcome>;
  settled: boolean;
}

const NOT_OPENED = 255;

export interface JobBoard {
  /** The job of a request id; throws REQUEST_CONFLICT when the id stands for other content. */
  find(request: DecryptionJob): Job | undefined;
  add(request: DecryptionJob, values: readonly ValueShares[], nowMs: number): Job;
  /** The admitted job an item belongs to, when the item is exactly part of it. */
  match(item: ProposalItem): Job | undefined;
  /** Resolves true when all items match admitted jobs; false when `signal` fires first. */
  admitted(items: readonly ProposalItem[], signal: AbortSignal): Promise<boolean>;
  /** Everything of the job that needs material and is not opened yet. */
  missing(job: Job): ProposalItem[];
  /** Enters opened messages of one item; settles the job when it was the last. */
  opened(item: ProposalItem, messages: Uint8Array): void;
  /** The same of a whole value. */
  openedValue(job: Job, value: number, messages: Uint8Array): void;
  fail(job: Job, error: DecryptionError): void;
  /** Drops settled jobs older than this. */
  forgetBefore(timeMs: number): void;
  pending(): Job[];
}

interface Entry extends Job {
  resolve(outcome: DecryptionOutcome): void;
  reject(error: DecryptionError): void;
}

export function createJobBoard(onForget: (job: Job) => void = () => undefined): JobBoard {
  const jobs = new Map<string, Entry>();
  const waiters = new Set<() => void>();

  function match(item: ProposalItem): Entry | undefined {
    const job = jobs.get(item.requestId);
    const blocks = job?.messages[item.value]?.length;
    if (job === undefined || blocks === undefined) return undefined;
    const sameRequest = job.keyId === item.keyId && Buffer.compare(job.contentHash, item.contentHash) === 0;
    const same = sameRequest && job.values[item.value]!.kind === 'phases';
    return same && item.blocks > 0 && item.firstBlock + item.blocks <= blocks ? job : undefined;
  }

  function forget(job: Entry): void {
    for (const { shares } of job.values) shares.fill(0);
    jobs.delete(job.requestId);
    onForget(job);
  }

  function enter(job: Entry, { value, firstBlock }: { value: number; firstBlock: number }, messages: Uint8Array): void {
    if (job.settled) return;
    job.messages[value]!.set(messages, firstBlock);
    if (job.messages.some((opened) => opened.includes(NOT_OPENED))) return;
    job.settled = true;
    job.resolve({ messages: job.messages, faults: job.faults });
  }

  return {
    find(request) {
      const job = jobs.get(request.requestId);
      if (job === undefined) return undefined;
      const same = job.keyId === request.keyId && Buffer.compare(job.contentHash, request.contentHash) === 0;
      if (same) return job;
      throw new DecryptionError('REQUEST_CONFLICT', `request ${request.requestId} was admitted with other content`);
    },
    add(request, values, nowMs) {
      const { promise, resolve, reject } = Promise.withResolvers<DecryptionOutcome>();
      promise.catch(() => undefined); // callers that asked get the rejection; a job without a caller may fail quietly
      const { requestId, keyId, contentHash, first, deadlineMs } = request;
      const wanted = request.values.map(messageMasks);
      const messages = wanted.map((masks) => new Uint8Array(masks.length).fill(NOT_OPENED));
      const asked = { requestId, keyId, contentHash, first, deadlineMs };
      const job = { ...asked, wanted, values, messages, faults: [], startedMs: nowMs };
      const entry: Entry = { ...job, outcome: promise, settled: false, resolve, reject };
      jobs.set(request.requestId, entry);
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
    missing: (job) =>
      job.messages.flatMap((messages, value) =>
        job.values[value]!.kind === 'phases' ? missingRuns(job, messages, value) : [],
      ),
    opened(item, messages) {
      const job = match(item);
      if (job !== undefined) enter(job, item, messages);
    },
    openedValue(job, value, messages) {
      const entry = jobs.get(job.requestId);
      if (entry === job) enter(entry, { value, firstBlock: 0 }, messages);
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

/** Maximal runs of blocks that are not opened. */
function missingRuns(job: Job, messages: Uint8Array, value: number): ProposalItem[] {
  const runs: ProposalItem[] = [];
  const { requestId, contentHash, keyId } = job;
  for (let block = 0; block < messages.length; block++) {
    if (messages[block] !== NOT_OPENED) continue;
    const last = runs.at(-1);
    if (last !== undefined && last.firstBlock + last.blocks === block)
      runs[runs.length - 1] = { ...last, blocks: last.blocks + 1 };
    else runs.push({ requestId, contentHash, keyId, value, firstBlock: block, blocks: 1 });
  }
  return runs;
}
