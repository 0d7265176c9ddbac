/** Making a common reference string, and what came of it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { CrsRequest } from '@keyquorum/protocols/services';
import Type, { type Static } from 'typebox';
import { ApiError } from '../errors/api-error.ts';
import { admitsCrs } from '../keygen-policy.ts';
import { authentication } from './authentication.ts';
import { untilItMoves } from './ceremony-waiting.ts';
import type { RestContext } from './context.ts';
import { Accepted, CrsBody, CrsCall, IdParams, responses, WaitQuery } from './schemas.ts';

const DEFAULT_MAX_BITS = 2048;

export const crsRoutes: FastifyPluginAsyncTypebox<{ context: RestContext }> = async (app, { context }) => {
  const { services, referenceStrings, config } = context;

  app.post(
    '/v1/crs',
    {
      onRequest: authentication(context.requesters, { operator: true }),
      schema: {
        operationId: 'generateCrs',
        summary: 'Start to make a common reference string; the request id becomes its id',
        security: [{ apiKey: [] }],
        body: CrsCall,
        response: responses({ 202: Accepted }),
      },
    },
    async ({ body }, reply) => {
      const request = completed(body, context);
      const refusal = admitsCrs(config.keys, request);
      if (refusal !== undefined) throw new ApiError('CRS_REFUSED', refusal);
      const { state } = services.generateCrs(request);
      return reply.code(202).send({ requestId: request.requestId, state });
    },
  );

  app.get(
    '/v1/crs',
    {
      schema: {
        operationId: 'listCrs',
        summary: 'All reference strings of this node, and those in the making',
        response: responses({ 200: Type.Object({ referenceStrings: Type.Array(CrsBody) }) }),
      },
    },
    async () => ({ referenceStrings: referenceStrings.all() }),
  );

  app.get(
    '/v1/crs/:id',
    {
      schema: {
        operationId: 'getCrs',
        summary: 'State of a reference string; when it is done, its file and who contributed',
        params: IdParams,
        querystring: WaitQuery,
        response: responses({ 200: CrsBody }),
      },
    },
    async ({ params: { id }, query: { wait = 0 } }, reply) => {
      const before = known(context, id);
      if (before.state !== 'pending' && before.state !== 'running') return before;
      await untilItMoves(context, id, { seconds: wait, reply });
      return known(context, id);
    },
  );

  app.get(
    '/v1/crs/:id/transcript',
    {
      schema: {
        operationId: 'getCrsTranscript',
        summary: 'Who contributed, with proofs and signatures, for keyquorum verify-crs',
        params: IdParams,
        produces: ['application/octet-stream'],
      },
    },
    async ({ params: { id } }, reply) => {
      const transcript = await services.crsTranscript(id);
      if (!transcript) throw new ApiError('CRS_UNKNOWN', `this node has no finished reference string ${id}`);
      const bytes = Buffer.from(transcript.buffer, transcript.byteOffset, transcript.length);
      return reply.type('application/octet-stream').send(bytes);
    },
  );
};

function known({ referenceStrings }: RestContext, id: string): CrsBody {
  const body = referenceStrings.view(id);
  if (body) return body;
  throw new ApiError('CRS_UNKNOWN', `this node knows no reference string ${id}`);
}

/** For a key: its parameters. */
function completed(body: Static<typeof CrsCall>, { services }: RestContext): CrsRequest {
  const { requestId, maxBits = DEFAULT_MAX_BITS, keyId } = body;
  const parameters = body.parameters ?? services.keys().find((key) => key.keyId === keyId)?.parameters;
  if ((body.parameters === undefined) === (keyId === undefined)) {
    throw new ApiError('BODY_INVALID', 'want either keyId or parameters');
  }
  if (parameters === undefined) throw new ApiError('KEY_UNKNOWN', `this node has no key ${keyId}`);
  return { requestId, parameters, maxBits };
}
