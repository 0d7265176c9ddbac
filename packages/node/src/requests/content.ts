/**
 * What a request asks, as one canonical byte string: equal at every node that admits it, so that an id can never come
 * to mean two things (SPEC R17). Every field is length-prefixed; ciphertexts enter by their bytes.
 */
import { createHash } from 'node:crypto';
import { ApiError } from '../errors/api-error.ts';
import { LABELS } from '../labels.ts';
import type { CiphertextBody, PublicDecryptionBody, UserDecryptionBody } from './body.ts';

export interface Ciphertext {
  /** 32 bytes, hex. */
  readonly handle: string;
  readonly format: CiphertextBody['format'];
  readonly bytes: Uint8Array;
  readonly slot: number;
  /** What the caller believes the type is; checked against the object. */
  readonly fheType: string | number | undefined;
}

interface Common {
  readonly requester: string;
  readonly requestId: string;
  readonly keyId: string;
  readonly app: string;
  readonly extraData: Uint8Array;
  readonly ciphertexts: readonly Ciphertext[];
  /** SHA-256. */
  readonly hash: Uint8Array;
}

export interface PublicContent extends Common {
  readonly kind: 'public-decryption';
}

/** 0x and 40 lower-case hex digits. */
export type HexAddress = `0x${string}`;

/** What a user signed, and for which key the answer is. */
export interface UserAuthorization {
  readonly userAddress: HexAddress;
  /** The account that delegated to the user, if any. */
  readonly delegatorAddress: HexAddress | undefined;
  readonly encryptionKey: Uint8Array;
  readonly hostChainId: bigint;
  readonly contractAddresses: readonly HexAddress[];
  /** Seconds since 1970. */
  readonly startTimestamp: bigint;
  readonly durationDays: bigint;
  readonly signature: Uint8Array;
}

export interface UserContent extends Common {
  readonly kind: 'user-decryption';
  readonly user: UserAuthorization;
  /** Per ciphertext: the contract that it belongs to. */
  readonly contracts: readonly HexAddress[];
}

export type Content = PublicContent | UserContent;

export const DEFAULT_APP = 'default';

export function publicContentOf(body: PublicDecryptionBody, requester: string): PublicContent {
  const { requestId, keyId, app = DEFAULT_APP } = body;
  const ciphertexts = ciphertextsOf(body.ciphertexts);
  const extraData = bytesOf(body.extraData ?? '');
  const hash = hashOf([
    ...[LABELS.publicDecryption, requester, requestId, keyId, app, extraData],
    ...ciphertextFields(ciphertexts),
  ]);
  return { kind: 'public-decryption', requester, requestId, keyId, app, extraData, ciphertexts, hash };
}

export function userContentOf(body: UserDecryptionBody, requester: string): UserContent {
  const { requestId, keyId, app = DEFAULT_APP } = body;
  const { hostChainId, contractAddresses, startTimestamp, durationDays, delegatorAddress } = body.request;
  const ciphertexts = ciphertextsOf(body.ciphertexts);
  const contracts = body.ciphertexts.map(({ contractAddress }) => addressOf(contractAddress));
  const extraData = bytesOf(body.request.extraData);
  const user: UserAuthorization = {
    userAddress: addressOf(body.userAddress),
    delegatorAddress: delegatorAddress === undefined ? undefined : addressOf(delegatorAddress),
    encryptionKey: bytesOf(body.encryptionKey),
    hostChainId: BigInt(hostChainId),
    contractAddresses: contractAddresses.map(addressOf),
    startTimestamp: BigInt(startTimestamp),
    durationDays: BigInt(durationDays),
    signature: bytesOf(body.userSignature),
  };
  const hash = hashOf([
    ...[LABELS.userDecryption, requester, requestId, keyId, app, extraData],
    ...[user.userAddress, user.delegatorAddress ?? '', user.encryptionKey, user.signature],
    ...[hostChainId, startTimestamp, durationDays],
    ...[String(user.contractAddresses.length), ...user.contractAddresses],
    ...[...ciphertextFields(ciphertexts), ...contracts],
  ]);
  return { kind: 'user-decryption', requester, requestId, keyId, app, extraData, ciphertexts, hash, user, contracts };
}

function ciphertextsOf(bodies: readonly CiphertextBody[]): Ciphertext[] {
  return bodies.map(({ handle, format, bytes, slot = 0, fheType }, index) => {
    return { handle, format, bytes: decodeBase64(bytes, `ciphertexts.${index}.bytes`), slot, fheType };
  });
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

type Field = string | Uint8Array;

function ciphertextFields(ciphertexts: readonly Ciphertext[]): Field[] {
  const fields = ciphertexts.flatMap(({ handle, format, bytes, slot, fheType }) => {
    return [handle, format, String(slot), String(fheType ?? ''), bytes];
  });
  return [String(ciphertexts.length), ...fields];
}

function hashOf(fields: readonly Field[]): Uint8Array {
  const hash = createHash('sha256');
  for (const field of fields) {
    const bytes = typeof field === 'string' ? Buffer.from(field) : field;
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    hash.update(length).update(bytes);
  }
  return new Uint8Array(hash.digest());
}
