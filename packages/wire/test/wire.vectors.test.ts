/**
 * Values that Zama's clients and contracts accepted (secret key 01 x 32, user 22 x 20, handle 33 x 32, chain
 * 10901).
 */
import { encodeGr128, grMul } from '@keyquorum/kernel/gr';
import { sha256 } from '@noble/hashes/sha2.js';
import { hexToBytes } from 'viem';
import { expect, test } from 'vitest';
import { decryptedResult } from '../src/abi.ts';
import { DIGEST_LABEL, labelledDigest } from '../src/digest.ts';
import { publicDecryptionDigest, userDecryptionLinker, userDecryptionResponseDigest } from '../src/eip712.ts';
import { encodeEncryptionKey } from '../src/encryption-key.ts';
import { encodePackedShare } from '../src/packed-share.ts';
import { createSigner, recoverSigner, verificationKeyBytes } from '../src/signer.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const filled = (byte: number, count: number): Uint8Array => new Uint8Array(count).fill(byte);
const NOTHING = new Uint8Array(0);

const domain = { chainId: 10901n, verifyingContract: `0x${'44'.repeat(20)}` } as const;
const signer = createSigner(filled(1, 32));
const encapsulationKey = Uint8Array.from({ length: 800 }, (_, index) => index & 255);
const lengthPrefixed = new Uint8Array([0x20, 3, 0, 0, 0, 0, 0, 0, ...encapsulationKey]);
const header =
  '0300000000000000302e35000000000300000000000000302e31' +
  '1300000000000000556e69666965645075626c6963456e634b65790000000000000000';
const publicKey = new Uint8Array([...Buffer.from(header, 'hex'), ...lengthPrefixed]);

test('envelope of the encryption key', () => expect(encodeEncryptionKey(encapsulationKey)).toEqual(publicKey));
const request = { publicKey, handles: [filled(0x33, 32)] };
const linker = userDecryptionLinker(domain, { ...request, userAddress: `0x${'22'.repeat(20)}` });

test.each([
  [
    'verification key',
    verificationKeyBytes(signer.publicKey),
    '2100000000000000031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f',
  ],
  [
    'digest of the verification key',
    labelledDigest(DIGEST_LABEL.signcryption, verificationKeyBytes(signer.publicKey)),
    '16c6b0854806e94b4b0f9d8ddb7b20846f43b1b988b22e1ee908ab0bbc89710d',
  ],
  [
    'digest of the encryption key',
    labelledDigest(DIGEST_LABEL.signcryption, lengthPrefixed),
    '09fbe8be6cb7671dcbff151b05b1506439c61cdfb8981fdcf800f85097481d75',
  ],
  ['linker', linker, '5aba7a508526e308449c12b684908ba6c6e64cba2ba064c70a1b08820c10e589'],
  [
    'response',
    userDecryptionResponseDigest(domain, {
      ...request,
      userDecryptedShare: hexToBytes('0x00112233'),
      extraData: NOTHING,
    }),
    'b99aa6d754c1b630e4fdd366b7da581ce2565e8675faf3e9ade877a48ad7612e',
  ],
  [
    'public decryption of uint256 42',
    publicDecryptionDigest(domain, {
      handles: request.handles,
      decryptedResult: decryptedResult([{ type: { kind: 'uint', bits: 256 }, value: 42n }])!,
      extraData: NOTHING,
    }),
    '64243950e1a385ad712916e818331a7adb49f3d69104d66d876ab92a6583220b',
  ],
  [
    'signature of the linker',
    signer.sign(linker),
    '6b5c840ff794e8843b09cbf2deeef15fc4e6f0dcde18a859521e36bde980f8b7' +
      '60bbc70a3a3ee6a6efa214162ead4542a67d0709b63abfcf1b0c938d6e0d34c31b',
  ],
  [
    'inner signature over "USER_DEC" and "abc"',
    signer.sign(sha256(new TextEncoder().encode('USER_DECabc'))).subarray(0, 64),
    'a23fc7b770e057750dff50baf650217ebed07b3ed350e4556510d6e8a50e211e' +
      '6f8a127bb7181247eeaa1189d0c23ba48a28cfae0231ccc185fd2fd45df0b8ba',
  ],
  [
    'share of one element',
    encodePackedShare(encodeGr128([[1n, 2n, 3n, 4n]])),
    `0100000000000000${[1, 2, 3, 4].map((c) => `0${c}${'00'.repeat(15)}`).join('')}`,
  ],
  [
    'X^3 * X = -X - 1',
    encodeGr128([grMul([0n, 0n, 0n, 1n], [0n, 1n, 0n, 0n], 128)]),
    `${'ff'.repeat(32)}${'00'.repeat(32)}`,
  ],
])('%s', (_, got, want) => expect(hex(got)).toBe(want));

test('address', () => {
  expect(signer.address).toBe('0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1');
  expect(recoverSigner(linker, signer.sign(linker))).toBe(signer.address);
});
