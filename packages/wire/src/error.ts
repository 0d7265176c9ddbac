/** Bytes from outside that are not what the wire format says. */
export type WireErrorCode =
  | 'EXTRA_DATA_MALFORMED' // not empty, 00, or a context (and epoch) of the right length
  | 'LABEL_MALFORMED'; //     a domain separator that is not eight ASCII characters

export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
