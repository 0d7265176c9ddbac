/**
 * What a contract takes beside the `decryptedResult` of a public decryption (KMSVerifier's
 * verifyDecryptionEIP712KMSSignatures, FHE.checkSignatures): u8 number of signatures || signatures, 65 bytes each ||
 * extraData. The contract reverts at a signature of anybody but its signers and does not count a second one of the same
 * signer, so neither comes in.
 */
import { publicDecryptionDigest, type SigningDomain } from './eip712.ts';
import { signedExtraData } from './extra-data.ts';
import { recoverSigner, SIGNATURE_BYTES } from './signer.ts';

/** The count is one byte. */
const SIGNATURES_MAX = 255;

export interface SignedAnswer {
  readonly handles: readonly Uint8Array[];
  /** One 32-byte word per handle, see abi.ts. */
  readonly decryptedResult: Uint8Array;
  /** Of the request. */
  readonly extraData: Uint8Array;
}

export interface PartySignature {
  /** From 1. */
  readonly party: number;
  readonly signature: Uint8Array;
}

export interface DecryptionProof {
  readonly bytes: Uint8Array;
  /** Whose signatures are in it, ascending. */
  readonly parties: readonly number[];
}

/** Whose signatures count, and how many of them the contract wants. */
export interface ProofSigners {
  /** Addresses of the parties' keys, party 1 first. */
  readonly signers: readonly `0x${string}`[];
  /** The contract's `getThreshold()`: t+1 or more, so that an honest party signed. */
  readonly quorum: number;
}

/**
 * Builds the proof from what nodes sent, in party order: signatures of other parties, over other answers and in other
 * spellings are left out. Undefined while fewer than `quorum` parties signed: ask more nodes.
 * @throws WireError EXTRA_DATA_VERSION, EXTRA_DATA_MALFORMED
 */
export function createDecryptionProof(
  domain: SigningDomain,
  answer: SignedAnswer,
  signatures: readonly PartySignature[],
  { signers, quorum }: ProofSigners,
): DecryptionProof | undefined {
  const extraData = signedExtraData(answer.extraData);
  const digest = publicDecryptionDigest(domain, { ...answer, extraData });
  const valid = signers.flatMap((signer, index): PartySignature[] => {
    const own = signatures.filter(({ party }) => party === index + 1);
    const first = own.find(({ signature }) => recoverSigner(digest, signature)?.toLowerCase() === signer.toLowerCase());
    return first ? [first] : [];
  });
  if (valid.length < quorum) return undefined;
  const bytes = encodeDecryptionProof(
    valid.map(({ signature }) => signature),
    extraData,
  );
  return { bytes, parties: valid.map(({ party }) => party) };
}

/**
 * The layout alone, for signatures that were checked already.
 * @param extraData as it was signed, see `signedExtraData`
 */
export function encodeDecryptionProof(signatures: readonly Uint8Array[], extraData: Uint8Array): Uint8Array {
  if (signatures.length > SIGNATURES_MAX) {
    throw new RangeError(`proof of ${signatures.length} signatures, want at most ${SIGNATURES_MAX}`);
  }
  const extraDataAt = 1 + SIGNATURE_BYTES * signatures.length;
  const proof = new Uint8Array(extraDataAt + extraData.length);
  proof[0] = signatures.length;
  for (const [index, signature] of signatures.entries()) {
    if (signature.length !== SIGNATURE_BYTES) {
      throw new RangeError(`signature of ${signature.length} bytes, want ${SIGNATURE_BYTES}`);
    }
    proof.set(signature, 1 + SIGNATURE_BYTES * index);
  }
  proof.set(extraData, extraDataAt);
  return proof;
}
