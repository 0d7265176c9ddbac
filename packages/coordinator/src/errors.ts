/** Why the coordinator refuses a call before any node is asked. */

export type CoordinationErrorCode =
  | 'BODY_INVALID' //        fields that do not go together
  | 'REQUEST_CONFLICT' //    this id was used for other content
  | 'REQUEST_UNKNOWN' //     no such request here, or another caller's
  | 'UNAUTHENTICATED' //     no header, or a signature that has expired
  | 'BUSY' //                too many requests under way, or callers waiting
  | 'RATE_LIMITED' //        too many calls from one address
  | 'STORE_FAILED'; //       the disk takes nothing more

export class CoordinationError extends Error {
  override readonly name = 'CoordinationError';
  readonly code: CoordinationErrorCode;
  /** When it is worth to come again. */
  readonly retrySeconds: number | undefined;
  constructor(code: CoordinationErrorCode, message: string, options: { retrySeconds?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retrySeconds = options.retrySeconds;
  }
}
