/**
 * The HTTP server: one schema per call validates it, shapes its answer and documents it at /openapi.json (UI at /docs).
 * Every refusal has a code of docs/errors.md. This file only assembles; see the *-routes.ts files.
 */
import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { ApiError, apiErrorOf, errorDetail } from '../errors/api-error.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { VERSION } from '../version.ts';
import { ceremonyRoutes } from './ceremony-routes.ts';
import { ciphertextRoutes } from './ciphertext-routes.ts';
import type { RestContext } from './context.ts';
import { crossOrigin } from './cross-origin.ts';
import { crsRoutes } from './crs-routes.ts';
import { dashboardRoutes } from './dashboard-routes.ts';
import { decryptionRoutes } from './decryption-routes.ts';
import { evidenceRoutes } from './evidence-routes.ts';
import { explainRoutes } from './explain-routes.ts';
import { healthRoutes } from './health-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { materialRoutes } from './material-routes.ts';
import { schemaCompiler } from './validation.ts';

/** Bodies of everything but decryptions: an id and two words. */
const BODY_BYTES_MAX = 16 * 1024;
/** Slow senders of headers and bodies are cut off. */
const REQUEST_TIMEOUT_MS = 60_000;
/** `Retry-After` of refusals that pass by themselves. */
const RETRY_SECONDS: Partial<Record<ErrorCode, number>> = {
  BUSY: 1,
  UPLOADS_BUSY: 1,
  MATERIAL_DAMAGED: 10,
  CHAIN_DISAGREES: 10,
  CHAIN_STALE: 30,
  CHAIN_UNAVAILABLE: 5,
};

/** Ready for `listen` or `inject`; the caller closes it. */
export async function createServer(context: RestContext): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = context.log;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }), // onResponse below writes one line
    genReqId: () => randomUUID(),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    routerOptions: { maxParamLength: 128 },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.removeContentTypeParser('text/plain'); // bodies are JSON, but for ciphertexts (ciphertext-routes.ts)
  app.setValidatorCompiler(schemaCompiler);
  app.decorateRequest('caller', null);
  app.addHook('onResponse', async (request, reply) => {
    const { operationId = 'unknown' } = request.routeOptions.schema ?? {};
    context.observe(operationId, reply.statusCode, reply.elapsedTime / 1000);
    request.log.debug({ operationId, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'answered');
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = refusalOf(error);
    if (refusal.status >= 500 && !apiErrorOf(error)) request.log.error({ err: error }, 'a request failed unexpectedly');
    const retrySeconds = refusal.retrySeconds ?? RETRY_SECONDS[refusal.code];
    if (retrySeconds !== undefined) reply.header('retry-after', retrySeconds);
    if (refusal.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
    return reply.code(refusal.status).type('application/json').send(errorBody(refusal, request));
  });
  app.setNotFoundHandler((request, reply) => {
    const refusal = new ApiError('ROUTE_UNKNOWN', `no ${request.method} on this path`);
    return reply.code(refusal.status).send(errorBody(refusal, request));
  });
  const { origins } = context.config.rest;
  if (origins.length > 0) await app.register(cors, crossOrigin(origins));
  await app.register(rateLimit, { global: false });
  await app.register(swagger, { openapi: OPENAPI });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  for (const routes of ROUTES) await app.register(routes, { context });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  await app.ready();
  return app.withTypeProvider();
}

const ROUTES = [
  ...[healthRoutes, keyRoutes, crsRoutes, ciphertextRoutes, decryptionRoutes, explainRoutes],
  ...[materialRoutes, ceremonyRoutes, evidenceRoutes, dashboardRoutes],
];

const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'Keyquorum node',
    description:
      'One node of a threshold key-management network for TFHE. Bytes are lower-case hex unless said otherwise.',
    version: VERSION,
  },
  components: { securitySchemes: { apiKey: { type: 'http' as const, scheme: 'bearer' } } },
};

function errorBody({ code, message, parties }: ApiError, request: FastifyRequest) {
  return { error: errorDetail({ code, message, parties, requestId: namedRequest(request) }) };
}

/** The id the caller chose, when it is one, so that refusals can be matched with requests. */
function namedRequest({ body, id }: FastifyRequest): string {
  const chosen = typeof body === 'object' && body !== null && 'requestId' in body ? body.requestId : undefined;
  return typeof chosen === 'string' && /^[0-9a-f]{64}$/.test(chosen) ? chosen : id;
}

const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BODY_NOT_JSON',
  FST_ERR_CTP_INVALID_JSON_BODY: 'BODY_NOT_JSON',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'REQUEST_INVALID',
};

function refusalOf(error: FastifyError): ApiError {
  const known = apiErrorOf(error);
  if (known) return known;
  if (error.validationContext !== undefined) {
    return new ApiError(error.validationContext === 'body' ? 'BODY_INVALID' : 'PARAMETER_INVALID', error.message);
  }
  const code = FASTIFY_CODES[error.code];
  if (code) return new ApiError(code, error.message);
  if (error instanceof SyntaxError) return new ApiError('BODY_NOT_JSON', 'the body is not JSON');
  const { statusCode = 500 } = error;
  if (statusCode >= 400 && statusCode < 500) return new ApiError('REQUEST_INVALID', error.message);
  return new ApiError('INTERNAL', 'an unexpected error; the log of this node has the details');
}
