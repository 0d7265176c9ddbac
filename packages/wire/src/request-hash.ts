/**
 * What a request for decryption asks, as one hash: equal at every node that admits it, so that an id can never come to
 * mean two things, and what a requester signs. SHA-256 over fields with a u32 little-endian length before each; texts
 * are UTF-8, ciphertexts enter by the SHA-256 of their bytes: whether a request carries the bytes or names them is no
 * part of what it asks.
 *
 * What shows where a ciphertext comes from (attestations) is no part of it: the same ciphertext with other signatures
 * that suffice is the same request, and must get the same answer. Nor does a requester's signature have to protect it:
 * it is signed itself, and whoever changes it on the way brings about a refusal at most, as by dropping the request.
 */
import { sha256 } from '@noble/hashes/sha2.js';

/** A changed layout gets a new number. */
const LABEL = {
  publicDecryption: 'KEYQUORUM/request/public-decryption/v2',
  userDecryption: 'KEYQUORUM/request/user-decryption/v2',
  ciphertext: 'KEYQUORUM/request/ciphertext/v1',
} as const;

export interface HashedRequest {
  /** Name of the requester, as nodes know it. */
  readonly requester: string;
  /** 64 lower-case hex digits, like every id and handle. */
  readonly requestId: string;
  readonly keyId: string;
  readonly app: string;
  readonly extraData: Uint8Array;
  readonly ciphertexts: readonly HashedCiphertext[];
}

export interface HashedCiphertext {
  readonly handle: string;
  readonly format: string;
  readonly slot: number;
  /** As given in the request, if it was. */
  readonly fheType: string | number | undefined;
  /** SHA-256 of the bytes. */
  readonly digest: Uint8Array;
}

export interface HashedUser {
  /** Addresses are 0x and 40 lower-case hex digits here. */
  readonly userAddress: string;
  readonly delegatorAddress: string | undefined;
  readonly encryptionKey: Uint8Array;
  readonly signature: Uint8Array;
  readonly hostChainId: bigint;
  readonly startTimestamp: bigint;
  readonly durationDays: bigint;
  readonly contractAddresses: readonly string[];
  /** Contract of each ciphertext. */
  readonly contracts: readonly string[];
}

export function publicRequestHash(request: HashedRequest): Uint8Array {
  return hashOf([LABEL.publicDecryption, ...commonFields(request)]);
}

export function userRequestHash(request: HashedRequest, user: HashedUser): Uint8Array {
  return hashOf([
    ...[LABEL.userDecryption, ...commonFields(request)],
    ...[user.userAddress, user.delegatorAddress ?? '', user.encryptionKey, user.signature],
    ...[user.hostChainId, user.startTimestamp, user.durationDays].map(String),
    ...[String(user.contractAddresses.length), ...user.contractAddresses, ...user.contracts],
  ]);
}

/** Of handing over one ciphertext. @param digest SHA-256 of its bytes */
export function ciphertextRequestHash(requester: string, digest: Uint8Array): Uint8Array {
  return hashOf([LABEL.ciphertext, requester, digest]);
}

type Field = string | Uint8Array;

function commonFields({ requester, requestId, keyId, app, extraData, ciphertexts }: HashedRequest): Field[] {
  const fields = ciphertexts.flatMap(({ handle, format, slot, fheType, digest }) => {
    return [handle, format, String(slot), String(fheType ?? ''), digest];
  });
  return [requester, requestId, keyId, app, extraData, String(ciphertexts.length), ...fields];
}

function hashOf(fields: readonly Field[]): Uint8Array {
  const hash = sha256.create();
  const length = new Uint8Array(4);
  for (const field of fields) {
    const bytes = typeof field === 'string' ? new TextEncoder().encode(field) : field;
    new DataView(length.buffer).setUint32(0, bytes.length, true);
    hash.update(length).update(bytes);
  }
  return hash.digest();
}
