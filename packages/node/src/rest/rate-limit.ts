/** At most so many requests per minute and requester; the answer beyond it says when to come back. */
import type { FastifyInstance, preHandlerAsyncHookHandler } from 'fastify';
import type { Limits } from '../config/schema.ts';
import { ApiError } from '../errors/api-error.ts';
import { callerOf } from './authentication.ts';

export const WINDOW_MS = 60_000;

/** Route options of a limited route; the route authenticates in `onRequest`. */
export function perRequester(
  app: Pick<FastifyInstance, 'createRateLimit'>,
  { requestsPerMinute }: Limits,
): { preValidation: preHandlerAsyncHookHandler } {
  const check = app.createRateLimit({
    max: requestsPerMinute,
    timeWindow: WINDOW_MS,
    keyGenerator: (request) => callerOf(request).requester.name,
  });
  return {
    async preValidation(request) {
      const limit = await check(request);
      if (limit.isAllowed || !limit.isExceeded) return;
      const { ttlInSeconds: retrySeconds } = limit;
      const message = `more than ${requestsPerMinute} requests in a minute; wait ${retrySeconds} s`;
      throw new ApiError('RATE_LIMITED', message, { retrySeconds });
    },
  };
}
