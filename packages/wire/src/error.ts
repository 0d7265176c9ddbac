/** Bytes and statements from outside that are not what the formats and rules of decryption say. */
export type WireErrorCode =
  | 'EXTRA_DATA_MALFORMED' //        a context (and epoch) of the wrong length, or context 0
  | 'EXTRA_DATA_VERSION' //          starts with a version that nobody knows, or not with the one that is needed
  | 'LABEL_MALFORMED' //             a domain separator that is not eight ASCII characters
  | 'SIGNATURE_LENGTH' //            not 65 bytes
  | 'SIGNATURE_V' //                 the last byte is neither 27 nor 28
  | 'SIGNATURE_HIGH_S' //            s above half the order: contracts refuse this spelling
  | 'SIGNATURE_INVALID' //           r or s out of range, or no key fits
  | 'SIGNER_WRONG' //                a well-formed signature, but of another key or over another message
  | 'ATTESTATION_SIGNER' //          by no coprocessor, or over another ciphertext, key, handle, slot, format or network
  | 'ATTESTATION_REPEATED' //        two attestations of one coprocessor
  | 'ATTESTATIONS_TOO_MANY' //       more than there are coprocessors
  | 'ATTESTATIONS_TOO_FEW' //        not of enough coprocessors
  | 'ADDRESS_MALFORMED' //           not 0x and 40 hex digits, or of mixed case with a wrong EIP-55 checksum
  | 'TYPE_UNSUPPORTED' //            clients cannot read re-encrypted values of this FHE type
  | 'BITS_TOO_MANY' //               the values of one request have more than 2048 bits together
  | 'CONTRACTS_COUNT' //             a user's request names no contract, or more than 10
  | 'CONTRACT_NOT_SIGNED' //         a value belongs to a contract that the user did not sign for
  | 'USER_IS_CONTRACT' //            the user's (or delegator's) address is one of the contracts
  | 'DURATION' //                    not 1 second to 365 days
  | 'REQUEST_NOT_YET_VALID' //       starts after now
  | 'REQUEST_EXPIRED' //             ended before now
  | 'ENCRYPTION_KEY_MALFORMED' //    not 869 bytes with the header of an ML-KEM-512 key
  | 'ENCRYPTION_KEY_NOT_REDUCED' //  a coefficient of the key is not below 3329 (FIPS 203, section 7.2)
  | 'RESPONSE_MALFORMED' //          a node's payload is not one canonical payload
  | 'RESPONSE_PARTY' //              of another party or threshold than expected
  | 'RESPONSE_REQUEST' //            answers another request: linker, handles, count or types differ
  | 'PACKING_FACTOR' //              not 1 or 2, or 2 for bool
  | 'SIGNCRYPTION_MALFORMED' //      no canonical signcryption, or no canonical content in it
  | 'SIGNCRYPTION_UNREADABLE' //     not encrypted to this key, or changed on the way
  | 'SIGNCRYPTION_SENDER' //         encrypted by somebody else than the party that answers
  | 'SIGNCRYPTION_REQUEST' //        made for another request or type
  | 'SHARE_LENGTH' //                not as many ring elements as the type needs
  | 'CIPHERTEXT_UNKNOWN' //          named by a digest of which this owner handed over nothing, or long ago
  | 'CIPHERTEXT_DIGEST' //           bytes of another digest or length than announced
  | 'UPLOAD_TOO_LARGE' //            no ciphertext is that large, or the shelf too small for it
  | 'UPLOADS_BUSY' //                too many bytes on their way in
  | 'VALUE_OUT_OF_RANGE'; //         2t+1 shares agree on something that is no value of the type

export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
