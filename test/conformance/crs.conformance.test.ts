/**
 * node-tfhe takes reference strings that we make: it loads one, writes the same bytes again, proves and verifies with
 * it, and refuses another one or other metadata; our verifier of its proofs says the same, and takes those of older
 * releases. The key is the smallest that it proves with; two contributions.
 */
import { crsFileBytes, decodeCrsFile, encodeCrsFile } from '@keyquorum/crs/crs-file';
import { verifyEncryption } from '@keyquorum/crs/encryption/verify';
import { crsParameters } from '@keyquorum/crs/parameters';
import type { CompactPublicKeyParts } from '@keyquorum/tfhe/compact-public-key';
import { readProvenParts } from '@keyquorum/tfhe/proven-list';
import type * as Tfhe from 'node-tfhe';
import { beforeAll, expect, test } from 'vitest';
import { SMALL_KEY } from '../../packages/crs/test/support/small-key.ts';
import { loadNodeTfhe, type NodeTfhe, SIZE_LIMIT, serialize } from '../../packages/tfhe/test/support/node-tfhe.ts';
import {
  type ComputeLoad,
  compactKeyConfiguration,
  curve,
  prove,
  publicKeyParts,
  random,
  referenceString,
} from './proving.ts';

const parameters = crsParameters(SMALL_KEY, 32);
const tfhe = loadNodeTfhe();
const metadata = new TextEncoder().encode('contract, user and chain');

/** A byte and a boolean: three ciphertexts, of the eight that there is room for. */
function proveSmall(of: NodeTfhe, key: Tfhe.TfheCompactPublicKey, computeLoad: ComputeLoad) {
  const builder = of.CompactCiphertextList.builder(key);
  builder.push_u8(200);
  builder.push_boolean(true);
  return prove(of, builder, { file, metadata, computeLoad });
}

const load = (bytes: Uint8Array) => tfhe.CompactPkeCrs.safe_deserialize(bytes, SIZE_LIMIT);

interface Verified {
  readonly list: Uint8Array;
  readonly publicKey: CompactPublicKeyParts;
  readonly bound?: Uint8Array;
  readonly string?: Uint8Array;
}

/** What our verifier says. */
function verdict({ list, publicKey, bound = metadata, string = file }: Verified): string {
  return refusal(() => {
    const verification = { crs: decodeCrsFile(string), publicKey, metadata: bound };
    verifyEncryption(curve, random, verification, readProvenParts(list, SMALL_KEY));
  });
}

let file: Uint8Array;
let other: Uint8Array;
beforeAll(async () => {
  file = await referenceString({ parameters, number: 2n ** 100n }, [1, 2]);
  other = await referenceString({ parameters, number: 3n }, [1]);
});

test.each(['node-tfhe-1.4.2', 'node-tfhe-1.6.1', 'node-tfhe'] as const)('%s writes the bytes that it reads', (name) => {
  expect(file.length).toBe(crsFileBytes(parameters.size));
  const written = serialize(loadNodeTfhe(name).CompactPkeCrs.safe_deserialize(file, SIZE_LIMIT));
  expect(Buffer.compare(written, file)).toBe(0);
  expect(Buffer.compare(encodeCrsFile(decodeCrsFile(written)), file)).toBe(0);
});

test.each(['Verify', 'Proof'] as const)(
  'a list proven for load "%s" is taken, and nothing else with its proof',
  (of) => {
    const client = tfhe.TfheClientKey.generate(compactKeyConfiguration(tfhe, SMALL_KEY));
    const key = tfhe.TfheCompactPublicKey.new(client);
    const proven = proveSmall(tfhe, key, of);
    const [list, publicKey] = [serialize(proven), publicKeyParts(key)];
    expect(verdict({ list, publicKey })).toBe('accepted');
    const stranger = tfhe.TfheCompactPublicKey.new(
      tfhe.TfheClientKey.generate(compactKeyConfiguration(tfhe, SMALL_KEY)),
    );
    expect(verdict({ list, publicKey, bound: new Uint8Array(3) })).toMatch('not proven for this list');
    expect(verdict({ list, publicKey, string: other })).toMatch('not proven for this list');
    expect(verdict({ list, publicKey: publicKeyParts(stranger) })).toMatch('not proven for this list');
    for (const at of changedPlaces(list)) {
      const changed = Uint8Array.from(list);
      changed[at]! ^= 1;
      expect(verdict({ list: changed, publicKey }), `byte ${at}`).not.toBe('accepted');
    }
    if (of === 'Proof') return; // node-tfhe's own verdict once: it needs a server key, to expand the list as well
    tfhe.set_server_key(tfhe.TfheServerKey.new(client));
    // What it expands to is of no use: the smallest key is too noisy to be cast to the server's.
    expect(proven.verify_and_expand(load(file), key, metadata).len()).toBe(2);
    expect(refusal(() => proven.verify_and_expand(load(file), key, new Uint8Array(3)))).toMatch('InvalidZkProof');
    expect(refusal(() => proven.verify_and_expand(load(other), key, metadata))).toMatch('InvalidZkProof');
    expect(refusal(() => proven.verify_and_expand(load(file), stranger, metadata))).toMatch('InvalidZkProof');
  },
);

test.each(['node-tfhe-1.4.2', 'node-tfhe-1.6.1'] as const)('a list that %s has proven is taken', (name) => {
  const older = loadNodeTfhe(name);
  const key = older.TfheCompactPublicKey.new(older.TfheClientKey.generate(compactKeyConfiguration(older, SMALL_KEY)));
  const verified = { list: serialize(proveSmall(older, key, 'Proof')), publicKey: publicKeyParts(key) };
  expect(verdict(verified)).toBe('accepted');
  expect(verdict({ ...verified, bound: new Uint8Array(3) })).toMatch('not proven for this list');
});

/** Words of the list, coordinates of the proof: whatever is not the first byte of a number is not a version either. */
function changedPlaces(list: Uint8Array): number[] {
  const [step, first] = [397, 150];
  return Array.from({ length: Math.floor((list.length - first) / step) }, (_, index) => first + index * step);
}

function refusal(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return String(error);
  }
  return 'accepted';
}
