/** At most so many calls per minute and address: what callers show as authorization is for nodes to judge. */
import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { CoordinationError } from './errors.ts';

const WINDOW_MS = 60_000;

/** An `onRequest` hook. Throws RATE_LIMITED. */
export function perAddress(
  app: Pick<FastifyInstance, 'createRateLimit'>,
  requestsPerMinute: number,
): onRequestAsyncHookHandler {
  const check = app.createRateLimit({ max: requestsPerMinute, timeWindow: WINDOW_MS, keyGenerator: ({ ip }) => ip });
  return async (request) => {
    const limit = await check(request);
    if (limit.isAllowed || !limit.isExceeded) return;
    const message = `more than ${requestsPerMinute} calls in a minute from ${request.ip}`;
    throw new CoordinationError('RATE_LIMITED', message, { retrySeconds: limit.ttlInSeconds });
  };
}
