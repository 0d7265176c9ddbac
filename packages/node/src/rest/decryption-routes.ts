/**
 * Decryptions to everybody and to one user: ask, and wait for this node's signed answer, in one call or in two. A call
 * that asks and waits says 200 with the answer, or 202 when it has waited enough: the request goes on.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError, errorDetail } from '../errors/api-error.ts';
import { PublicDecryptionBody, UserDecryptionBody } from '../requests/body.ts';
import type { PublicRecord, RequestRecord, UserRecord } from '../requests/record.ts';
import type { Caller } from '../requests/requester.ts';
import { authentication, callerOf, hangUpSignal } from './authentication.ts';
import type { RestContext } from './context.ts';
import { perRequester } from './rate-limit.ts';
import { Accepted, DecryptionBody, IdParams, responses, UserDecryptionAnswer, WaitQuery } from './schemas.ts';

const NO_VALUES = { values: [], abiEncoded: '', signature: '', faults: [] };
const NO_SHARE = { payload: '', signature: '', extraData: '', faults: [] };

function errorOf({ requestId, failure }: RequestRecord) {
  return failure && { error: errorDetail({ ...failure, requestId }) };
}

function publicBody(record: PublicRecord, signer: string): DecryptionBody {
  const { requestId, state, answer } = record;
  return { requestId, state, ...(answer ?? NO_VALUES), signer, ...errorOf(record) };
}

function userBody(record: UserRecord): UserDecryptionAnswer {
  const { requestId, state, answer } = record;
  return { requestId, state, ...(answer ?? NO_SHARE), ...errorOf(record) };
}

/** Requests of one kind, as far as waiting for them goes. */
interface Findable<Record> {
  find(requestId: string, caller: Caller): Record | undefined;
  onEnd(requestId: string, listener: () => void): () => void;
}

interface Wait {
  readonly id: string;
  readonly request: FastifyRequest<{ readonly Querystring: { readonly wait?: number } }>;
  readonly reply: FastifyReply;
}

/** The caller's request after its end, or as it is when the wait is over. Throws REQUEST_UNKNOWN, BUSY. */
async function waitedFor<Record extends RequestRecord>(
  decryptions: Findable<Record>,
  { waiting }: RestContext,
  { id, request, reply }: Wait,
): Promise<Record> {
  const caller = callerOf(request);
  if (decryptions.find(id, caller)?.state === 'pending') {
    const options = { caller: caller.requester.name, seconds: request.query.wait ?? 0, signal: hangUpSignal(reply) };
    await waiting.until((wake) => decryptions.onEnd(id, wake), options);
  }
  const record = decryptions.find(id, caller);
  if (record) return record;
  throw new ApiError('REQUEST_UNKNOWN', `this node knows no request ${id} of ${caller.requester.name}`);
}

/** The caller's request if it wants to wait and has seen its end. Throws REQUEST_UNKNOWN, BUSY. */
async function endOf<Record extends RequestRecord>(
  decryptions: Findable<Record>,
  context: RestContext,
  wait: Wait,
): Promise<Record | undefined> {
  if (!wait.request.query.wait) return undefined;
  const record = await waitedFor(decryptions, context, wait);
  return record.state === 'pending' ? undefined : record;
}

export const decryptionRoutes: FastifyPluginAsyncTypebox<{ context: RestContext }> = async (app, { context }) => {
  const { publicDecryptions, userDecryptions, config, requesters, signer } = context;
  const onRequest = authentication(requesters);
  const security = [{ apiKey: [] }];
  const asking = { onRequest, ...perRequester(app, config.limits), bodyLimit: config.limits.bodyBytes };

  app.post(
    '/v1/public-decryptions',
    {
      ...asking,
      schema: {
        operationId: 'decryptPublicly',
        summary: 'Ask the network to decrypt ciphertexts; same id and content give the same answer',
        security,
        body: PublicDecryptionBody,
        querystring: WaitQuery,
        response: responses({ 200: DecryptionBody, 202: Accepted }),
      },
    },
    async (request, reply) => {
      const { requestId: id, state } = await publicDecryptions.ask(request.body, callerOf(request));
      const ended = await endOf(publicDecryptions, context, { id, request, reply });
      return ended ? publicBody(ended, signer) : reply.code(202).send({ requestId: id, state });
    },
  );

  app.get(
    '/v1/public-decryptions/:id',
    {
      onRequest,
      schema: {
        operationId: 'getPublicDecryption',
        summary: 'State of a decryption; when it is done, the values and the signature of this node',
        security,
        params: IdParams,
        querystring: WaitQuery,
        response: responses({ 200: DecryptionBody }),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      return publicBody(await waitedFor(publicDecryptions, context, { id, request, reply }), signer);
    },
  );

  app.post(
    '/v1/user-decryptions',
    {
      ...asking,
      schema: {
        operationId: 'decryptForUser',
        summary: 'Ask the network to re-encrypt values to the key of a user who signed for it',
        security,
        body: UserDecryptionBody,
        querystring: WaitQuery,
        response: responses({ 200: UserDecryptionAnswer, 202: Accepted }),
      },
    },
    async (request, reply) => {
      const { requestId: id, state } = await userDecryptions.ask(request.body, callerOf(request));
      const ended = await endOf(userDecryptions, context, { id, request, reply });
      return ended ? userBody(ended) : reply.code(202).send({ requestId: id, state });
    },
  );

  app.get(
    '/v1/user-decryptions/:id',
    {
      onRequest,
      schema: {
        operationId: 'getUserDecryption',
        summary: "State of a re-encryption; when it is done, this node's share for the user, ready for node-tkms",
        security,
        params: IdParams,
        querystring: WaitQuery,
        response: responses({ 200: UserDecryptionAnswer }),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      return userBody(await waitedFor(userDecryptions, context, { id, request, reply }));
    },
  );
};
