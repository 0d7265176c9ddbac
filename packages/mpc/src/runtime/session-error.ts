/** What a protocol sees when its session cannot go on, or never started. */
export type SessionErrorCode =
  | 'SESSION_CLOSED' //  the session ended: closed by its owner, or the party stopped
  | 'SESSION_ID_USED' // the id is open, or was used before
  | 'BLOB_UNAVAILABLE'; // none of the asked parties gave the bytes with the wanted hash

export class SessionError extends Error {
  override readonly name = 'SessionError';
  readonly code: SessionErrorCode;
  constructor(code: SessionErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
