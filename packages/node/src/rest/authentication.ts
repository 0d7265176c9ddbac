/** Who calls: `Authorization: Bearer KEY` or a signed request (docs/rest.md). Runs before the body is read. */
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { ApiError } from '../errors/api-error.ts';
import type { Caller, Requesters } from '../requests/requester.ts';

/** An `onRequest` hook that refuses unknown callers, and callers that are no operators when `operator` is set. */
export function authentication(requesters: Requesters, { operator = false } = {}): onRequestAsyncHookHandler {
  return async (request) => {
    const caller = requesters.authenticate(request.headers.authorization ?? '');
    if (!caller)
      throw new ApiError('UNAUTHENTICATED', 'neither an API key nor a signature of a requester of this node');
    if (operator && !caller.holdsKey) throw new ApiError('UNAUTHENTICATED', 'this call takes an API key');
    if (operator && caller.requester.operator !== true) {
      throw new ApiError('FORBIDDEN', `requester ${caller.requester.name} is no operator`);
    }
    request.caller = caller;
  };
}

export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new ApiError('UNAUTHENTICATED', 'no authorization');
  return request.caller;
}

/** Fires when the answer is sent or the caller has hung up. */
export function hangUpSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}
