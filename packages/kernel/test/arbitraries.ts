/** Random values for the property tests: uniform bytes mixed with the edges where carries and signs go wrong. */
import * as fc from 'fast-check';
import { asGf16, asGr64, asGr128, type Gf16, type Gr64, type Gr128 } from '../src/batch.ts';
import { createKeystream } from '../src/keystream.ts';

const EDGES = [0x00, 0xff, 0x80, 0x7f, 0x01];

/** `length` bytes: words are uniform, all-zero, all-ones, top bit only, all but the top bit, or one. */
export function edgeBytes(length: number, wordBytes: number): fc.Arbitrary<Uint8Array> {
  const edge = fc.constantFrom(...EDGES).map((value) => {
    const word = new Uint8Array(wordBytes).fill(value === 0xff || value === 0x7f ? 0xff : 0);
    if (value === 0x80 || value === 0x7f) word[wordBytes - 1] = value;
    if (value === 0x01) word[0] = 1;
    return word;
  });
  const uniform = fc.uint8Array({ minLength: wordBytes, maxLength: wordBytes });
  const words = fc.array(fc.oneof(uniform, edge), { minLength: length / wordBytes, maxLength: length / wordBytes });
  return words.map((parts) => {
    const bytes = new Uint8Array(length);
    parts.forEach((part, i) => {
      bytes.set(part, i * wordBytes);
    });
    return bytes;
  });
}

export const gr64Batch = (count: number): fc.Arbitrary<Gr64> => edgeBytes(32 * count, 8).map(asGr64);
export const gr128Batch = (count: number): fc.Arbitrary<Gr128> => edgeBytes(64 * count, 16).map(asGr128);
export const gf16Batch = (count: number): fc.Arbitrary<Gf16> =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: count, maxLength: count })
    .map((e) => asGf16(Uint8Array.from(e)));

/** Deterministic bytes for bulk data; `seed` 0..255. */
export function seededBytes(seed: number, length: number): Uint8Array {
  return createKeystream(new Uint8Array(16).fill(seed)).read(length);
}

/** Subsets of `size` of the parties 1..n, in lexicographic order. */
export function subsetsOf(n: number, size: number): number[][] {
  const result: number[][] = [];
  const extend = (from: number, chosen: number[]): void => {
    if (chosen.length === size) result.push(chosen);
    else for (let party = from; party <= n; party++) extend(party + 1, [...chosen, party]);
  };
  extend(1, []);
  return result;
}

export const PROFILES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
  { n: 13, t: 4 },
] as const;
