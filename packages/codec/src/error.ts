/**
 * The one error every decoder of this workspace throws for bad bytes. Anything else thrown while decoding is our own
 * bug.
 */
export type CodecErrorCode =
  | 'CODEC_END' //         the bytes stop before the value does
  | 'CODEC_TRAILING' //    bytes are left after the value
  | 'CODEC_LENGTH' //      a declared length is above the limit of its field
  | 'CODEC_VALUE' //       a value outside the range or spelling its field allows
  | 'CODEC_VARIANT' //     an unknown variant or version number
  | 'CODEC_UNSUPPORTED'; // a known variant that this software does not read

/** Bytes that are not one canonical value of the wanted type. Says where, what was found and what was wanted. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
  readonly code: CodecErrorCode;
  /** Byte offset of the field that was refused, from the start of the decoded bytes. */
  readonly offset: number;
  /** Path of that field, like `key.parameters.expansion_kind` or `blocks[3].degree`; empty at the top. */
  readonly path: string;

  constructor(code: CodecErrorCode, at: { offset: number; path: string }, problem: string) {
    super(`${at.path || 'value'} at byte ${at.offset}: ${problem}`);
    this.code = code;
    this.offset = at.offset;
    this.path = at.path;
  }
}
