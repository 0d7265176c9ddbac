/**
 * The requests of one kind: each id is bound to its content and caller, asked once, and answered alike from then on,
 * also after a restart. An equal request of the same caller under another id shares what is known. What has failed is
 * asked again when the caller sends it again.
 *
 * An id is claimed in memory at once and its claim is durable before the caller is told (asking.ts).
 */
import { createHash } from 'node:crypto';
import type { Attachment } from '@keyquorum/client/handing-over';
import {
  type Asking,
  type AskingModules,
  INTERRUPTED,
  type Mark,
  type Sent,
  startAsking,
  type Tracked,
} from './asking.ts';
import type { Kind, Report } from './contract.ts';
import { CoordinationError } from './errors.ts';
import type { Known, LedgerRecord } from './ledger.ts';
import type { Batch } from './slots.ts';

const CALLER_LABEL = 'KEYQUORUM/coordinator/caller/v1';

export interface Requests<B extends Batch, R extends Report> {
  /**
   * The request under its id, once it is durable; asked when new or failed.
   * @param attach what the request names; called when nodes are to be asked
   * @throws CoordinationError REQUEST_CONFLICT, BUSY, BODY_INVALID, STORE_FAILED; WireError when it cannot be asked
   *   for; what `attach` throws
   */
  open(request: B, authorization: string, attach: () => readonly Attachment[]): Promise<Tracked<R>>;
  /** Throws REQUEST_UNKNOWN, also for another caller's request. */
  find(requestId: string, authorization: string): Promise<Tracked<R>>;
  /** Resolves when nothing is being asked, or what was is cut off. */
  idle(): Promise<void>;
}

export interface RequestModules<B extends Batch, R extends Report> extends AskingModules<B, R> {
  /** What a record holds, if it is of this kind. */
  reportOf(record: LedgerRecord): R | undefined;
  openOf(record: LedgerRecord): { readonly body: B; readonly authorization: string } | undefined;
}

/** Digest by which a caller is known again. A request that was signed anew, to expire later, is another caller's. */
export function callerOf(authorization: string): string {
  return sha256(`${CALLER_LABEL}|${authorization}`);
}

/**
 * Digest of what a request id is bound to, like at the nodes: the same whether ciphertexts are carried or named, and
 * without what shows where they come from. Other signatures that suffice make the same request; they are used when it
 * has to be asked for again.
 */
function contentOf(kind: Kind, { requestId: _, ...request }: Batch): string {
  const ciphertexts = request.ciphertexts.map(({ bytes, digest, provenance: _, ...rest }) => {
    return { ...rest, digest: digest ?? sha256(Buffer.from(bytes ?? '', 'base64')) };
  });
  return sha256(JSON.stringify([kind, { ...request, ciphertexts }]));
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

export function createRequests<B extends Batch, R extends Report>(modules: RequestModules<B, R>): Requests<B, R> {
  const { kind, ledger } = modules;
  const live = new Map<string, Asking<R>>();

  function claim(mark: Mark, sent: Sent<B>): Asking<R> {
    const asking = startAsking(modules, mark, sent);
    live.set(mark.requestId, asking);
    asking.ended.then(() => live.delete(mark.requestId));
    return asking;
  }

  function requireSame({ requestId, content, caller }: Mark): Known | undefined {
    const known = ledger.lookUp(requestId);
    if (!known || (known.kind === kind && known.content === content && known.caller === caller)) return known;
    throw new CoordinationError('REQUEST_CONFLICT', `request ${requestId} is known with other content or caller`);
  }

  function goOn(record: LedgerRecord, open: { readonly body: B; readonly authorization: string }): void {
    const { requestId, content, caller, madeMs, run } = record;
    const mark = { requestId, content, caller };
    try {
      claim(mark, { ...open, attachments: [] }).accepted.catch(modules.onProblem);
    } catch (error) {
      modules.onProblem(error); // as when the limits are smaller now
      const report = modules.failed(requestId, INTERRUPTED);
      const failed = modules.record({ ...mark, madeMs, run, verdicts: [], report });
      ledger.put(failed, false).catch(modules.onProblem);
    }
  }

  const isUsable = (requestId: string) => live.has(requestId) || ledger.lookUp(requestId)?.complete === true;

  /** Lets the id share what is known of an equal request, if there is one. Effective at once. */
  function refer(mark: Mark): { readonly known: Known; readonly accepted: Promise<void> } | undefined {
    const equal = ledger.equal(mark.caller, mark.content);
    if (!equal || !isUsable(equal.requestId)) return undefined;
    const parts = { ...mark, madeMs: modules.nowMs(), askedAs: equal.requestId, run: '', verdicts: [] };
    const accepted = ledger.put(modules.record(parts), false);
    accepted.catch(() => undefined); // looked at below
    return { known: { ...equal, ...mark, askedAs: equal.requestId }, accepted };
  }

  /** What came of a known request, or comes of it; undefined when that is forgotten or damaged. */
  async function resolve({ requestId, askedAs = requestId }: Known): Promise<Tracked<R> | undefined> {
    const asked = live.get(askedAs) ?? (await stored(askedAs));
    if (asked === undefined || askedAs === requestId) return asked;
    return { ...asked, report: async () => ({ ...(await asked.report()), requestId, askedAs }) };
  }

  async function stored(requestId: string): Promise<Tracked<R> | undefined> {
    const record = await ledger.read(requestId);
    const report = record && modules.reportOf(record);
    return report && { report: async () => report, changed: () => new Promise(() => undefined), log: record };
  }

  for (const record of ledger.unfinished) {
    const open = modules.openOf(record);
    if (open) goOn(record, open);
  }

  return {
    async open(request, authorization, attach) {
      const { requestId } = request;
      const mark = { requestId, content: contentOf(kind, request), caller: callerOf(authorization) };
      for (;;) {
        const before = requireSame(mark);
        const { known, accepted } = before ? { known: before, accepted: undefined } : (refer(mark) ?? {});
        if (!known || !isUsable(known.askedAs ?? requestId)) break;
        const tracked = await resolve(known);
        await (accepted ?? live.get(requestId)?.accepted);
        if (tracked) return tracked;
      }
      const asking = claim(mark, { body: request, authorization, attachments: attach() });
      await asking.accepted;
      return asking;
    },
    async find(requestId, authorization) {
      const known = ledger.lookUp(requestId);
      const own = known?.kind === kind && known.caller === callerOf(authorization) ? known : undefined;
      const tracked = own && (await resolve(own));
      if (tracked) return tracked;
      throw new CoordinationError('REQUEST_UNKNOWN', `no request ${requestId} of this caller`);
    },
    async idle() {
      await Promise.all([...live.values()].map(({ ended }) => ended));
    },
  };
}
