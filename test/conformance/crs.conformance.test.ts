/**
 * node-tfhe takes reference strings that we make: it loads one, writes the same bytes again, proves and verifies with
 * it, and refuses another one or other metadata. The key is the smallest that it proves with; two contributions.
 */
import { randomBytes } from 'node:crypto';
import { contribute } from '@keyquorum/crs/contribution';
import { crsFileBytes, decodeCrsFile, encodeCrsFile } from '@keyquorum/crs/crs-file';
import { crsParameters } from '@keyquorum/crs/parameters';
import { type CrsState, startState } from '@keyquorum/crs/state';
import { verifyContribution } from '@keyquorum/crs/verification';
import { inThisThread } from '@keyquorum/crs/workers';
import { createBls446 } from '@keyquorum/kernel/bls446';
import { TFHE_FORMAT } from '@keyquorum/protocols/crs/content';
import type * as Tfhe from 'node-tfhe';
import { beforeAll, expect, test } from 'vitest';
import { SMALL_KEY } from '../../packages/crs/test/support/small-key.ts';
import { loadNodeTfhe, SIZE_LIMIT, serialize } from '../../packages/tfhe/test/support/node-tfhe.ts';

const MAX_BITS = 32;
const parameters = crsParameters(SMALL_KEY, MAX_BITS);
const random = (count: number) => new Uint8Array(randomBytes(count));
const curve = createBls446();
const tools = { curve, workers: inThisThread(curve, random) };
const tfhe = loadNodeTfhe();
const metadata = new TextEncoder().encode('contract, user and chain');

/** The file after these contributions, each checked. */
async function makeFile(number: bigint, rounds: readonly number[]): Promise<Uint8Array> {
  const subject = { parameters, number };
  let state: CrsState = startState(subject);
  for (const round of rounds) {
    const contribution = await contribute(tools, subject, state, { round, random });
    state = await verifyContribution(tools, subject, state, { round, contribution });
  }
  return TFHE_FORMAT.encode(subject, { g1: state.g1, g2: state.g2 });
}

/** Of keys whose compact public key has dimension 32. */
function configuration(): Tfhe.TfheConfig {
  const { pke, messageModulus, carryModulus } = SMALL_KEY;
  const block = new tfhe.ShortintParameters(tfhe.ShortintParametersName.PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128);
  const [keySwitchBaseLog, keySwitchLevels] = [37, 1];
  const small = tfhe.ShortintCompactPublicKeyEncryptionParameters.new_parameters(
    pke.dimension,
    tfhe.Shortint.try_new_t_uniform(pke.noiseBoundLog2),
    BigInt(messageModulus),
    BigInt(carryModulus),
    64,
    keySwitchBaseLog,
    keySwitchLevels,
    tfhe.ShortintEncryptionKeyChoice.Small,
  );
  return tfhe.TfheConfigBuilder.with_custom_parameters(block)
    .use_dedicated_compact_public_key_parameters(small)
    .build();
}

const load = (file: Uint8Array) => tfhe.CompactPkeCrs.safe_deserialize(file, SIZE_LIMIT);

let file: Uint8Array;
let crs: Tfhe.CompactPkeCrs;
beforeAll(async () => {
  file = await makeFile(2n ** 100n, [1, 2]);
  crs = load(file);
});

test('node-tfhe writes the bytes that it has read, and so do we', () => {
  expect(file.length).toBe(crsFileBytes(parameters.size));
  expect(Buffer.compare(serialize(crs), file)).toBe(0);
  expect(Buffer.compare(encodeCrsFile(decodeCrsFile(serialize(crs))), file)).toBe(0);
});

test('a proven list is accepted, and refused with another reference string, metadata or key', async () => {
  const client = tfhe.TfheClientKey.generate(configuration());
  const publicKey = tfhe.TfheCompactPublicKey.new(client);
  tfhe.set_server_key(tfhe.TfheServerKey.new(client)); // verifying also expands the list
  const builder = tfhe.CompactCiphertextList.builder(publicKey);
  builder.push_u8(200);
  builder.push_boolean(true);
  const list = builder.build_with_proof_packed(crs, metadata, tfhe.ZkComputeLoad.Verify);
  // What it expands to is of no use: the smallest key is too noisy to be cast to the server's.
  expect(list.verify_and_expand(crs, publicKey, metadata).len()).toBe(2);
  expect(refusal(() => list.verify_and_expand(crs, publicKey, new Uint8Array(3)))).toMatch('InvalidZkProof');
  const other = load(await makeFile(3n, [1]));
  expect(refusal(() => list.verify_and_expand(other, publicKey, metadata))).toMatch('InvalidZkProof');
  const stranger = tfhe.TfheCompactPublicKey.new(tfhe.TfheClientKey.generate(configuration()));
  expect(refusal(() => list.verify_and_expand(crs, stranger, metadata))).toMatch('InvalidZkProof');
});

function refusal(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return String(error);
  }
  return 'accepted';
}
