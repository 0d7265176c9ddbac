/**
 * What one node answers to a request for re-encryption: a payload with one signcrypted share per value, and a signature
 * over the payload for contracts and clients. Bytes are those of the KMS core; readers here accept one spelling only.
 */
import { decode, encode, u32 } from '@keyquorum/codec/codec';
import { bytes, struct, vector } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import type { Gr128 } from '@keyquorum/kernel/batch';
import { DIGEST_BYTES } from './digest.ts';
import { type SigningDomain, userDecryptionLinker, userDecryptionResponseDigest } from './eip712.ts';
import { decodeEncryptionKey } from './encryption-key.ts';
import { WireError } from './error.ts';
import { signedExtraData } from './extra-data.ts';
import { encodePackedShare, type PackingFactor, packedElementCount, requirePackingFactor } from './packed-share.ts';
import { SIGNCRYPTED_BYTES_MAX, signcrypt } from './signcryption.ts';
import { type Signer, verificationKeyBytes } from './signer.ts';
import { REQUEST_VALUES_MAX } from './user-type.ts';

/** u64 33 and a compressed key. */
const VERIFICATION_KEY_BYTES = 41;
const HANDLE_BYTES = 32;

/** `fheType` is an i32 in the original; the numbers in use are the same as u32. */
const payload = struct({
  verificationKey: bytes(VERIFICATION_KEY_BYTES),
  linker: bytes(DIGEST_BYTES),
  values: vector(
    struct({
      fheType: u32,
      signcrypted: bytes(SIGNCRYPTED_BYTES_MAX),
      handle: bytes(HANDLE_BYTES),
      packingFactor: u32,
    }),
    REQUEST_VALUES_MAX,
  ),
  party: u32,
  /** Of the polynomial behind the shares: t. */
  degree: u32,
});

export interface ResponsePayload {
  /** As in `verificationKeyBytes`. */
  readonly verificationKey: Uint8Array;
  readonly linker: Uint8Array;
  readonly values: readonly {
    readonly fheType: number;
    readonly signcrypted: Uint8Array;
    readonly handle: Uint8Array;
    readonly packingFactor: number;
  }[];
  readonly party: number;
  readonly degree: number;
}

export function encodePayload(value: ResponsePayload): Uint8Array {
  return encode(payload, value);
}

/**
 * Fields are views into `data`.
 * @throws WireError RESPONSE_MALFORMED
 */
export function decodePayload(data: Uint8Array): ResponsePayload {
  try {
    return decode(payload, data);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new WireError('RESPONSE_MALFORMED', `payload: ${error.message}`, { cause: error });
  }
}

/** What all nodes answer alike. */
export interface AnsweredRequest {
  /** Of the gateway. */
  readonly domain: SigningDomain;
  /** 869 bytes. */
  readonly encryptionKey: Uint8Array;
  /** The delegate in a delegated request. */
  readonly userAddress: `0x${string}`;
  /** As the request said it. */
  readonly extraData: Uint8Array;
}

export interface UserDecryptionResponse {
  readonly payload: Uint8Array;
  /** 65 bytes, EIP-712 UserDecryptResponseVerification. */
  readonly signature: Uint8Array;
  /** As it was signed; newer clients compare it with their request. */
  readonly extraData: Uint8Array;
}

/** One value of a request and this party's share of it. */
export interface SharedValue {
  /** At most 32 bytes. */
  readonly handle: Uint8Array;
  readonly fheType: number;
  readonly packingFactor: PackingFactor;
  /** As packed-share.ts describes; secret, the caller erases it. */
  readonly elements: Gr128;
}

export interface ResponseParty {
  readonly party: number;
  readonly threshold: number;
  readonly signer: Signer;
  /** That many secure random bytes. */
  readonly random: (count: number) => Uint8Array;
}

/**
 * A node's answer. Every call encapsulates anew: answer one request once and remember the answer.
 * @throws WireError when key, type, factor or extraData of the request are not acceptable
 */
export async function createResponse(
  request: AnsweredRequest,
  values: readonly SharedValue[],
  { party, threshold, signer, random }: ResponseParty,
): Promise<UserDecryptionResponse> {
  const { domain, encryptionKey, userAddress } = request;
  const recipient = { encapsulationKey: decodeEncryptionKey(encryptionKey), userAddress };
  const handles = values.map(({ handle }) => handle);
  const linker = userDecryptionLinker(domain, { publicKey: encryptionKey, handles, userAddress });
  const signcrypted: Uint8Array[] = [];
  for (const { fheType, packingFactor, elements } of values) {
    requirePackingFactor(packingFactor, fheType);
    if (elements.length !== 64 * packedElementCount(fheType, packingFactor)) {
      throw new RangeError(`share of ${elements.length} bytes for FHE type ${fheType}`);
    }
    const share = encodePackedShare(elements);
    signcrypted.push(await signcrypt({ share, fheType, linker }, recipient, signer, random));
    share.fill(0);
  }
  const bytesToSign = encodePayload({
    verificationKey: verificationKeyBytes(signer.publicKey),
    linker,
    values: values.map(({ fheType, handle, packingFactor }, index) => {
      return { fheType, signcrypted: signcrypted[index]!, handle, packingFactor };
    }),
    party,
    degree: threshold,
  });
  const extraData = signedExtraData(request.extraData);
  const answer = { publicKey: encryptionKey, handles, userDecryptedShare: bytesToSign, extraData };
  const signature = signer.sign(userDecryptionResponseDigest(domain, answer));
  return { payload: bytesToSign, signature, extraData };
}
