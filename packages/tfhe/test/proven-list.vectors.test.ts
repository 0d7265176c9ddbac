/** A list with proofs of encryption (made once, see support/make-proven-list.ts): values, proofs, refusals. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CiphertextError, readCiphertext } from '../src/ciphertext.ts';
import { DEFAULT_PARAMETERS } from '../src/parameters.ts';
import { safeDeserialize, safeSerialize, TYPE_NAME } from '../src/safe-serialize.ts';
import { provenCompactCiphertextList } from '../src/schema/ciphertexts.ts';
import { openValue } from './support/clear-text.ts';
import { loadNodeTfhe, SIZE_LIMIT } from './support/node-tfhe.ts';

const vector = JSON.parse(readFileSync(new URL('../vectors/proven-list.json', import.meta.url), 'utf8')) as {
  values: string[];
  pkeSecretBits: string;
  list: string;
};
const bytes = new Uint8Array(Buffer.from(vector.list, 'base64'));
const keys = { big: new Uint8Array(0), pke: Uint8Array.from(vector.pkeSecretBits, Number) };
const parse = () => safeDeserialize(TYPE_NAME.provenCompactCiphertextList, provenCompactCiphertextList, bytes);

test('every value opens, across the boundaries of three proofs', () => {
  expect(parse().inner.proved.lists.map(({ blocks }) => blocks.lwe.count)).toEqual([1, 1, 1]);
  for (const [slot, value] of vector.values.entries()) {
    const opened = openValue(readCiphertext('proven-list', bytes, { parameters: DEFAULT_PARAMETERS, slot }), keys);
    expect(opened.value).toBe(BigInt(value));
    expect(opened.noise < 1n << 25n).toBe(true);
  }
  expect(loadNodeTfhe().ProvenCompactCiphertextList.safe_deserialize(bytes, SIZE_LIMIT).len()).toBe(2);
});

test('it round trips, and its proofs are uncompressed points of seven limbs', () => {
  const list = parse();
  const written = safeSerialize(TYPE_NAME.provenCompactCiphertextList, provenCompactCiphertextList, list);
  expect(written).toEqual(bytes);
  for (const { proof } of list.inner.proved.lists) {
    expect(proof.value.value.pi.kind).toBe('Uncompressed');
    expect(proof.value.value.computeLoad).toBeNull();
  }
});

test('any changed byte: a value or a CiphertextError', () => {
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(2), (at, byte, slot) => {
      const changed = new Uint8Array(bytes);
      changed[at] = byte;
      try {
        readCiphertext('proven-list', changed, { parameters: DEFAULT_PARAMETERS, slot });
      } catch (error) {
        if (!(error instanceof CiphertextError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

test('parts that disagree about packing are refused', () => {
  const list = parse();
  const lists = list.inner.proved.lists.map(({ blocks, proof }, index) => ({
    blocks: { ...blocks, degree: index === 0 ? blocks.degree : 3 },
    proof,
  }));
  const mixed = safeSerialize(TYPE_NAME.provenCompactCiphertextList, provenCompactCiphertextList, {
    ...list,
    inner: { ...list.inner, proved: { lists } },
  });
  const read = () => readCiphertext('proven-list', mixed, { parameters: DEFAULT_PARAMETERS });
  expect(read).toThrow(expect.objectContaining({ code: 'CIPHERTEXT_PARAMETERS', field: 'parts[1].degree' }));
});
