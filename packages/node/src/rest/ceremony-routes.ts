/** Ceremonies: list, progress as server-sent events, cancel. */
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Ceremony, isFinal } from '@keyquorum/protocols/ceremony/ceremony';
import Type from 'typebox';
import { ApiError } from '../errors/api-error.ts';
import { authentication } from './authentication.ts';
import type { RestContext } from './context.ts';
import { CeremonyBody, IdParams, responses } from './schemas.ts';
import { STRANGERS } from './waiting.ts';

/** Keeps proxies from closing a silent stream. */
const HEARTBEAT_MS = 15_000;
/** A reader that is this far behind gets no intermediate progress, only the end. */
const BUFFERED_BYTES_MAX = 64 * 1024;

function bodyOf({ failure, waitingFor, ...ceremony }: Ceremony): CeremonyBody {
  const error = failure && { ...failure, culprits: [...failure.culprits], absent: [...failure.absent] };
  return { ...ceremony, waitingFor: [...waitingFor], ...(error && { error }) };
}

export const ceremonyRoutes: FastifyPluginAsyncTypebox<{ context: RestContext }> = async (app, { context }) => {
  const { services } = context;
  const known = (id: string): Ceremony => {
    const ceremony = services.ceremony(id);
    if (ceremony) return ceremony;
    throw new ApiError('CEREMONY_UNKNOWN', `this node knows no ceremony ${id}`);
  };

  app.get(
    '/v1/ceremonies',
    {
      schema: {
        operationId: 'listCeremonies',
        summary: 'Ceremonies that this node remembers, with progress',
        response: responses({ 200: Type.Object({ ceremonies: Type.Array(CeremonyBody) }) }),
      },
    },
    async () => ({ ceremonies: services.ceremonies().map(bodyOf) }),
  );

  app.get(
    '/v1/ceremonies/:id/events',
    {
      schema: {
        operationId: 'watchCeremony',
        summary: 'Server-sent events: one `ceremony` event per change, until the end',
        params: IdParams,
        produces: ['text/event-stream'],
      },
    },
    async ({ params: { id } }, reply) => {
      known(id);
      return reply.type('text/event-stream').header('cache-control', 'no-store').send(eventStream(context, id));
    },
  );

  app.delete(
    '/v1/ceremonies/:id',
    {
      onRequest: authentication(context.requesters, { operator: true }),
      schema: {
        operationId: 'cancelCeremony',
        summary: 'Ask all parties to stop a running ceremony',
        security: [{ apiKey: [] }],
        params: IdParams,
        response: responses({ 202: CeremonyBody }),
      },
    },
    async ({ params: { id } }, reply) => {
      if (isFinal(known(id))) throw new ApiError('CEREMONY_FINISHED', `ceremony ${id} is ${known(id).state}`);
      services.cancel(id);
      return reply.code(202).send(bodyOf(known(id)));
    },
  );
};

function eventStream({ services, waiting }: RestContext, id: string): Readable {
  const leave = waiting.enter(STRANGERS);
  const stream = new Readable({ read: () => undefined });
  const write = (ceremony: Ceremony) => {
    if (isFinal(ceremony) || stream.readableLength < BUFFERED_BYTES_MAX) {
      stream.push(`event: ceremony\ndata: ${JSON.stringify(bodyOf(ceremony))}\n\n`);
    }
    if (isFinal(ceremony)) stream.push(null);
  };
  const unsubscribe = services.watch((ceremony) => ceremony.id === id && write(ceremony));
  const heartbeat = setInterval(() => stream.push(': still here\n\n'), HEARTBEAT_MS);
  const stop = () => stream.destroy();
  const release = () => {
    clearInterval(heartbeat);
    unsubscribe();
    waiting.stopping.removeEventListener('abort', stop);
    leave();
  };
  waiting.stopping.addEventListener('abort', stop, { once: true });
  stream.once('close', release);
  const now = services.ceremony(id);
  if (now) write(now);
  return stream;
}
