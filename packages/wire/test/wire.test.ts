/** Signatures, digests, extraData and result words: properties and refusals. */
import { createHash } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { bytesToHex, decodeAbiParameters, getAddress, hashTypedData, recoverAddress } from 'viem';
import { describe, expect, test } from 'vitest';
import { decryptedResult } from '../src/abi.ts';
import { createLabelledDigest, keyDigest, labelledDigest } from '../src/digest.ts';
import { crsGenerationDigest, KEY_TYPE, keyGenerationDigest } from '../src/eip712.ts';
import { WireError } from '../src/error.ts';
import { encodeExtraData, parseExtraData, signedExtraData } from '../src/extra-data.ts';
import { createSigner, recoverSigner } from '../src/signer.ts';

const ORDER = secp256k1.Point.Fn.ORDER;
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const secretKey = fc.bigInt({ min: 1n, max: ORDER - 1n }).map((scalar) => bigEndian(scalar));

function bigEndian(value: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));
}

describe('signer', () => {
  test('signatures recover to the signer, here and in viem, and to nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(secretKey, bytes32, bytes32, async (secret, digest, other) => {
        const signer = createSigner(secret);
        const signature = signer.sign(digest);
        expect(recoverSigner(digest, signature)).toBe(signer.address);
        expect(await recoverAddress({ hash: bytesToHex(digest), signature: bytesToHex(signature) })).toBe(
          signer.address,
        );
        if (!Buffer.from(digest).equals(other)) expect(recoverSigner(other, signature)).not.toBe(signer.address);
      }),
      { numRuns: 20 },
    );
  });

  test('the mirrored signature (n - s, other v) is refused', () => {
    const signer = createSigner(bigEndian(5n));
    const digest = new Uint8Array(32).fill(9);
    const signature = signer.sign(digest);
    const s = BigInt(bytesToHex(signature.subarray(32, 64)));
    const mirrored = new Uint8Array([...signature.subarray(0, 32), ...bigEndian(ORDER - s), 55 - signature[64]!]);
    expect(recoverSigner(digest, mirrored)).toBeUndefined();
  });

  test('every other spelling is refused', () => {
    const digest = new Uint8Array(32).fill(9);
    const signature = createSigner(bigEndian(5n)).sign(digest);
    for (const v of [0, 1, 26, 29, 30, 255]) {
      expect(recoverSigner(digest, new Uint8Array([...signature.subarray(0, 64), v]))).toBeUndefined();
    }
    expect(recoverSigner(digest, signature.subarray(0, 64))).toBeUndefined();
    expect(recoverSigner(digest, new Uint8Array([...signature, 0]))).toBeUndefined();
    expect(recoverSigner(digest, new Uint8Array(65).fill(27))).not.toBe(createSigner(bigEndian(5n)).address);
    expect(recoverSigner(digest, new Uint8Array(65).fill(0, 0, 64).fill(27, 64))).toBeUndefined();
    expect(recoverSigner(digest, new Uint8Array(65).fill(255, 0, 64).fill(27, 64))).toBeUndefined();
  });

  test('any bytes: an address or undefined, never an exception', () => {
    fc.assert(
      fc.property(bytes32, fc.uint8Array({ minLength: 60, maxLength: 70 }), (digest, signature) => {
        const signer = recoverSigner(digest, signature);
        expect(signer === undefined || /^0x[0-9a-fA-F]{40}$/.test(signer)).toBe(true);
      }),
    );
  });

  test('keys outside 1..n-1 and digests of other lengths are refused', () => {
    for (const secret of [new Uint8Array(32), bigEndian(ORDER), new Uint8Array(31)]) {
      expect(() => createSigner(secret)).toThrow(RangeError);
    }
    expect(() => createSigner(bigEndian(5n)).sign(new Uint8Array(31))).toThrow(RangeError);
  });
});

describe('digests', () => {
  test('equal SHAKE-256 of label and bytes, in any pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.nat(500), (data, cut) => {
        const want = createHash('shake256', { outputLength: 32 }).update('PDAT_KEY').update(data).digest('hex');
        const pieces = createLabelledDigest('PDAT_KEY').update(data.subarray(0, cut)).update(data.subarray(cut));
        expect(Buffer.from(keyDigest(data)).toString('hex')).toBe(want);
        expect(Buffer.from(pieces.digest()).toString('hex')).toBe(want);
      }),
    );
  });

  test('labels that are not eight ASCII characters are refused', () => {
    for (const label of ['PDAT', 'PDAT_KEYS', 'PDAT_KÉY', 'PDAT KEY']) {
      expect(() => labelledDigest(label, new Uint8Array(0))).toThrow(WireError);
    }
  });

  test('key generation: nested KeyDigest structs, as a generic EIP-712 encoder computes them', () => {
    const digest = new Uint8Array(32).fill(3);
    const domain = { name: 'KMSGeneration', chainId: 1n, verifyingContract: `0x${'11'.repeat(20)}` } as const;
    const keyDigests = [
      { keyType: KEY_TYPE.public, digest },
      { keyType: KEY_TYPE.compressedKeySet, digest },
    ];
    const got = keyGenerationDigest(domain, { prepKeygenId: 4n, keyId: 5n, keyDigests, extraData: new Uint8Array(0) });
    const field = (name: string, type: string) => ({ name, type });
    const want = hashTypedData({
      domain: { ...domain, version: '1' },
      primaryType: 'KeygenVerification',
      types: {
        KeyDigest: [field('keyType', 'uint8'), field('digest', 'bytes')],
        KeygenVerification: [
          field('prepKeygenId', 'uint256'),
          field('keyId', 'uint256'),
          field('keyDigests', 'KeyDigest[]'),
          field('extraData', 'bytes'),
        ],
      },
      message: {
        prepKeygenId: 4n,
        keyId: 5n,
        keyDigests: keyDigests.map((k) => ({ ...k, digest: bytesToHex(k.digest) })),
        extraData: '0x',
      },
    });
    expect(bytesToHex(got)).toBe(want);
  });

  test('reference strings, as a generic EIP-712 encoder computes them', () => {
    const domain = { name: 'KMSGeneration', chainId: 1n, verifyingContract: `0x${'11'.repeat(20)}` } as const;
    const crsDigest = new Uint8Array(32).fill(9);
    const got = crsGenerationDigest(domain, {
      crsId: 7n,
      maxBitLength: 2048n,
      crsDigest,
      extraData: new Uint8Array(0),
    });
    const field = (name: string, type: string) => ({ name, type });
    const want = hashTypedData({
      domain: { ...domain, version: '1' },
      primaryType: 'CrsgenVerification',
      types: {
        CrsgenVerification: [
          field('crsId', 'uint256'),
          field('maxBitLength', 'uint256'),
          field('crsDigest', 'bytes'),
          field('extraData', 'bytes'),
        ],
      },
      message: { crsId: 7n, maxBitLength: 2048n, crsDigest: bytesToHex(crsDigest), extraData: '0x' },
    });
    expect(bytesToHex(got)).toBe(want);
  });
});

describe('extraData', () => {
  const id = fc.bigInt({ min: 1n, max: (1n << 256n) - 1n });

  test('round trips, and is signed as it is', () => {
    fc.assert(
      fc.property(id, id, (contextId, epochId) => {
        for (const data of [{ version: 1, contextId } as const, { version: 2, contextId, epochId } as const]) {
          const encoded = encodeExtraData(data);
          expect(parseExtraData(encoded)).toEqual(data);
          expect(signedExtraData(encoded)).toEqual(encoded);
        }
      }),
    );
  });

  test('nothing and 00 name the current context and are signed as nothing', () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(1)]) {
      expect(parseExtraData(bytes)).toEqual({ version: 0 });
      expect(signedExtraData(bytes)).toEqual(encodeExtraData({ version: 0 }));
    }
  });

  test('other lengths, other versions and context 0 are refused', () => {
    const cases = [
      [0, 0],
      [1],
      [1, ...Array(32).fill(0)],
      [1, ...Array(33).fill(1)],
      [2, ...Array(63).fill(1)],
      [3, ...Array(32).fill(1)],
    ];
    for (const bytes of cases) expect(() => parseExtraData(Uint8Array.from(bytes))).toThrow(WireError);
  });
});

describe('decryptedResult', () => {
  test('Solidity decodes the words to the values', () => {
    const values = [
      { type: { kind: 'bool', bits: 1 }, value: 1n },
      { type: { kind: 'uint', bits: 160 }, value: (1n << 160n) - 2n },
      { type: { kind: 'int', bits: 8 }, value: -128n },
      { type: { kind: 'uint', bits: 256 }, value: (1n << 256n) - 1n },
    ] as const;
    const words = bytesToHex(decryptedResult(values)!);
    const types = ['bool', 'address', 'int8', 'uint256'].map((type) => ({ type }));
    const address = getAddress(`0x${'ff'.repeat(19)}fe`);
    expect(decodeAbiParameters(types, words)).toEqual([true, address, -128, (1n << 256n) - 1n]);
  });

  test('values outside their type are our own bug; types wider than a word have no encoding', () => {
    expect(() => decryptedResult([{ type: { kind: 'uint', bits: 8 }, value: 256n }])).toThrow(RangeError);
    expect(() => decryptedResult([{ type: { kind: 'int', bits: 8 }, value: 128n }])).toThrow(RangeError);
    expect(decryptedResult([{ type: { kind: 'uint', bits: 512 }, value: 1n }])).toBeUndefined();
    expect(decryptedResult([])).toEqual(new Uint8Array(0));
  });
});
