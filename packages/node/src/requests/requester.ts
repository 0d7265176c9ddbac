/**
 * Who may ask. A requester holds an API key; nodes hold only the Ed25519 public key derived from it. A requester signs
 * the request itself, or shows the key to one node, which derives the private key, signs with it and forgets it. The
 * other nodes check that signature, so none of them has to believe the node that was asked, and what a node's
 * configuration holds cannot be used to make requests.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import {
  authorizationMessage,
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

/** A requester that has shown its API key or signed a request. */
export interface Caller {
  readonly requester: Requester;
  /** The requester's signature for a request with this content. Throws UNAUTHENTICATED when it signed another one. */
  sign(contentHash: Uint8Array): Uint8Array;
  /** Whether the caller showed the key itself, which may do more than one request. */
  readonly holdsKey: boolean;
}

export interface Requesters {
  /** Who sends this Authorization header, or undefined. Compares with all keys in constant time each. */
  authenticate(header: string): Caller | undefined;
  /** The requester of that name if the signature over the content hash is its own, else undefined. */
  verify(name: string, contentHash: Uint8Array, signature: Uint8Array): Requester | undefined;
}

export function createRequesters(requesters: readonly Requester[]): Requesters {
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
    const sign = (hash: Uint8Array) => identity.sign(authorizationMessage(hash));
    return { requester: match.requester, sign, holdsKey: true };
  }

  function signer({ requester: name, contentHash, signature }: SignedAuthorization): Caller | undefined {
    const requester = verify(name, contentHash, signature);
    return requester && { requester, sign: (hash) => signatureFor(hash, contentHash, signature), holdsKey: false };
  }

  function verify(name: string, contentHash: Uint8Array, signature: Uint8Array): Requester | undefined {
    const match = known.find(({ requester }) => requester.name === name);
    return match?.verify(authorizationMessage(contentHash), signature) ? match.requester : undefined;
  }

  return {
    authenticate(header) {
      const shown = parseAuthorization(header);
      if (shown === undefined) return undefined;
      return shown.scheme === 'bearer' ? keyHolder(shown.apiKey) : signer(shown);
    },
    verify,
  };
}

function signatureFor(asked: Uint8Array, signed: Uint8Array, signature: Uint8Array): Uint8Array {
  if (Buffer.compare(asked, signed) === 0) return signature;
  throw new ApiError('UNAUTHENTICATED', 'the requester signed another request than this one');
}
