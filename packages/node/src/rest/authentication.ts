/** API keys: `Authorization: Bearer KEY` of a configured requester. Runs before the body is read. */
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { ApiError } from '../errors/api-error.ts';
import type { Caller, Requesters } from '../requests/requester.ts';

const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;

/** An `onRequest` hook that refuses unknown callers, and callers that are no operators when `operator` is set. */
export function authentication(requesters: Requesters, { operator = false } = {}): onRequestAsyncHookHandler {
  return async (request) => {
    const [, key] = BEARER.exec(request.headers.authorization ?? '') ?? [];
    if (key === undefined) throw new ApiError('UNAUTHENTICATED', 'no API key');
    const caller = requesters.authenticate(key);
    if (!caller) throw new ApiError('UNAUTHENTICATED', 'the API key belongs to no requester of this node');
    if (operator && caller.requester.operator !== true) {
      throw new ApiError('FORBIDDEN', `requester ${caller.requester.name} is no operator`);
    }
    request.caller = caller;
  };
}

export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new ApiError('UNAUTHENTICATED', 'no API key');
  return request.caller;
}

/** Fires when the answer is sent or the caller has hung up. */
export function hangUpSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}
