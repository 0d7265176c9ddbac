/** `POST /v1/explain`: why a request is refused, or that it would run. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { PublicDecryptionBody, UserDecryptionBody } from '../requests/body.ts';
import { Explanation } from '../requests/explain.ts';
import { authentication, callerOf } from './authentication.ts';
import type { RestContext } from './context.ts';
import { perRequester } from './rate-limit.ts';
import { responses } from './schemas.ts';

const closed = { additionalProperties: false } as const;

const ExplainBody = Type.Union([
  Type.Object({ kind: Type.Literal('public-decryption'), request: PublicDecryptionBody }, closed),
  Type.Object({ kind: Type.Literal('user-decryption'), request: UserDecryptionBody }, closed),
]);

const Explained = Type.Object({
  ...Explanation.properties,
  node: Type.Object({
    ready: Type.Boolean(),
    reason: Type.String(),
    peersDown: Type.Array(Type.Integer()),
  }),
});

export const explainRoutes: FastifyPluginAsyncTypebox<{ context: RestContext }> = async (app, { context }) => {
  const { publicDecryptions, userDecryptions, config, requesters } = context;
  app.post(
    '/v1/explain',
    {
      onRequest: authentication(requesters),
      ...perRequester(app, config.limits),
      bodyLimit: config.limits.bodyBytes,
      schema: {
        operationId: 'explain',
        summary: 'Dry run of a request: every check with its answer; nothing is run or remembered',
        security: [{ apiKey: [] }],
        body: ExplainBody,
        response: responses({ 200: Explained }),
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { body } = request;
      const explanation =
        body.kind === 'public-decryption'
          ? await publicDecryptions.explain(body.request, caller)
          : await userDecryptions.explain(body.request, caller);
      const { ready, reason, peers } = context.status();
      const peersDown = peers.filter(({ up }) => !up).map(({ party }) => party);
      return { ...explanation, allowed: explanation.allowed && ready, node: { ready, reason, peersDown } };
    },
  );
};
