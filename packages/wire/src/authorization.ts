/**
 * Who asks. A requester holds an API key; nodes hold the Ed25519 public key derived from it. The key itself may be
 * shown to a node (`Bearer`), or it signs the hash of one request and a time: then the header authorises that request
 * and reading its answer until that time, and nothing else, whoever carries it.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

const SEED_LABEL = 'KEYQUORUM/node/requester-seed/v1';
const SIGNATURE_LABEL = 'KEYQUORUM/node/authorization/v2';
/** A signature counts for at most so long: a requester signs until the end of the next day. */
export const EXPIRY_SECONDS_MAX = 2 * 86_400;
/**
 * Clocks may be off by so much, and what a node took in time reaches the others a little later: they are told again
 * when their links come back. Minutes cover both; a signature that somebody has seen gains no more than that.
 */
export const EXPIRY_TOLERANCE_SECONDS = 300;

const NAME = '[a-zA-Z0-9._-]{1,64}';
/** Unix seconds, one spelling of each. */
const EXPIRES = '[1-9][0-9]{0,11}';
const SIGNED = new RegExp(
  `^Keyquorum requester="(${NAME})", content="([0-9a-f]{64})", expires="(${EXPIRES})", signature="([0-9a-f]{128})"$`,
  'i',
);
const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;

/** Seed of the requester's Ed25519 key, 32 bytes. Secret: the caller erases it. */
export function requesterSeed(apiKey: string): Uint8Array {
  return sha256(utf8ToBytes(`${SEED_LABEL}|${apiKey}`));
}

/**
 * What the requester signs for one request: label | '|' | content hash | expires as u64, little endian like the
 * lengths in request-hash.ts.
 * @param contentHash 32 bytes, see request-hash.ts
 * @param expires seconds since 1970
 */
export function authorizationMessage(contentHash: Uint8Array, expires: number): Uint8Array {
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(expires), true);
  return concatBytes(utf8ToBytes(`${SIGNATURE_LABEL}|`), contentHash, time);
}

/**
 * Why a signature does not count now, and what to do, in words; undefined when it does. The clock of whoever checks may
 * be behind the requester's by the tolerance, so that one who signs as far ahead as allowed is not refused.
 * @param expires seconds since 1970
 * @param graceSeconds for how long it counts after that: 0, or the tolerance when somebody else took it in time
 */
export function expiryProblem(expires: number, nowMs: number, graceSeconds = 0): string | undefined {
  const leftMs = expires * 1_000 - nowMs;
  const seconds = Math.floor(Math.abs(leftMs) / 1_000);
  const clocks = 'if that was done just now, correct the clock that is wrong';
  if (leftMs <= -1_000 * graceSeconds) {
    return `the requester's signature expired ${seconds} s ago: sign the request again; ${clocks}`;
  }
  if (leftMs <= 1_000 * (EXPIRY_SECONDS_MAX + EXPIRY_TOLERANCE_SECONDS)) return undefined;
  const ahead = `in ${seconds} s, more than ${EXPIRY_SECONDS_MAX} s ahead`;
  return `the requester's signature expires ${ahead}: sign the request again, to expire sooner; ${clocks}`;
}

export interface SignedAuthorization {
  readonly requester: string;
  readonly contentHash: Uint8Array;
  /** Seconds since 1970; the signature counts before that. */
  readonly expires: number;
  /** Ed25519 over `authorizationMessage(contentHash, expires)`. */
  readonly signature: Uint8Array;
}

export type Authorization =
  | { readonly scheme: 'bearer'; readonly apiKey: string }
  | ({ readonly scheme: 'signed' } & SignedAuthorization);

/** Value of an Authorization header. */
export function encodeAuthorization({ requester, contentHash, expires, signature }: SignedAuthorization): string {
  const fields = { requester, content: bytesToHex(contentHash), expires, signature: bytesToHex(signature) };
  const written = Object.entries(fields).map(([name, value]) => `${name}="${value}"`);
  return `Keyquorum ${written.join(', ')}`;
}

/** What the header says, unverified; undefined when it is neither. */
export function parseAuthorization(header: string): Authorization | undefined {
  const [, apiKey] = BEARER.exec(header) ?? [];
  if (apiKey !== undefined) return { scheme: 'bearer', apiKey };
  const [, requester, content, expires, signature] = SIGNED.exec(header) ?? [];
  if (!requester || !content || !expires || !signature) return undefined;
  const bytes = { contentHash: hexToBytes(content), signature: hexToBytes(signature) };
  return { scheme: 'signed', requester, expires: Number(expires), ...bytes };
}
