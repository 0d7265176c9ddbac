/** Why a file convicts nobody. The file may be damaged, about something else, or a lie about an honest party. */
export type EvidenceErrorCode =
  | 'EVIDENCE_MALFORMED' //   not the one spelling of evidence of this version
  | 'EVIDENCE_NETWORK' //     about parties of another network, or another roster of it
  | 'EVIDENCE_CEREMONY' //    names no ceremony or step that this software can recompute
  | 'EVIDENCE_SIGNATURE' //   the accused party did not sign what the file says
  | 'EVIDENCE_CERTIFICATE' // no quorum certified the PRSS keys of the session
  | 'EVIDENCE_SECRETS' //     the secrets shown are not those of the session, or not enough of them
  | 'EVIDENCE_REFUTED'; //    the accused party did nothing wrong

export class EvidenceError extends Error {
  override readonly name = 'EvidenceError';
  readonly code: EvidenceErrorCode;
  constructor(code: EvidenceErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
