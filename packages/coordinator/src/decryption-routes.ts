/**
 * Decryptions for everybody and for one user: ask, wait, watch. Asking answers 202; 200 when the caller waits in the
 * same call and what it waits for has come.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, onRequestAsyncHookHandler } from 'fastify';
import Type, { type TSchema } from 'typebox';
import type { Tracked } from './asking.ts';
import {
  AUTHORIZATION_MAX,
  CoordinatedDecryption,
  CoordinatedUserDecryption,
  ErrorBody,
  Id,
  PublicDecryptionRequest,
  UserDecryptionRequest,
  UserWaitQuery,
  WaitQuery,
} from './contract.ts';
import { eventStream } from './event-stream.ts';
import type { HandedOver } from './handed-over.ts';
import { callerOf, type Requests } from './requests.ts';
import type { Waiting } from './waiting.ts';

const EVENT_ID_MAX = 64;

export const authorization = Type.String({ pattern: '^(Bearer|Keyquorum) .+', maxLength: AUTHORIZATION_MAX });
const headers = Type.Object({ authorization });
const params = Type.Object({ requestId: Id }, { additionalProperties: false });
export const failures = Object.fromEntries(
  [400, 401, 404, 409, 413, 415, 422, 429, 503].map((status) => [status, ErrorBody]),
);

/** Of a call that asks. */
const reports = <Schema extends TSchema>(report: Schema) => ({ 200: report, 202: report, ...failures });

interface Shared {
  readonly waiting: Waiting;
  readonly handedOver: HandedOver;
  /** Refuses callers before their body is read. */
  readonly onRequest: onRequestAsyncHookHandler;
}

interface PublicModules extends Shared {
  readonly requests: Requests<PublicDecryptionRequest, CoordinatedDecryption>;
}

export const publicRoutes: FastifyPluginAsyncTypebox<PublicModules> = async (app, modules) => {
  const { requests, waiting, handedOver } = modules;
  app.addHook('onRequest', modules.onRequest);
  const created = { operationId: 'createPublicDecryption', headers, body: PublicDecryptionRequest };
  app.post(
    '/v1/public-decryptions',
    { schema: { ...created, querystring: WaitQuery, response: reports(CoordinatedDecryption) } },
    async ({ body, ip, query: { wait = 0 }, headers: { authorization } }, reply) => {
      const attach = () => handedOver.attachments(body.ciphertexts, { ip, authorization });
      const tracked = await requests.open(body, authorization, attach);
      const report = await waiting.until(tracked, { ...waiterOf(authorization, reply, wait), enough: hasEnded });
      return reply.code(wait > 0 && hasEnded(report) ? 200 : 202).send(report);
    },
  );

  const read = { operationId: 'getPublicDecryption', headers, params, querystring: WaitQuery };
  app.get(
    '/v1/public-decryptions/:requestId',
    { schema: { ...read, response: { 200: CoordinatedDecryption, ...failures } } },
    async ({ params, query: { wait = 0 }, headers: { authorization } }, reply) => {
      const tracked = await requests.find(params.requestId, authorization);
      return waiting.until(tracked, { ...waiterOf(authorization, reply, wait), enough: hasEnded });
    },
  );
};

interface UserModules extends Shared {
  readonly requests: Requests<UserDecryptionRequest, CoordinatedUserDecryption>;
  /** 2t+1. */
  readonly quorum: number;
}

export const userRoutes: FastifyPluginAsyncTypebox<UserModules> = async (app, modules) => {
  const { requests, waiting, handedOver, quorum } = modules;
  app.addHook('onRequest', modules.onRequest);
  const created = { operationId: 'createUserDecryption', headers, body: UserDecryptionRequest };
  app.post(
    '/v1/user-decryptions',
    { schema: { ...created, querystring: UserWaitQuery, response: reports(CoordinatedUserDecryption) } },
    async ({ body, ip, query: { wait = 0, responses = quorum }, headers: { authorization } }, reply) => {
      const attach = () => handedOver.attachments(body.ciphertexts, { ip, authorization });
      const tracked = await requests.open(body, authorization, attach);
      const enough = hasResponses(responses);
      const report = await waiting.until(tracked, { ...waiterOf(authorization, reply, wait), enough });
      return reply.code(wait > 0 && enough(report) ? 200 : 202).send(report);
    },
  );

  const read = { operationId: 'getUserDecryption', headers, params, querystring: UserWaitQuery };
  app.get(
    '/v1/user-decryptions/:requestId',
    { schema: { ...read, response: { 200: CoordinatedUserDecryption, ...failures } } },
    async ({ params, query: { wait = 0, responses: wanted = quorum }, headers: { authorization } }, reply) => {
      const tracked = await requests.find(params.requestId, authorization);
      return waiting.until(tracked, { ...waiterOf(authorization, reply, wait), enough: hasResponses(wanted) });
    },
  );
};

function waiterOf(authorization: string, reply: FastifyReply, seconds: number) {
  return { caller: callerOf(authorization), reply, seconds };
}

function hasEnded({ state }: CoordinatedDecryption): boolean {
  return state !== 'pending';
}

/** Whether it, or every ciphertext of a batch, has failed or has so many responses. */
function hasResponses(wanted: number): (report: CoordinatedUserDecryption) => boolean {
  return ({ state, responses, slots = [] }) => {
    if (state === 'failed') return true;
    const parts = slots.length > 0 ? slots : [{ state, responses }];
    return parts.every((part) => part.state === 'failed' || part.responses.length >= wanted);
  };
}

interface EventModules extends Omit<Shared, 'handedOver'> {
  readonly collection: 'public-decryptions' | 'user-decryptions';
  readonly requests: { find(requestId: string, authorization: string): Promise<Tracked> };
}

export const eventRoutes: FastifyPluginAsyncTypebox<EventModules> = async (app, modules) => {
  const { collection, requests, waiting } = modules;
  app.addHook('onRequest', modules.onRequest);
  const operationId = collection === 'public-decryptions' ? 'watchPublicDecryption' : 'watchUserDecryption';
  const resuming = Type.Object({
    authorization,
    'last-event-id': Type.Optional(Type.String({ maxLength: EVENT_ID_MAX, description: 'only what came after it' })),
  });
  app.get(
    `/v1/${collection}/:requestId/events`,
    { schema: { operationId, headers: resuming, params, produces: ['text/event-stream'] } },
    async ({ params, headers: { authorization, 'last-event-id': lastId } }, reply) => {
      const tracked = await requests.find(params.requestId, authorization);
      const stream = eventStream(tracked, { lastId, stopping: waiting.stopping });
      if (!stream) return reply.code(204).send(); // tells a reader not to come back
      waiting.enter(callerOf(authorization), reply);
      // The connection ends with the stream: kept alive, it would hold up the stop of the service.
      return reply.type('text/event-stream').headers({ 'cache-control': 'no-store', connection: 'close' }).send(stream);
    },
  );
};
