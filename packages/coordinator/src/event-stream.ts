/** What becomes of the nodes of one request, as server-sent events: at most a few per node, pulled by the reader. */
import { Readable } from 'node:stream';
import { CoordinationError } from './errors.ts';
import type { Report, Tracked } from './requests.ts';

/** Keeps proxies from closing a silent stream. */
const HEARTBEAT_MS = 15_000;
const STREAMS_MAX = 1_024;

export interface EventStreams {
  /** Ends when every node has a verdict. Throws BUSY. */
  open(tracked: Tracked<Report>): Readable;
}

export function createEventStreams(streamsMax = STREAMS_MAX): EventStreams {
  let open = 0;
  return {
    open(tracked) {
      if (open >= streamsMax) throw new CoordinationError('BUSY', `${streamsMax} event streams are open`);
      open++;
      const stream = Readable.from(events(tracked), { objectMode: false });
      return stream.once('close', () => {
        open--;
      });
    },
  };
}

/** `verdict` for every verdict that comes or changes, then `end` with the state. */
async function* events({ report, changed }: Tracked<Report>): AsyncGenerator<string> {
  const told = new Map<number, string>();
  for (;;) {
    const next = changed(); // before looking, so that no change falls in between
    const { nodes, state } = report();
    for (const node of nodes) {
      const said = JSON.stringify(node);
      if (node.verdict === 'pending' || told.get(node.party) === said) continue;
      told.set(node.party, said);
      yield `event: verdict\ndata: ${said}\n\n`;
    }
    if (told.size === nodes.length) return yield `event: end\ndata: ${JSON.stringify({ state })}\n\n`;
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
