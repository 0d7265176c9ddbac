/**
 * The coordinator as an HTTP service with the calls of a node for decryptions. It holds no key and no authority:
 * the caller's Authorization header goes on to the nodes, and each of them decides by itself.
 */
import fastifySwagger from '@fastify/swagger';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Committee, requireCommittee } from '@keyquorum/client/committee';
import { exchange, HttpProblem } from '@keyquorum/client/http';
import { decryptPublic } from '@keyquorum/client/public-decryption';
import { WireError } from '@keyquorum/wire/error';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import Type from 'typebox';
import {
  CoordinatedDecryption,
  CoordinatedUserDecryption,
  ErrorBody,
  Id,
  PublicDecryptionRequest,
  REQUEST_BYTES_MAX,
  UserDecryptionRequest,
  UserWaitQuery,
  WaitQuery,
} from './contract.ts';
import { CoordinationError, type CoordinationErrorCode } from './errors.ts';
import { createEventStreams, type EventStreams } from './event-stream.ts';
import { createRequests, type Report, type Requests, type Tracked } from './requests.ts';
import { coordinateUserDecryption } from './user-decryption.ts';

const READY_PROBE_MS = 2_000;
const READY_BYTES_MAX = 64 * 1024;
const AUTHORIZATION_MAX = 512;
const BUSY_RETRY_SECONDS = 5;
const RUNNING_MAX = 256;

export interface ServiceOptions {
  readonly committee: Committee;
  /** How long nodes may take for one request. */
  readonly deadlineMs: number;
  /** Requests of each kind under way at once; each holds one body and n connections. Default 256. */
  readonly runningMax?: number;
  /** Level of the log on standard error; `silent` for none. Never logs bodies or headers. */
  readonly logLevel?: string;
}

type PublicRequests = Requests<PublicDecryptionRequest, CoordinatedDecryption>;
type UserRequests = Requests<UserDecryptionRequest, CoordinatedUserDecryption>;

const REMEDIES: Record<CoordinationErrorCode, { status: number; hint: string }> = {
  REQUEST_CONFLICT: { status: 409, hint: 'choose a new request id for new content' },
  REQUEST_UNKNOWN: { status: 404, hint: 'submit the request again; finished requests are remembered for a while only' },
  BUSY: { status: 503, hint: 'wait as Retry-After says' },
};

/** Assembles the service; the caller listens and closes. Throws COMMITTEE_INVALID. */
export async function createService(options: ServiceOptions): Promise<FastifyInstance> {
  const committee = requireCommittee(options.committee);
  const stopping = new AbortController();
  const asking = (authorization: string, onOutcome: () => void) => {
    return { authorization, onOutcome, deadlineMs: options.deadlineMs, signal: stopping.signal };
  };
  const app = fastify({
    bodyLimit: REQUEST_BYTES_MAX,
    // A field that nobody knows is a mistake of the caller; dropping it would change what was asked.
    ajv: { customOptions: { removeAdditional: false } },
    logger: { level: options.logLevel ?? 'info', redact: ['req.headers'] },
  });
  const shared = { runningMax: options.runningMax ?? RUNNING_MAX, onBug: (error: unknown) => app.log.error(error) };
  const publicRequests: PublicRequests = createRequests({
    start: (body, authorization, onOutcome) => decryptPublic(committee, body, asking(authorization, onOutcome)),
    ...shared,
  });
  const userRequests: UserRequests = createRequests({
    start: (body, authorization, onOutcome) => {
      return coordinateUserDecryption(committee, body, asking(authorization, onOutcome));
    },
    ...shared,
  });
  app.addHook('preClose', async () => stopping.abort());
  app.setErrorHandler<FastifyError | CoordinationError | WireError>((error, request, reply) => {
    const { status, body } = errorOf(error, request.id);
    if (status >= 500) request.log.warn({ code: body.error.code }, error.message);
    if (body.error.code === 'BUSY') reply.header('retry-after', BUSY_RETRY_SECONDS);
    return reply.code(status).send(body);
  });
  await app.register(fastifySwagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Keyquorum coordinator', version: '1.0.0' } },
  });
  await app.register(healthRoutes, { committee });
  const streams = createEventStreams();
  await app.register(publicRoutes, { requests: publicRequests });
  await app.register(userRoutes, { requests: userRequests, quorum: 2 * committee.threshold + 1 });
  await app.register(eventRoutes, { collection: 'public-decryptions', requests: publicRequests, streams });
  await app.register(eventRoutes, { collection: 'user-decryptions', requests: userRequests, streams });
  return app;
}

function errorOf(error: FastifyError | CoordinationError | WireError, requestId: string) {
  const of = (status: number, code: string, message: string, hint: string) => ({
    status,
    body: { error: { code, message, requestId, parties: [], hint } },
  });
  if (error instanceof CoordinationError) {
    const { status, hint } = REMEDIES[error.code];
    return of(status, error.code, error.message, hint);
  }
  if (error instanceof WireError) {
    return of(400, 'BODY_INVALID', `${error.code}: ${error.message}`, 'correct the named field; see /openapi.json');
  }
  if (error.validationContext === 'headers') {
    return of(401, 'UNAUTHENTICATED', error.message, 'send Authorization: Bearer KEY, a key that the nodes know');
  }
  if (error.validation) return of(400, 'BODY_INVALID', error.message, 'correct the named field; see /openapi.json');
  const status = error.statusCode ?? 500;
  if (status === 413) return of(413, 'BODY_TOO_LARGE', error.message, `send at most ${REQUEST_BYTES_MAX} bytes`);
  if (status < 500) return of(status, 'REQUEST_INVALID', error.message, 'compare the request with /openapi.json');
  return of(500, 'INTERNAL', 'unexpected error', 'see the log of the coordinator under this request id');
}

const healthRoutes: FastifyPluginAsyncTypebox<{ committee: Committee }> = async (app, { committee }) => {
  const live = { response: { 200: Type.Object({ live: Type.Literal(true) }) } };
  app.get('/health/live', { schema: { operationId: 'live', ...live } }, async () => ({ live: true as const }));

  const Readiness = Type.Object({ ready: Type.Boolean(), parties: Type.Array(Type.Integer()) });
  const ready = { response: { 200: Readiness, 503: Readiness } };
  app.get('/health/ready', { schema: { operationId: 'ready', ...ready } }, async (_request, reply) => {
    const parties = await readyParties(committee);
    const enough = parties.length >= 2 * committee.threshold + 1;
    return reply.code(enough ? 200 : 503).send({ ready: enough, parties });
  });

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
};

/** Nodes that say they are ready, in party order. */
async function readyParties({ nodes }: Committee): Promise<number[]> {
  const signal = AbortSignal.timeout(READY_PROBE_MS);
  const answers = await Promise.all(
    nodes.map(async ({ party, url }) => {
      const request = { method: 'GET', url: new URL('/health/ready', url).href, authorization: '' } as const;
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

const headers = Type.Object({
  authorization: Type.String({ pattern: '^(Bearer|Keyquorum) .+', maxLength: AUTHORIZATION_MAX }),
});
const params = Type.Object({ requestId: Id }, { additionalProperties: false });
const failures = { 400: ErrorBody, 401: ErrorBody, 404: ErrorBody, 409: ErrorBody, 413: ErrorBody, 503: ErrorBody };

const publicRoutes: FastifyPluginAsyncTypebox<{ requests: PublicRequests }> = async (app, { requests }) => {
  const created = { operationId: 'createPublicDecryption', headers, body: PublicDecryptionRequest };
  app.post(
    '/v1/public-decryptions',
    { schema: { ...created, response: { 202: CoordinatedDecryption, ...failures } } },
    async ({ body, headers: { authorization } }, reply) => {
      return reply.code(202).send(requests.open(body, authorization).report());
    },
  );

  const read = { operationId: 'getPublicDecryption', headers, params, querystring: WaitQuery };
  app.get(
    '/v1/public-decryptions/:requestId',
    { schema: { ...read, response: { 200: CoordinatedDecryption, ...failures } } },
    async ({ params, query: { wait = 0 }, headers: { authorization } }) => {
      const tracked = requests.find(params.requestId, authorization);
      return waitFor(tracked, ({ state }) => state !== 'pending', wait);
    },
  );
};

interface UserModules {
  readonly requests: UserRequests;
  /** 2t+1. */
  readonly quorum: number;
}

const userRoutes: FastifyPluginAsyncTypebox<UserModules> = async (app, { requests, quorum }) => {
  const created = { operationId: 'createUserDecryption', headers, body: UserDecryptionRequest };
  app.post(
    '/v1/user-decryptions',
    { schema: { ...created, response: { 202: CoordinatedUserDecryption, ...failures } } },
    async ({ body, headers: { authorization } }, reply) => {
      return reply.code(202).send(requests.open(body, authorization).report());
    },
  );

  const read = { operationId: 'getUserDecryption', headers, params, querystring: UserWaitQuery };
  app.get(
    '/v1/user-decryptions/:requestId',
    { schema: { ...read, response: { 200: CoordinatedUserDecryption, ...failures } } },
    async ({ params, query: { wait = 0, responses: wanted = quorum }, headers: { authorization } }) => {
      const tracked = requests.find(params.requestId, authorization);
      return waitFor(tracked, ({ state, responses }) => state === 'failed' || responses.length >= wanted, wait);
    },
  );
};

interface EventModules {
  readonly collection: 'public-decryptions' | 'user-decryptions';
  readonly requests: { find(requestId: string, authorization: string): Tracked<Report> };
  readonly streams: EventStreams;
}

const eventRoutes: FastifyPluginAsyncTypebox<EventModules> = async (app, { collection, requests, streams }) => {
  const operationId = collection === 'public-decryptions' ? 'watchPublicDecryption' : 'watchUserDecryption';
  app.get(
    `/v1/${collection}/:requestId/events`,
    { schema: { operationId, headers, params, produces: ['text/event-stream'] } },
    async ({ params, headers: { authorization } }, reply) => {
      const stream = streams.open(requests.find(params.requestId, authorization));
      return reply.type('text/event-stream').header('cache-control', 'no-store').send(stream);
    },
  );
};

/** The report once it is enough, or no node is left that could add to it, at the latest after the wait. */
async function waitFor<R extends Report>(
  { report, changed }: Tracked<R>,
  enough: (report: R) => boolean,
  waitSeconds: number,
): Promise<R> {
  const waited = Promise.withResolvers<void>();
  let over = false;
  const timer = setTimeout(() => {
    over = true;
    waited.resolve();
  }, waitSeconds * 1_000);
  const done = (known: R) => enough(known) || known.nodes.every(({ verdict }) => verdict !== 'pending');
  while (!over && !done(report())) await Promise.race([changed(), waited.promise]);
  clearTimeout(timer);
  return report();
}
