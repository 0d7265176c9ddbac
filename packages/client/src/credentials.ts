/**
 * How a requester is recognised: by a signature over the hash of each request, so that neither nodes nor a coordinator
 * see the API key, or by the key itself. See `@keyquorum/wire/authorization` for both forms.
 *
 * A signature counts until the end of tomorrow (UTC), at least a day. So the header of a request is the same all day: a
 * coordinator knows a caller by it.
 */
import {
  authorizationMessage,
  EXPIRY_SECONDS_MAX,
  encodeAuthorization,
  requesterSeed,
} from '@keyquorum/wire/authorization';
import {
  ciphertextRequestHash,
  type HashedRequest,
  publicRequestHash,
  userRequestHash,
} from '@keyquorum/wire/request-hash';
import { ed25519 } from '@noble/curves/ed25519.js';
import { hexToBytes } from '@noble/hashes/utils.js';
import type { PublicDecryptionRequest, RequestCiphertext, UserDecryptionBody } from './contract.ts';
import { digestOf } from './handing-over.ts';

const DAY_SECONDS = 86_400;

export interface Requester {
  /** Secret; long and random. */
  readonly apiKey: string;
  /** Name under which nodes know the key. Given: requests are signed. Absent: every node is shown the key. */
  readonly requester?: string | undefined;
}

/**
 * Values of the Authorization header. Those that are signatures allow this request and reading its answer only, and
 * expire: make them when they are sent.
 */
export interface Credentials {
  /** @throws RangeError when the bytes of a ciphertext are no base64 */
  forPublic(request: PublicDecryptionRequest): string;
  /** @throws RangeError when the bytes of a ciphertext are no base64 */
  forUser(body: UserDecryptionBody): string;
  /** To hand over a ciphertext. @param digest SHA-256, hex */
  forCiphertext(digest: string): string;
}

/** @param nowMs milliseconds since 1970 */
export function createCredentials({ apiKey, requester }: Requester, nowMs: () => number): Credentials {
  const shown = () => `Bearer ${apiKey}`;
  if (requester === undefined) return { forPublic: shown, forUser: shown, forCiphertext: shown };
  const signed = (contentHash: Uint8Array): string => {
    const expires = endOfTomorrow(nowMs());
    const seed = requesterSeed(apiKey);
    const signature = ed25519.sign(authorizationMessage(contentHash, expires), seed);
    seed.fill(0);
    return encodeAuthorization({ requester, contentHash, expires, signature });
  };
  return {
    forPublic: (request) => signed(publicRequestHash(hashedRequest(requester, request, request.extraData))),
    forUser: (body) => signed(userContentHash(requester, body)),
    forCiphertext: (digest) => signed(ciphertextRequestHash(requester, hexToBytes(digest))),
  };
}

/** Of UTC, in seconds since 1970: the latest that is the same all day and that nodes take at any time of it. */
function endOfTomorrow(nowMs: number): number {
  const day = Math.floor(nowMs / 1_000 / DAY_SECONDS);
  return day * DAY_SECONDS + EXPIRY_SECONDS_MAX;
}

function userContentHash(requester: string, body: UserDecryptionBody): Uint8Array {
  const { request, ciphertexts } = body;
  return userRequestHash(hashedRequest(requester, body, request.extraData), {
    userAddress: body.userAddress.toLowerCase(),
    delegatorAddress: request.delegatorAddress?.toLowerCase(),
    encryptionKey: hexToBytes(body.encryptionKey),
    signature: hexToBytes(body.userSignature),
    hostChainId: BigInt(request.hostChainId),
    startTimestamp: BigInt(request.startTimestamp),
    durationDays: BigInt(request.durationDays),
    contractAddresses: request.contractAddresses.map((address) => address.toLowerCase()),
    contracts: ciphertexts.map(({ contractAddress }) => contractAddress.toLowerCase()),
  });
}

type Common = Pick<PublicDecryptionRequest, 'requestId' | 'keyId' | 'app' | 'ciphertexts'>;

function hashedRequest(requester: string, request: Common, extraData = ''): HashedRequest {
  const { requestId, keyId, app = 'default', ciphertexts } = request;
  return { requester, requestId, keyId, app, extraData: hexToBytes(extraData), ciphertexts: ciphertexts.map(hashed) };
}

function hashed({ handle, format, slot = 0, fheType, ...ciphertext }: RequestCiphertext, index: number) {
  return { handle, format, slot, fheType, digest: digestOf(ciphertext, `ciphertexts.${index}`) };
}
