/** A user reads values from a network over HTTP in which up to t nodes lie, are late, absent or refuse. */
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import { ALL_TYPES, type Lie } from '../../wire/test/support/committee.ts';
import { createClient } from '../src/client.ts';
import type { UserCiphertext } from '../src/decrypt.ts';
import type { PermitOptions } from '../src/permit.ts';
import { json, refuse } from './support/test-node.ts';
import {
  DAPP_CONTRACT,
  KEY_ID,
  type NodeBehaviour,
  startUserNetwork,
  type UserNetwork,
  WALLET,
} from './support/user-network.ts';

const account = privateKeyToAccount(generatePrivateKey());
const TWO_VALUES = [ALL_TYPES[0]!, ALL_TYPES[4]!];
const FOUR = { n: 4, t: 1 };
const VALUES = [
  { fheType: 'bool', value: 1n },
  { fheType: 'uint64', value: ALL_TYPES[4]!.value },
];
/** Long enough for a loaded machine when enough nodes answer. */
const PATIENT_MS = 20_000;
/** For networks in which the deadline itself is tested. */
const BRIEF_MS = 2_500;

const permission: PermitOptions = {
  userAddress: account.address,
  contractAddresses: [DAPP_CONTRACT],
  hostChainId: 11_155_111,
  durationDays: 7,
  sign: (typed) => account.signTypedData(typed),
};

function clientOf({ options }: UserNetwork, deadlineMs = PATIENT_MS) {
  return createClient({ ...options, deadlineMs });
}

async function decryptAll(network: UserNetwork, deadlineMs = PATIENT_MS, signal?: AbortSignal) {
  const client = clientOf(network, deadlineMs);
  const permit = await client.createPermit(permission);
  const request = { keyId: KEY_ID, ciphertexts: network.ciphertexts };
  return client.decryptForUser(permit, request, signal ? { signal } : {});
}

const verdictsOf = ({ nodes }: { nodes: readonly { verdict: string }[] }) => nodes.map(({ verdict }) => verdict);

test('four honest nodes: the values, and everybody agreed', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  const decryption = await decryptAll(network);
  expect(await decryption.agreed).toMatchObject(VALUES);
  expect(await decryption.finished).toMatchObject({ state: 'succeeded' });
  expect(verdictsOf(await decryption.finished)).toEqual(['agreed', 'agreed', 'agreed', 'agreed']);
  expect(new Set(network.nodes.flatMap(({ submissions }) => submissions)).size).toBe(1);
});

test('all types, from seven nodes of which two lie in different ways', async () => {
  const special = { 2: { lie: 'random shares' }, 6: { lie: 'a share that does not decode' } } as const;
  await using network = await startUserNetwork({ n: 7, t: 2 }, ALL_TYPES, special);
  const decryption = await decryptAll(network);
  const values = await decryption.agreed;
  expect(values.map(({ value }) => value)).toEqual(ALL_TYPES.map(({ value }) => value));
  expect(values.map(({ handle }) => handle)).toEqual(network.ciphertexts.map(({ handle }) => handle));
  const report = await decryption.finished;
  expect(verdictsOf(report)).toEqual(['agreed', 'wrong', 'agreed', 'agreed', 'agreed', 'wrong', 'agreed']);
});

test.each<[Lie, RegExp]>([
  ['random shares', /share of another value/],
  ['shares off in the highest bit', /share of another value/],
  ['more elements', /SHARE_LENGTH/],
  ['a share that does not decode', /SHARE_LENGTH/],
  ['a signcryption that does not decrypt', /SIGNCRYPTION_UNREADABLE/],
  ['another degree', /RESPONSE_PARTY/],
  ['another party', /RESPONSE_PARTY/],
  ['another linker', /RESPONSE_REQUEST/],
  ['a signature of somebody else', /SIGNER_WRONG/],
])('a node with %s is named, and the values are right', async (lie, reason) => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, { 3: { lie } });
  const decryption = await decryptAll(network);
  expect(await decryption.agreed).toMatchObject(VALUES);
  const { nodes } = await decryption.finished;
  expect(nodes[2]).toMatchObject({ party: 3, verdict: 'wrong', reason: expect.stringMatching(reason) });
});

test('while one of three shares is wrong the client waits for the fourth, then names the liar', async () => {
  const opened = Promise.withResolvers<void>();
  const late: NodeBehaviour = { until: opened.promise };
  await using network = await startUserNetwork(FOUR, TWO_VALUES, { 1: { lie: 'random shares' }, 4: late });
  const decryption = await decryptAll(network);
  const heard = async () => {
    while (verdictsOf(decryption.report()).filter((verdict) => verdict === 'answered').length < 3) {
      await new Promise(setImmediate);
    }
  };
  await heard();
  expect(decryption.report().state).toBe('pending');
  opened.resolve();
  expect(await decryption.agreed).toMatchObject(VALUES);
  expect(verdictsOf(await decryption.finished)).toEqual(['wrong', 'agreed', 'agreed', 'agreed']);
});

test('2t+1 answers complete a request; a node that is down is absent, a silent one late', async () => {
  const asked = Promise.withResolvers<void>();
  const mute: NodeBehaviour = { poll: () => asked.resolve() };
  await using network = await startUserNetwork({ n: 7, t: 2 }, TWO_VALUES, { 5: mute });
  await network.nodes[1]!.close();
  const abort = new AbortController();
  const decryption = await decryptAll(network, PATIENT_MS, abort.signal);
  expect(await decryption.agreed).toMatchObject(VALUES);
  await asked.promise;
  abort.abort();
  const report = await decryption.finished;
  expect(report.state).toBe('succeeded');
  expect(verdictsOf(report)).toEqual(['agreed', 'absent', 'agreed', 'agreed', 'late', 'agreed', 'agreed']);
});

const restarted: NodeBehaviour = {
  poll: (response, honest, polls) => void (polls === 0 ? refuse(response, 404, 'REQUEST_UNKNOWN') : honest()),
};
const slow: NodeBehaviour = {
  poll(response, honest, polls) {
    if (polls < 3) json(response, 200, { requestId: 'ab'.repeat(32), state: 'pending' });
    else honest();
  },
};

test('a restarted node gets the request again; one that answers for another request is wrong', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, { 1: restarted, 2: slow });
  const decryption = await decryptAll(network);
  await decryption.agreed;
  const { nodes } = await decryption.finished;
  expect(nodes[0]).toMatchObject({ verdict: 'agreed' });
  expect(nodes[1]).toMatchObject({ verdict: 'wrong', reason: 'answer to another request' });
  expect(network.nodes[0]!.submissions).toHaveLength(2);
});

test('with more than t nodes gone there is no value, and the error says who', async () => {
  const hang: NodeBehaviour = { poll: () => {} };
  await using network = await startUserNetwork(FOUR, TWO_VALUES, { 1: hang, 2: { lie: 'another party' } });
  const decryption = await decryptAll(network, BRIEF_MS);
  await expect(decryption.agreed).rejects.toMatchObject({
    code: 'ANSWERS_TOO_FEW',
    message: expect.stringMatching(/want 3 shares that agree; parties: 1 late .*, 2 wrong .*, 3 answered, 4 answered/),
  });
  expect(await decryption.finished).toMatchObject({ state: 'failed', error: { code: 'ANSWERS_TOO_FEW' } });
});

test('a refusal of t+1 nodes comes back under their code, at once', async () => {
  const refusing: NodeBehaviour = { submit: (response) => refuse(response, 404, 'KEY_UNKNOWN') };
  const hang: NodeBehaviour = { poll: () => {} };
  await using network = await startUserNetwork(FOUR, TWO_VALUES, { 1: refusing, 2: refusing, 3: hang });
  const abort = new AbortController();
  const decryption = await decryptAll(network, PATIENT_MS, abort.signal);
  await expect(decryption.agreed).rejects.toMatchObject({ code: 'REQUEST_REFUSED', nodeCode: 'KEY_UNKNOWN' });
  abort.abort();
  await decryption.finished;
});

test('an abort ends the wait and says so', async () => {
  const asked = Promise.withResolvers<void>();
  const hang: NodeBehaviour = { poll: () => asked.resolve() };
  await using network = await startUserNetwork(FOUR, TWO_VALUES, { 1: hang, 2: hang, 3: hang, 4: hang });
  const abort = new AbortController();
  const decryption = await decryptAll(network, PATIENT_MS, abort.signal);
  await asked.promise;
  abort.abort();
  await expect(decryption.agreed).rejects.toMatchObject({ code: 'ABORTED' });
  expect(await decryption.finished).toMatchObject({ state: 'failed', error: { code: 'ABORTED' } });
});

test('a delegate reads what the owner of the values allowed', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  const client = clientOf(network);
  const delegatorAddress = '0x00000000000000000000000000000000000000bb';
  const permit = await client.createPermit({ ...permission, delegatorAddress });
  const request = { keyId: KEY_ID, ciphertexts: network.ciphertexts };
  expect(await client.decryptForUser(permit, request).agreed).toMatchObject(VALUES);
  const [body] = network.nodes[0]!.submissions;
  expect(JSON.parse(body!).request.delegatorAddress).toBe(delegatorAddress);
});

test('a contract wallet signs as it likes; nodes ask it', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  const client = clientOf(network);
  const sign: PermitOptions['sign'] = async (typed) => `${await WALLET.owner.signTypedData(typed)}00`;
  const ofWallet = { ...permission, userAddress: WALLET.address, sign };
  const permit = await client.createPermit({ ...ofWallet, contractWallet: true });
  const request = { keyId: KEY_ID, ciphertexts: network.ciphertexts };
  expect(await client.decryptForUser(permit, request).agreed).toMatchObject(VALUES);
  await expect(client.createPermit(ofWallet)).rejects.toMatchObject({ code: 'SIGNATURE_LENGTH' });
  const long = { ...ofWallet, contractWallet: true, sign: async () => `0x${'00'.repeat(4_097)}` };
  await expect(client.createPermit(long)).rejects.toMatchObject({ code: 'SIGNATURE_LENGTH' });
});

test('a quota that is used up is a refusal, not something to wait for', async () => {
  const refusing: NodeBehaviour = { submit: (response) => refuse(response, 429, 'QUOTA_EXCEEDED') };
  await using network = await startUserNetwork(FOUR, TWO_VALUES, { 1: refusing, 2: refusing });
  const decryption = await decryptAll(network);
  await expect(decryption.agreed).rejects.toMatchObject({ code: 'REQUEST_REFUSED', nodeCode: 'QUOTA_EXCEEDED' });
});

test('an erased permit reads nothing any more, and its private key is gone', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  const client = clientOf(network);
  const permit = await client.createPermit(permission);
  const { decapsulationKey } = permit.keys();
  expect(decapsulationKey.some((byte) => byte !== 0)).toBe(true);
  permit.dispose();
  expect(decapsulationKey.every((byte) => byte === 0)).toBe(true);
  const request = { keyId: KEY_ID, ciphertexts: network.ciphertexts };
  expect(() => client.decryptForUser(permit, request)).toThrow(expect.objectContaining({ code: 'PERMIT_ERASED' }));
  for (const { submissions } of network.nodes) expect(submissions).toEqual([]);
});

test('what nodes would refuse is refused before anything is sent', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  const client = clientOf(network);
  const permit = await client.createPermit(permission);
  const ask = (change: Partial<UserCiphertext>, now?: number) => {
    const asking = now === undefined ? client : createClient({ ...network.options, nowMs: () => now });
    const ciphertexts = network.ciphertexts.map((ciphertext) => ({ ...ciphertext, ...change }));
    return () => asking.decryptForUser(permit, { keyId: KEY_ID, ciphertexts });
  };
  const code = (wanted: string) => expect.objectContaining({ code: wanted });
  expect(ask({ contractAddress: '0x00000000000000000000000000000000000000cc' })).toThrow(code('CONTRACT_NOT_SIGNED'));
  expect(ask({ fheType: 'uint4' })).toThrow(code('TYPE_UNSUPPORTED'));
  expect(ask({ fheType: 'float' })).toThrow(code('TYPE_UNSUPPORTED'));
  expect(ask({}, Date.now() + 8 * 86_400_000)).toThrow(code('REQUEST_EXPIRED'));
  for (const { submissions } of network.nodes) expect(submissions).toEqual([]);
});

test.each<[string, Partial<PermitOptions>]>([
  ['CONTRACTS_COUNT', { contractAddresses: [] }],
  ['DURATION', { durationDays: 366 }],
  ['USER_IS_CONTRACT', { contractAddresses: [account.address] }],
  ['EXTRA_DATA_VERSION', { extraData: Uint8Array.of(9) }],
  ['SIGNER_WRONG', { userAddress: '0x00000000000000000000000000000000000000dd' }],
  ['SIGNATURE_LENGTH', { sign: async () => '0x1234' }],
])('a permit that breaks a rule is not made: %s', async (code, change) => {
  await using network = await startUserNetwork(FOUR, [], {});
  const made = clientOf(network).createPermit({ ...permission, ...change });
  await expect(made).rejects.toMatchObject({ name: 'WireError', code });
});

test('a signature that ends with 0 or 1, as some hardware wallets write it, is taken', async () => {
  await using network = await startUserNetwork(FOUR, TWO_VALUES, {});
  const sign: PermitOptions['sign'] = async (typed) => {
    const signature = await permission.sign(typed);
    return `${signature.slice(0, -2)}${signature.endsWith('1b') ? '00' : '01'}`;
  };
  const permit = await clientOf(network).createPermit({ ...permission, sign });
  expect([27, 28]).toContain(permit.signature[64]);
});
