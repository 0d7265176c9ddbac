/**
 * The EIP-712 digests that nodes sign and contracts check: field names, order and types are those of the KMS core
 * and of the Decryption and KMSGeneration contracts; any change breaks verification. Handles are padded on the
 * left to 32 bytes.
 */
import { pad } from 'viem';
import { typedDataDigest } from './typed-data.ts';

/** The contract that answers are for. Chain and address come from configuration. */
export interface SigningDomain {
  /** Default "Decryption"; key generation on chain uses "KMSGeneration". */
  readonly name?: string;
  readonly chainId: bigint | number;
  readonly verifyingContract: `0x${string}`;
}

const PUBLIC_DECRYPTION = {
  PublicDecryptVerification: [
    { name: 'ctHandles', type: 'bytes32[]' },
    { name: 'decryptedResult', type: 'bytes' },
    { name: 'extraData', type: 'bytes' },
  ],
} as const;

const USER_DECRYPTION_RESPONSE = {
  UserDecryptResponseVerification: [
    { name: 'publicKey', type: 'bytes' },
    { name: 'ctHandles', type: 'bytes32[]' },
    { name: 'userDecryptedShare', type: 'bytes' },
    { name: 'extraData', type: 'bytes' },
  ],
} as const;

const USER_DECRYPTION_LINKER = {
  UserDecryptionLinker: [
    { name: 'publicKey', type: 'bytes' },
    { name: 'handles', type: 'bytes32[]' },
    { name: 'userAddress', type: 'address' },
  ],
} as const;

const KEY_GENERATION = {
  KeygenVerification: [
    { name: 'prepKeygenId', type: 'uint256' },
    { name: 'keyId', type: 'uint256' },
    { name: 'keyDigests', type: 'KeyDigest[]' },
    { name: 'extraData', type: 'bytes' },
  ],
  KeyDigest: [
    { name: 'keyType', type: 'uint8' },
    { name: 'digest', type: 'bytes' },
  ],
} as const;

const CRS_GENERATION = {
  CrsgenVerification: [
    { name: 'crsId', type: 'uint256' },
    { name: 'maxBitLength', type: 'uint256' },
    { name: 'crsDigest', type: 'bytes' },
    { name: 'extraData', type: 'bytes' },
  ],
} as const;

/** Numbers of key objects in `KeyDigest.keyType`. */
export const KEY_TYPE = { server: 0, public: 1, compressedPublic: 2, compressedKeySet: 3 } as const;
export type KeyType = (typeof KEY_TYPE)[keyof typeof KEY_TYPE];

export interface KeyDigest {
  readonly keyType: KeyType;
  readonly digest: Uint8Array;
}

/** What every node signs about a public decryption: 32 bytes. */
export function publicDecryptionDigest(
  domain: SigningDomain,
  answer: {
    readonly handles: readonly Uint8Array[];
    /** One 32-byte word per handle, see abi.ts. */
    readonly decryptedResult: Uint8Array;
    /** As it must be signed, see `signedExtraData`. */
    readonly extraData: Uint8Array;
  },
): Uint8Array {
  return typedDataDigest(domain, {
    types: PUBLIC_DECRYPTION,
    primaryType: 'PublicDecryptVerification',
    message: {
      ctHandles: answer.handles.map(paddedHandle),
      decryptedResult: answer.decryptedResult,
      extraData: answer.extraData,
    },
  });
}

/** What a node signs about its share of a re-encryption to a user's key: 32 bytes. */
export function userDecryptionResponseDigest(
  domain: SigningDomain,
  answer: {
    readonly publicKey: Uint8Array;
    readonly handles: readonly Uint8Array[];
    readonly userDecryptedShare: Uint8Array;
    readonly extraData: Uint8Array;
  },
): Uint8Array {
  return typedDataDigest(domain, {
    types: USER_DECRYPTION_RESPONSE,
    primaryType: 'UserDecryptResponseVerification',
    message: {
      publicKey: answer.publicKey,
      ctHandles: answer.handles.map(paddedHandle),
      userDecryptedShare: answer.userDecryptedShare,
      extraData: answer.extraData,
    },
  });
}

/** Ties shares of a re-encryption to one request; it stands inside each share: 32 bytes. */
export function userDecryptionLinker(
  domain: SigningDomain,
  request: {
    readonly publicKey: Uint8Array;
    readonly handles: readonly Uint8Array[];
    readonly userAddress: `0x${string}`;
  },
): Uint8Array {
  return typedDataDigest(domain, {
    types: USER_DECRYPTION_LINKER,
    primaryType: 'UserDecryptionLinker',
    message: {
      publicKey: request.publicKey,
      handles: request.handles.map(paddedHandle),
      userAddress: request.userAddress,
    },
  });
}

/** What every node signs about a generated key: 32 bytes. */
export function keyGenerationDigest(
  domain: SigningDomain,
  outcome: {
    readonly prepKeygenId: bigint;
    readonly keyId: bigint;
    /** In the order the KMS core uses: [server, public], or [public, compressed key set]. */
    readonly keyDigests: readonly KeyDigest[];
    readonly extraData: Uint8Array;
  },
): Uint8Array {
  return typedDataDigest(domain, {
    types: KEY_GENERATION,
    primaryType: 'KeygenVerification',
    message: {
      prepKeygenId: outcome.prepKeygenId,
      keyId: outcome.keyId,
      keyDigests: outcome.keyDigests.map(({ keyType, digest }) => ({ keyType, digest })),
      extraData: outcome.extraData,
    },
  });
}

/** What every node signs about a common reference string: 32 bytes. */
export function crsGenerationDigest(
  domain: SigningDomain,
  outcome: {
    readonly crsId: bigint;
    /** Most bits in one proof. */
    readonly maxBitLength: bigint;
    readonly crsDigest: Uint8Array;
    readonly extraData: Uint8Array;
  },
): Uint8Array {
  const { crsId, maxBitLength, crsDigest, extraData } = outcome;
  return typedDataDigest(domain, {
    types: CRS_GENERATION,
    primaryType: 'CrsgenVerification',
    message: { crsId, maxBitLength, crsDigest, extraData },
  });
}

function paddedHandle(handle: Uint8Array): Uint8Array {
  if (handle.length > 32) throw new RangeError(`handle: got ${handle.length} bytes, want at most 32`);
  return pad(handle);
}
