/** A request's body read once into what the checks and protocols take, with the hash that its id is bound to (R17). */
import { sha256 } from '@keyquorum/mpc/bytes';
import { type HashedRequest, type HashedUser, publicRequestHash, userRequestHash } from '@keyquorum/wire/request-hash';
import { ApiError } from '../errors/api-error.ts';
import type { CiphertextBody, ProvenanceBody, PublicDecryptionBody, UserDecryptionBody } from './body.ts';

/** With which reference string and for whom a list was proven, as the caller says. */
export interface ClaimedProof {
  readonly crsId: string;
  readonly contractAddress: HexAddress;
  readonly userAddress: HexAddress;
}

/** What the caller sent to show where a ciphertext comes from. No part of the request's hash. */
export interface ClaimedProvenance {
  /** EIP-712 signatures of coprocessors, not yet looked at. */
  readonly attestations: readonly Uint8Array[];
  readonly proof?: ClaimedProof;
}

export interface NamedCiphertext {
  /** 32 bytes, hex. */
  readonly handle: string;
  readonly format: CiphertextBody['format'];
  /** SHA-256 of the bytes. */
  readonly digest: Uint8Array;
  /** As the request carried them, if it did. */
  readonly bytes: Uint8Array | undefined;
  readonly slot: number;
  /** What the caller believes the type is; checked against the object. */
  readonly fheType: string | number | undefined;
  readonly provenance: ClaimedProvenance;
}

export interface Ciphertext extends NamedCiphertext {
  readonly bytes: Uint8Array;
}

interface Common extends HashedRequest {
  readonly ciphertexts: readonly NamedCiphertext[];
  /** Equal at every node that admits the request. */
  readonly hash: Uint8Array;
}

export interface PublicContent extends Common {
  readonly kind: 'public-decryption';
}

/** 0x and 40 lower-case hex digits. */
export type HexAddress = `0x${string}`;

/** What a user signed, and for which key the answer is. */
export interface UserAuthorization extends HashedUser {
  readonly userAddress: HexAddress;
  /** The account that delegated to the user, if any. */
  readonly delegatorAddress: HexAddress | undefined;
  readonly contractAddresses: readonly HexAddress[];
  readonly contracts: readonly HexAddress[];
}

export interface UserContent extends Common {
  readonly kind: 'user-decryption';
  readonly user: UserAuthorization;
}

export type Content = PublicContent | UserContent;

export const DEFAULT_APP = 'default';

export function publicContentOf(body: PublicDecryptionBody, requester: string): PublicContent {
  const { requestId, keyId, app = DEFAULT_APP, extraData = '' } = body;
  const ciphertexts = ciphertextsOf(body.ciphertexts);
  const request = { requester, requestId, keyId, app, extraData: bytesOf(extraData), ciphertexts };
  return { kind: 'public-decryption', ...request, hash: publicRequestHash(request) };
}

export function userContentOf(body: UserDecryptionBody, requester: string): UserContent {
  const { requestId, keyId, app = DEFAULT_APP } = body;
  const { hostChainId, contractAddresses, startTimestamp, durationDays, delegatorAddress, extraData } = body.request;
  const ciphertexts = ciphertextsOf(body.ciphertexts);
  const request = { requester, requestId, keyId, app, extraData: bytesOf(extraData), ciphertexts };
  const user: UserAuthorization = {
    userAddress: addressOf(body.userAddress),
    delegatorAddress: delegatorAddress === undefined ? undefined : addressOf(delegatorAddress),
    encryptionKey: bytesOf(body.encryptionKey),
    signature: bytesOf(body.userSignature),
    hostChainId: BigInt(hostChainId),
    startTimestamp: BigInt(startTimestamp),
    durationDays: BigInt(durationDays),
    contractAddresses: contractAddresses.map(addressOf),
    contracts: body.ciphertexts.map(({ contractAddress }) => addressOf(contractAddress)),
  };
  return { kind: 'user-decryption', ...request, user, hash: userRequestHash(request, user) };
}

function ciphertextsOf(bodies: readonly CiphertextBody[]): NamedCiphertext[] {
  return bodies.map(({ handle, format, bytes, digest, slot = 0, fheType, provenance }, index) => {
    const field = `ciphertexts.${index}`;
    const named = { handle, format, slot, fheType, provenance: claimedProvenance(provenance) };
    if (bytes !== undefined && digest === undefined) {
      const decoded = decodeBase64(bytes, `${field}.bytes`);
      return { ...named, bytes: decoded, digest: sha256(decoded) };
    }
    if (digest !== undefined && bytes === undefined) return { ...named, bytes, digest: bytesOf(digest) };
    throw new ApiError('BODY_INVALID', `${field}: want either bytes or digest`);
  });
}

function claimedProvenance({ attestations = [], proof }: ProvenanceBody = {}): ClaimedProvenance {
  return { attestations: attestations.map(bytesOf), ...(proof && { proof: claimedProof(proof) }) };
}

function claimedProof({ crsId, contractAddress, userAddress }: NonNullable<ProvenanceBody['proof']>): ClaimedProof {
  return { crsId, contractAddress: addressOf(contractAddress), userAddress: addressOf(userAddress) };
}

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const addressOf = (text: string) => text.toLowerCase() as HexAddress;

/** Node.js skips what is not base64, which shows in the length. */
function decodeBase64(text: string, field: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (text.length % 4 === 0 && bytes.length === (text.length / 4) * 3 - padding) return new Uint8Array(bytes);
  throw new ApiError('BODY_INVALID', `${field}: not base64`);
}
