/** What a node says to a request for re-encryption before it takes part: whose signature, for what, and how long. */
import type { KeyRecord } from '@keyquorum/protocols/services';
import { createUserKeyPair } from '@keyquorum/wire/encryption-key';
import { createSigner } from '@keyquorum/wire/signer';
import { USER_SIGNATURE_BYTES_MAX, type UserRequest, userRequestDigest } from '@keyquorum/wire/user-request';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Chain, startChain } from '../../../../test/conformance/anvil.ts';
import { contractPolicy } from '../../src/chains/access-list.ts';
import { createHostChains } from '../../src/chains/host-chain.ts';
import { NO_PROVENANCE } from '../../src/provenance/provenance.ts';
import type { UserDecryptionBody } from '../../src/requests/body.ts';
import { userContentOf } from '../../src/requests/content.ts';
import { explained } from '../../src/requests/explain.ts';
import { type Circumstances, judge, judgementOf } from '../../src/requests/judge.ts';
import { type UserRules, userChecks } from '../../src/requests/user-decryption.ts';
import { CREDULOUS, UNWILLING, walletOf } from '../chains/wallets.ts';
import { zeroList } from './zero-list.ts';

const id = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const address = (byte: number): `0x${string}` => `0x${byte.toString(16).padStart(2, '0').repeat(20)}`;

const requester = { name: 'alice', apps: ['default', 'games'], operator: false, publicKey: id(0) };
const limits = { ciphertextsPerRequest: 4, blocksPerRequest: 8 } as Parameters<typeof judge>[1]['limits'];
const keys = [{ keyId: id(2), parameters: 'test', purpose: 'development' }] as KeyRecord[];
const DAY_SECONDS = 86_400;
const NOW_SECONDS = 1_764_424_800;
const HOST_CHAIN = 31_337;
const rules = {
  domain: { chainId: 654_321, verifyingContract: address(0x44) },
  toleranceSeconds: 60,
  contracts: contractPolicy(createHostChains([], { now: Date.now, warn: () => undefined }), []),
  now: () => NOW_SECONDS * 1000,
};
const user = createSigner(new Uint8Array(32).fill(7));
const { encryptionKey } = createUserKeyPair(new Uint8Array(64).fill(9));
const CONTRACT = address(0x11);

interface Wish {
  readonly startTimestamp?: number;
  readonly durationDays?: number;
  readonly contractAddresses?: `0x${string}`[];
  readonly contractAddress?: `0x${string}`;
  readonly extraData?: string;
  readonly delegatorAddress?: `0x${string}`;
  readonly hostChainId?: number;
  readonly key?: Uint8Array;
}

/** A request that the user signed as it is. */
function signed(wish: Wish = {}): UserDecryptionBody {
  const { startTimestamp = NOW_SECONDS, durationDays = 7, contractAddresses = [CONTRACT], extraData = '00' } = wish;
  const { contractAddress = CONTRACT, delegatorAddress, hostChainId = HOST_CHAIN, key = encryptionKey } = wish;
  const fields = {
    ...{ publicKey: key, contractAddresses },
    ...{ startTimestamp: BigInt(startTimestamp), durationDays: BigInt(durationDays) },
    extraData: new Uint8Array(Buffer.from(extraData, 'hex')),
  };
  const request: UserRequest =
    delegatorAddress === undefined ? { kind: 'direct', ...fields } : { kind: 'delegated', ...fields, delegatorAddress };
  const signature = user.sign(userRequestDigest({ ...rules.domain, chainId: HOST_CHAIN }, request));
  const bytes = Buffer.from(zeroList()).toString('base64');
  return {
    ...{ requestId: id(1), keyId: id(2), userAddress: user.address, encryptionKey: hex(key) },
    ciphertexts: [{ handle: id(3), contractAddress, format: 'compressed-list', bytes, slot: 1 }],
    request: {
      ...{ hostChainId: String(hostChainId), contractAddresses, extraData },
      ...{ startTimestamp: String(startTimestamp), durationDays: String(durationDays) },
      ...(delegatorAddress && { delegatorAddress }),
    },
    userSignature: hex(signature),
  };
}

const circumstances: Circumstances = {
  ...{ requester, keys, limits },
  source: ({ bytes }) => bytes!,
  provenance: () => NO_PROVENANCE,
};

async function judged(body: UserDecryptionBody, by: UserRules = rules) {
  const content = userContentOf(body, 'alice');
  return (await judge(content, circumstances, (values) => userChecks(content, values, by))).values;
}

test('what the user signed is answered, in its own name or as a delegate', async () => {
  expect(await judged(signed())).toMatchObject([{ type: { kind: 'uint', bits: 8 } }]);
  expect(await judged(signed({ delegatorAddress: address(0x22) }))).toHaveLength(1);
  expect(await judged(signed({ extraData: `01${id(5)}` }))).toHaveLength(1);
  const spelled = { ...signed(), userAddress: `0x${user.address.slice(2).toUpperCase()}` };
  expect(await judged(spelled)).toHaveLength(1);
});

const changedByte = (text: string, at: number) =>
  text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1);

test.each<[string, UserDecryptionBody, string]>([
  ['another user', { ...signed(), userAddress: address(0x77) }, 'SIGNER_WRONG'],
  ['another chain than signed', signed({ hostChainId: 1 }), 'SIGNER_WRONG'],
  [
    'another key than signed',
    { ...signed(), encryptionKey: hex(createUserKeyPair(new Uint8Array(64)).encryptionKey) },
    'SIGNER_WRONG',
  ],
  [
    'a delegation that was signed as one’s own',
    { ...signed(), request: { ...signed().request, delegatorAddress: address(0x22) } },
    'SIGNER_WRONG',
  ],
  ['v of 0', { ...signed(), userSignature: `${signed().userSignature.slice(0, 128)}00` }, 'SIGNATURE_V'],
  ['over', signed({ startTimestamp: NOW_SECONDS - 7 * DAY_SECONDS - 61 }), 'REQUEST_EXPIRED'],
  ['not yet', signed({ startTimestamp: NOW_SECONDS + 61 }), 'REQUEST_NOT_YET_VALID'],
  ['for ever', signed({ durationDays: 366 }), 'DURATION'],
  ['for no time', signed({ durationDays: 0 }), 'DURATION'],
  ['a contract that is not named', signed({ contractAddress: address(0x12) }), 'CONTRACT_NOT_SIGNED'],
  [
    'the user as a contract',
    signed({ contractAddresses: [CONTRACT, user.address as `0x${string}`] }),
    'USER_IS_CONTRACT',
  ],
  ['eleven contracts', signed({ contractAddresses: Array<`0x${string}`>(11).fill(CONTRACT) }), 'CONTRACTS_COUNT'],
  ['a version of extraData from the future', signed({ extraData: `03${id(5)}` }), 'EXTRA_DATA_VERSION'],
  [
    'a key with another header',
    { ...signed(), encryptionKey: changedByte(signed().encryptionKey, 20) },
    'ENCRYPTION_KEY_MALFORMED',
  ],
  [
    'a key that is not reduced',
    signed({ key: encryptionKey.map((byte, at) => (at >= 69 && at < 72 ? 0xff : byte)) }),
    'ENCRYPTION_KEY_NOT_REDUCED',
  ],
])('refused: %s', async (_name, body, code) => {
  await expect(judged(body)).rejects.toMatchObject({ code });
});

test('clocks that differ by less than the tolerance do no harm', async () => {
  expect(await judged(signed({ startTimestamp: NOW_SECONDS + 60 }))).toHaveLength(1);
  expect(await judged(signed({ startTimestamp: NOW_SECONDS - 7 * DAY_SECONDS - 60 }))).toHaveLength(1);
});

test('a dry run does not judge the user without the values', async () => {
  const content = userContentOf({ ...signed(), keyId: id(9) }, 'alice');
  const { checks } = judgementOf(content, circumstances, (values) => userChecks(content, values, rules));
  expect((await explained(checks)).checks).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ check: 'key', passed: false, code: 'KEY_UNKNOWN' }),
      expect.objectContaining({ check: 'encryptionKey', passed: true }),
      expect.objectContaining({ check: 'userRequest', passed: null }),
    ]),
  );
});

test('the content hash covers every field', () => {
  const base = signed({ delegatorAddress: address(0x22) });
  const { request } = base;
  const [ciphertext] = base.ciphertexts;
  const variants: UserDecryptionBody[] = [
    base,
    { ...base, requestId: id(0xa) },
    { ...base, keyId: id(0xa) },
    { ...base, app: 'games' },
    { ...base, userAddress: address(0xa) },
    { ...base, encryptionKey: changedByte(base.encryptionKey, 200) },
    { ...base, userSignature: changedByte(base.userSignature, 10) },
    { ...base, request: { ...request, hostChainId: '1' } },
    { ...base, request: { ...request, contractAddresses: [CONTRACT, CONTRACT] } },
    { ...base, request: { ...request, contractAddresses: [address(0x12)] } },
    { ...base, request: { ...request, startTimestamp: '1' } },
    { ...base, request: { ...request, durationDays: '1' } },
    { ...base, request: { ...request, extraData: '' } },
    { ...base, request: { ...request, delegatorAddress: address(0x23) } },
    { ...base, ciphertexts: [{ ...ciphertext!, contractAddress: address(0x12) }] },
    { ...base, ciphertexts: [{ ...ciphertext!, handle: id(4) }] },
    { ...base, ciphertexts: [{ ...ciphertext!, slot: 0 }] },
    { ...base, ciphertexts: [{ ...ciphertext!, fheType: 2 }] },
    { ...base, ciphertexts: [ciphertext!, ciphertext!] },
  ];
  const hashes = variants.map((body) => hex(userContentOf(body, 'alice').hash));
  expect(new Set(hashes).size).toBe(variants.length);
  expect(hashes).not.toContain(hex(userContentOf(base, 'bob').hash));
});

describe('contract wallets', () => {
  const WALLET = address(0xa1);
  let anvil: Chain;
  beforeAll(async () => {
    anvil = await startChain();
    await anvil.client.setCode({ address: WALLET, bytecode: walletOf(user.address) });
    await anvil.client.setCode({ address: address(0xa2), bytecode: CREDULOUS });
    await anvil.client.setCode({ address: address(0xa3), bytecode: UNWILLING['never ends']! });
    await anvil.client.setCode({ address: address(0xb1), bytecode: UNWILLING['says true']! });
    await anvil.client.setCode({ address: address(0xb2), bytecode: UNWILLING['says 0']! });
  });
  afterAll(() => anvil?.[Symbol.asyncDispose]());

  function asked(body: UserDecryptionBody, applications: Parameters<typeof contractPolicy>[1] = []) {
    const finality = 'latest' as const;
    const chain = { id: HOST_CHAIN, rpc: [anvil.url], finality, timeoutMs: 5_000, staleSeconds: 3_600 };
    const chains = createHostChains([chain], { now: Date.now, warn: () => undefined });
    return judged(body, { ...rules, contracts: contractPolicy(chains, applications) });
  }
  const ofWallet = (wish: Wish = {}) => ({ ...signed(wish), userAddress: WALLET });

  test('are asked whether they have signed', async () => {
    expect(await asked(ofWallet())).toHaveLength(1);
    expect(await asked(ofWallet({ delegatorAddress: address(0x22) }))).toHaveLength(1);
    expect(await asked(signed())).toHaveLength(1); // a user with a key needs no contract
  });

  test('take signatures of any length up to the limit', async () => {
    for (const bytes of [0, 1, USER_SIGNATURE_BYTES_MAX]) {
      const userSignature = '5a'.repeat(bytes);
      expect(await asked({ ...signed(), userAddress: address(0xa2), userSignature })).toHaveLength(1);
    }
  });

  test.each<[string, () => UserDecryptionBody, string]>([
    [
      'another request than the wallet signed',
      () => ({ ...ofWallet(), userSignature: hex(user.sign(new Uint8Array(32))) }),
      'WALLET_REFUSED',
    ],
    ['a wallet that does not end', () => ({ ...signed(), userAddress: address(0xa3) }), 'WALLET_REFUSED'],
    ['an address without a contract', () => ({ ...signed(), userAddress: address(0xa4) }), 'SIGNER_WRONG'],
    ['and no signature', () => ({ ...signed(), userAddress: address(0xa4), userSignature: '' }), 'SIGNATURE_LENGTH'],
    ['the terms are judged first', () => ofWallet({ durationDays: 366 }), 'DURATION'],
    [
      'a chain that is not configured',
      () => ({ ...ofWallet(), request: { ...ofWallet().request, hostChainId: '1' } }),
      'SIGNER_WRONG',
    ],
  ])('refused: %s', async (_name, body, code) => {
    await expect(asked(body())).rejects.toThrow(expect.objectContaining({ code }));
  });

  test('an application with an access list: the list decides last', async () => {
    const list = (contract: `0x${string}`, chain = HOST_CHAIN) => [{ name: 'default', acl: { chain, contract } }];
    expect(await asked(signed(), list(address(0xb1)))).toHaveLength(1);
    expect(await asked(ofWallet({ delegatorAddress: address(0x22) }), list(address(0xb1)))).toHaveLength(1);
    const refused = (message: RegExp) =>
      expect.objectContaining({ code: 'ACL_REFUSED', message: expect.stringMatching(message) });
    await expect(asked(signed(), list(address(0xb2)))).rejects.toThrow(refused(/may not have/));
    await expect(asked(signed({ delegatorAddress: CONTRACT }), list(address(0xb1)))).rejects.toMatchObject({
      code: 'USER_IS_CONTRACT',
    });
    await expect(asked(signed(), list(address(0xb1), 1))).rejects.toThrow(refused(/are of chain 1, not 31337/));
    const elsewhere = { ...signed(), app: 'games' };
    expect(await asked(elsewhere, list(address(0xb2)))).toHaveLength(1); // another application's list
  });

  test('without a chain the refusal says what to set', async () => {
    await expect(judged(ofWallet())).rejects.toThrow(
      expect.objectContaining({ code: 'SIGNER_WRONG', message: expect.stringMatching(/\[\[chains\]\] in node\.toml/) }),
    );
  });
});
