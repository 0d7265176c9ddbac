/**
 * Who comes in, before a body is read: at most so many calls per minute and address, and nobody with a signature that
 * has expired. Everything else that callers show as authorization is for nodes to judge; but what is kept here is read
 * without asking them, and must not be read for ever by whoever has seen a header.
 */
import { expiryProblem, parseAuthorization } from '@keyquorum/wire/authorization';
import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { CoordinationError } from './errors.ts';

const WINDOW_MS = 60_000;

interface Rules {
  readonly requestsPerMinute: number;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** An `onRequest` hook. Throws RATE_LIMITED, UNAUTHENTICATED. */
export function admission(
  app: Pick<FastifyInstance, 'createRateLimit'>,
  { requestsPerMinute, nowMs }: Rules,
): onRequestAsyncHookHandler {
  const check = app.createRateLimit({ max: requestsPerMinute, timeWindow: WINDOW_MS, keyGenerator: ({ ip }) => ip });
  return async (request) => {
    const limit = await check(request);
    if (!limit.isAllowed && limit.isExceeded) {
      const message = `more than ${requestsPerMinute} calls in a minute from ${request.ip}`;
      throw new CoordinationError('RATE_LIMITED', message, { retrySeconds: limit.ttlInSeconds });
    }
    const problem = timeProblem(request.headers.authorization ?? '', nowMs());
    if (problem !== undefined) throw new CoordinationError('UNAUTHENTICATED', problem);
  };
}

/** Why nodes would not take the header at this time; undefined when they would, if it is what it says. */
export function timeProblem(header: string, nowMs: number): string | undefined {
  const shown = parseAuthorization(header);
  return shown?.scheme === 'signed' ? expiryProblem(shown.expires, nowMs) : undefined;
}
