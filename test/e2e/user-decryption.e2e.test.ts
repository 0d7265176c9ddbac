/** Re-encryption with real processes: our client and Zama's read what four nodes answer; with a node dead, or lying. */
import { type Client, createClient } from '@keyquorum/client/client';
import type { Permit } from '@keyquorum/client/permit';
import tkms from 'node-tkms';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fheTypeOf, randomSample, type Sample, type SampleType } from '../../scripts/network/encryption.ts';
import { newRequestId } from '../../scripts/network/key-generation.ts';
import { createRest } from '../../scripts/network/rest.ts';
import { PARTIES, type RunningNetwork, START_MS, startNetwork } from './running-network.ts';

const TYPES: readonly SampleType[] = ['bool', 'uint8', 'uint16', 'uint32', 'uint64', 'uint128', 'address', 'uint256'];
const CONTRACT = `0x${'c0'.repeat(20)}` as const;
const HOST_CHAIN = 31_337;
/** What a dead node costs before it is called absent. */
const DEADLINE_MS = 20_000;
const account = privateKeyToAccount(generatePrivateKey());

let running: RunningNetwork;
let client: Client;
let permit: Permit;

beforeAll(async () => {
  running = await startNetwork({ blocks: 8_192 });
  const { committee, network } = running;
  const { requester, apiKey } = network;
  client = createClient({ ...committee, requester, apiKey, deadlineMs: DEADLINE_MS });
  permit = await permitFor([CONTRACT]);
}, START_MS);
afterAll(() => running?.[Symbol.asyncDispose]());

function permitFor(contractAddresses: readonly `0x${string}`[]): Promise<Permit> {
  return client.createPermit({
    ...{ userAddress: account.address, contractAddresses, hostChainId: HOST_CHAIN, durationDays: 1 },
    sign: (typed) => account.signTypedData(typed),
  });
}

function ciphertextsOf(samples: readonly Sample[], packing: 'packed' | 'plain' = 'packed') {
  return running.encryptor.encrypt(samples, packing).map((each) => ({ ...each, contractAddress: CONTRACT }));
}

/** Reads the samples as the user; resolves to the verdict on every node. */
async function read(samples: readonly Sample[], packing?: 'packed' | 'plain') {
  const ciphertexts = ciphertextsOf(samples, packing);
  const { agreed, finished } = client.decryptForUser(permit, { keyId: running.key.requestId, ciphertexts });
  const values = await agreed;
  expect(values.map(({ value }) => value)).toEqual(samples.map(({ value }) => value));
  expect(values.map(({ fheType }) => fheType)).toEqual(samples.map(({ type }) => fheTypeOf(type)));
  return new Map((await finished).nodes.map(({ party, verdict }) => [party, verdict]));
}

/** The body as the client sends it, for requests that no client makes. */
function bodyOf(samples: readonly Sample[]) {
  const { request, signature, keys } = permit;
  return {
    ...{ requestId: newRequestId(), keyId: running.key.requestId, ciphertexts: ciphertextsOf(samples) },
    userAddress: account.address as string,
    encryptionKey: Buffer.from(keys().encryptionKey).toString('hex'),
    request: {
      hostChainId: String(HOST_CHAIN),
      contractAddresses: [...request.contractAddresses],
      startTimestamp: String(request.startTimestamp),
      durationDays: String(request.durationDays),
      extraData: '00',
    },
    userSignature: Buffer.from(signature).toString('hex'),
  };
}

interface UserAnswer {
  readonly state: string;
  readonly payload: string;
  readonly signature: string;
  readonly error?: { readonly code: string };
}

const answerOf = (party: number, requestId: string) =>
  running.network.rest(party).get<UserAnswer>(`/v1/user-decryptions/${requestId}?wait=30`);

test.for(['packed', 'plain'] as const)('a user reads every type from %s lists; all nodes agree', async (packing) => {
  const verdicts = await read(TYPES.map(randomSample), packing);
  expect([...verdicts.values()]).toEqual(PARTIES.map(() => 'agreed'));
});

test("Zama's client reads what the nodes answer", async () => {
  const samples = TYPES.map(randomSample);
  const body = bodyOf(samples);
  const secret = tkms.ml_kem_pke_keygen();
  const publicKey = tkms.ml_kem_pke_get_pk(secret);
  const encryptionKey = tkms.ml_kem_pke_pk_to_u8vec(publicKey);
  const foreign = await signedFor(encryptionKey);
  const request = { ...body, ...foreign };
  await running.network.rest(2).post('/v1/user-decryptions', request);
  const answers = await Promise.all(PARTIES.map((party) => answerOf(party, body.requestId)));
  expect(answers.map(({ state }) => state)).toEqual(PARTIES.map(() => 'succeeded'));
  const { nodes, gatewayChainId, decryptionContract } = running.committee;
  const servers = nodes.map(({ party, signer }) => tkms.new_server_id_addr(party, signer));
  const reader = tkms.new_client(servers, account.address, 'default');
  const chainId = [...Buffer.from(BigInt(gatewayChainId).toString(16).padStart(64, '0'), 'hex')];
  const asked = {
    ...{ signature: undefined, client_address: account.address, enc_key: foreign.encryptionKey },
    ciphertext_handles: body.ciphertexts.map(({ handle }) => handle),
    eip712_verifying_contract: decryptionContract,
  };
  const values = tkms.process_user_decryption_resp_from_js(
    reader,
    asked,
    { name: 'Decryption', version: '1', chain_id: chainId, verifying_contract: decryptionContract },
    answers.map(({ payload, signature }) => ({ payload, signature })),
    publicKey,
    secret,
    true,
  );
  const read = values.map(({ bytes }) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
  expect(read).toEqual(samples.map(({ value }) => value));
});

/** What the user signs for a key pair that another program made. */
async function signedFor(encryptionKey: Uint8Array) {
  const { request } = permit;
  const message = {
    publicKey: `0x${Buffer.from(encryptionKey).toString('hex')}` as const,
    contractAddresses: [...request.contractAddresses],
    ...{ startTimestamp: request.startTimestamp, durationDays: request.durationDays, extraData: '0x00' as const },
  };
  const signature = await account.signTypedData({
    domain: {
      ...{ name: 'Decryption', version: '1', chainId: HOST_CHAIN },
      verifyingContract: running.committee.decryptionContract,
    },
    types: {
      UserDecryptRequestVerification: [
        { name: 'publicKey', type: 'bytes' },
        { name: 'contractAddresses', type: 'address[]' },
        { name: 'startTimestamp', type: 'uint256' },
        { name: 'durationDays', type: 'uint256' },
        { name: 'extraData', type: 'bytes' },
      ],
    },
    primaryType: 'UserDecryptRequestVerification',
    message,
  });
  return { encryptionKey: Buffer.from(encryptionKey).toString('hex'), userSignature: signature.slice(2) };
}

test('a node answers one request once and repeats its answer; other content under the id is refused', async () => {
  const body = bodyOf([randomSample('uint64')]);
  const rest = running.network.rest(1);
  await rest.post('/v1/user-decryptions', body);
  const first = await answerOf(1, body.requestId);
  expect(first.state).toBe('succeeded');
  await rest.post('/v1/user-decryptions', body);
  expect(await answerOf(1, body.requestId)).toEqual(first);
  const other = { ...body, ciphertexts: ciphertextsOf([randomSample('uint64')]) };
  const refused = await rest.ask<{ error: { code: string } }>('POST', '/v1/user-decryptions', other);
  expect([refused.status, refused.body.error.code]).toEqual([409, 'REQUEST_CONFLICT']);
});

test('what the user did not sign is refused by each node alone', async () => {
  const stranger = privateKeyToAccount(generatePrivateKey());
  const body = { ...bodyOf([randomSample('uint64')]), userAddress: stranger.address as string };
  for (const party of PARTIES) {
    const rest = createRest(running.network.nodes[party - 1]!.rest, running.network.apiKey);
    const refused = await rest.ask<{ error: { code: string } }>('POST', '/v1/user-decryptions', body);
    expect([refused.status, refused.body.error.code]).toEqual([403, 'SIGNER_WRONG']);
  }
});

test('a dead node is not missed', async () => {
  await running.network.kill(4);
  const verdicts = await read([randomSample('uint256'), randomSample('bool')]);
  expect([1, 2, 3].map((party) => verdicts.get(party))).toEqual(['agreed', 'agreed', 'agreed']);
  expect(verdicts.get(4)).not.toBe('agreed');
  await running.network.start(4);
  await running.network.ready(4);
});

test('a lying node changes nothing', async () => {
  const { network } = running;
  await network.stop(3);
  await network.start(3, 'wrong-share');
  await network.ready(3);
  const verdicts = await read(TYPES.map(randomSample));
  expect([1, 2, 4].map((party) => verdicts.get(party))).toEqual(['agreed', 'agreed', 'agreed']);
});
