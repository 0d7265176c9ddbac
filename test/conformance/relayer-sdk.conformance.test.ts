/**
 * Zama's relayer SDK, as npm has it, and the KMSVerifier contract take the answers of a network of four processes. A
 * relayer of the test stands between the SDK and our nodes, and an ACL contract says what may be decrypted: the nodes
 * ask it themselves.
 */
import { randomBytes } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { decryptPublic, type PublicDecryptionReport } from '@keyquorum/client/public-decryption';
import { fheTypeId, parseFheType } from '@keyquorum/tfhe/fhe-type';
import { encodeExtraData } from '@keyquorum/wire/extra-data';
import { createInstance, type FhevmInstance } from '@zama-fhe/relayer-sdk/node';
import { bytesToHex, getAddress, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decryptionRequest } from '../../scripts/network/decryption.ts';
import { type EncryptedValue, fheTypeOf, randomSample, type Sample } from '../../scripts/network/encryption.ts';
import { newRequestId } from '../../scripts/network/key-generation.ts';
import { PARTIES, type RunningNetwork, START_MS, startNetwork } from '../e2e/running-network.ts';
import { CHAIN_ID, type Chain, startChain } from './anvil.ts';
import { addressOf, deployHostContracts, type HostContracts } from './host-contracts.ts';
import { referenceStringWithoutPoints } from './reference-string.ts';
import {
  type DelegatedUserDecryptBody,
  type PublicDecryptBody,
  type PublicDecryptResult,
  type Relayer,
  startRelayer,
  type UserDecryptBody,
  type UserDecryptResult,
} from './relayer.ts';

/** All tests take half of it. */
const BLOCKS = 2_048;
/** 2t+1 for t = 1. */
const QUORUM = 3;
const DEADLINE_MS = 60_000;
const DAY_SECONDS = 86_400;
/** The SDK takes no start in the future, and rounds. */
const CLOCK_SLACK_SECONDS = 10;
/** The contract whose values are decrypted. */
const DAPP = getAddress(`0x${'da'.repeat(20)}`);
/** Marks handles of computed values, where those of inputs have their index. */
const COMPUTED = 'ff';

const TYPES = ['bool', 'uint8', 'uint16', 'uint32', 'uint64', 'uint128', 'address', 'uint256'] as const;

/** What a node answers. */
interface UserAnswer {
  readonly payload: string;
  readonly signature: string;
  readonly extraData: string;
}

let running: RunningNetwork;
let chain: Chain;
let contracts: HostContracts;
let relayer: Relayer;
let sdk: FhevmInstance;
/** By handle, without 0x. What a coprocessor keeps. */
const ciphertexts = new Map<string, EncryptedValue>();
/** What the relayer does to results on the way. */
let tamper = (result: PublicDecryptResult): PublicDecryptResult => result;

/** Nodes look at the newest block: nothing is final on a chain of anvil for a long time. */
const settings = () => `
[pool]
target = ${BLOCKS}
[[chains]]
id = ${CHAIN_ID}
rpc = ["${chain.url}"]
finality = "latest"
staleSeconds = 86400
[[applications]]
name = "default"
acl = { chain = ${CHAIN_ID}, contract = "${addressOf('ACL')}" }
`;

beforeAll(async () => {
  chain = await startChain();
  running = await startNetwork({
    blocks: BLOCKS,
    async configure({ nodes }) {
      for (const { config } of nodes) await appendFile(config, settings());
    },
  });
  const { committee, publicKey } = running;
  const signers = committee.nodes.map(({ signer }) => signer);
  contracts = await deployHostContracts(chain, { domain: committee, signers, quorum: QUORUM });
  const referenceString = referenceStringWithoutPoints();
  relayer = await startRelayer({ publicKey, referenceString, publicDecrypt, userDecrypt, delegatedUserDecrypt });
  sdk = await createInstance({
    aclContractAddress: contracts.address.ACL,
    kmsContractAddress: contracts.address.KMSVerifier,
    inputVerifierContractAddress: contracts.address.InputVerifier,
    verifyingContractAddressDecryption: committee.decryptionContract,
    verifyingContractAddressInputVerification: contracts.inputVerification,
    chainId: CHAIN_ID,
    gatewayChainId: Number(committee.gatewayChainId),
    network: chain.url,
    relayerUrl: relayer.url,
  });
}, START_MS);
afterAll(async () => {
  await relayer?.[Symbol.asyncDispose]();
  await chain?.[Symbol.asyncDispose]();
  await running?.[Symbol.asyncDispose]();
});

/** All nodes are asked and heard, so that the contract gets as many signatures as it wants. */
function decrypted(handles: readonly string[], extraData: string): Promise<PublicDecryptionReport> {
  const { committee, network, key } = running;
  const stored = handles.map((handle) => ciphertexts.get(handle.slice(2))!);
  const request = { ...decryptionRequest(key.requestId, stored), extraData: extraData.slice(2) };
  const asking = { authorization: `Bearer ${network.apiKey}`, deadlineMs: DEADLINE_MS };
  return decryptPublic(committee, request, asking).finished;
}

async function publicDecrypt({ ciphertextHandles, extraData }: PublicDecryptBody): Promise<PublicDecryptResult> {
  const { abiEncoded, signatures } = await decrypted(ciphertextHandles, extraData);
  return tamper({ decryptedValue: abiEncoded, signatures: signatures.map(({ signature }) => signature), extraData });
}

/** Every node gets the request, one of them first, and is asked for its own answer. */
async function userDecrypt(
  { requestValidity, ...body }: UserDecryptBody,
  delegatorAddress?: string,
): Promise<UserDecryptResult> {
  const { network, key } = running;
  const { userAddress, contractAddresses, contractsChainId, publicKey, signature, extraData } = body;
  const requestId = newRequestId();
  const stored = body.handleContractPairs.map(({ handle, contractAddress }) => {
    return { ...ciphertexts.get(handle.slice(2))!, contractAddress };
  });
  const request = {
    ...{ requestId, keyId: key.requestId, ciphertexts: stored, userAddress },
    ...{ encryptionKey: publicKey, userSignature: signature },
    request: {
      ...{ hostChainId: contractsChainId, contractAddresses, ...requestValidity, extraData: extraData.slice(2) },
      ...(delegatorAddress !== undefined && { delegatorAddress }),
    },
  };
  await network.rest(1).post('/v1/user-decryptions', request);
  const answers = PARTIES.map(async (party) => {
    const rest = network.rest(party);
    await rest.post('/v1/user-decryptions', request);
    return rest.get<UserAnswer>(`/v1/user-decryptions/${requestId}?wait=${DEADLINE_MS / 1_000}`);
  });
  return {
    result: (await Promise.all(answers)).map(({ payload, signature: own, extraData: signed }) => {
      return { payload, signature: own, extraData: `0x${signed}` };
    }),
  };
}

function delegatedUserDecrypt(body: DelegatedUserDecryptBody): Promise<UserDecryptResult> {
  const { startTimestamp, durationDays, delegatorAddress, delegateAddress: userAddress, ...rest } = body;
  return userDecrypt({ ...rest, userAddress, requestValidity: { startTimestamp, durationDays } }, delegatorAddress);
}

/** A value that the contract computed, as the SDK reads it from the handle: chain, type and version 0 at the end. */
function handleOf({ type }: Sample): string {
  const typeId = fheTypeId(parseFheType(fheTypeOf(type))!)!;
  const chainId = CHAIN_ID.toString(16).padStart(16, '0');
  return `${randomBytes(21).toString('hex')}${COMPUTED}${chainId}${typeId.toString(16).padStart(2, '0')}00`;
}

/** Encrypts the samples with node-tfhe; the contract has them from then on. */
async function computed(samples: readonly Sample[]): Promise<Hex[]> {
  const handles: Hex[] = [];
  for (const [index, value] of running.encryptor.encrypt(samples, 'packed').entries()) {
    const handle = handleOf(samples[index]!);
    ciphertexts.set(handle, { ...value, handle });
    await contracts.grant(`0x${handle}`, DAPP);
    handles.push(`0x${handle}`);
  }
  return handles;
}

/** As the SDK shows values. */
function shown({ type, value }: Sample): bigint | boolean | string {
  if (type === 'bool') return value === 1n;
  return type === 'address' ? getAddress(`0x${value.toString(16).padStart(40, '0')}`) : value;
}

describe('the KMSVerifier accepts what the nodes signed', () => {
  test.for([
    ['no extraData', new Uint8Array(0)],
    ['extraData 00', new Uint8Array(1)],
    ['a context', encodeExtraData({ version: 1, contextId: (7n << 248n) + 1n })],
  ] as const)('%s', async ([, extraData]) => {
    const handles = await computed([randomSample('uint64'), randomSample('bool')]);
    await contracts.allowForDecryption(handles, DAPP);
    const { abiEncoded, decryptionProof, signatures } = await decrypted(handles, bytesToHex(extraData));
    expect(signatures.length).toBeGreaterThanOrEqual(QUORUM);
    expect(await contracts.verify(handles, `0x${abiEncoded}`, `0x${decryptionProof}`)).toBe(true);
    const reversed = [...handles].reverse();
    expect(await contracts.verify(reversed, `0x${abiEncoded}`, `0x${decryptionProof}`)).toBe('KMSInvalidSigner');
  });
});

describe('the relayer SDK', () => {
  test("loads the network's public key and writes the same bytes again", () => {
    expect(sdk.getPublicKey()?.publicKey).toEqual(running.publicKey);
  });

  test('decrypts a value of every type for everybody, with a proof that the contract accepts', async () => {
    const samples = TYPES.map(randomSample);
    const handles = await computed(samples);
    await contracts.allowForDecryption(handles, DAPP);
    const { clearValues, abiEncodedClearValues, decryptionProof } = await sdk.publicDecrypt(handles);
    expect(clearValues).toEqual(Object.fromEntries(handles.map((handle, index) => [handle, shown(samples[index]!)])));
    expect(await contracts.verify(handles, abiEncodedClearValues, decryptionProof)).toBe(true);
  });

  test('takes no value but the one that was signed', async () => {
    const [handle] = (await computed([{ type: 'uint64', value: 41n }])) as [Hex];
    await contracts.allowForDecryption([handle], DAPP);
    tamper = (result) => ({ ...result, decryptedValue: result.decryptedValue.replace(/29$/, '2a') });
    await expect(sdk.publicDecrypt([handle])).rejects.toThrow(/signer/i);
    tamper = (result) => result;
    expect((await sdk.publicDecrypt([handle])).clearValues).toEqual({ [handle]: 41n });
  });

  test('decrypts a value of every type for one user', async () => {
    const user = privateKeyToAccount(generatePrivateKey());
    const samples = TYPES.map(randomSample);
    const handles = await computed(samples);
    for (const handle of handles) await contracts.allow(handle, user.address, DAPP);
    const { publicKey, privateKey } = sdk.generateKeypair();
    const start = Math.floor(Date.now() / 1_000) - CLOCK_SLACK_SECONDS;
    const { message, ...typed } = sdk.createEIP712(publicKey, [DAPP], start, 1);
    const [startTimestamp, durationDays] = [BigInt(message.startTimestamp), BigInt(message.durationDays)];
    const signature = await user.signTypedData({ ...typed, message: { ...message, startTimestamp, durationDays } });
    const pairs = handles.map((handle) => ({ handle, contractAddress: DAPP }));
    const { address } = user;
    const values = await sdk.userDecrypt(pairs, privateKey, publicKey, signature, [DAPP], address, start, 1);
    expect(values).toEqual(Object.fromEntries(handles.map((handle, index) => [handle, shown(samples[index]!)])));
  });

  test('decrypts for a delegate what the user has, until that is taken back', async () => {
    const [user, delegate] = [privateKeyToAccount(generatePrivateKey()), privateKeyToAccount(generatePrivateKey())];
    const samples = [randomSample('uint64'), randomSample('address')];
    const handles = await computed(samples);
    for (const handle of handles) await contracts.allow(handle, user.address, DAPP);
    const { publicKey, privateKey } = sdk.generateKeypair();
    const start = Math.floor(Date.now() / 1_000) - CLOCK_SLACK_SECONDS;
    const { message, ...typed } = sdk.createDelegatedUserDecryptEIP712(publicKey, [DAPP], user.address, start, 1);
    const [startTimestamp, durationDays] = [BigInt(message.startTimestamp), BigInt(message.durationDays)];
    const signature = await delegate.signTypedData({ ...typed, message: { ...message, startTimestamp, durationDays } });
    const pairs = handles.map((handle) => ({ handle, contractAddress: DAPP }));
    const people = [user.address, delegate.address] as const;
    const ask = () => sdk.delegatedUserDecrypt(pairs, privateKey, publicKey, signature, [DAPP], ...people, start, 1);
    await expect(ask()).rejects.toThrow(/ACL_REFUSED/);
    await contracts.delegate(...people, DAPP, BigInt(start + DAY_SECONDS));
    expect(await ask()).toEqual(Object.fromEntries(handles.map((handle, index) => [handle, shown(samples[index]!)])));
    await contracts.revoke(...people, DAPP);
    await expect(ask()).rejects.toThrow(/ACL_REFUSED/);
  });
});

describe('every node asks the ACL itself', () => {
  const answers = (handle: Hex) => {
    const { network, key } = running;
    const request = decryptionRequest(key.requestId, [ciphertexts.get(handle.slice(2))!]);
    return Promise.all(PARTIES.map((party) => network.rest(party).ask('POST', '/v1/public-decryptions', request)));
  };

  test('and refuses what it does not allow, whoever asks', async () => {
    const [handle] = (await computed([randomSample('uint8')])) as [Hex];
    const refused = { status: 403, body: { error: { code: 'ACL_REFUSED' } } };
    expect(await answers(handle)).toMatchObject(PARTIES.map(() => refused));
    await contracts.allowForDecryption([handle], DAPP);
    expect(await answers(handle)).toMatchObject(PARTIES.map(() => ({ status: 202 })));
  });
});
