/** Attestations of ciphertexts: what they fix, and that anything else is refused under a code of its own. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { bytesToHex, encodeAbiParameters, hexToBytes, keccak256, stringToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, test } from 'vitest';
import {
  type AttestedCiphertext,
  attestationDigest,
  attestationTypedData,
  createCiphertextDigest,
  requireAttestations,
} from '../src/ciphertext-attestation.ts';
import { WireError } from '../src/error.ts';
import { createSigner } from '../src/signer.ts';

const DOMAIN = { chainId: 54321n, verifyingContract: `0x${'44'.repeat(20)}` } as const;
const bytesOf = (byte: number, length = 32) => new Uint8Array(length).fill(byte);
const ATTESTED: AttestedCiphertext = {
  keyId: bytesOf(2),
  handle: bytesOf(3),
  format: 'compact-list',
  slot: 1,
  digest: hexToBytes(keccak256(bytesOf(7, 1_000))),
};
const signers = [11, 12, 13, 14, 15].map((byte) => createSigner(bytesOf(byte)));
const coprocessors = { addresses: signers.map(({ address }) => address), quorum: 3 };
const DIGEST = attestationDigest(DOMAIN, ATTESTED);
const attest = (...who: readonly number[]) => who.map((index) => signers[index]!.sign(DIGEST));

function codeOf(digest: Uint8Array, signatures: readonly Uint8Array[], among = coprocessors): string {
  try {
    requireAttestations(digest, signatures, among);
    return 'accepted';
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
}

test('the digest is that of the struct, worked out by hand from EIP-712', () => {
  const { keyId, handle, format, slot, digest } = ATTESTED;
  const words = (types: string, values: readonly unknown[]) => {
    return keccak256(
      encodeAbiParameters(
        types.split(',').map((type) => ({ type })),
        values,
      ),
    );
  };
  const type = 'CiphertextAttestation(bytes32 keyId,bytes32 handle,string format,uint32 slot,bytes32 ciphertextDigest)';
  const struct = words('bytes32,bytes32,bytes32,bytes32,uint32,bytes32', [
    ...[keccak256(stringToHex(type)), bytesToHex(keyId), bytesToHex(handle)],
    ...[keccak256(stringToHex(format)), slot, bytesToHex(digest)],
  ]);
  const domain = words('bytes32,bytes32,bytes32,uint256,address', [
    keccak256(stringToHex('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')),
    ...[keccak256(stringToHex('Decryption')), keccak256(stringToHex('1')), DOMAIN.chainId, DOMAIN.verifyingContract],
  ]);
  expect(bytesToHex(DIGEST)).toBe(keccak256(`0x1901${domain.slice(2)}${struct.slice(2)}`));
});

test('what a wallet signs is accepted', async () => {
  const account = privateKeyToAccount(`0x${'0b'.repeat(32)}`);
  const signature = hexToBytes(await account.signTypedData(attestationTypedData(DOMAIN, ATTESTED)));
  requireAttestations(DIGEST, [signature, ...attest(1, 2)], coprocessors);
});

test('the digest of a ciphertext is its Keccak-256, in any pieces', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(600), (bytes, cut) => {
      const running = createCiphertextDigest();
      running.update(bytes.subarray(0, cut));
      running.update(bytes.subarray(cut));
      expect(bytesToHex(running.digest())).toBe(keccak256(bytes));
    }),
  );
});

test('any quorum of different coprocessors is accepted, in any order; fewer never', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4]), (who) => {
      expect(codeOf(DIGEST, attest(...who))).toBe(who.length >= 3 ? 'accepted' : 'ATTESTATIONS_TOO_FEW');
    }),
    { numRuns: 20 },
  );
});

describe('refused', () => {
  const other = (change: Partial<AttestedCiphertext>, domain: Partial<typeof DOMAIN> = {}) => {
    return attestationDigest({ ...DOMAIN, ...domain }, { ...ATTESTED, ...change });
  };
  test.each([
    ['other bytes', other({ digest: bytesOf(9) })],
    ['another handle', other({ handle: bytesOf(4) })],
    ['another key', other({ keyId: bytesOf(4) })],
    ['another slot', other({ slot: 0 })],
    ['another format', other({ format: 'proven-list' })],
    ['another chain', other({}, { chainId: 54322n as 54321n })],
    ['another contract', other({}, { verifyingContract: `0x${'45'.repeat(20)}` as typeof DOMAIN.verifyingContract })],
  ])('attestations of %s', (_, digest) => {
    expect(codeOf(digest, attest(0, 1, 2))).toBe('ATTESTATION_SIGNER');
  });

  const [first] = attest(0);
  const changed = (at: number, value: number) =>
    Uint8Array.from(first!, (byte, index) => (index === at ? value : byte));
  const mirrored = () => {
    const s = secp256k1.Point.Fn.ORDER - BigInt(bytesToHex(first!.subarray(32, 64)));
    const high = hexToBytes(`0x${s.toString(16).padStart(64, '0')}`);
    return new Uint8Array([...first!.subarray(0, 32), ...high, 55 - first![64]!]);
  };
  test.each([
    ['twice the same', [...attest(0, 1), first!], 'ATTESTATION_REPEATED'],
    ['the same in its other spelling', [...attest(0, 1), mirrored()], 'SIGNATURE_HIGH_S'],
    ['v 0', [changed(64, 0), ...attest(1, 2)], 'SIGNATURE_V'],
    ['v 29', [changed(64, 29), ...attest(1, 2)], 'SIGNATURE_V'],
    ['the other v', [changed(64, 55 - first![64]!), ...attest(1, 2)], 'ATTESTATION_SIGNER'],
    ['64 bytes', [first!.subarray(0, 64), ...attest(1, 2)], 'SIGNATURE_LENGTH'],
    [
      'no curve point',
      [new Uint8Array([...bytesOf(255), ...first!.subarray(32)]), ...attest(1, 2)],
      'SIGNATURE_INVALID',
    ],
    ['a stranger beside a quorum', [...attest(0, 1, 2), createSigner(bytesOf(99)).sign(DIGEST)], 'ATTESTATION_SIGNER'],
    ['more than there are', attest(0, 1, 2, 3, 4, 0), 'ATTESTATIONS_TOO_MANY'],
    ['none', [], 'ATTESTATIONS_TOO_FEW'],
  ])('%s', (_, signatures, code) => expect(codeOf(DIGEST, signatures)).toBe(code));

  test('any bytes: a code, never another exception, never accepted', () => {
    const signature = fc.oneof(
      fc.uint8Array({ maxLength: 70 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => new Uint8Array([...bytes, 27])),
      fc.tuple(fc.nat(64), fc.nat(255)).map(([at, value]) => changed(at, value)),
    );
    fc.assert(
      fc.property(fc.array(signature, { maxLength: 6 }), (signatures) => {
        expect(codeOf(DIGEST, signatures)).toMatch(/^(ATTESTATION|SIGNATURE)/);
      }),
      { numRuns: 60 },
    );
  });
});

test('ids, handles and digests of other lengths are a mistake of the caller', () => {
  for (const field of ['keyId', 'handle', 'digest']) {
    expect(() => attestationDigest(DOMAIN, { ...ATTESTED, [field]: bytesOf(1, 31) })).toThrow(RangeError);
  }
});
