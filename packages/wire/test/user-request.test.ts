/** What users sign: the struct strings of the contracts, wallets of viem, and one refusal per rule. */
import fc from 'fast-check';
import { bytesToHex, concat, encodeAbiParameters, encodePacked, keccak256, stringToHex, toHex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { describe, expect, test } from 'vitest';
import { createUserKeyPair } from '../src/encryption-key.ts';
import type { WireErrorCode } from '../src/error.ts';
import {
  checkUserRequest,
  type UserRequest,
  type UserRequestCheck,
  userRequestDigest,
  userRequestTypedData,
} from '../src/user-request.ts';

const DAY = 86_400;
const NOW = 1_764_424_800;
const CONTRACTS = [`0x${'0a'.repeat(20)}`, `0x${'0b'.repeat(20)}`] as const;
const DELEGATOR = `0x${'0d'.repeat(20)}` as const;
const DOMAIN = { chainId: 11_155_111n, verifyingContract: `0x${'44'.repeat(20)}` } as const;
const EPOCH = Uint8Array.of(2, ...Array(64).fill(7));
const { encryptionKey } = createUserKeyPair(new Uint8Array(64).fill(5));
const user = privateKeyToAccount(generatePrivateKey());

const fields = { publicKey: encryptionKey, contractAddresses: CONTRACTS, startTimestamp: BigInt(NOW - 60) };
const DIRECT: UserRequest = { kind: 'direct', ...fields, durationDays: 7n, extraData: Uint8Array.of(0) };
const DELEGATED: UserRequest = { ...DIRECT, kind: 'delegated', delegatorAddress: DELEGATOR };
const UNIFIED: UserRequest = {
  kind: 'unified',
  ...fields,
  userAddress: user.address,
  durationSeconds: 3_600n,
  extraData: EPOCH,
};

/** A request that passes, signed by a wallet of viem, with changes after the signature. */
async function signedCheck(request: UserRequest, changes: Partial<UserRequestCheck> = {}): Promise<UserRequestCheck> {
  const typed = userRequestTypedData(DOMAIN, request);
  const signature = await user.signTypedData<Record<string, unknown>, string>({ ...typed });
  return {
    domain: DOMAIN,
    request,
    userAddress: user.address,
    signature: Uint8Array.from(Buffer.from(signature.slice(2), 'hex')),
    values: [{ fheType: 5, contractAddress: CONTRACTS[1] }],
    nowSeconds: NOW,
    toleranceSeconds: 30,
    ...changes,
  };
}

async function codeOf(
  request: UserRequest,
  changes: Partial<UserRequestCheck> = {},
): Promise<WireErrorCode | undefined> {
  const check = await signedCheck(request, changes);
  try {
    checkUserRequest(check);
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ name: 'WireError' });
    return (error as { code: WireErrorCode }).code;
  }
}

describe('structs', () => {
  const bytesHash = (bytes: Uint8Array) => keccak256(bytesToHex(bytes));
  const addresses = keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'address' }], CONTRACTS));
  const separator = keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32' }, { type: 'uint256' }, { type: 'address' }],
      [
        keccak256(stringToHex('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')),
        keccak256(stringToHex('Decryption')),
        keccak256(stringToHex('1')),
        DOMAIN.chainId,
        DOMAIN.verifyingContract,
      ],
    ),
  );
  const word = (value: bigint) => toHex(value, { size: 32 });
  const address = (value: string) => word(BigInt(value));
  const start = word(fields.startTimestamp);

  test.each([
    [
      DIRECT,
      'UserDecryptRequestVerification(bytes publicKey,address[] contractAddresses,' +
        'uint256 startTimestamp,uint256 durationDays,bytes extraData)',
      [bytesHash(encryptionKey), addresses, start, word(7n), bytesHash(Uint8Array.of(0))],
    ],
    [
      DELEGATED,
      'DelegatedUserDecryptRequestVerification(bytes publicKey,address[] contractAddresses,' +
        'address delegatorAddress,uint256 startTimestamp,uint256 durationDays,bytes extraData)',
      [bytesHash(encryptionKey), addresses, address(DELEGATOR), start, word(7n), bytesHash(Uint8Array.of(0))],
    ],
    [
      UNIFIED,
      'UserDecryptRequestVerification(address userAddress,bytes publicKey,address[] allowedContracts,' +
        'uint256 startTimestamp,uint256 durationSeconds,bytes extraData)',
      [address(user.address), bytesHash(encryptionKey), addresses, start, word(3_600n), bytesHash(EPOCH)],
    ],
  ] as const)('%# are hashed as the contracts do', (request, type, words) => {
    const struct = keccak256(concat([keccak256(stringToHex(type)), ...words]));
    const digest = keccak256(encodePacked(['bytes2', 'bytes32', 'bytes32'], ['0x1901', separator, struct]));
    expect(bytesToHex(userRequestDigest(DOMAIN, request))).toBe(digest);
  });
});

test('requests of all three kinds pass when a wallet of viem signed them', async () => {
  for (const request of [DIRECT, DELEGATED, UNIFIED]) expect(await codeOf(request)).toBeUndefined();
});

test.each<[WireErrorCode, UserRequest, Partial<UserRequestCheck>]>([
  ['SIGNER_WRONG', DIRECT, { userAddress: `0x${'0c'.repeat(20)}` }],
  ['SIGNER_WRONG', DIRECT, { domain: { ...DOMAIN, chainId: 1n } }],
  ['SIGNER_WRONG', DIRECT, { request: { ...DIRECT, durationDays: 8n } }],
  ['SIGNER_WRONG', UNIFIED, { userAddress: `0x${'0c'.repeat(20)}` }],
  ['SIGNATURE_LENGTH', DIRECT, { signature: new Uint8Array(64) }],
  ['SIGNATURE_V', DIRECT, { signature: new Uint8Array(65).fill(1) }],
  ['SIGNATURE_INVALID', DIRECT, { signature: new Uint8Array(65).fill(27, 64) }],
  ['REQUEST_NOT_YET_VALID', DIRECT, { nowSeconds: NOW - 60 - 31 }],
  ['REQUEST_EXPIRED', DIRECT, { nowSeconds: NOW - 60 + 7 * DAY + 31 }],
  ['REQUEST_EXPIRED', UNIFIED, { nowSeconds: NOW - 60 + 3_600 + 31 }],
  ['USER_IS_CONTRACT', { ...DIRECT, contractAddresses: [...CONTRACTS, user.address] }, {}],
  ['USER_IS_CONTRACT', { ...DELEGATED, delegatorAddress: CONTRACTS[0] }, {}],
  ['USER_IS_CONTRACT', DIRECT, { userAddress: DOMAIN.verifyingContract }],
  ['CONTRACTS_COUNT', { ...DIRECT, contractAddresses: [] }, {}],
  ['CONTRACTS_COUNT', { ...DIRECT, contractAddresses: Array(11).fill(CONTRACTS[1]) }, {}],
  ['CONTRACT_NOT_SIGNED', DIRECT, { values: [{ fheType: 5, contractAddress: DELEGATOR }] }],
  ['ADDRESS_MALFORMED', DIRECT, { userAddress: `0x${'aB'.repeat(20)}` }],
  ['ADDRESS_MALFORMED', DIRECT, { request: { ...DIRECT, contractAddresses: ['0x12', CONTRACTS[1]] } }],
  ['ADDRESS_MALFORMED', DIRECT, { request: { ...DELEGATED, delegatorAddress: `0x${'g'.repeat(40)}` } as UserRequest }],
  ['ADDRESS_MALFORMED', UNIFIED, { request: { ...UNIFIED, userAddress: '0x' } }],
  ['DURATION', { ...DIRECT, durationDays: 366n }, {}],
  ['DURATION', { ...DIRECT, durationDays: 0n }, {}],
  ['DURATION', { ...UNIFIED, durationSeconds: BigInt(365 * DAY + 1) }, {}],
  ['BITS_TOO_MANY', DIRECT, { values: Array(9).fill({ fheType: 8, contractAddress: CONTRACTS[0] }) }],
  ['TYPE_UNSUPPORTED', DIRECT, { values: [{ fheType: 1, contractAddress: CONTRACTS[0] }] }],
  ['EXTRA_DATA_VERSION', { ...DIRECT, extraData: Uint8Array.of(3) }, {}],
  ['EXTRA_DATA_VERSION', { ...UNIFIED, extraData: Uint8Array.of(0) }, {}],
  ['EXTRA_DATA_MALFORMED', { ...DIRECT, extraData: Uint8Array.of(1, 2) }, {}],
])('%s', async (code, request, changes) => expect(await codeOf(request, changes)).toBe(code));

test('the mirrored signature (n - s, other v) is refused as such', async () => {
  const { signature } = await signedCheck(DIRECT);
  const order = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n;
  const s = order - BigInt(bytesToHex(signature.subarray(32, 64)));
  const mirrored = Buffer.concat([
    signature.subarray(0, 32),
    Buffer.from(s.toString(16).padStart(64, '0'), 'hex'),
    Buffer.of(55 - signature[64]!),
  ]);
  expect(await codeOf(DIRECT, { signature: mirrored })).toBe('SIGNATURE_HIGH_S');
});

test('limits are met exactly: 2048 bits, 10 contracts, 365 days, both ends with their tolerance', async () => {
  const widest = Array(8).fill({ fheType: 8, contractAddress: CONTRACTS[0] });
  const longest = { ...DIRECT, durationDays: 365n, contractAddresses: Array(10).fill(CONTRACTS[0]) };
  const bools = Array(1_024).fill({ fheType: 0, contractAddress: CONTRACTS[0] });
  for (const nowSeconds of [NOW - 60 - 30, NOW - 60 + 365 * DAY + 30]) {
    expect(await codeOf(longest, { values: widest, nowSeconds })).toBeUndefined();
  }
  expect(await codeOf(longest, { values: bools })).toBeUndefined();
  expect(await codeOf(longest, { values: [...bools, bools[0]] })).toBe('BITS_TOO_MANY');
});

test('a wrong clock is named with both clocks', async () => {
  const early = await signedCheck(DIRECT, { nowSeconds: NOW - 200 });
  expect(() => checkUserRequest(early)).toThrow(
    'valid from 2025-11-29T13:59:00Z (1764424740 s since 1970), ' +
      'the clock here says 2025-11-29T13:56:40Z (1764424600 s since 1970), tolerance 30 s',
  );
});

test('any numbers: a WireError or nothing, never another exception', async () => {
  const word = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n });
  const base = await signedCheck(DIRECT);
  fc.assert(
    fc.property(word, word, fc.uint8Array({ maxLength: 70 }), (startTimestamp, durationDays, extraData) => {
      const request: UserRequest = { ...DIRECT, startTimestamp, durationDays, extraData };
      expect(() => checkUserRequest({ ...base, request })).toThrow(expect.objectContaining({ name: 'WireError' }));
    }),
  );
});
