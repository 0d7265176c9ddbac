/**
 * What a public decryption asks, as one canonical byte string: equal at every node that admits the request, so that an
 * id can never come to mean two things (SPEC R17). Every field is length-prefixed; ciphertexts enter by their bytes.
 */
import { createHash } from 'node:crypto';
import { ApiError } from '../errors/api-error.ts';
import { LABELS } from '../labels.ts';
import type { PublicDecryptionBody } from './body.ts';

export interface Ciphertext {
  /** 32 bytes, hex. */
  readonly handle: string;
  readonly format: PublicDecryptionBody['ciphertexts'][number]['format'];
  readonly bytes: Uint8Array;
  readonly slot: number;
  /** What the caller believes the type is; checked against the object. */
  readonly fheType: string | number | undefined;
}

export interface Content {
  readonly requester: string;
  readonly requestId: string;
  readonly keyId: string;
  readonly app: string;
  readonly extraData: Uint8Array;
  readonly ciphertexts: readonly Ciphertext[];
  /** SHA-256. */
  readonly hash: Uint8Array;
}

export const DEFAULT_APP = 'default';

export function contentOf(body: PublicDecryptionBody, requester: string): Content {
  const ciphertexts = body.ciphertexts.map(({ handle, format, bytes, slot = 0, fheType }, index) => {
    return { handle, format, bytes: decodeBase64(bytes, `ciphertexts.${index}.bytes`), slot, fheType };
  });
  const { requestId, keyId, app = DEFAULT_APP } = body;
  const extraData = new Uint8Array(Buffer.from(body.extraData ?? '', 'hex'));
  const content = { requester, requestId, keyId, app, extraData, ciphertexts };
  return { ...content, hash: contentHash(content) };
}

/** Node.js skips what is not base64, which shows in the length. */
function decodeBase64(text: string, field: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (text.length % 4 === 0 && bytes.length === (text.length / 4) * 3 - padding) return new Uint8Array(bytes);
  throw new ApiError('BODY_INVALID', `${field}: not base64`);
}

function contentHash({ requester, requestId, keyId, app, extraData, ciphertexts }: Omit<Content, 'hash'>): Uint8Array {
  const hash = createHash('sha256');
  const field = (value: string | Uint8Array) => {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const value of [LABELS.publicDecryption, requester, requestId, keyId, app, extraData]) field(value);
  field(String(ciphertexts.length));
  for (const { handle, format, bytes, slot, fheType } of ciphertexts) {
    for (const value of [handle, format, String(slot), String(fheType ?? ''), bytes]) field(value);
  }
  return new Uint8Array(hash.digest());
}
