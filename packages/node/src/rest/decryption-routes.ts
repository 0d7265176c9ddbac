/** Public decryptions: ask, and wait for the signed answer. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { ApiError, errorDetail } from '../errors/api-error.ts';
import { PublicDecryptionBody } from '../requests/body.ts';
import type { PublicRecord } from '../requests/record.ts';
import { authentication, callerOf, hangUpSignal } from './authentication.ts';
import type { RestContext } from './context.ts';
import { perRequester } from './rate-limit.ts';
import { Accepted, DecryptionBody, IdParams, responses, WaitQuery } from './schemas.ts';

const EMPTY = { values: [], abiEncoded: '', signature: '', faults: [] };

function bodyOf({ requestId, state, answer, failure }: PublicRecord, signer: string): DecryptionBody {
  const error = failure && errorDetail({ ...failure, requestId });
  return { requestId, state, ...(answer ?? EMPTY), signer, ...(error && { error }) };
}

export const decryptionRoutes: FastifyPluginAsyncTypebox<{ context: RestContext }> = async (app, { context }) => {
  const { publicDecryptions: decryptions, waiting, config, requesters, signer } = context;
  const onRequest = authentication(requesters);

  app.post(
    '/v1/public-decryptions',
    {
      onRequest,
      ...perRequester(app, config.limits),
      bodyLimit: config.limits.bodyBytes,
      schema: {
        operationId: 'decryptPublicly',
        summary: 'Ask the network to decrypt ciphertexts; same id and content give the same answer',
        security: [{ apiKey: [] }],
        body: PublicDecryptionBody,
        response: responses({ 202: Accepted }),
      },
    },
    async (request, reply) => {
      const { requestId, state } = await decryptions.ask(request.body, callerOf(request));
      return reply.code(202).send({ requestId, state });
    },
  );

  app.get(
    '/v1/public-decryptions/:id',
    {
      onRequest,
      schema: {
        operationId: 'getPublicDecryption',
        summary: 'State of a decryption; when it is done, the values and the signature of this node',
        security: [{ apiKey: [] }],
        params: IdParams,
        querystring: WaitQuery,
        response: responses({ 200: DecryptionBody }),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { name } = callerOf(request).requester;
      const known = () => decryptions.find(id, name);
      if (known()?.state === 'pending') {
        const options = { seconds: request.query.wait ?? 0, signal: hangUpSignal(reply) };
        await waiting.until((wake) => decryptions.onEnd(id, wake), options);
      }
      const record = known();
      if (!record) throw new ApiError('REQUEST_UNKNOWN', `this node knows no request ${id} of ${name}`);
      return bodyOf(record, signer);
    },
  );
};
