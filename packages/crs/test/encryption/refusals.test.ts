/** What is refused before anything is computed. That proofs of node-tfhe are taken is test/conformance. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { asG1Points, asG2Points, coordinatesToBytes, G1_BYTES, G2_BYTES } from '@keyquorum/kernel/bls446-encoding';
import { DEFAULT_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { type ProvenPart, readProvenParts } from '@keyquorum/tfhe/proven-list';
import { expect, test } from 'vitest';
import { EncryptionProofError } from '../../src/crs-error.ts';
import { type CrsFile, KMS_PROOF_LABELS } from '../../src/crs-file.ts';
import { PARTS_MAX, verifyEncryption } from '../../src/encryption/verify.ts';
import { crsParameters } from '../../src/parameters.ts';
import { tools } from '../support/curve-tools.ts';

const VECTOR = new URL('../../../tfhe/vectors/proven-list.json', import.meta.url);
const vector = JSON.parse(readFileSync(VECTOR, 'utf8')) as { readonly list: string };
const parts = readProvenParts(new Uint8Array(Buffer.from(vector.list, 'base64')), DEFAULT_PARAMETERS);
const [part] = parts as [ProvenPart];

const { dimension } = DEFAULT_PARAMETERS.pke;
/** Without its points: whatever needs them comes later. */
const crs: CrsFile = {
  ...{ shape: crsParameters(DEFAULT_PARAMETERS, 8), number: null, labels: KMS_PROOF_LABELS },
  ...{ g1: asG1Points(new Uint8Array(2 * G1_BYTES)), g2: asG2Points(new Uint8Array(G2_BYTES)) },
};
const publicKey = { mask: new Uint8Array(8 * dimension), body: new Uint8Array(8 * dimension) };

function codeOf(list: readonly ProvenPart[], key = publicKey): string {
  try {
    const verification = { crs, publicKey: key, metadata: new Uint8Array(0) };
    verifyEncryption(tools.curve, (count) => new Uint8Array(randomBytes(count)), verification, list);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof EncryptionProofError)) throw error;
    return error.code;
  }
}

type Proof = ProvenPart['proof'];

function changed(change: Partial<Proof['value']['value']>): ProvenPart {
  const value = { ...part.proof.value.value, ...change };
  return { ...part, proof: { kind: 'PkeV2', value: { ...part.proof.value, value } } as Proof }; // the version stays
}

test('no part, an empty part, and more ciphertexts than the reference string is for', () => {
  expect(codeOf([])).toBe('PROOF_CAPACITY');
  expect(codeOf([{ ...part, bodies: new Uint8Array(0) }])).toBe('PROOF_CAPACITY');
  expect(codeOf([{ ...part, bodies: new Uint8Array(8 * 3) }])).toBe('PROOF_CAPACITY');
});

test('more proofs than are checked for one list, whatever they are', () => {
  expect(codeOf(Array.from({ length: PARTS_MAX + 1 }, () => part))).toBe('PROOF_PARTS');
});

test('a key or mask of another dimension', () => {
  expect(codeOf([part], { ...publicKey, mask: new Uint8Array(8) })).toBe('PROOF_INVALID');
  expect(codeOf([{ ...part, masks: new Uint8Array(8) }])).toBe('PROOF_INVALID');
});

test('points that are compressed, off the curve or outside the group, and hashes of old', () => {
  const { pi } = part.proof.value.value;
  if (pi.kind !== 'Uncompressed') throw new Error('the vector has uncompressed points');
  const { x } = pi.value;
  const one = { limbs: coordinatesToBytes([1n]) };
  const zero = { limbs: new Uint8Array(x.limbs.length) };
  for (const change of [
    { cE: { kind: 'Compressed', value: { x, takeLargestY: true } } },
    { cR: { kind: 'Uncompressed', value: { x, y: x } } },
    { pi: { kind: 'Uncompressed', value: { x: zero, y: zero } } },
    { piKzg: { kind: 'Uncompressed', value: { x: zero, y: one } } }, // on the curve, of order 3
  ] as const) {
    expect(codeOf([changed(change)]), Object.keys(change).join()).toBe('PROOF_MALFORMED');
  }
  for (const kind of ['V0_4_0', 'BackwardCompat', 'Classical'] as const) {
    const hashing = { kind, value: null } as Proof['value']['value']['hashing']; // of one version or the other
    expect(codeOf([changed({ hashing } as Partial<Proof['value']['value']>)]), kind).toBe('PROOF_UNSUPPORTED');
  }
});
