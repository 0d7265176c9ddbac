/** Callers that wait: long polls and event streams. Each takes a place until it is answered or hangs up. */
import type { FastifyReply } from 'fastify';
import type { Tracked } from './asking.ts';
import type { Report } from './contract.ts';
import { isOpen } from './event-log.ts';
import type { Places } from './places.ts';

export interface WaitOptions<R extends Report> {
  readonly caller: string;
  readonly reply: FastifyReply;
  readonly seconds: number;
  enough(report: R): boolean;
}

export interface Waiting {
  /** The report once it is enough, or no node is left that could add to it, at the latest after the wait. */
  until<R extends Report>(tracked: Tracked<R>, options: WaitOptions<R>): Promise<R>;
  /** Takes a place until the answer has been sent. Throws BUSY. */
  enter(caller: string, reply: FastifyReply): void;
  /** Fires when the service stops. */
  readonly stopping: AbortSignal;
}

export function createWaiting(places: Places, stopping: AbortSignal): Waiting {
  return {
    stopping,
    enter(caller, reply) {
      reply.raw.once('close', places.enter(caller));
    },
    async until(tracked, { caller, reply, seconds, enough }) {
      const first = await tracked.report();
      if (enough(first) || !isOpen(first) || seconds === 0) return first;
      const leave = places.enter(caller);
      const over = Promise.withResolvers<'over'>();
      const end = () => over.resolve('over');
      const timer = setTimeout(end, seconds * 1_000);
      reply.raw.once('close', end);
      try {
        for (;;) {
          const changed = tracked.changed(); // before looking, so that no change falls in between
          const report = await tracked.report();
          if (enough(report) || !isOpen(report)) return report;
          if ((await Promise.race([changed, over.promise])) === 'over') return report;
        }
      } finally {
        clearTimeout(timer);
        reply.raw.off('close', end);
        leave();
      }
    },
  };
}
