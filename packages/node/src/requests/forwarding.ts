/**
 * How the asked node makes the others take part: one exchange per peer with the caller's request, the requester's name
 * and its signature over the content hash (requester.ts). The API key itself never travels, and long ciphertexts are
 * named by their digests: a peer that does not have one pulls it (ciphertexts.ts).
 *
 * A peer that is away is told again when its link comes back while the request runs; nobody waits for any of this. If
 * the signature has expired by then, the peer refuses and the request goes on without it, as with a peer that is down.
 */
import type { Party } from '@keyquorum/mpc/party';
import { partiesOf } from '@keyquorum/mpc/roster';
import { type Exchange, type PartyId, TransportError } from '@keyquorum/mpc/transport';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Requester } from '../config/schema.ts';
import { ApiError, apiErrorOf } from '../errors/api-error.ts';
import { schemaProblem } from '../schema-problem.ts';
import { type ForwardedBody, forwardedBody } from './body.ts';
import type { Content } from './content.ts';
import type { Requesters } from './requester.ts';

/** Above the largest body a caller may send (limits.bodyBytes, at most 2^27). */
const ENVELOPE_BYTES = 1024;
const RESPONSE_BYTES_MAX = 4096;
const TIMEOUT_MS = 10_000;
const ACCEPTED = 'accepted';

/** The requester of a forwarded request if it signed this content, not too long ago. Throws UNAUTHENTICATED. */
type Authorize = (contentHash: Uint8Array) => Requester;

export interface Forwarding<Body> {
  /** Sends to all peers, now or when they come back; the result ends that and resolves when nobody is being told. */
  send(body: ForwardedBody<Body>): () => Promise<void>;
  /** Registers what happens with a forwarded request. Called once. */
  serve(handler: (from: PartyId, body: ForwardedBody<Body>, authorize: Authorize) => Promise<void>): void;
}

interface Modules {
  readonly party: Party;
  readonly requesters: Requesters;
  readonly bodyBytes: number;
  warn(message: string, fields: object): void;
}

interface Job {
  readonly bytes: Uint8Array;
  readonly requestId: string;
  /** Peers that are being told. */
  readonly telling: Set<Promise<void>>;
}

/** `schema`: of the body. Each kind of request has an exchange of its own. */
export function createForwarding<Body extends { readonly requestId: string }>(
  name: Content['kind'],
  schema: TSchema,
  { party, requesters, bodyBytes, warn }: Modules,
): Forwarding<Body> {
  const forwarded = Compile(forwardedBody(schema));
  const isForwarded = (value: unknown): value is ForwardedBody<Body> => forwarded.Check(value);
  const exchange: Exchange = {
    name,
    requestBytesMax: bodyBytes + ENVELOPE_BYTES,
    responseBytesMax: RESPONSE_BYTES_MAX,
  };
  const peers = partiesOf(party.roster).filter((peer) => peer !== party.self);
  const running = new Set<Job>();

  async function tell(peer: PartyId, { bytes, requestId }: Job): Promise<void> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const response = await party.transport.request(peer, exchange, bytes, timeout);
      const answer = new TextDecoder().decode(response);
      if (answer !== ACCEPTED) warn('a peer refused a forwarded request', { peer, requestId, reason: answer });
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      const late = 'a peer has not answered a forwarded request yet; it may still check it';
      const problem = timeout.aborted ? late : 'a request could not be forwarded';
      warn(problem, { peer, requestId, reason: error.code });
    }
  }

  function start(peer: PartyId, job: Job): void {
    const telling = tell(peer, job).finally(() => job.telling.delete(telling));
    job.telling.add(telling);
  }

  party.onPeer((peer, state) => {
    if (state === 'down') return;
    for (const job of running) start(peer, job);
  });

  return {
    send(body) {
      const bytes = new TextEncoder().encode(JSON.stringify(body));
      const job: Job = { bytes, requestId: body.request.requestId, telling: new Set() };
      running.add(job);
      for (const peer of peers) {
        if (party.transport.isUp(peer)) start(peer, job);
      }
      return async () => {
        running.delete(job);
        await Promise.all(job.telling);
      };
    },
    serve(handler) {
      party.transport.serve(exchange, async (from, bytes) => {
        const reason = await refusalOf(() => {
          const body = jsonOf(bytes);
          if (!isForwarded(body))
            throw new ApiError('BODY_INVALID', schemaProblem(forwarded.Errors(body), 'body').message);
          return handler(from, body, (contentHash) => authorized(requesters, body, contentHash));
        });
        return new TextEncoder().encode(reason ?? ACCEPTED);
      });
    },
  };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ApiError('BODY_NOT_JSON', 'the forwarded request is not JSON');
  }
}

function authorized(requesters: Requesters, body: ForwardedBody<unknown>, contentHash: Uint8Array): Requester {
  const { requester: name, expires, signature } = body;
  const requester = requesters.verifyForwarded(name, contentHash, {
    expires,
    signature: Buffer.from(signature, 'hex'),
  });
  if (requester) return requester;
  const problem = `no requester "${name}" with this key is configured here, or it did not sign this content`;
  throw new ApiError('UNAUTHENTICATED', problem);
}

/** Code and message of a refusal, or undefined when the work was accepted. */
async function refusalOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const known = apiErrorOf(error);
    if (!known) throw error; // told to the peer as a refusal without details
    return `${known.code}: ${known.message}`.slice(0, RESPONSE_BYTES_MAX);
  }
}
