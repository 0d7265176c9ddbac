/** Long polls of a key or reference string that is being made. */
import type { FastifyReply } from 'fastify';
import { hangUpSignal } from './authentication.ts';
import type { RestContext } from './context.ts';
import { STRANGERS } from './waiting.ts';

/** Resolves when the ceremony is in another state than now, or the caller has waited long enough. Throws BUSY. */
export async function untilItMoves(
  { services, waiting }: RestContext,
  id: string,
  { seconds, reply }: { readonly seconds: number; readonly reply: FastifyReply },
): Promise<void> {
  const seen = services.ceremony(id)?.state;
  await waiting.until((wake) => services.watch((ceremony) => ceremony.id === id && ceremony.state !== seen && wake()), {
    caller: STRANGERS,
    seconds,
    signal: hangUpSignal(reply),
  });
}
