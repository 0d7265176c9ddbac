/**
 * The requests of one kind that a coordinator service knows: finds a request again by its id, binds the id to its
 * content and to its caller, and forgets the oldest finished ones. In memory only: nodes remember, and a caller may
 * simply ask again.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { NodeVerdict } from './contract.ts';
import { CoordinationError } from './errors.ts';

/** Finished requests remembered. */
const FINISHED_MAX = 1_024;
/** Characters of their reports together: answers to one user request can take megabytes. */
const FINISHED_LENGTH_MAX = 128 * 1024 * 1024;

export interface Report {
  readonly state: 'pending' | 'succeeded' | 'failed';
  readonly nodes: readonly NodeVerdict[];
}

/** What asks the nodes. */
export interface Coordination<R extends Report> {
  readonly finished: Promise<R>;
  report(): R;
}

/** A request as callers see it. */
export interface Tracked<R extends Report> {
  /** What is known now. */
  report(): R;
  /** Resolves when one more node has spoken; never when none will. */
  changed(): Promise<void>;
}

interface Entry<R extends Report> {
  readonly content: Buffer;
  readonly caller: Buffer;
  readonly tracked: Tracked<R>;
}

export interface Requests<B, R extends Report> {
  /** The request under its id, started when new. Throws REQUEST_CONFLICT or BUSY, and what `start` throws. */
  open(request: B, authorization: string): Tracked<R>;
  /** Throws REQUEST_UNKNOWN, also for another caller's request. */
  find(requestId: string, authorization: string): Tracked<R>;
}

export interface RequestModules<B, R extends Report> {
  /** Starts to ask the nodes; `onOutcome` is called after each has spoken. */
  start(request: B, authorization: string, onOutcome: () => void): Coordination<R>;
  readonly runningMax: number;
  /** Told when a request ended with a bug of ours. */
  onBug(error: unknown): void;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export function createRequests<B extends { readonly requestId: string }, R extends Report>({
  start,
  runningMax,
  onBug,
}: RequestModules<B, R>): Requests<B, R> {
  const running = new Map<string, Entry<R>>();
  const finished = new Map<string, Entry<R> & { readonly length: number }>(); // in order of finishing
  let finishedLength = 0;

  /** Keeps the last report only: the body and the connections are done with. */
  function retire(requestId: string, { content, caller, tracked }: Entry<R>): void {
    const last = tracked.report();
    const { length } = JSON.stringify(last);
    running.delete(requestId);
    finished.set(requestId, {
      content,
      caller,
      length,
      tracked: { report: () => last, changed: () => new Promise(() => {}) },
    });
    finishedLength += length;
    for (const [oldest, entry] of finished) {
      if (finished.size <= FINISHED_MAX && finishedLength <= FINISHED_LENGTH_MAX) return;
      finished.delete(oldest);
      finishedLength -= entry.length;
    }
  }

  function lookUp(requestId: string, authorization: string): Entry<R> | undefined {
    const entry = running.get(requestId) ?? finished.get(requestId);
    return entry && timingSafeEqual(entry.caller, sha256(authorization)) ? entry : undefined;
  }

  function track(request: B, authorization: string, content: Buffer): Tracked<R> {
    let next = Promise.withResolvers<void>();
    const changed = () => {
      next.resolve();
      next = Promise.withResolvers();
    };
    const coordination = start(request, authorization, changed);
    const tracked = { report: coordination.report, changed: () => next.promise };
    const entry = { content, caller: sha256(authorization), tracked };
    const { requestId } = request;
    running.set(requestId, entry);
    coordination.finished
      .catch(onBug)
      .then(() => retire(requestId, entry))
      .finally(changed);
    return tracked;
  }

  return {
    open(request, authorization) {
      const { requestId } = request;
      const content = sha256(JSON.stringify(request));
      const known = lookUp(requestId, authorization);
      if (known?.content.equals(content)) return known.tracked;
      if (running.has(requestId) || finished.has(requestId)) {
        throw new CoordinationError('REQUEST_CONFLICT', `request ${requestId} is known with other content or caller`);
      }
      if (running.size >= runningMax) {
        throw new CoordinationError('BUSY', `${runningMax} requests are under way`);
      }
      return track(request, authorization, content);
    },
    find(requestId, authorization) {
      const entry = lookUp(requestId, authorization);
      if (!entry) throw new CoordinationError('REQUEST_UNKNOWN', `no request ${requestId} of this caller`);
      return entry.tracked;
    },
  };
}
