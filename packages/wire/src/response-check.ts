/**
 * The outside of an answer to a re-encryption: which party signed it, and whether it is for this request. Needs no
 * private key, so whoever carries answers to the user can sort out those that are not of the parties; what is inside,
 * only the user sees.
 */
import { userDecryptionLinker, userDecryptionResponseDigest } from './eip712.ts';
import { equalBytes } from './equal-bytes.ts';
import { WireError } from './error.ts';
import { signedExtraData } from './extra-data.ts';
import { type PackingFactor, requirePackingFactor } from './packed-share.ts';
import { type AnsweredRequest, decodePayload, type ResponsePayload } from './response.ts';
import { addressOfKey, requireSigner, verificationKeyBytes } from './signer.ts';

export interface ExpectedResponses extends AnsweredRequest {
  /** In request order. */
  readonly handles: readonly Uint8Array[];
  /** Numbers by value; undefined where the caller does not know the type and takes what 2t+1 parties say. */
  readonly fheTypes?: readonly (number | undefined)[];
  /** Addresses of the parties' keys, party 1 first; 3t+1 or more. */
  readonly signers: readonly `0x${string}`[];
  readonly threshold: number;
}

export interface SignedPayload {
  readonly payload: Uint8Array;
  /** 65 bytes. */
  readonly signature: Uint8Array;
}

export interface CheckedPayload extends ResponsePayload {
  readonly values: readonly (ResponsePayload['values'][number] & { readonly packingFactor: PackingFactor })[];
}

/**
 * Reads the answer of the party that was asked; an answer of another one is refused. Fields are views into `payload`.
 * @throws WireError that says what is wrong with the answer
 */
export type ResponseCheck = (party: number, response: SignedPayload) => CheckedPayload;

/** @throws WireError when extraData of the request is not acceptable */
export function createResponseCheck(expected: ExpectedResponses): ResponseCheck {
  const { domain, handles, userAddress, signers, threshold, encryptionKey: publicKey } = expected;
  const linker = userDecryptionLinker(domain, { publicKey, handles, userAddress });
  const extraData = signedExtraData(expected.extraData);
  return (party, { payload, signature }) => {
    const signer = signers[party - 1];
    if (signer === undefined) throw new RangeError(`party ${party}, want 1..${signers.length}`);
    const answer = { publicKey, handles, userDecryptedShare: payload, extraData };
    requireSigner(userDecryptionResponseDigest(domain, answer), signature, signer);
    const decoded = decodePayload(payload);
    requireParty(decoded, { party, signer, threshold });
    requireRequest(decoded, expected, linker);
    const values = decoded.values.map(({ packingFactor, ...value }) => {
      return { ...value, packingFactor: requirePackingFactor(packingFactor, value.fheType) };
    });
    return { ...decoded, values };
  };
}

function requireParty(
  { party: said, degree, verificationKey }: ResponsePayload,
  { party, signer, threshold }: { party: number; signer: string; threshold: number },
): void {
  if (said !== party || degree !== threshold) {
    const want = `want party ${party} and degree ${threshold}`;
    throw new WireError('RESPONSE_PARTY', `payload of party ${said} and degree ${degree}, ${want}`);
  }
  const key = verificationKey.subarray(8);
  if (key.length !== 33 || !equalBytes(verificationKeyBytes(key), verificationKey)) {
    throw new WireError('RESPONSE_MALFORMED', 'payload: verification key is no compressed key with its length');
  }
  if (addressOfKey(key).toLowerCase() !== signer.toLowerCase()) {
    throw new WireError('RESPONSE_PARTY', `payload with a verification key of somebody else than ${signer}`);
  }
}

function requireRequest(
  { linker, values }: ResponsePayload,
  { handles, fheTypes }: ExpectedResponses,
  expectedLinker: Uint8Array,
): void {
  const other = (what: string) => new WireError('RESPONSE_REQUEST', `payload answers another request: ${what} differs`);
  if (!equalBytes(linker, expectedLinker)) throw other('linker');
  if (values.length !== handles.length) throw other('number of values');
  values.forEach(({ handle, fheType }, index) => {
    if (!equalBytes(handle, handles[index]!)) throw other(`handle ${index}`);
    const type = fheTypes?.[index];
    if (type !== undefined && type !== fheType) throw other(`FHE type ${index}`);
  });
}
