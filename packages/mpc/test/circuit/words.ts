/** Words c and r for the circuit, with all borders of the bit selection, and what must come out. */
import { asGf16, type Gf16 } from '@keyquorum/kernel/batch';
import fc from 'fast-check';
import { MODULUS_BITS } from '../../src/circuit/plan.ts';

const BORDERS = [0n, 1n, 1n << 31n, 1n << 32n, 1n << 58n, 1n << 59n, 1n << 60n, 1n << 62n, 1n << 63n];
const EDGES = BORDERS.flatMap((border) => [border, border - 1n, -border, border + 1n]).map((word) =>
  BigInt.asUintN(64, word),
);
const word = fc.oneof(fc.constantFrom(...EDGES), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));

/** (c, r): independent, or r chosen so that the difference is an edge. */
export const wordPair: fc.Arbitrary<readonly [bigint, bigint]> = fc.oneof(
  fc.tuple(word, word),
  fc.tuple(word, fc.constantFrom(...EDGES)).map(([c, difference]) => [c, BigInt.asUintN(64, c - difference)] as const),
);

/** What node software decrypts: bits 59..62 of c - r, or 0 when the padding bit is set. */
export function messageOf([c, r]: readonly [bigint, bigint]): number {
  const difference = BigInt.asUintN(64, c - r);
  return difference >> 63n ? 0 : Number((difference >> 59n) & 15n);
}

export function publicWords(words: readonly (readonly [bigint, bigint])[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(words, ([c]) => c).buffer);
}

/** The bits of r, wire-major. */
export function secretBits(words: readonly (readonly [bigint, bigint])[]): Gf16 {
  const bits = new Uint8Array(MODULUS_BITS * words.length);
  for (let bit = 0; bit < MODULUS_BITS; bit++) {
    words.forEach(([, r], block) => {
      bits[bit * words.length + block] = Number((r >> BigInt(bit)) & 1n);
    });
  }
  return asGf16(bits);
}

/** The opened messages, from their four bits, wire-major. */
export function messagesFrom(bits: Uint8Array): number[] {
  const blocks = bits.length / 4;
  return Array.from({ length: blocks }, (_, block) =>
    [0, 1, 2, 3].reduce((value, bit) => value | (bits[bit * blocks + block]! << bit), 0),
  );
}
