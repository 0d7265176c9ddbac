/** What is wrong with a contribution, a chain of them, a file or a proof. The code says which rule does not hold. */

/** In the order in which a contribution is checked; docs/protocols/crs.md says each in formulas. */
export type CrsCheck =
  | 'CRS_MALFORMED' //    not the one spelling of a contribution of this size
  | 'CRS_ROUND' //        of another turn, or not after what it builds on
  | 'CRS_BASE' //         builds on something else than the accepted contributions so far
  | 'CRS_MAX_BITS' //     for proofs of another size
  | 'CRS_LISTS' //        its points are not those that its head names
  | 'CRS_IDENTITY' //     a point is infinity that must not be: the secret would be zero
  | 'CRS_MIDDLE' //       the place that must stay empty holds a point: proofs could be forged
  | 'CRS_CURVE' //        a point is not on its curve
  | 'CRS_SUBGROUP' //     a point is outside the group of prime order
  | 'CRS_PROOF' //        no proof that its author knows the factor
  | 'CRS_POWERS'; //      the points are not the powers of one number

/** The contribution is not accepted. Whether its author is to blame is for the caller: it knows who signed what. */
export class CrsError extends Error {
  override readonly name = 'CrsError';
  readonly code: CrsCheck;
  /** Turn of the contribution, which is the number of its party; 0 when nobody's in particular. */
  readonly party: number;
  constructor(code: CrsCheck, party: number, problem: string, options: { readonly cause?: unknown } = {}) {
    super(party === 0 ? problem : `contribution of party ${party}: ${problem}`, options);
    this.code = code;
    this.party = party;
  }
}

export type CrsFileErrorCode =
  | 'CRS_FILE_MALFORMED' //   not one canonical CompactPkeCrs of the kind that this software writes
  | 'CRS_FILE_PARAMETERS'; // sizes or bounds that no parameters give

export class CrsFileError extends Error {
  override readonly name = 'CrsFileError';
  readonly code: CrsFileErrorCode;
  constructor(code: CrsFileErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

export type EncryptionProofErrorCode =
  | 'PROOF_MALFORMED' //   its points are not spelled as tfhe-rs spells them, or not in their groups
  | 'PROOF_UNSUPPORTED' // hashed in a way that is not read any more: prove with a current release of tfhe-rs
  | 'PROOF_CAPACITY' //    the list is empty, or longer than the reference string has room for
  | 'PROOF_PARTS' //       more proofs than are checked for one list
  | 'PROOF_INVALID'; //    it proves nothing about this list under this key, reference string and metadata

/** A list is not shown to be well encrypted: whoever sent it has to prove again, or is cheating. */
export class EncryptionProofError extends Error {
  override readonly name = 'EncryptionProofError';
  readonly code: EncryptionProofErrorCode;
  constructor(code: EncryptionProofErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
