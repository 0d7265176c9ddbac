/**
 * What coprocessors sign about a ciphertext that they computed: these exact bytes, read in this format and slot, are
 * what the handle means under this key, for this network. EIP-712 in the domain of the network's Decryption contract,
 * so that chain, contract, key, handle and bytes are all fixed by every signature; nothing else about a ciphertext
 * decides what its decryption tells.
 *
 * The digest of the bytes is Keccak-256, which coprocessors compute for their commitments anyway.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex } from 'viem';
import type { SigningDomain } from './eip712.ts';
import { WireError } from './error.ts';
import { signerOf } from './signer.ts';
import { fullDomain, typedDataDigest } from './typed-data.ts';

/** The struct, as wallets and viem take it. */
export const ATTESTATION_TYPES = {
  CiphertextAttestation: [
    { name: 'keyId', type: 'bytes32' },
    { name: 'handle', type: 'bytes32' },
    { name: 'format', type: 'string' },
    { name: 'slot', type: 'uint32' },
    { name: 'ciphertextDigest', type: 'bytes32' },
  ],
} as const;

export interface AttestedCiphertext {
  /** 32 bytes. */
  readonly keyId: Uint8Array;
  /** 32 bytes. */
  readonly handle: Uint8Array;
  /** As in requests: `compact-list`, `squashed`, ... */
  readonly format: string;
  /** Index of the value in a list; 0 for objects that hold one. */
  readonly slot: number;
  /** Of all bytes, see `createCiphertextDigest`. */
  readonly digest: Uint8Array;
}

/** A running Keccak-256 over a ciphertext, 70 ms per MiB: feed it piece by piece where others wait. */
export function createCiphertextDigest(): { update(piece: Uint8Array): void; digest(): Uint8Array } {
  const hash = keccak_256.create();
  return { update: (piece) => void hash.update(piece), digest: () => hash.digest() };
}

/** What `signTypedData` of viem signs. */
export function attestationTypedData(domain: SigningDomain, attested: AttestedCiphertext) {
  const { keyId, handle, format, slot, digest } = attested;
  return {
    domain: fullDomain(domain),
    types: ATTESTATION_TYPES,
    primaryType: 'CiphertextAttestation' as const,
    message: {
      ...{ keyId: bytes32(keyId, 'keyId'), handle: bytes32(handle, 'handle'), format, slot },
      ciphertextDigest: bytes32(digest, 'digest'),
    },
  };
}

/** What a coprocessor signs, 32 bytes. */
export function attestationDigest(domain: SigningDomain, attested: AttestedCiphertext): Uint8Array {
  return typedDataDigest(domain, attestationTypedData(domain, attested));
}

function bytes32(bytes: Uint8Array, name: string): `0x${string}` {
  if (bytes.length !== 32) throw new RangeError(`${name}: got ${bytes.length} bytes, want 32`);
  return bytesToHex(bytes);
}

/** Whose attestations count. */
export interface Coprocessors {
  /** Addresses of their keys, in any case; all different. */
  readonly addresses: readonly string[];
  /** How many must have signed: a majority, so that two ciphertexts of one handle show that one of them lied. */
  readonly quorum: number;
}

/**
 * Refuses unless every signature over `digest` is a coprocessor's, no two are of the same, and there are enough. One
 * that is wrong is refused and not skipped: whoever gathers signatures finds out at once, and nodes do bounded work:
 * 0.7 ms per signature in Node.
 * @throws WireError ATTESTATIONS_TOO_MANY, SIGNATURE_LENGTH, SIGNATURE_V, SIGNATURE_HIGH_S, SIGNATURE_INVALID,
 *   ATTESTATION_SIGNER, ATTESTATION_REPEATED, ATTESTATIONS_TOO_FEW
 */
export function requireAttestations(
  digest: Uint8Array,
  signatures: readonly Uint8Array[],
  { addresses, quorum }: Coprocessors,
): void {
  const count = signatures.length;
  if (count > addresses.length) {
    const problem = `${count} attestations, but there are ${addresses.length} coprocessors`;
    throw new WireError('ATTESTATIONS_TOO_MANY', problem);
  }
  const known = new Set(addresses.map((address) => address.toLowerCase()));
  const seen = new Map<string, number>();
  for (const [index, signature] of signatures.entries()) {
    const signer = attester(digest, signature, index);
    const address = signer.toLowerCase();
    if (!known.has(address)) {
      // Over another message than was signed, an arbitrary address comes out.
      const problem = `attestation ${index}: by ${signer}, which is no coprocessor here, or over something else`;
      throw new WireError('ATTESTATION_SIGNER', `${problem} than ${bytesToHex(digest)}`);
    }
    const first = seen.get(address);
    if (first !== undefined) {
      throw new WireError('ATTESTATION_REPEATED', `attestation ${index}: by ${signer}, like attestation ${first}`);
    }
    seen.set(address, index);
  }
  if (count >= quorum) return;
  throw new WireError('ATTESTATIONS_TOO_FEW', `${count} attestations, want ${quorum} of different coprocessors`);
}

/** Who signed, or a refusal that names the attestation. */
function attester(digest: Uint8Array, signature: Uint8Array, index: number): string {
  try {
    return signerOf(digest, signature);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new WireError(error.code, `attestation ${index}: ${error.message}`, { cause: error });
  }
}
