/**
 * Long ciphertexts go to a node once: requests name them by SHA-256, and a node that does not hold one says so, gets
 * it, and is asked again. Nothing has to be known about who holds what, and a request means the same in both forms.
 */
import { INLINE_BYTES_MAX } from '@keyquorum/wire/ciphertext-shelf';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { RequestCiphertext } from './contract.ts';
import { exchangeBytes, HttpProblem } from './http.ts';

/** A ciphertext for whoever does not hold it yet. */
export interface Attachment {
  /** SHA-256, hex. */
  readonly digest: string;
  readonly bytes: Uint8Array;
  /** The header with which it is handed over. Made then: it expires, and ciphertexts are used again for longer. */
  authorization(): string;
}

export interface Attached<R> {
  readonly request: R;
  readonly attachments: readonly Attachment[];
}

interface Carrier {
  readonly ciphertexts: readonly RequestCiphertext[];
}

/** What a refusal may have: a code and a reason in words. */
const ERROR_BYTES_MAX = 64 * 1_024;
const BASE64_MAX = Math.ceil(INLINE_BYTES_MAX / 3) * 4;

/**
 * Makes requests name what is long. A ciphertext that is used again is hashed once.
 * @param authorize the header for handing over the ciphertext with this digest
 */
export function createAttaching(authorize: (digest: string) => string): <R extends Carrier>(request: R) => Attached<R> {
  const known = new WeakMap<RequestCiphertext, Attachment>();

  function attachmentOf(ciphertext: RequestCiphertext, text: string, field: string): Attachment {
    const before = known.get(ciphertext);
    if (before) return before;
    const bytes = fromBase64(text, `${field}.bytes`);
    const digest = bytesToHex(sha256(bytes));
    const attachment = { digest, bytes, authorization: () => authorize(digest) };
    known.set(ciphertext, attachment);
    return attachment;
  }

  return (request) => {
    const attachments = new Map<string, Attachment>();
    const ciphertexts = request.ciphertexts.map((ciphertext, index) => {
      const { bytes, ...named } = ciphertext;
      if (bytes === undefined || bytes.length <= BASE64_MAX) return ciphertext;
      const attachment = attachmentOf(ciphertext, bytes, `ciphertexts.${index}`);
      attachments.set(attachment.digest, attachment);
      return { ...named, digest: attachment.digest };
    });
    return { request: { ...request, ciphertexts }, attachments: [...attachments.values()] };
  };
}

/** Of a ciphertext in either form. Throws RangeError when the bytes are no base64. */
export function digestOf({ bytes, digest }: Pick<RequestCiphertext, 'bytes' | 'digest'>, field: string): Uint8Array {
  return digest === undefined ? sha256(fromBase64(bytes ?? '', `${field}.bytes`)) : hexToBytes(digest);
}

function fromBase64(text: string, field: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch (cause) {
    throw new RangeError(`${field}: not base64`, { cause });
  }
  const bytes = new Uint8Array(binary.length); // a callback per byte, as of Uint8Array.from, takes ten times as long
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

interface HandOver {
  /** Of the node, without a path. */
  readonly url: string;
  readonly signal: AbortSignal;
  readonly fetch?: typeof fetch;
}

/** On their way: requests for several values of one list share it. */
const underway = new WeakMap<Attachment, Map<string, Promise<HandedOver>>>();

/** Status and body of the refusal, or nothing. */
export type HandedOver = { readonly status: number; readonly body: unknown } | undefined;

/** Hands all of them over, one after the other, until one is refused. Throws HttpProblem, or the signal's reason. */
export async function handOver(attachments: readonly Attachment[], to: HandOver): Promise<HandedOver> {
  for (const attachment of attachments) {
    const refused = await shared(attachment, to);
    to.signal.throwIfAborted();
    if (refused) return refused;
  }
  return undefined;
}

function shared(attachment: Attachment, to: HandOver): Promise<HandedOver> {
  const byUrl = underway.get(attachment) ?? new Map<string, Promise<HandedOver>>();
  underway.set(attachment, byUrl);
  const other = byUrl.get(to.url);
  if (other) return other.catch(() => handOverOne(attachment, to)); // that caller may have given up
  const own = handOverOne(attachment, to).finally(() => byUrl.delete(to.url));
  byUrl.set(to.url, own);
  return own;
}

async function handOverOne(
  { digest, bytes, authorization }: Attachment,
  { url, signal, fetch }: HandOver,
): Promise<HandedOver> {
  const { status, bytes: answer } = await exchangeBytes({
    ...{ method: 'PUT', url: new URL(`/v1/ciphertexts/${digest}`, url).href, body: bytes },
    ...{ authorization: authorization(), bytesMax: ERROR_BYTES_MAX, signal, ...(fetch && { fetch }) },
  });
  if (status < 300) return undefined;
  try {
    return { status, body: JSON.parse(new TextDecoder().decode(answer)) };
  } catch (cause) {
    throw new HttpProblem('NOT_JSON', `refusal of ${answer.length} bytes is no JSON`, cause);
  }
}
