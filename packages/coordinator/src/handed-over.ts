/**
 * Ciphertexts that callers handed over for the nodes: kept in memory for a while, and passed on to a node that does not
 * hold one when a request names it. A signed caller signs for this, too, so its header is kept beside the bytes; an API
 * key is not kept, it comes with the request. A ciphertext whose header has expired counts as unknown, and its owner
 * hands it over again.
 *
 * Who calls is not known here, so a shelf belongs to an address and what it says it is: others find nothing in it.
 */
import { createHash } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Attachment } from '@keyquorum/client/handing-over';
import { parseAuthorization } from '@keyquorum/wire/authorization';
import { announcedBytes, createCiphertextShelf, type ShelfLimits } from '@keyquorum/wire/ciphertext-shelf';
import { WireError } from '@keyquorum/wire/error';
import type { onRequestAsyncHookHandler } from 'fastify';
import Type from 'typebox';
import { timeProblem } from './admission.ts';
import { Id } from './contract.ts';
import { authorization, failures } from './decryption-routes.ts';
import { CoordinationError } from './errors.ts';
import { callerOf } from './requests.ts';

const MEDIA_TYPE = 'application/octet-stream';

/** How somebody calls. */
interface Call {
  readonly ip: string;
  readonly authorization: string;
}

interface Upload extends Call {
  readonly digest: string;
  readonly size: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface HandedOver {
  /** Throws WireError UPLOAD_TOO_LARGE, UPLOADS_BUSY, CIPHERTEXT_DIGEST. */
  receive(upload: Upload): Promise<void>;
  /** What the ciphertexts name. Throws WireError CIPHERTEXT_UNKNOWN. */
  attachments(ciphertexts: readonly { readonly digest?: string }[], call: Call): Attachment[];
}

interface Options extends ShelfLimits {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

export function createHandedOver({ nowMs, ...limits }: Options): HandedOver {
  const shelf = createCiphertextShelf({
    limits,
    newSha256: () => createHash('sha256'),
    now: () => performance.now(),
  });
  /** Of callers that sign, by the bytes on the shelf. */
  const signed = new WeakMap<Uint8Array, string>();

  return {
    async receive({ digest, size, chunks, ...call }) {
      const bytes = await shelf.receive({ owner: ownerOf(call), digest, size, chunks });
      if (parseAuthorization(call.authorization)?.scheme === 'signed') signed.set(bytes, call.authorization);
    },
    attachments(ciphertexts, call) {
      const digests = new Set(ciphertexts.flatMap(({ digest }) => digest ?? []));
      return [...digests].map((digest) => {
        const bytes = shelf.get(ownerOf(call), digest);
        const authorization = (bytes && signed.get(bytes)) ?? call.authorization;
        if (!bytes || timeProblem(authorization, nowMs()) !== undefined) {
          throw new WireError('CIPHERTEXT_UNKNOWN', `${digest} was not handed over here, or long ago`);
        }
        return { digest, bytes, authorization: () => authorization };
      });
    },
  };
}

function ownerOf({ ip, authorization: header }: Call): string {
  const shown = parseAuthorization(header);
  return `${ip} ${shown?.scheme === 'signed' ? shown.requester : callerOf(header)}`;
}

interface Modules {
  readonly handedOver: HandedOver;
  /** Refuses callers before their body is read. */
  readonly onRequest: onRequestAsyncHookHandler;
}

export const ciphertextRoutes: FastifyPluginAsyncTypebox<Modules> = async (app, { handedOver, onRequest }) => {
  app.addHook('onRequest', onRequest);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(MEDIA_TYPE, (_request, _stream, done) => done(null)); // the handler reads it, bounded
  const headers = Type.Object({ authorization, 'content-length': Type.Optional(Type.String()) });
  const params = Type.Object({ digest: Id }, { additionalProperties: false });
  const schema = { operationId: 'handOverCiphertext', consumes: [MEDIA_TYPE], headers, params };
  app.put(
    '/v1/ciphertexts/:digest',
    { schema: { ...schema, response: { 204: Type.Null(), ...failures } } },
    async ({ params: { digest }, headers: { authorization, 'content-length': announced }, ip, raw }, reply) => {
      const size = announcedBytes(announced);
      if (size === undefined) throw new CoordinationError('BODY_INVALID', 'content-length: want the bytes');
      await handedOver.receive({ ip, authorization, digest, size, chunks: raw }).catch((error) => {
        throw raw.errored ? new CoordinationError('BODY_INVALID', 'the body ended early', { cause: error }) : error;
      });
      return reply.code(204).send(null);
    },
  );
};
