/** The dashboard: a page that shows what status, ceremonies and evidence tell everybody. It holds and asks no key. */
import { readFile } from 'node:fs/promises';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

const FILES = {
  '/dashboard': ['page.html', 'text/html; charset=utf-8'],
  '/dashboard/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/dashboard/page.mjs': ['page.mjs', 'text/javascript; charset=utf-8'],
  '/dashboard/view.mjs': ['view.mjs', 'text/javascript; charset=utf-8'],
} as const;

/** Only files of this node run and are asked, whatever the node's answers contain; no other page may frame it. */
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cache-control': 'no-cache',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export const dashboardRoutes: FastifyPluginAsyncTypebox = async (app) => {
  for (const [path, [name, type]] of Object.entries(FILES)) {
    const bytes = await readFile(new URL(`../dashboard/${name}`, import.meta.url));
    const schema = { operationId: 'getDashboard', hide: true };
    app.get(path, { schema }, async (_request, reply) => reply.headers(HEADERS).type(type).send(bytes));
  }
  app.get('/', { schema: { operationId: 'getRoot', hide: true } }, async (_request, reply) => {
    return reply.redirect('dashboard');
  });
};
