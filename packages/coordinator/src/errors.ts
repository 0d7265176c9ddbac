/**
 * Why a coordinated request has no answer. One class, because every caller reacts alike: show it, perhaps ask again.
 */

export type CoordinationErrorCode =
  | 'COMMITTEE_INVALID' //   the configured nodes cannot form a committee: fix the configuration
  | 'REQUEST_REFUSED' //     t+1 nodes refused for the same reason, so an honest one did: `nodeCode` says why
  | 'ANSWERS_TOO_FEW' //     the deadline passed, or all nodes answered, without t+1 equal signed results
  | 'REQUEST_CONFLICT' //    this id was used for other content
  | 'REQUEST_UNKNOWN' //     no such request here, or another caller's
  | 'BUSY' //    too many requests under way
  | 'STOPPING';

export class CoordinationError extends Error {
  override readonly name = 'CoordinationError';
  readonly code: CoordinationErrorCode;
  /** The nodes' own code, when t+1 of them gave the same one. */
  readonly nodeCode: string | undefined;
  constructor(code: CoordinationErrorCode, message: string, nodeCode?: string) {
    super(message);
    this.code = code;
    this.nodeCode = nodeCode;
  }
}
