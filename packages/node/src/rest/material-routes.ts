/** Public key material by digest: immutable, so caches and mirrors may keep it for ever. One byte range per request. */
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { ApiError } from '../errors/api-error.ts';
import { CACHE_FOREVER } from '../material/material-store.ts';
import type { RestContext } from './context.ts';
import { IdParams } from './schemas.ts';

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

export interface ByteRange {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/**
 * The range that a Range header asks of `size` bytes (RFC 9110, 14.2): undefined when it is to be ignored (several
 * ranges, other units), 'unsatisfiable' when it lies outside.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = RANGE.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const count = Number(last);
    return count === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - count), end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined; // not a valid range: ignored
  return start >= size ? 'unsatisfiable' : { start, end };
}

export const materialRoutes: FastifyPluginAsyncTypebox<{ context: RestContext }> = async (app, { context }) => {
  app.get(
    '/v1/material/:id',
    {
      schema: {
        operationId: 'getMaterial',
        summary: 'Bytes of a public object by its digest',
        params: IdParams,
        headers: Type.Object({
          range: Type.Optional(Type.String()),
          'if-none-match': Type.Optional(Type.String()),
        }),
        produces: ['application/octet-stream'],
      },
    },
    async ({ params: { id }, headers, method }, reply) => {
      const found = await context.material.find(id);
      if (!found) throw new ApiError('MATERIAL_UNKNOWN', `no public object ${id} here`);
      const { size } = found;
      const etag = `"${id}"`;
      const immutable = { etag, 'cache-control': CACHE_FOREVER, 'accept-ranges': 'bytes' };
      if (headers['if-none-match']?.split(',').some((tag) => tag.trim() === etag)) {
        return reply.headers(immutable).code(304).send();
      }
      const range = parseRange(headers.range, size);
      if (range === 'unsatisfiable') {
        reply.header('content-range', `bytes */${size}`);
        throw new ApiError('RANGE_INVALID', `range: ${size} bytes in all`);
      }
      const { start, end } = range ?? { start: 0, end: size - 1 };
      const pieces = context.material.read(id, { start, end: end + 1 })[Symbol.asyncIterator]();
      const first = await pieces.next(); // damage that is met at once is an answer of its own; later it ends the stream
      if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`);
      reply.headers({ ...immutable, 'content-length': end + 1 - start }).type('application/octet-stream');
      return reply.send(Readable.from(method === 'HEAD' ? [] : resumed(first, pieces)));
    },
  );
};

async function* resumed<T>(first: IteratorResult<T, unknown>, rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    for (let next = first; !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.(); // the caller has hung up, or all was read
  }
}
