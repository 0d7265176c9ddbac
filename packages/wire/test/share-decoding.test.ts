/** Opening and unpacking at a client, against a BigInt dealer: any t lie in any way, m shares have come. */
import { asGr128, type Gr128 } from '@keyquorum/kernel/batch';
import { encodeGr128, type GrElement } from '@keyquorum/kernel/gr';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WireError } from '../src/error.ts';
import {
  decodePackedShare,
  encodePackedShare,
  packedBlockCount,
  packedElementCount,
  requirePackingFactor,
  unpackValue,
} from '../src/packed-share.ts';
import { decodeShares } from '../src/share-decoding.ts';
import { ALL_TYPES, packedElements, shareElements } from './support/committee.ts';

const word = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
const element: fc.Arbitrary<GrElement> = fc.tuple(word, word, word, word);
const size = fc.constantFrom({ n: 4, t: 1 }, { n: 7, t: 2 }, { n: 9, t: 2 }, { n: 13, t: 4 }, { n: 15, t: 4 });

/** Changes one coefficient of one element by a power of two: lies that residues mod 2 do not show. */
function lie(share: Gr128, index: number, bit: number): Gr128 {
  const bytes = new Uint8Array(share);
  const at = (64 * index) % bytes.length;
  bytes[at + (bit >> 3)] = bytes[at + (bit >> 3)]! ^ (1 << (bit & 7));
  return asGr128(bytes);
}

const scene = size.chain(({ n, t }) => {
  const parties = Array.from({ length: n }, (_, index) => index + 1);
  return fc.record({
    n: fc.constant(n),
    t: fc.constant(t),
    secrets: fc.array(element, { minLength: 1, maxLength: 4 }),
    order: fc.shuffledSubarray(parties, { minLength: n, maxLength: n }),
    liars: fc.nat(t),
    absent: fc.nat(n),
    bits: fc.array(fc.nat(511), { minLength: t + 1, maxLength: t + 1 }),
    at: fc.nat(3),
  });
});

test('2t+1 agreeing shares give the secret and name every liar; with fewer nothing is accepted', () => {
  fc.assert(
    fc.property(scene, ({ n, t, secrets, order, liars, absent, bits, at }) => {
      const dealt = shareElements(secrets, n, t);
      const lying = order.slice(0, liars);
      const shares = new Map(order.slice(0, Math.max(liars, n - absent)).map((party) => [party, dealt[party - 1]!]));
      lying.forEach((party, k) => {
        shares.set(party, lie(shares.get(party)!, at + k, bits[k]!));
      });
      const decoded = decodeShares(shares, t);
      if (shares.size - liars < 2 * t + 1) expect(decoded).toBeUndefined();
      else expect(decoded).toEqual({ elements: secrets, wrong: lying.sort((left, right) => left - right) });
    }),
    { numRuns: 150 },
  );
});

test('more than t liars among 3t+1: nothing wrong is accepted unless 2t+1 of them agree', () => {
  const [secrets, forged] = [[[1n, 0n, 0n, 0n]], [[2n, 0n, 0n, 0n]]] as const;
  const [honest, false_] = [shareElements(secrets, 7, 2), shareElements(forged, 7, 2)];
  const mixed = (liars: number) => new Map(honest.map((share, i) => [i + 1, i < liars ? false_[i]! : share]));
  expect(decodeShares(mixed(2), 2)).toEqual({ elements: secrets, wrong: [1, 2] });
  for (const liars of [3, 4]) expect(decodeShares(mixed(liars), 2)).toBeUndefined();
});

test('values of all types come back through both packing factors, with noise just below the bound', () => {
  const factor = fc.constantFrom<1 | 2>(1, 2);
  fc.assert(
    fc.property(fc.constantFrom(...ALL_TYPES), factor, fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), (type, f, v) => {
      const { fheType, bits } = type;
      const packingFactor = fheType === 0 ? 1 : f;
      const value = BigInt.asUintN(bits, v);
      const elements = packedElements({ fheType, bits, value }, packingFactor, 122);
      expect(elements.length).toBe(packedElementCount(fheType, packingFactor));
      expect(unpackValue(fheType, packingFactor, elements)).toBe(value);
    }),
  );
});

test('element counts of the format', () => {
  const counts = ALL_TYPES.map(({ fheType }) => packedElementCount(fheType, fheType === 0 ? 1 : 2));
  expect(counts).toEqual([1, 1, 1, 2, 4, 8, 10, 16]);
  expect(packedBlockCount(8, 1)).toBe(128);
  for (const [factor, type] of [
    [0, 5],
    [3, 5],
    [2, 0],
  ] as const) {
    expect(() => requirePackingFactor(factor, type)).toThrow(expect.objectContaining({ code: 'PACKING_FACTOR' }));
  }
});

test('a block in the padding, with carries, or beyond the type is refused', () => {
  const at = (message: bigint): GrElement => [message << 123n, 0n, 0n, 0n];
  const outOfRange = expect.objectContaining({ code: 'VALUE_OUT_OF_RANGE' });
  expect(unpackValue(0, 1, [at(1n)])).toBe(1n);
  expect(() => unpackValue(0, 1, [at(2n)])).toThrow(outOfRange);
  expect(unpackValue(2, 2, [at(15n)])).toBe(15n);
  expect(() => unpackValue(2, 2, [at(16n)])).toThrow(outOfRange);
  expect(() => unpackValue(2, 1, [at(4n)])).toThrow(outOfRange);
});

test('share bytes: exactly the elements of the type, any other bytes are refused', () => {
  fc.assert(
    fc.property(fc.array(element, { minLength: 4, maxLength: 4 }), (elements) => {
      const bytes = encodePackedShare(encodeGr128(elements));
      expect(decodePackedShare(bytes, 5, 2)).toEqual(encodeGr128(elements));
      expect(() => decodePackedShare(bytes, 4, 2)).toThrow(expect.objectContaining({ code: 'SHARE_LENGTH' }));
      expect(() => decodePackedShare(bytes.subarray(0, -1), 5, 2)).toThrow(WireError);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        expect(encodePackedShare(decodePackedShare(bytes, 2, 2))).toEqual(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
  );
});
