/** What is wrong with a ciphertext somebody sent: the caller's fault, to be answered with the code and the message. */
import { CodecError } from '@keyquorum/codec/error';

export type CiphertextErrorCode =
  | 'CIPHERTEXT_MALFORMED' //   not one canonical object of the stated format
  | 'CIPHERTEXT_PARAMETERS' //  well formed, but not made for this key's parameter set
  | 'CIPHERTEXT_SLOT' //        the list has no such value
  | 'CIPHERTEXT_TYPE' //        a width that no FHE type has
  | 'CIPHERTEXT_UNSUPPORTED' // a known kind of object that is not decrypted here
  | 'CIPHERTEXT_TOO_LARGE'; //  more bytes than the largest object of the format

export class CiphertextError extends Error {
  override readonly name = 'CiphertextError';
  readonly code: CiphertextErrorCode;
  /** Path of the refused field inside the object, when one field is to blame. */
  readonly field: string | undefined;
  /** Byte offset of that field, when known. */
  readonly offset: number | undefined;

  constructor(
    code: CiphertextErrorCode,
    message: string,
    options: { readonly field?: string; readonly offset?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.field = options.field;
    this.offset = options.offset;
  }
}

/** Runs a decoder and turns its refusal into ours. Any other exception is our own bug and passes through. */
export function translatingCodecErrors<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const code = error.code === 'CODEC_UNSUPPORTED' ? 'CIPHERTEXT_UNSUPPORTED' : 'CIPHERTEXT_MALFORMED';
    throw new CiphertextError(code, error.message, { field: error.path, offset: error.offset, cause: error });
  }
}
