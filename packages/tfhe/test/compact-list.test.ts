/** Masks cut out of lists of any words and any lengths, against multiplication by X^i in BigInt. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCiphertext } from '../src/ciphertext.ts';
import { TEST_PARAMETERS } from '../src/parameters.ts';
import { safeSerialize, TYPE_NAME } from '../src/safe-serialize.ts';
import { compactCiphertextList } from '../src/schema/ciphertexts.ts';
import { NATIVE_64 } from '../src/schema/core.ts';
import { bytesOf, wordsOf } from './support/clear-text.ts';

const N = TEST_PARAMETERS.pke.dimension;

/** A plain list of uint8 values with these words. */
function listOf(data: BigUint64Array, values: number): Uint8Array {
  const lwe = { data: bytesOf(data), lweSize: N + 1, count: 4 * values, ciphertextModulus: NATIVE_64 };
  const expansionKind = { version: 1 as const, value: { kind: 'RequiresCasting' as const, value: null } };
  const blocks = { lwe, degree: 3, messageModulus: 4, carryModulus: 4, expansionKind };
  const items = Array.from({ length: values }, () => ({ version: 1, value: { kind: 'Unsigned', value: 4 } }) as const);
  const value = { inner: { blocks, items }, tag: { data: new Uint8Array(0) } };
  return safeSerialize(TYPE_NAME.compactCiphertextList, compactCiphertextList, value);
}

/** Mask polynomial times X^power mod X^N + 1. */
function timesPowerOfX(mask: BigUint64Array, power: number): BigUint64Array {
  const product = new BigUint64Array(N);
  for (const [index, word] of mask.entries()) {
    const at = index + power;
    product[at % N] = at < N ? word : -word;
  }
  return product;
}

// Words whose lower half is zero carry into the upper half when negated.
const word = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(0n, 1n, 1n << 32n, (1n << 64n) - (1n << 32n), 1n << 63n),
);

test('ciphertext i has the mask of its chunk times X^i and body i', () => {
  const maxValues = Math.ceil((2.5 * N) / 4);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: maxValues }),
      fc.nat(),
      fc.array(word, { minLength: 8, maxLength: 64 }),
      (values, pick, pool) => {
        const count = 4 * values;
        const chunks = Math.ceil(count / N);
        // Repeating the drawn words with a stride keeps drawing fast and neighbours different.
        const data = BigUint64Array.from({ length: chunks * N + count }, (_, at) => pool[(at * 7) % pool.length]!);
        const slot = pick % values;
        const value = readCiphertext('compact-list', listOf(data, values), { parameters: TEST_PARAMETERS, slot });
        const masks = wordsOf(value.masks);
        for (let block = 0; block < 4; block++) {
          const index = 4 * slot + block;
          const chunk = Math.floor(index / N);
          const want = timesPowerOfX(data.subarray(chunk * N, (chunk + 1) * N), index % N);
          expect(masks.subarray(block * N, (block + 1) * N)).toEqual(want);
          expect(wordsOf(value.bodies)[block]).toBe(data[chunks * N + index]);
        }
      },
    ),
    { numRuns: 60 },
  );
});
