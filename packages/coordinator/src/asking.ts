/**
 * One request while nodes are asked. The disk holds what a restart would make of it: a signed request is asked again,
 * one with an API key, which is never stored, has failed with REQUEST_INTERRUPTED; a result stays what it is, without
 * the nodes that had not spoken.
 */
import { randomBytes } from 'node:crypto';
import type { Attachment } from '@keyquorum/client/handing-over';
import { parseAuthorization } from '@keyquorum/wire/authorization';
import type { Kind, NodeVerdict, Report } from './contract.ts';
import { createEventLog, type EventLog, verdictsOf } from './event-log.ts';
import type { Ledger, LedgerRecord } from './ledger.ts';
import type { Places } from './places.ts';
import { type Batch, countRequests } from './slots.ts';

const RUN_BYTES = 6;
/** What a restart makes of a request that cannot be asked again by itself. */
export const INTERRUPTED: Failure = {
  code: 'REQUEST_INTERRUPTED',
  message: 'the coordinator was restarted and cannot go on by itself: send the request again, nodes answer the same',
};
const STOPPING: Failure = { code: 'STOPPING', message: 'the coordinator is stopping: send the request again' };
const NOT_HEARD: Pick<NodeVerdict, 'verdict' | 'reason'> = {
  verdict: 'late',
  reason: 'the coordinator was restarted before it answered',
};

export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** What asks the nodes. */
export interface Coordination<R extends Report> {
  readonly finished: Promise<R>;
  report(): R;
}

export interface Ask {
  readonly authorization: string;
  /** Ciphertexts that the request names, for nodes that do not hold them. */
  readonly attachments: readonly Attachment[];
  /** Called after each node has spoken. */
  readonly onOutcome: () => void;
  /** Ends the asking. */
  readonly signal: AbortSignal;
}

/** A request as callers see it. */
export interface Tracked<R extends Report = Report> {
  /** What is known now; a result is durable. */
  report(): Promise<R>;
  /** Resolves when one more node has spoken; never when none will. */
  changed(): Promise<void>;
  readonly log: Pick<EventLog, 'run' | 'verdicts'>;
}

export interface Asking<R extends Report> extends Tracked<R> {
  /** Resolves when it is on disk. Rejects with STORE_FAILED. */
  readonly accepted: Promise<void>;
  /** Resolves when no more will come: the ledger knows all. */
  readonly ended: Promise<void>;
}

/** A request by its id, and what the id is bound to. */
export type Mark = Pick<LedgerRecord, 'requestId' | 'content' | 'caller'>;

/** A record without its kind. */
export type RecordParts<B, R> = Omit<LedgerRecord, 'kind' | 'report' | 'open'> & {
  readonly report?: R;
  readonly open?: { readonly body: B; readonly authorization: string };
};

export interface AskingModules<B extends Batch, R extends Report> {
  readonly kind: Kind;
  ask(request: B, options: Ask): Coordination<R>;
  /** The report of a request that came to nothing before any node said anything. */
  failed(requestId: string, error: Failure): R;
  record(parts: RecordParts<B, R>): LedgerRecord;
  readonly ledger: Ledger;
  /** Requests to nodes under way, and bytes of their bodies. */
  readonly running: Places;
  readonly runningBytes: Places;
  /** From the result of a request until the nodes that have not spoken are late. */
  readonly collectMs: number;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly stopping: AbortSignal;
  /** Told when a request has ended; `seconds` since it came. */
  onEnd(kind: Kind, report: R, seconds: number): void;
  /** Told of what has nobody else to be told to: a bug of ours, or the disk. */
  onProblem(error: unknown): void;
}

/** What a caller sent, and what belongs to it. */
export interface Sent<B> extends Pick<Ask, 'authorization' | 'attachments'> {
  readonly body: B;
}

/**
 * Starts at once.
 * @throws CoordinationError BUSY, BODY_INVALID; WireError when it cannot be asked for
 */
export function startAsking<B extends Batch, R extends Report>(
  modules: AskingModules<B, R>,
  mark: Mark,
  { body, authorization, attachments }: Sent<B>,
): Asking<R> {
  const { ledger, stopping } = modules;
  const signed = parseAuthorization(authorization)?.scheme === 'signed';
  const bytes = bytesOf(body) + attachments.reduce((sum, attachment) => sum + attachment.bytes.length, 0);
  const leave = enter(modules, { caller: mark.caller, requests: countRequests(body, signed), bytes });
  const collecting = new AbortController();
  const log = createEventLog(randomBytes(RUN_BYTES).toString('hex'));
  const base = { ...mark, madeMs: modules.nowMs(), run: log.run };
  const startedAt = performance.now();
  let next = Promise.withResolvers<void>();
  let saved: Promise<void> | undefined;
  let lateTimer: NodeJS.Timeout | undefined;

  /** Writes what this would be after a restart. */
  function saveResult(report: R): Promise<void> {
    const unheard = verdictsOf(report).filter(({ verdict }) => verdict === 'pending');
    const verdicts = [...log.verdicts, ...unheard.map((node) => ({ ...node, ...NOT_HEARD }))];
    return ledger.put(modules.record({ ...base, report: withoutUnheard(report), verdicts }), true);
  }

  function onOutcome(): void {
    const report = coordination.report();
    log.add(report);
    if (report.state !== 'pending' && !saved && !isCutOff(report)) {
      saved = saveResult(report).catch(modules.onProblem);
      lateTimer = setTimeout(() => collecting.abort(), modules.collectMs);
    }
    next.resolve();
    next = Promise.withResolvers();
  }

  async function end(): Promise<void> {
    try {
      const report = await coordination.finished;
      if (isCutOff(report)) return; // the disk says how it goes on
      modules.onEnd(modules.kind, report, (performance.now() - startedAt) / 1_000);
      saved = ledger.put(modules.record({ ...base, report, verdicts: [...log.verdicts] }), false);
      saved.catch(modules.onProblem);
    } catch (error) {
      modules.onProblem(error);
    } finally {
      clearTimeout(lateTimer);
      leave();
      next.resolve();
    }
  }

  let coordination: Coordination<R>;
  try {
    const signal = AbortSignal.any([stopping, collecting.signal]);
    coordination = modules.ask(body, { authorization, attachments, onOutcome, signal });
  } catch (error) {
    leave();
    throw error;
  }
  const later = signed ? { open: { body, authorization } } : { report: modules.failed(mark.requestId, INTERRUPTED) };
  const accepted = ledger.put(modules.record({ ...base, ...later, verdicts: [] }), true);
  return {
    accepted,
    ended: end(),
    log,
    changed: () => next.promise,
    async report() {
      const report = coordination.report();
      if (isCutOff(report)) return { ...modules.failed(mark.requestId, STOPPING), nodes: report.nodes };
      if (report.state !== 'pending') await saved?.catch(() => undefined); // told to onProblem
      return report;
    },
  };
}

function enter<B extends Batch, R extends Report>(
  { running, runningBytes }: AskingModules<B, R>,
  { caller, requests, bytes }: { readonly caller: string; readonly requests: number; readonly bytes: number },
): () => void {
  const leave = running.enter(caller, requests);
  try {
    const leaveBytes = runningBytes.enter(caller, bytes);
    return () => {
      leave();
      leaveBytes();
    };
  } catch (error) {
    leave();
    throw error;
  }
}

/** Nearly all of a body is ciphertexts. */
function bytesOf({ ciphertexts }: Batch): number {
  return ciphertexts.reduce((sum, { bytes = '' }) => sum + bytes.length, 0);
}

/** Whether the asking was ended by the stop of the service, which says nothing about the request. */
function isCutOff({ error, slots = [] }: Report): boolean {
  return [error, ...slots.map((slot) => slot.error)].some((failure) => failure?.code === 'ABORTED');
}

function withoutUnheard<R extends Report>(report: R): R {
  const heard = (nodes: readonly NodeVerdict[]) => {
    return nodes.map((node) => (node.verdict === 'pending' ? { ...node, ...NOT_HEARD } : node));
  };
  const slots = report.slots?.map((slot) => ({ ...slot, nodes: heard(slot.nodes) }));
  return { ...report, nodes: heard(report.nodes), ...(slots && { slots }) };
}
