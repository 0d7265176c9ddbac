/** Agreement that could not be reached. Nobody is blamed by it: what can be proven is in `Evidence`. */
export type AgreementErrorCode =
  | 'BROADCAST_TOO_LATE' // this party joined after the first half of round 1: its view could differ from the others'
  | 'QUORUM_MISSED'; //     too few parties signed the same digest before the deadline

export class AgreementError extends Error {
  override readonly name = 'AgreementError';
  readonly code: AgreementErrorCode;
  constructor(code: AgreementErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
