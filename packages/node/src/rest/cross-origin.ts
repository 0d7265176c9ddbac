/**
 * Pages of other origins (CORS): a browser lets a page read this node's answers only when `rest.origins` names the
 * page's origin. This protects users of browsers and nothing else; who may ask is decided by authentication.ts.
 */
import type { FastifyCorsOptions } from '@fastify/cors';

/** Browsers remember a preflight at most so long. */
const PREFLIGHT_SECONDS = 7_200;
const ANY_PORT = ':*';

/** @param origins as `rest.origins`: `https://app.example.org`, or `http://localhost:*` for every port */
export function crossOrigin(origins: readonly string[]): FastifyCorsOptions {
  return {
    origin: origins.map(originPattern),
    methods: ['GET', 'HEAD', 'POST', 'PUT'], // pages encrypt and decrypt; ceremonies are for operators
    allowedHeaders: ['authorization', 'content-type'],
    exposedHeaders: ['retry-after'],
    maxAge: PREFLIGHT_SECONDS,
    strictPreflight: false, // its refusals would not be those of docs/errors.md
  };
}

function originPattern(origin: string): string | RegExp {
  if (!origin.endsWith(ANY_PORT)) return origin;
  return new RegExp(`^${RegExp.escape(origin.slice(0, -ANY_PORT.length))}(:[0-9]{1,5})?$`);
}
