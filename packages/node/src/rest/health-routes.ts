/** Liveness, readiness, status and metrics: open to everybody who can reach the port. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { ApiError } from '../errors/api-error.ts';
import type { RestContext } from './context.ts';
import { Health, responses, Status } from './schemas.ts';

export const healthRoutes: FastifyPluginAsyncTypebox<{ context: RestContext }> = async (app, { context }) => {
  app.get(
    '/health/live',
    { schema: { operationId: 'getLive', summary: 'The process answers', response: responses({ 200: Health }) } },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/health/ready',
    {
      schema: {
        operationId: 'getReady',
        summary: 'A quorum of nodes is connected and this node has joined the epoch',
        response: responses({ 200: Health }),
      },
    },
    async () => {
      const { ready, reason, peers } = context.status();
      if (ready) return { status: 'ok' as const };
      const parties = peers.filter(({ up }) => !up).map(({ party }) => party);
      throw new ApiError('NOT_READY', reason, { parties });
    },
  );

  app.get(
    '/v1/status',
    {
      schema: {
        operationId: 'getStatus',
        summary: 'This node, its peers and its pool',
        response: responses({ 200: Status }),
      },
    },
    async () => context.status(),
  );

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        summary: 'Prometheus metrics',
        produces: ['text/plain'],
        response: { 200: Type.String() },
      },
    },
    async (_request, reply) => {
      const { contentType, text } = await context.metrics();
      return reply.type(contentType).send(text);
    },
  );
};
