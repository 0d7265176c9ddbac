/**
 * What a production key decrypts, with real processes: what coprocessors attested, and what users have proven with a
 * reference string of the network. Three nodes make that one while the fourth is down; it takes it from them when it
 * comes. Whatever has no right origin is refused by every node alone.
 */
import { stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Client, createClient } from '@keyquorum/client/client';
import type { Committee } from '@keyquorum/client/committee';
import type { Permit } from '@keyquorum/client/permit';
import { crsDigest, decodeCrsFile } from '@keyquorum/crs/crs-file';
import { verifyEncryption } from '@keyquorum/crs/encryption/verify';
import { startState } from '@keyquorum/crs/state';
import { toHex } from '@keyquorum/mpc/bytes';
import type { CrsBody, Status } from '@keyquorum/node/rest/schemas';
import { TFHE_FORMAT } from '@keyquorum/protocols/crs/content';
import { readCompactPublicKey } from '@keyquorum/tfhe/compact-public-key';
import { DEFAULT_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { type ProvenPart, readProvenParts } from '@keyquorum/tfhe/proven-list';
import { crsGenerationDigest } from '@keyquorum/wire/eip712';
import { recoverSigner } from '@keyquorum/wire/signer';
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultConfig, loadNodeTfhe, serialize } from '../../packages/tfhe/test/support/node-tfhe.ts';
import { committeeOf, statusOf } from '../../scripts/network/committee.ts';
import { decrypt, decryptionRequest } from '../../scripts/network/decryption.ts';
import { createEncryptor, type EncryptedValue, type Encryptor, type Sample } from '../../scripts/network/encryption.ts';
import { fetchObject, finishedKey, generateKey, newRequestId } from '../../scripts/network/key-generation.ts';
import type { ConfiguredNode } from '../../scripts/network/local-network.ts';
import { tryCli } from '../../scripts/network/node-process.ts';
import { type ProvingJob, proveInThread } from '../../scripts/network/proving.ts';
import { finishedReferenceString } from '../../scripts/network/reference-string.ts';
import { waitFor } from '../../scripts/network/rest.ts';
import { poolHolds, type TemporaryNetwork, temporaryNetwork } from '../../scripts/network/temporary-network.ts';
import { CONTRACT, HOST_CHAIN } from '../../scripts/network/user.ts';
import { curve, random } from '../conformance/proving.ts';
import { admitBallots, BALLOT_APP, type BallotProof, ballot, boundTo } from './ballots.ts';
import { admitCoprocessors, attested } from './coprocessors.ts';
import { editFile, PARTIES, type Refusal, START_MS } from './running-network.ts';

const WITHIN_MS = 60_000;
/** Three contributions of the size of real keys, on a busy machine. */
const CRS_MS = 300_000;
/** Two bytes. Its size follows from the key: proofs over 1 bit take n = 5892, and these 5904. */
const MAX_BITS = 16;
const BLOCKS = 1_024;

let network: TemporaryNetwork;
let committee: Committee;
const crsId = newRequestId();
let crsFile: Uint8Array;
/** Of the production key. */
let keyId: string;
let publicKey: Uint8Array;
let encryptor: Encryptor;
let client: Client;
const account = privateKeyToAccount(generatePrivateKey());

beforeAll(async () => {
  network = await temporaryNetwork();
  for (const { config } of network.nodes) {
    await editFile(config, /purposes = \[.*\]/, 'purposes = ["production"]');
    await editFile(config, '[keys]', `[pool]\ntarget = ${2 * BLOCKS}\nbatch = ${BLOCKS}\n\n[keys]`);
  }
  await admitCoprocessors(network);
  await admitBallots(network);
  await Promise.all([1, 2, 3].map((party) => network.start(party)));
  await Promise.all([1, 2, 3].map(seesTwoOthers));
}, START_MS);
afterAll(() => network?.[Symbol.asyncDispose]());

function seesTwoOthers(party: number): Promise<true> {
  return waitFor({ what: `links of party ${party}`, withinMs: WITHIN_MS }, async () => {
    const { peers } = await network.rest(party).get<Status>('/v1/status');
    return peers.filter(({ up }) => up).length === 2 || undefined;
  });
}

/** In which nodes of a demo network sign what they generate. */
const GENERATION_DOMAIN = { chainId: 654_321, verifyingContract: `0x${'44'.repeat(20)}` } as const;

test('three of four nodes make a reference string, and say who contributed', async () => {
  const body = { requestId: crsId, parameters: 'base', maxBits: MAX_BITS };
  await network.rest(2).post('/v1/crs', body);
  expect((await network.rest(2).ask('POST', '/v1/crs', { ...body, maxBits: 32 })).status).toBe(409);
  const made = (party: number) => finishedReferenceString(network.rest(party), crsId, CRS_MS);
  for (const { contributors } of await Promise.all([1, 2, 3].map(made))) expect(contributors).toEqual([1, 2, 3]);
});

test('the fourth node takes it from the others when it comes', async () => {
  await network.start(4);
  const { contributors } = await finishedReferenceString(network.rest(4), crsId, WITHIN_MS);
  expect(contributors).toEqual([1, 2, 3]);
});

test('the file is the same everywhere, and signed by each node', async () => {
  const views = await Promise.all(PARTIES.map((party) => network.rest(party).get<CrsBody>(`/v1/crs/${crsId}`)));
  crsFile = await network.rest(4).bytes(`/v1/material/${views[0]!.file!.digest}`);
  expect(decodeCrsFile(crsFile).shape).toMatchObject({ dimension: DEFAULT_PARAMETERS.pke.dimension, blocks: 4 });
  const outcome = {
    crsId: BigInt(`0x${crsId}`),
    maxBitLength: BigInt(MAX_BITS),
    crsDigest: crsDigest(crsFile),
    extraData: new Uint8Array(0),
  };
  for (const [index, { file }] of views.entries()) {
    expect(file!.digest).toBe(toHex(outcome.crsDigest));
    const { signer } = await statusOf(network, PARTIES[index]!);
    const signature = new Uint8Array(Buffer.from(file!.signature, 'hex'));
    expect(recoverSigner(crsGenerationDigest(GENERATION_DOMAIN, outcome), signature)).toBe(signer);
  }
});

test('keyquorum verify-crs checks it from the network file alone, and sees a changed byte', async () => {
  const [{ rest, config }] = network.nodes as [ConfiguredNode];
  const networkFile = join(dirname(config), 'network.toml');
  const online = await tryCli(['verify-crs', `${rest}/v1/crs/${crsId}`, '--network', networkFile]);
  expect(online, online.stderr).toMatchObject({ status: 0 });
  for (const party of [1, 2, 3]) expect(online.stdout).toContain(`party ${party} contributed`);
  expect(online.stdout).not.toContain('party 4 contributed');

  const [changed, transcript] = ['changed', 'transcript'].map((name) => join(network.dir, name)) as [string, string];
  await writeFile(changed, crsFile.with(5_000, crsFile[5_000]! ^ 1));
  await writeFile(transcript, await network.rest(1).bytes(`/v1/crs/${crsId}/transcript`));
  const offline = await tryCli(['verify-crs', changed, '--network', networkFile, '--transcript', transcript]);
  expect(offline).toMatchObject({ status: 9, stderr: expect.stringContaining('CRS_TRANSCRIPT_FILE') });
  expect((await stat(transcript)).size).toBeLessThan(3_000);
});

test('reference strings that are refused', async () => {
  const post = async (body: object) => {
    const whole = { requestId: newRequestId(), ...body };
    const { status, body: answer } = await network.rest(1).ask<Refusal>('POST', '/v1/crs', whole);
    return [status, answer.error.code];
  };
  expect(await post({ parameters: 'base', maxBits: 3 })).toEqual([422, 'CRS_PARAMETERS']);
  expect(await post({ parameters: 'base', maxBits: 4096 })).toEqual([400, 'BODY_INVALID']);
  expect(await post({ maxBits: 8 })).toEqual([400, 'BODY_INVALID']);
  expect(await post({ keyId: newRequestId() })).toEqual([404, 'KEY_UNKNOWN']);
  expect((await network.rest(1).ask('GET', `/v1/crs/${newRequestId()}/transcript`)).status).toBe(404);
});

test('all four make a production key, and none with parameters that protect nothing', async () => {
  await network.allReady();
  await Promise.all(PARTIES.map((party) => poolHolds(network, party, BLOCKS)));
  const weak = { requestId: newRequestId(), parameters: 'test', purpose: 'production' };
  const refusal = await network.rest(1).ask<Refusal>('POST', '/v1/keys', weak);
  expect(refusal.body.error.code).toBe('KEYGEN_REFUSED');
  const key = await generateKey(network.rest(1), { parameters: 'base', purpose: 'production' });
  keyId = key.requestId;
  await Promise.all(PARTIES.map((party) => finishedKey(network.rest(party), keyId, WITHIN_MS)));
  publicKey = await fetchObject(network.rest(1), key, 'CompactPublicKey');
  encryptor = createEncryptor(publicKey);
  committee = await committeeOf(network);
  client = createClient({ ...committee, apiKey: network.apiKey });
});

interface Dry {
  readonly checks: readonly { readonly check: string; readonly passed: boolean | null; readonly code?: string }[];
}

/** A ciphertext that no node decrypts, and what each says. */
interface Wrong {
  readonly ciphertext: EncryptedValue;
  readonly code: string;
  readonly app?: string;
  /** That fail in a dry run, the first with the code; default `provenance.0`. */
  readonly checks?: readonly string[];
}

/** Asks all nodes at once for each, and the first for a dry run: proofs cost half a second of a core, each time. */
async function refused(wrong: Readonly<Record<string, Wrong>>): Promise<void> {
  for (const [what, { ciphertext, code, app = 'default', checks = ['provenance.0'] }] of Object.entries(wrong)) {
    const request = () => ({ ...decryptionRequest(keyId, [ciphertext]), app });
    const ask = (party: number) => network.rest(party).ask<Refusal>('POST', '/v1/public-decryptions', request());
    const answers = await Promise.all(PARTIES.map(ask));
    expect([what, ...answers.map(({ body }) => body.error?.code)]).toEqual([what, ...PARTIES.map(() => code)]);
    const dryRun = { kind: 'public-decryption', request: request() };
    const dry = await network.rest(1).ask<Dry>('POST', '/v1/explain', dryRun);
    const failed = dry.body.checks.filter(({ passed }) => passed === false);
    expect([what, failed.map(({ check }) => check), failed[0]?.code]).toEqual([what, checks, code]);
  }
}

const fresh = (value: bigint) => encryptor.encrypt([{ type: 'uint8', value }], 'packed')[0]!;

/** To read values of the contract, by default on the chain where it is. */
function permitOf(user: PrivateKeyAccount, hostChainId = HOST_CHAIN): Promise<Permit> {
  return client.createPermit({
    ...{ userAddress: user.address, contractAddresses: [CONTRACT], hostChainId, durationDays: 1 },
    sign: (typed) => user.signTypedData(typed),
  });
}

test('what coprocessors attested is decrypted; everything else is refused by every node alone', async () => {
  const attest = (ciphertext: EncryptedValue, who?: readonly number[]) => attested(committee, keyId, ciphertext, who);
  const genuine = await attest(fresh(200n));
  const requestId = newRequestId();
  const { agreed, finished } = client.decryptPublic({ requestId, keyId, ciphertexts: [genuine] });
  expect((await agreed).values).toMatchObject([{ value: '200', handle: genuine.handle }]);
  expect((await finished).nodes.map(({ verdict }) => verdict)).toEqual(PARTIES.map(() => 'agreed'));
  const otherSigners = await attest(genuine, [2, 0]);
  const again = await client.decryptPublic({ requestId, keyId, ciphertexts: [otherSigners] }).agreed;
  expect(again.values).toMatchObject([{ value: '200' }]); // other signatures, the same request

  // One node is asked: that others take part shows that it sends them the attestations.
  const { values } = await decrypt(network.rest(2), decryptionRequest(keyId, [await attest(fresh(77n))]));
  expect(values).toMatchObject([{ value: '77' }]);

  const permit = await permitOf(account);
  const ofContract = (ciphertext: EncryptedValue) => ({ ...ciphertext, contractAddress: CONTRACT });
  const read = client.decryptForUser(permit, { keyId, ciphertexts: [ofContract(genuine)] });
  expect(await read.agreed).toMatchObject([{ value: 200n }]);
  const raw = client.decryptForUser(permit, { keyId, ciphertexts: [ofContract(fresh(1n))] });
  await expect(raw.agreed).rejects.toMatchObject({ nodeCode: 'PROVENANCE_REQUIRED' });

  const { handle, provenance } = genuine;
  const twin = await attest({ ...fresh(6n), handle });
  const wrong: Record<string, Wrong> = {
    nothing: { ciphertext: fresh(1n), code: 'PROVENANCE_REQUIRED' },
    'one signature': { ciphertext: await attest(fresh(2n), [1]), code: 'ATTESTATIONS_TOO_FEW' },
    'one signature twice': { ciphertext: await attest(fresh(3n), [1, 1]), code: 'ATTESTATION_REPEATED' },
    'other bytes': { ciphertext: { ...fresh(4n), handle, ...{ provenance } }, code: 'ATTESTATION_SIGNER' },
    'another key': { ciphertext: await attested(committee, newRequestId(), fresh(5n)), code: 'ATTESTATION_SIGNER' },
    'two coprocessors that lied': { ciphertext: twin, code: 'HANDLE_CONFLICT', checks: ['handles.0'] },
  };
  await refused(wrong);
  for (const party of PARTIES) {
    const metrics = new TextDecoder().decode(await network.rest(party).bytes('/metrics'));
    expect(metrics).toMatch(/^keyquorum_handle_conflicts_total 1$/m);
  }
});

const BYTES: readonly Sample[] = [
  { type: 'uint8', value: 200n },
  { type: 'uint8', value: 55n },
];

/** The list after a change to the ciphertexts or the proof of its first part. */
function spoilt(value: EncryptedValue, change: (part: ProvenPart) => void): EncryptedValue {
  const list = new Uint8Array(Buffer.from(value.bytes, 'base64'));
  change(readProvenParts(list, DEFAULT_PARAMETERS)[0]!); // views into the list
  return { ...value, bytes: Buffer.from(list).toString('base64') };
}

/** One point of the proof becomes another, so that all are still in their groups. */
function swapPoints({ proof }: ProvenPart): void {
  const { pi, cH1 } = proof.value.value;
  if (pi.kind !== 'Uncompressed' || cH1.kind !== 'Uncompressed') throw new Error('node-tfhe compressed its points');
  pi.value.x.limbs.set(cH1.value.x.limbs);
  pi.value.y.limbs.set(cH1.value.y.limbs);
}

/** Proven by node-tfhe, and rightly: what our verifier says to it before a node does. */
async function provenList(job: ProvingJob): Promise<EncryptedValue[]> {
  const values = await proveInThread(job);
  const parts = readProvenParts(new Uint8Array(Buffer.from(values[0]!.bytes, 'base64')), DEFAULT_PARAMETERS);
  const publicKey = readCompactPublicKey(job.publicKey, DEFAULT_PARAMETERS);
  verifyEncryption(curve, random, { crs: decodeCrsFile(job.crs), publicKey, metadata: job.metadata }, parts);
  return values;
}

/** As it should be; under a key of somebody else; with a string whose secret everybody knows. */
async function provenLists(proof: BallotProof): Promise<[EncryptedValue[], EncryptedValue[], EncryptedValue[]]> {
  const tfhe = loadNodeTfhe();
  const stranger = tfhe.TfheCompactPublicKey.new(tfhe.TfheClientKey.generate(defaultConfig(tfhe)));
  const subject = TFHE_FORMAT.subject(crsId, { parameters: 'base', maxBits: MAX_BITS });
  const right = { publicKey, crs: crsFile, metadata: boundTo(proof), samples: BYTES };
  return Promise.all([
    provenList(right),
    provenList({ ...right, publicKey: serialize(stranger) }),
    provenList({ ...right, crs: TFHE_FORMAT.encode(subject, startState(subject)) }),
  ]);
}

test('what its user has proven is decrypted; everything else is refused by every node alone', async () => {
  const proof = { crsId, contractAddress: CONTRACT, userAddress: account.address };
  const [lists, ofStranger, ofKnownSecret] = await provenLists(proof);
  const input = (value: EncryptedValue, claim: Partial<BallotProof> = {}) =>
    ballot(value, 'uint8', { ...proof, ...claim });
  const [first, second] = lists.map((value) => input(value)) as [EncryptedValue, EncryptedValue];
  const app = BALLOT_APP;

  const { agreed, finished } = client.decryptPublic({ keyId, app, ciphertexts: [first] });
  expect((await agreed).values).toMatchObject([{ fheType: 'uint8', value: '200', handle: first.handle }]);
  expect((await finished).nodes.map(({ verdict }) => verdict)).toEqual(PARTIES.map(() => 'agreed'));
  const { values } = await decrypt(network.rest(3), { ...decryptionRequest(keyId, [second]), app });
  expect(values).toMatchObject([{ value: '55' }]); // one node was asked

  const read = (permit: Permit) => {
    return client.decryptForUser(permit, { keyId, app, ciphertexts: [{ ...second, contractAddress: CONTRACT }] })
      .agreed;
  };
  expect(await read(await permitOf(account))).toMatchObject([{ value: 55n }]);
  const stranger = privateKeyToAccount(generatePrivateKey());
  await expect(read(await permitOf(stranger))).rejects.toMatchObject({ nodeCode: 'PROOF_USER' });
  await expect(read(await permitOf(account, 1))).rejects.toMatchObject({ nodeCode: 'PROOF_CONTRACT' });

  const raw = fresh(1n);
  const { provenance: _, ...unproven } = first;
  const changedMask = spoilt(first, ({ masks }) => masks.set([masks[0]! ^ 1]));
  const wrong: Record<string, Wrong> = {
    nothing: { app, ciphertext: raw, code: 'PROVENANCE_REQUIRED' },
    'no word about the proof': { app, ciphertext: unproven, code: 'PROVENANCE_REQUIRED' },
    'a list that has none': { app, ciphertext: ballot(raw, 'uint8', proof), code: 'PROOF_MALFORMED' },
    attestations: { app, ciphertext: await attested(committee, keyId, raw), code: 'PROVENANCE_REQUIRED' },
    'another application': { ciphertext: first, code: 'PROVENANCE_REQUIRED' },
    'an application of others': {
      app: 'theirs',
      ciphertext: first,
      code: 'FORBIDDEN',
      checks: ['application', 'provenance.0'],
    },
    'another contract': { app, ciphertext: input(first, { contractAddress: account.address }), code: 'PROOF_CONTRACT' },
    'another user': { app, ciphertext: input(first, { userAddress: stranger.address }), code: 'PROOF_INVALID' },
    'another key': { app, ciphertext: input(ofStranger[0]!), code: 'PROOF_INVALID' },
    'a known secret': { app, ciphertext: input(ofKnownSecret[0]!), code: 'PROOF_INVALID' },
    'another string': { app, ciphertext: input(first, { crsId: newRequestId() }), code: 'CRS_UNKNOWN' },
    'a changed mask': { app, ciphertext: input(changedMask), code: 'PROOF_INVALID' },
    'a changed proof': { app, ciphertext: input(spoilt(first, swapPoints)), code: 'PROOF_INVALID' },
    'any handle': { app, ciphertext: { ...first, handle: newRequestId() }, code: 'PROOF_HANDLE' },
    'the handle of another slot': { app, ciphertext: { ...second, handle: first.handle }, code: 'PROOF_HANDLE' },
    'another slot': { app, ciphertext: { ...first, slot: 1 }, code: 'PROOF_HANDLE' },
    'a slot that is none': {
      app,
      ciphertext: { ...first, slot: 2 },
      code: 'CIPHERTEXT_SLOT',
      checks: ['ciphertexts.0'],
    },
    'another type': { app, ciphertext: ballot(first, 'uint4', proof), code: 'PROOF_HANDLE' },
  };
  await refused(wrong);
});
