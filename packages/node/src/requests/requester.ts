/**
 * Who may ask. A requester holds an API key; nodes hold only the Ed25519 public key derived from it. A requester signs
 * the request itself, or shows the key to one node, which derives the private key, signs with it and forgets it. The
 * other nodes check that signature, so none of them has to believe the node that was asked, and what a node's
 * configuration holds cannot be used to make requests. A signature expires: whoever has seen it cannot read the answer,
 * or ask again, for ever.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import {
  authorizationMessage,
  EXPIRY_TOLERANCE_SECONDS,
  expiryProblem,
  parseAuthorization,
  requesterSeed,
  type SignedAuthorization,
} from '@keyquorum/wire/authorization';
import type { Requester } from '../config/schema.ts';
import { createSigner, createVerifier } from '../ed25519.ts';
import { ApiError } from '../errors/api-error.ts';

const KEY_PREFIX = 'kq_';
const KEY_RANDOM_BYTES = 32;
/** Short keys could be guessed from the public key in a configuration file. */
const KEY_LENGTH_MIN = 32;
const KEY_LENGTH_MAX = 256;
/**
 * Of what a node signs for a caller that shows its key: other nodes are told while the request runs, which is no longer
 * than `timing.decryptionSeconds` can be.
 */
const OWN_EXPIRY_SECONDS = 3_600;

export function newApiKey(): string {
  return KEY_PREFIX + randomBytes(KEY_RANDOM_BYTES).toString('base64url');
}

function identityOf(apiKey: string) {
  const seed = requesterSeed(apiKey);
  const identity = createSigner(seed);
  seed.fill(0);
  return identity;
}

/** What a configuration stores of an API key. */
export function requesterPublicKey(apiKey: string): string {
  return Buffer.from(identityOf(apiKey).publicKey).toString('hex');
}

/** The requester's signature over a content hash, and when it expires. */
export type ContentSignature = Pick<SignedAuthorization, 'expires' | 'signature'>;

/** A requester that has shown its API key or signed a request. */
export interface Caller {
  readonly requester: Requester;
  /** The requester's signature for a request with this content. Throws UNAUTHENTICATED when it signed another one. */
  sign(contentHash: Uint8Array): ContentSignature;
  /** Whether the caller showed the key itself, which may do more than one request. */
  readonly holdsKey: boolean;
}

export interface Requesters {
  /**
   * Who sends this Authorization header, or undefined. Compares with all keys in constant time each.
   * @throws ApiError UNAUTHENTICATED when the signature is the requester's and does not count now
   */
  authenticate(header: string): Caller | undefined;
  /**
   * The requester of that name if the signature over the content hash is its own, else undefined. Another node took the
   * signature before it expired, so it counts a while longer.
   * @throws ApiError UNAUTHENTICATED when the signature is the requester's and does not count now
   */
  verifyForwarded(name: string, contentHash: Uint8Array, signed: ContentSignature): Requester | undefined;
}

/** @param now milliseconds since 1970 */
export function createRequesters(requesters: readonly Requester[], now: () => number): Requesters {
  const known = requesters.map((requester) => {
    const publicKey = Buffer.from(requester.publicKey, 'hex');
    return { requester, publicKey, verify: createVerifier(publicKey) };
  });

  function keyHolder(apiKey: string): Caller | undefined {
    if (apiKey.length < KEY_LENGTH_MIN || apiKey.length > KEY_LENGTH_MAX) return undefined;
    const identity = identityOf(apiKey);
    const matching = known.filter(({ publicKey }) => timingSafeEqual(publicKey, identity.publicKey));
    const [match] = matching;
    if (!match) return undefined;
    const sign = (hash: Uint8Array) => {
      const expires = Math.floor(now() / 1_000) + OWN_EXPIRY_SECONDS;
      return { expires, signature: identity.sign(authorizationMessage(hash, expires)) };
    };
    return { requester: match.requester, sign, holdsKey: true };
  }

  function signer(shown: SignedAuthorization): Caller | undefined {
    const requester = verify(shown, 0);
    return requester && { requester, sign: (hash) => signatureFor(hash, shown), holdsKey: false };
  }

  /** Judges the time only of what the requester signed: a forgery is told nothing about clocks. */
  function verify(shown: SignedAuthorization, graceSeconds: number): Requester | undefined {
    const { requester: name, contentHash, expires, signature } = shown;
    const match = known.find(({ requester }) => requester.name === name);
    if (!match?.verify(authorizationMessage(contentHash, expires), signature)) return undefined;
    const problem = expiryProblem(expires, now(), graceSeconds);
    if (problem !== undefined) throw new ApiError('UNAUTHENTICATED', problem);
    return match.requester;
  }

  return {
    authenticate(header) {
      const shown = parseAuthorization(header);
      if (shown === undefined) return undefined;
      return shown.scheme === 'bearer' ? keyHolder(shown.apiKey) : signer(shown);
    },
    verifyForwarded: (requester, contentHash, signed) => {
      return verify({ requester, contentHash, ...signed }, EXPIRY_TOLERANCE_SECONDS);
    },
  };
}

function signatureFor(asked: Uint8Array, { contentHash, expires, signature }: SignedAuthorization): ContentSignature {
  if (Buffer.compare(asked, contentHash) === 0) return { expires, signature };
  throw new ApiError('UNAUTHENTICATED', 'the requester signed another request than this one');
}
