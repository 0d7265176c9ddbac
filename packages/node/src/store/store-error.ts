/** What can be wrong with a data directory. Every message says what was found and what an operator does about it. */

export type StoreErrorCode =
  | 'STORE_MISSING' //    no store in this directory
  | 'STORE_EXISTS' //     a store is there already; it is never overwritten
  | 'STORE_LOCKED' //     another process has it open
  | 'STORE_WRONG_KEY' //  the passphrase or key file does not open it
  | 'STORE_TAMPERED' //   a record, file or the head does not carry the store's own authentication
  | 'STORE_ROLLED_BACK' // records are older than what this node has already acted on
  | 'STORE_NAME' //       a name outside the allowed alphabet: a bug of the caller
  | 'STORE_FAILED'; //    the disk refused a write; nothing may be sent that depends on it

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** The `code` of a Node.js or Level error, or of its cause. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const cause = systemCode(error.cause);
  if (cause !== undefined) return cause;
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
