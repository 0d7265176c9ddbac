/** What becomes of the nodes of one request, as server-sent events (HTML standard, 9.2), pulled by the reader. */
import { Readable } from 'node:stream';
import type { Tracked } from './asking.ts';
import { isOpen } from './event-log.ts';

/** Keeps proxies from closing a silent stream. */
const HEARTBEAT_MS = 15_000;
/** Sends the headers at once, and has a reader come back soon when the stream breaks. */
const OPENING = 'retry: 1000\n\n';
const END = 'end';

interface Options {
  /** `Last-Event-ID` of a reader that comes back. */
  readonly lastId: string | undefined;
  /** Cuts the stream off, without an end: the reader comes back to the next process. */
  readonly stopping: AbortSignal;
}

/** `verdict` for every verdict that comes or changes, then `end` with the state. Undefined when all was told before. */
export function eventStream(tracked: Tracked, options: Options): Readable | undefined {
  const [run, position] = options.lastId?.split('-') ?? [];
  const same = run === tracked.log.run;
  if (same && position === END) return undefined;
  const told = same && /^\d{1,9}$/.test(position ?? '') ? Number(position) : 0;
  return Readable.from(events(tracked, told, options.stopping), { objectMode: false });
}

async function* events(
  { report, changed, log }: Tracked,
  toldBefore: number,
  stopping: AbortSignal,
): AsyncGenerator<string> {
  yield OPENING;
  for (let told = Math.min(toldBefore, log.verdicts.length); ; ) {
    const next = changed(); // before looking, so that no change falls in between
    const known = await report();
    for (const verdict of log.verdicts.slice(told)) {
      yield `id: ${log.run}-${++told}\nevent: verdict\ndata: ${JSON.stringify(verdict)}\n\n`;
    }
    if (stopping.aborted) return;
    if (!isOpen(known)) {
      return yield `id: ${log.run}-${END}\nevent: end\ndata: ${JSON.stringify({ state: known.state })}\n\n`;
    }
    if (!(await within(next, HEARTBEAT_MS))) yield ': still here\n\n';
  }
}

/** Whether it resolves in time. */
async function within(next: Promise<void>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), ms);
  const inTime = await Promise.race([next.then(() => true), late.promise]);
  clearTimeout(timer);
  return inTime;
}
