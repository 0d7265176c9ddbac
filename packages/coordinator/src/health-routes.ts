/** Liveness, readiness and metrics: open to everybody who can reach the port. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Committee } from '@keyquorum/client/committee';
import { exchange, HttpProblem } from '@keyquorum/client/http';
import Type from 'typebox';
import type { Ledger } from './ledger.ts';
import type { Metrics } from './metrics.ts';

const READY_PROBE_MS = 2_000;
const READY_BYTES_MAX = 64 * 1024;

interface Modules {
  readonly committee: Committee;
  readonly metrics: Metrics;
  readonly ledger: Ledger;
}

export const healthRoutes: FastifyPluginAsyncTypebox<Modules> = async (app, { committee, metrics, ledger }) => {
  const live = { response: { 200: Type.Object({ live: Type.Literal(true) }) } };
  app.get('/health/live', { schema: { operationId: 'live', ...live } }, async () => ({ live: true as const }));

  const Readiness = Type.Object({
    ready: Type.Boolean({ description: '2t+1 nodes are ready, and requests can be written to disk' }),
    parties: Type.Array(Type.Integer(), { description: 'nodes that are ready' }),
  });
  const ready = { response: { 200: Readiness, 503: Readiness } };
  app.get('/health/ready', { schema: { operationId: 'ready', ...ready } }, async (_request, reply) => {
    const parties = await readyParties(committee);
    const enough = parties.length >= 2 * committee.threshold + 1 && !ledger.status().failed;
    return reply.code(enough ? 200 : 503).send({ ready: enough, parties });
  });

  const text = { produces: ['text/plain'], response: { 200: Type.String() } };
  app.get('/metrics', { schema: { operationId: 'getMetrics', ...text } }, async (_request, reply) => {
    const { contentType, text } = await metrics.scrape();
    return reply.type(contentType).send(text);
  });

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
};

/** Nodes that say they are ready, in party order. */
async function readyParties({ nodes }: Committee): Promise<number[]> {
  const signal = AbortSignal.timeout(READY_PROBE_MS);
  const answers = await Promise.all(
    nodes.map(async ({ party, url }) => {
      const request = { method: 'GET', url: new URL('/health/ready', url).href } as const;
      try {
        const { status } = await exchange({ ...request, bytesMax: READY_BYTES_MAX, signal });
        return status === 200 ? [party] : [];
      } catch (error) {
        if (error instanceof HttpProblem || signal.aborted) return [];
        throw error;
      }
    }),
  );
  return answers.flat();
}
