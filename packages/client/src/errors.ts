/** Why the network gave no result. One class, because every caller reacts alike: show it, perhaps ask again. */
export type ClientErrorCode =
  | 'COMMITTEE_INVALID' //     the given nodes cannot form a committee: correct what createClient gets
  | 'REQUEST_REFUSED' //       t+1 nodes refused for the same reason, so an honest one did: `nodeCode` says why
  | 'ANSWERS_TOO_FEW' //       the deadline passed, or all nodes answered, without enough that agree
  | 'ABORTED' //               the caller's signal ended it
  | 'PERMIT_ERASED' //         the private key of this permit was erased by dispose()
  | 'HANDLE_REUSED' //         one handle for two ciphertexts under one permit: responses could be exchanged
  | 'KEY_UNPROVEN' //          fewer than t+1 nodes sign the same record of this key
  | 'OBJECT_MISSING' //        the key has no public object of this type
  | 'MATERIAL_UNAVAILABLE' //  no node served bytes with the signed digest
  | 'VALUE_UNREADABLE' //      2t+1 shares agree on something that is no value of the type
  | 'VALUE_UNSUPPORTED'; //    this type or value cannot be encrypted

export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  /** The nodes' own code, when t+1 of them gave the same one: see docs/errors.md. */
  readonly nodeCode: string | undefined;

  constructor(code: ClientErrorCode, message: string, options: { nodeCode?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.nodeCode = options.nodeCode;
  }
}
