/**
 * Who asks. A requester holds an API key; nodes hold the Ed25519 public key derived from it. The key itself may be
 * shown to a node (`Bearer`), or it signs the hash of one request: then the header authorises that request and reading
 * its answer, and nothing else, whoever carries it.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

const SEED_LABEL = 'KEYQUORUM/node/requester-seed/v1';
const SIGNATURE_LABEL = 'KEYQUORUM/node/authorization/v1';
const SIGNED = /^Keyquorum requester="([a-zA-Z0-9._-]{1,64})", content="([0-9a-f]{64})", signature="([0-9a-f]{128})"$/i;
const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;

/** Seed of the requester's Ed25519 key, 32 bytes. Secret: the caller erases it. */
export function requesterSeed(apiKey: string): Uint8Array {
  return sha256(utf8ToBytes(`${SEED_LABEL}|${apiKey}`));
}

/** What the requester signs for one request. @param contentHash see request-hash.ts */
export function authorizationMessage(contentHash: Uint8Array): Uint8Array {
  const label = utf8ToBytes(`${SIGNATURE_LABEL}|`);
  const message = new Uint8Array(label.length + contentHash.length);
  message.set(label);
  message.set(contentHash, label.length);
  return message;
}

export interface SignedAuthorization {
  readonly requester: string;
  readonly contentHash: Uint8Array;
  /** Ed25519 over `authorizationMessage(contentHash)`. */
  readonly signature: Uint8Array;
}

export type Authorization =
  | { readonly scheme: 'bearer'; readonly apiKey: string }
  | ({ readonly scheme: 'signed' } & SignedAuthorization);

/** Value of an Authorization header. */
export function encodeAuthorization({ requester, contentHash, signature }: SignedAuthorization): string {
  const fields = [`content="${bytesToHex(contentHash)}"`, `signature="${bytesToHex(signature)}"`];
  return `Keyquorum requester="${requester}", ${fields.join(', ')}`;
}

/** What the header says, unverified; undefined when it is neither. */
export function parseAuthorization(header: string): Authorization | undefined {
  const [, apiKey] = BEARER.exec(header) ?? [];
  if (apiKey !== undefined) return { scheme: 'bearer', apiKey };
  const [, requester, content, signature] = SIGNED.exec(header) ?? [];
  if (requester === undefined || content === undefined || signature === undefined) return undefined;
  return { scheme: 'signed', requester, contentHash: hexToBytes(content), signature: hexToBytes(signature) };
}
