/**
 * The coordinator as an HTTP service with the calls of a node for decryptions. It holds no key and no authority: the
 * caller's Authorization header goes on to the nodes, and each of them decides by itself. This file only assembles.
 */
import cors from '@fastify/cors';
import rateLimit from '@fastify/rate-limit';
import fastifySwagger from '@fastify/swagger';
import { type Committee, requireCommittee } from '@keyquorum/client/committee';
import { WireError } from '@keyquorum/wire/error';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { admission } from './admission.ts';
import {
  type CoordinatedDecryption,
  type CoordinatedUserDecryption,
  type PublicDecryptionRequest,
  REQUEST_BYTES_MAX,
  type UserDecryptionRequest,
} from './contract.ts';
import { eventRoutes, publicRoutes, userRoutes } from './decryption-routes.ts';
import { CoordinationError, type CoordinationErrorCode } from './errors.ts';
import { ciphertextRoutes, createHandedOver } from './handed-over.ts';
import { healthRoutes } from './health-routes.ts';
import { publicKind, userKind } from './kinds.ts';
import { openLedger } from './ledger.ts';
import { createMetrics } from './metrics.ts';
import { createPlaces } from './places.ts';
import { createRequests } from './requests.ts';
import { DEFAULT_LIMITS, type Limits } from './settings.ts';
import { createWaiting } from './waiting.ts';

const COLLECT_MS = 15_000;
const HOUR_MS = 3_600_000;
const CROSS_ORIGIN = {
  methods: ['GET', 'HEAD', 'POST', 'PUT'],
  allowedHeaders: ['authorization', 'content-type', 'last-event-id'],
  exposedHeaders: ['retry-after'],
  maxAge: 7_200, // seconds; browsers remember a preflight no longer
  strictPreflight: false, // its refusals would have no code
};

export interface ServiceOptions {
  readonly committee: Committee;
  /** Of the database; made when it is not there. One process at a time. */
  readonly folder: string;
  /** How long nodes may take for one request. */
  readonly deadlineMs: number;
  /** How long the others may take when there is a result. Default 15 s. */
  readonly collectMs?: number;
  readonly limits?: Partial<Limits>;
  /** X-Forwarded-For tells the address of a caller; only behind a proxy that sets it. Default false. */
  readonly trustProxy?: boolean;
  /** Whose pages may read answers in a browser (CORS), like `https://app.example.org`. Default none. */
  readonly origins?: readonly string[];
  /** Level of the log on standard output; `silent` for none. Never logs bodies or headers. */
  readonly logLevel?: string;
  /** Milliseconds since 1970; default the clock of this machine. */
  readonly nowMs?: () => number;
}

const REMEDIES: Record<CoordinationErrorCode, { status: number; hint: string }> = {
  BODY_INVALID: { status: 400, hint: 'correct the named field; see /openapi.json' },
  REQUEST_CONFLICT: { status: 409, hint: 'choose a new request id for new content, or another signature' },
  REQUEST_UNKNOWN: { status: 404, hint: 'submit the request again; finished requests are remembered for a while only' },
  UNAUTHENTICATED: {
    status: 401,
    hint: 'send Authorization: Bearer KEY, a key that the nodes know, or a signature of this request that counts now',
  },
  BUSY: { status: 503, hint: 'wait as Retry-After says' },
  RATE_LIMITED: { status: 429, hint: 'wait as Retry-After says' },
  STORE_FAILED: { status: 503, hint: 'ask another coordinator; the operator: check the disk, then restart' },
};

/** What may be wrong with ciphertexts that callers hand over, or should have. */
const HANDING_OVER: Partial<Record<string, { status: number; hint: string }>> = {
  CIPHERTEXT_UNKNOWN: { status: 404, hint: 'hand it over with PUT /v1/ciphertexts/{digest}, then send it again' },
  CIPHERTEXT_DIGEST: { status: 422, hint: 'name the bytes by their SHA-256, and send all of them' },
  UPLOAD_TOO_LARGE: { status: 413, hint: 'raise limits.ciphertextBytesPerCaller, of which one may take half' },
  UPLOADS_BUSY: { status: 503, hint: 'wait a moment' },
};

/** Assembles the service; the caller listens and closes. Throws COMMITTEE_INVALID, STORE_FAILED. */
export async function createService(options: ServiceOptions): Promise<FastifyInstance> {
  const committee = requireCommittee(options.committee);
  const { folder, nowMs = Date.now } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const app = fastify({
    bodyLimit: REQUEST_BYTES_MAX,
    trustProxy: options.trustProxy ?? false,
    // A field that nobody knows is a mistake of the caller; dropping it would change what was asked.
    ajv: { customOptions: { removeAdditional: false } },
    logger: { level: options.logLevel ?? 'info', redact: ['req.headers'] },
  });
  const ledger = await openLedger({
    folder,
    nowMs,
    limits: { kept: limits.kept, keptBytes: limits.keptBytes, keptMs: limits.keptHours * HOUR_MS },
    onDamaged: (requestId) => app.log.error({ requestId }, 'a record is damaged: dropped'),
  });
  const places = placesOf(limits);
  const stopping = new AbortController();
  const metrics = createMetrics({
    running: places.running.taken,
    waiting: places.waiting.taken,
    ledger: () => ledger.status(),
  });
  const asking = {
    ...{ ledger, nowMs, stopping: stopping.signal, collectMs: options.collectMs ?? COLLECT_MS },
    ...{ running: places.running, runningBytes: places.runningBytes },
    onEnd: metrics.requestEnded,
    onProblem: (error: unknown) => app.log.error(error),
  };
  const network = { committee, deadlineMs: options.deadlineMs };
  const requests = {
    public: createRequests<PublicDecryptionRequest, CoordinatedDecryption>({ ...asking, ...publicKind(network) }),
    user: createRequests<UserDecryptionRequest, CoordinatedUserDecryption>({ ...asking, ...userKind(network) }),
  };
  app.addHook('preClose', async () => stopping.abort());
  app.addHook('onClose', async () => {
    await Promise.all([requests.public.idle(), requests.user.idle()]);
    await ledger.close();
  });
  app.addHook('onResponse', async (request, reply) => {
    const { operationId = 'unknown' } = request.routeOptions.schema ?? {};
    metrics.observeHttp(operationId, reply.statusCode, reply.elapsedTime / 1_000);
  });
  app.setErrorHandler(answerError);
  const { origins = [] } = options;
  if (origins.length > 0) await app.register(cors, { ...CROSS_ORIGIN, origin: [...origins] });
  await app.register(fastifySwagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Keyquorum coordinator', version: '1.0.0' } },
  });
  await app.register(rateLimit, { global: false });
  await app.register(healthRoutes, { committee, metrics, ledger });
  const onRequest = admission(app, { requestsPerMinute: limits.requestsPerMinute, nowMs });
  const handedOver = createHandedOver({
    ...{ bytesMax: limits.ciphertextBytes, ownerBytesMax: limits.ciphertextBytesPerCaller, nowMs },
    keptMs: limits.ciphertextSeconds * 1_000,
  });
  const shared = { waiting: createWaiting(places.waiting, stopping.signal), handedOver, onRequest };
  await app.register(ciphertextRoutes, { handedOver, onRequest });
  await app.register(publicRoutes, { ...shared, requests: requests.public });
  await app.register(userRoutes, { ...shared, requests: requests.user, quorum: 2 * committee.threshold + 1 });
  await app.register(eventRoutes, { ...shared, collection: 'public-decryptions', requests: requests.public });
  await app.register(eventRoutes, { ...shared, collection: 'user-decryptions', requests: requests.user });
  return app;
}

function placesOf({ running, runningPerCaller, runningBytes, waiting, waitingPerCaller }: Limits) {
  return {
    running: createPlaces({ purpose: 'requests to nodes', inAll: running, perCaller: runningPerCaller }),
    runningBytes: createPlaces({ purpose: 'bytes of requests', inAll: runningBytes, perCaller: runningBytes }),
    waiting: createPlaces({ purpose: 'long polls and event streams', inAll: waiting, perCaller: waitingPerCaller }),
  };
}

type Refusal = FastifyError | CoordinationError | WireError;

function answerError(error: Refusal, request: FastifyRequest, reply: FastifyReply) {
  const { status, body } = errorOf(error, request.id);
  if (status >= 500) request.log.warn({ code: body.error.code }, error.message);
  if (error instanceof CoordinationError && error.retrySeconds) reply.header('retry-after', error.retrySeconds);
  return reply.code(status).send(body);
}

function errorOf(error: Refusal, requestId: string) {
  const of = (status: number, code: string, message: string, hint: string) => ({
    status,
    body: { error: { code, message, requestId, parties: [], hint } },
  });
  if (error instanceof CoordinationError) {
    const { status, hint } = REMEDIES[error.code];
    return of(status, error.code, error.message, hint);
  }
  const { hint: correct } = REMEDIES.BODY_INVALID;
  const { status: refused, hint: remedy } = HANDING_OVER[error.code] ?? {};
  if (error instanceof WireError && refused && remedy) return of(refused, error.code, error.message, remedy);
  if (error instanceof WireError) return of(400, 'BODY_INVALID', `${error.code}: ${error.message}`, correct);
  if (error.validationContext === 'headers') {
    const { status, hint } = REMEDIES.UNAUTHENTICATED;
    return of(status, 'UNAUTHENTICATED', error.message, hint);
  }
  if (error.validation) return of(400, 'BODY_INVALID', error.message, correct);
  const status = error.statusCode ?? 500;
  if (status === 413) return of(413, 'BODY_TOO_LARGE', error.message, `send at most ${REQUEST_BYTES_MAX} bytes`);
  if (status < 500) return of(status, 'REQUEST_INVALID', error.message, 'compare the request with /openapi.json');
  return of(500, 'INTERNAL', 'unexpected error', 'see the log of the coordinator under this request id');
}
