/**
 * The same as crs.conformance.test.ts at the size that applications use: the default parameters and 2048 bits. One
 * contribution, made on all cores, serves all tests. Beside them node-tfhe makes a reference string of its own.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { contribute } from '@keyquorum/crs/contribution';
import { decodeCrsFile, encodeCrsFile } from '@keyquorum/crs/crs-file';
import { verifyEncryption } from '@keyquorum/crs/encryption/verify';
import { crsParameters, MAX_BITS } from '@keyquorum/crs/parameters';
import { startState } from '@keyquorum/crs/state';
import { verifyContribution } from '@keyquorum/crs/verification';
import { startCurvePool } from '@keyquorum/node/curve/pool';
import { TFHE_FORMAT } from '@keyquorum/protocols/crs/content';
import { readCompactPublicKey } from '@keyquorum/tfhe/compact-public-key';
import { DEFAULT_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { readProvenParts } from '@keyquorum/tfhe/proven-list';
import type * as Tfhe from 'node-tfhe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultConfig, loadNodeTfhe, SIZE_LIMIT, serialize } from '../../packages/tfhe/test/support/node-tfhe.ts';
import { type ComputeLoad, curve, prove, random } from './proving.ts';

const metadata = new TextEncoder().encode('contract, user and chain');
const otherMetadata = new Uint8Array(3);
const subject = { parameters: crsParameters(DEFAULT_PARAMETERS, MAX_BITS), number: 2n ** 127n };
const FILE_BYTES = 4_571_368;
const tfhe = loadNodeTfhe();
const load = (bytes: Uint8Array) => tfhe.CompactPkeCrs.safe_deserialize(bytes, SIZE_LIMIT);

let file: Uint8Array;
/** Of the same size, before anybody contributed. */
let start: Uint8Array;
let client: Tfhe.TfheClientKey;
let key: Tfhe.TfheCompactPublicKey;
let stranger: Tfhe.TfheCompactPublicKey;
const proven = new Map<ComputeLoad, Tfhe.ProvenCompactCiphertextList>();
const maker = new Worker(new URL('./node-tfhe-string.ts', import.meta.url), { execArgv: [] });
const made = once(maker, 'message') as Promise<[Uint8Array]>;

beforeAll(async () => {
  const workers = startCurvePool();
  try {
    const tools = { curve, workers };
    const before = startState(subject);
    const contribution = await contribute(tools, subject, before, { round: 1, random });
    const { g1, g2 } = await verifyContribution(tools, subject, before, { round: 1, contribution });
    file = TFHE_FORMAT.encode(subject, { g1, g2 });
    start = TFHE_FORMAT.encode(subject, before);
  } finally {
    await workers.close();
  }
  client = tfhe.TfheClientKey.generate(defaultConfig(tfhe));
  key = tfhe.TfheCompactPublicKey.new(client);
  stranger = tfhe.TfheCompactPublicKey.new(tfhe.TfheClientKey.generate(defaultConfig(tfhe)));
});
afterAll(() => maker.terminate());

/** A byte and a boolean: a list of one uint64 takes node-tfhe four times as long to expand. */
function provenFor(computeLoad: ComputeLoad): Tfhe.ProvenCompactCiphertextList {
  const builder = tfhe.CompactCiphertextList.builder(key);
  builder.push_u8(200);
  builder.push_boolean(true);
  const list = proven.get(computeLoad) ?? prove(tfhe, builder, { file, metadata, computeLoad });
  proven.set(computeLoad, list);
  return list;
}

test.each(['node-tfhe-1.4.2', 'node-tfhe-1.6.1', 'node-tfhe'] as const)('%s writes the bytes that it reads', (name) => {
  expect(file.length).toBe(FILE_BYTES);
  const written = serialize(loadNodeTfhe(name).CompactPkeCrs.safe_deserialize(file, SIZE_LIMIT));
  expect(Buffer.compare(written, file)).toBe(0);
  expect(Buffer.compare(encodeCrsFile(decodeCrsFile(written)), file)).toBe(0);
});

test.each(['Proof', 'Verify'] as const)('our verifier takes what node-tfhe proves for load "%s"', (computeLoad) => {
  const list = readProvenParts(serialize(provenFor(computeLoad)), DEFAULT_PARAMETERS);
  const publicKeyOf = (of: Tfhe.TfheCompactPublicKey) => readCompactPublicKey(serialize(of), DEFAULT_PARAMETERS);
  const honest = { crs: decodeCrsFile(file), publicKey: publicKeyOf(key), metadata };
  const verdict = (claim: Partial<typeof honest>) =>
    outcome(() => verifyEncryption(curve, random, { ...honest, ...claim }, list));
  expect(verdict({})).toBe('accepted');
  expect(verdict({ metadata: otherMetadata })).toMatch('not proven for this list');
  expect(verdict({ crs: decodeCrsFile(start) })).toMatch('not proven for this list');
  expect(verdict({ publicKey: publicKeyOf(stranger) })).toMatch('not proven for this list');
});

test('node-tfhe takes its proofs for both loads, and no others', () => {
  tfhe.set_server_key(tfhe.TfheServerKey.new(client)); // it also expands what it verifies
  for (const computeLoad of ['Proof', 'Verify'] as const) {
    const expanded = provenFor(computeLoad).verify_and_expand(load(file), key, metadata);
    expect([expanded.get_uint8(0).decrypt(client), expanded.get_bool(1).decrypt(client)]).toEqual([200, true]);
    const refused = (...claim: Parameters<Tfhe.ProvenCompactCiphertextList['verify_and_expand']>) =>
      expect(outcome(() => provenFor(computeLoad).verify_and_expand(...claim))).toMatch('InvalidZkProof');
    refused(load(file), key, otherMetadata);
    refused(load(start), key, metadata);
    refused(load(file), stranger, metadata);
  }
});

test('we write the bytes of a reference string that node-tfhe made', async () => {
  const [written] = await made;
  const crs = decodeCrsFile(written);
  expect(crs.shape).toMatchObject({ dimension: DEFAULT_PARAMETERS.pke.dimension, blocks: 1 });
  expect(Buffer.compare(encodeCrsFile(crs), written)).toBe(0);
});

function outcome(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return String(error);
  }
  return 'accepted';
}
