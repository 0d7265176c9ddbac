/** `PUT /v1/ciphertexts/{digest}`: a ciphertext as it is, once, so that requests need only name it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { announcedBytes } from '@keyquorum/wire/ciphertext-shelf';
import { ciphertextRequestHash } from '@keyquorum/wire/request-hash';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { ApiError } from '../errors/api-error.ts';
import { Id } from '../requests/body.ts';
import { authentication, callerOf } from './authentication.ts';
import type { RestContext } from './context.ts';
import { perRequester } from './rate-limit.ts';
import { responses } from './schemas.ts';

const MEDIA_TYPE = 'application/octet-stream';

const Params = Type.Object({ digest: Id }, { additionalProperties: false });
const Bytes = Type.Unsafe<unknown>({ description: 'the bytes of safe_serialize; read by the handler, piece by piece' });

export const ciphertextRoutes: FastifyPluginAsyncTypebox<{ context: RestContext }> = async (app, { context }) => {
  const { shelf, requesters, config } = context;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(MEDIA_TYPE, (_request, _stream, done) => done(null));
  app.put(
    '/v1/ciphertexts/:digest',
    {
      onRequest: authentication(requesters),
      ...perRequester(app, config.limits),
      schema: {
        operationId: 'handOverCiphertext',
        summary: 'Hand over a ciphertext that requests of this requester then name by its SHA-256',
        security: [{ apiKey: [] }],
        consumes: [MEDIA_TYPE],
        params: Params,
        body: { content: { [MEDIA_TYPE]: { schema: Bytes } } },
        response: responses({ 204: Type.Null({ description: 'this node holds it' }) }),
      },
    },
    async (request, reply) => {
      const { requester, sign } = callerOf(request);
      const { digest } = request.params;
      sign(ciphertextRequestHash(requester.name, Buffer.from(digest, 'hex')));
      const upload = { owner: requester.name, digest, size: sizeOf(request), chunks: request.raw };
      await shelf.receive(upload).catch((error) => {
        throw request.raw.errored ? new ApiError('REQUEST_INVALID', 'the body ended early') : error;
      });
      return reply.code(204).send(null);
    },
  );
};

function sizeOf({ headers }: FastifyRequest): number {
  const size = announcedBytes(headers['content-length']);
  if (size === undefined) throw new ApiError('REQUEST_INVALID', 'content-length: want the number of bytes');
  return size;
}
