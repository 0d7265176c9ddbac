/**
 * Who may ask. A requester holds an API key; nodes hold only the Ed25519 public key derived from it. The node that is
 * asked derives the private key from the presented API key, checks that it is the configured one, signs the request
 * with it and forgets it. The other nodes check that signature, so none of them has to believe the node that was asked,
 * and what a node's configuration holds cannot be used to make requests.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Requester } from '../config/schema.ts';
import { createSigner, verifySignature } from '../ed25519.ts';
import { LABELS } from '../labels.ts';

const KEY_PREFIX = 'kq_';
const KEY_RANDOM_BYTES = 32;
/** Short keys could be guessed from the public key in a configuration file. */
const KEY_LENGTH_MIN = 32;
const KEY_LENGTH_MAX = 256;

export function newApiKey(): string {
  return KEY_PREFIX + randomBytes(KEY_RANDOM_BYTES).toString('base64url');
}

function identityOf(apiKey: string) {
  const seed = new Uint8Array(createHash('sha256').update(`${LABELS.requesterSeed}|${apiKey}`).digest());
  const identity = createSigner(seed);
  seed.fill(0);
  return identity;
}

/** What a configuration stores of an API key. */
export function requesterPublicKey(apiKey: string): string {
  return Buffer.from(identityOf(apiKey).publicKey).toString('hex');
}

/** A requester whose API key was presented just now, with the means to sign this one request. */
export interface Caller {
  readonly requester: Requester;
  sign(contentHash: Uint8Array): Uint8Array;
}

export interface Requesters {
  /** The requester with this API key, or undefined. Compares with all of them in constant time each. */
  authenticate(apiKey: string): Caller | undefined;
  /** The requester of that name if the signature over the content hash is its own, else undefined. */
  verify(name: string, contentHash: Uint8Array, signature: Uint8Array): Requester | undefined;
}

function authorizationBytes(contentHash: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${LABELS.authorization}|`), contentHash]);
}

export function createRequesters(requesters: readonly Requester[]): Requesters {
  const known = requesters.map((requester) => ({ requester, publicKey: Buffer.from(requester.publicKey, 'hex') }));
  return {
    authenticate(apiKey) {
      if (apiKey.length < KEY_LENGTH_MIN || apiKey.length > KEY_LENGTH_MAX) return undefined;
      const identity = identityOf(apiKey);
      const matching = known.filter(({ publicKey }) => timingSafeEqual(publicKey, identity.publicKey));
      const [match] = matching;
      if (!match) return undefined;
      return { requester: match.requester, sign: (hash) => identity.sign(authorizationBytes(hash)) };
    },
    verify(name, contentHash, signature) {
      const match = known.find(({ requester }) => requester.name === name);
      if (!match) return undefined;
      const message = authorizationBytes(contentHash);
      return verifySignature({ publicKey: match.publicKey, message, signature }) ? match.requester : undefined;
    },
  };
}
