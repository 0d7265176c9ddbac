/** Why the coordinator refuses a call before any node is asked. */

export type CoordinationErrorCode =
  | 'REQUEST_CONFLICT' //    this id was used for other content
  | 'REQUEST_UNKNOWN' //     no such request here, or another caller's
  | 'BUSY'; //               too many requests under way

export class CoordinationError extends Error {
  override readonly name = 'CoordinationError';
  readonly code: CoordinationErrorCode;
  constructor(code: CoordinationErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
