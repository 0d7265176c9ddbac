/** Key generation and what came of it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { KeygenRequest } from '@keyquorum/protocols/services';
import Type, { type Static } from 'typebox';
import { ApiError } from '../errors/api-error.ts';
import { admitsKeygen } from '../keygen-policy.ts';
import { authentication } from './authentication.ts';
import { untilItMoves } from './ceremony-waiting.ts';
import type { RestContext } from './context.ts';
import { Accepted, IdParams, KeyBody, KeyRequest, responses, WaitQuery } from './schemas.ts';

export const keyRoutes: FastifyPluginAsyncTypebox<{ context: RestContext }> = async (app, { context }) => {
  const { services, keys, config } = context;

  app.post(
    '/v1/keys',
    {
      onRequest: authentication(context.requesters, { operator: true }),
      schema: {
        operationId: 'generateKey',
        summary: 'Start a distributed key generation; the request id becomes the id of the key',
        security: [{ apiKey: [] }],
        body: KeyRequest,
        response: responses({ 202: Accepted }),
      },
    },
    async ({ body }, reply) => {
      const request = completed(body, config.keys.defaultPurpose);
      const refusal = admitsKeygen(config.keys, request);
      if (refusal !== undefined) throw new ApiError('KEYGEN_REFUSED', refusal);
      const { state } = services.generateKey(request);
      return reply.code(202).send({ requestId: request.requestId, state });
    },
  );

  app.get(
    '/v1/keys',
    {
      schema: {
        operationId: 'listKeys',
        summary: 'All keys of this node and key generations under way',
        response: responses({ 200: Type.Object({ keys: Type.Array(KeyBody) }) }),
      },
    },
    async () => ({ keys: keys.all() }),
  );

  app.get(
    '/v1/keys/:id',
    {
      schema: {
        operationId: 'getKey',
        summary: 'State of a key; when it is done, its public objects',
        params: IdParams,
        querystring: WaitQuery,
        response: responses({ 200: KeyBody }),
      },
    },
    async ({ params: { id }, query: { wait = 0 } }, reply) => {
      const before = keys.view(id);
      if (!before) throw new ApiError('KEY_UNKNOWN', `this node knows no key ${id}`);
      if (before.state !== 'pending' && before.state !== 'running') return before;
      await untilItMoves(context, id, { seconds: wait, reply });
      return keys.view(id) ?? before;
    },
  );
};

function completed(
  body: Static<typeof KeyRequest>,
  defaultPurpose: KeygenRequest['purpose'] | undefined,
): KeygenRequest {
  const purpose = body.purpose ?? defaultPurpose;
  if (purpose) return { ...body, purpose };
  throw new ApiError('KEY_PURPOSE_REQUIRED', 'purpose: want development or production');
}
