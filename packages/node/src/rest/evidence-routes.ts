/** Evidence against parties that were proven corrupt: files that convince anybody who has network.toml. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { ApiError } from '../errors/api-error.ts';
import { CACHE_FOREVER } from '../material/material-store.ts';
import type { RestContext } from './context.ts';
import { EvidenceBody, IdParams, responses } from './schemas.ts';

export const evidenceRoutes: FastifyPluginAsyncTypebox<{ context: RestContext }> = async (app, { context }) => {
  const { services } = context;

  app.get(
    '/v1/evidence',
    {
      schema: {
        operationId: 'listEvidence',
        summary: 'Files that prove parties corrupt: whom, of what, in which step of which ceremony',
        response: responses({ 200: Type.Object({ evidence: Type.Array(EvidenceBody) }) }),
      },
    },
    async () => ({ evidence: await services.evidence() }),
  );

  app.get(
    '/v1/evidence/:id',
    {
      schema: {
        operationId: 'getEvidence',
        summary: 'Bytes of a file of evidence by its SHA-256, for keyquorum verify-evidence',
        params: IdParams,
        produces: ['application/octet-stream'],
      },
    },
    async ({ params: { id } }, reply) => {
      const file = await services.evidenceFile(id);
      if (!file) throw new ApiError('EVIDENCE_UNKNOWN', `no evidence ${id} here`);
      reply.headers({ 'cache-control': CACHE_FOREVER });
      return reply.type('application/octet-stream').send(Buffer.from(file.buffer, file.byteOffset, file.length));
    },
  );
};
