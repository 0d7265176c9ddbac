/** The recurrences against what they stand for: products of matrices and polynomials, written out. */
import { R } from '@keyquorum/kernel/bls446-encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { modulo, powers, publicPolynomials } from '../../src/encryption/polynomials.ts';
import { type EncryptionStatement, NORMS, signedWords, witnessSizes } from '../../src/encryption/statement.ts';
import type { Challenges } from '../../src/encryption/transcript.ts';

const PLAINTEXT_BITS = 4;
const DELTA_LOG2 = 59n;

const scalar = fc.bigInt({ min: 0n, max: R - 1n });
const bytes = (words: number) => fc.uint8Array({ minLength: 8 * words, maxLength: 8 * words });
const shape = fc.record({ dimension: fc.integer({ min: 2, max: 9 }), blocks: fc.integer({ min: 1, max: 9 }) });
const statement: fc.Arbitrary<EncryptionStatement> = shape.chain(({ dimension, blocks: wanted }) => {
  const blocks = Math.min(wanted, dimension);
  const words = { a: bytes(dimension), b: bytes(dimension), c1: bytes(dimension), c2: bytes(blocks) };
  return fc
    .record({ ...words })
    .map((parts) => ({ dimension, blocks, noiseBound: 1n, plaintextModulus: 32, ...parts }));
});

function challenges(columns: number): fc.Arbitrary<Challenges> {
  const count = NORMS * columns;
  return fc.record({
    signs: fc
      .array(fc.constantFrom(-1, 0, 1), { minLength: count, maxLength: count })
      .map((all) => Int8Array.from(all)),
    ...{ phi: scalar, xi: scalar, y: scalar, t: scalar, theta: scalar, omega: scalar, z: scalar },
    delta: fc.array(scalar, { minLength: 7, maxLength: 7 }),
    afterEvaluations: fc.constant(() => 0n),
  });
}

const proof = statement.chain((each) =>
  fc.tuple(fc.constant(each), challenges(2 * (each.dimension + each.blocks) + 4), fc.nat(3)),
);

/** left * right mod X^d + 1 */
function negacyclic(left: readonly bigint[], right: readonly bigint[]): bigint[] {
  const d = left.length;
  const product = new Array<bigint>(d).fill(0n);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) product[(i + j) % d]! += (i + j < d ? 1n : -1n) * left[i]! * right[j]!;
  }
  return product;
}

/** `zs`: powers of z from the 0th. */
const value = (coefficients: ReadonlyMap<number, bigint>, zs: readonly bigint[]): bigint =>
  modulo([...coefficients].reduce((sum, [power, factor]) => sum + factor * zs[power]!, 0n));

/** As tfhe-zk-pok defines them: coefficient of each power of X. */
function written(each: EncryptionStatement, drawn: Challenges, n: number) {
  const { dimension: d, blocks: k } = each;
  const { witnessBits, normBits } = witnessSizes(each);
  const { theta, xi, y, t, phi, omega, signs } = drawn;
  const [r, dec, eq, dy, dtheta, e] = drawn.delta as [bigint, bigint, bigint, bigint, bigint, bigint];
  const thetas = powers(theta, d + k);
  const [ys, ts, xis, phis, omegas] = [
    powers(y, n),
    powers(t, n),
    powers(xi, NORMS),
    powers(phi, NORMS),
    powers(omega, n),
  ];
  const reversed = (words: BigInt64Array) => [...words].map((_, i) => (i === 0 ? words[0]! : -words[d - i]!));
  const upper = [...new Array<bigint>(d - k).fill(0n), ...thetas.slice(d).toReversed()];
  const masks = negacyclic(reversed(signedWords(each.a)), thetas.slice(0, d));
  const bodies = negacyclic(reversed(signedWords(each.b)), upper);
  const plain = thetas.slice(d).flatMap((power) => [0n, 1n, 2n, 3n].map((bit) => power << (DELTA_LOG2 + bit)));
  const map = [...masks.map((mask, j) => mask + bodies[j]!), ...plain];
  const column = (j: number) => phis.reduce((sum, power, i) => sum + BigInt(signs[j * NORMS + i]!) * power, 0n);
  const h1 = new Map<number, bigint>();
  for (let j = 0; j < witnessBits + NORMS * normBits; j++) {
    const digit = j - witnessBits;
    const last = digit % normBits === normBits - 1;
    const weight = digit < 0 ? 0n : dec * (xis[Math.floor(digit / normBits)]! << BigInt(digit % normBits));
    h1.set(n - j, (digit < 0 ? dtheta * map[j]! : last ? -weight : weight) - dy * ys[j]! + eq * ts[j]! * ys[j]!);
  }
  const h2 = new Map<number, bigint>();
  for (let j = 0; j < n; j++) {
    h2.set(n - j, (j < d + k ? dtheta * thetas[j]! : 0n) + e * omegas[j]! + (j < d + k + 4 ? r * column(j) : 0n));
  }
  const h3 = new Map(thetas.map((power, j) => [n - j, r * column(d + k + 4 + j) - (dtheta << 64n) * power]));
  return {
    ...{ h1, h2, h3 },
    t: new Map(ts.map((power, j) => [j + 1, power])),
    omega: new Map(omegas.slice(0, d + k + 4).map((power, j) => [j + 1, power])),
    linear: [...signedWords(each.c1), ...signedWords(each.c2)].reduce((sum, word, i) => sum + word * thetas[i]!, 0n),
  };
}

test('every polynomial has the value of its definition', () => {
  fc.assert(
    fc.property(proof, ([each, drawn, room]) => {
      const sizes = witnessSizes(each);
      expect(sizes.witnessBits).toBe(each.dimension + PLAINTEXT_BITS * each.blocks);
      const n = sizes.witnessBits + NORMS * sizes.normBits + room; // lists may be shorter than there is room for
      const { h3Coefficients, ...got } = publicPolynomials(each, sizes, drawn, n);
      const { linear, ...polynomials } = written(each, drawn, n);
      const zs = powers(drawn.z, n + 1);
      expect(got.linear).toBe(modulo(linear));
      for (const name of ['h1', 'h2', 'h3', 't', 'omega'] as const) {
        expect(got[name], name).toBe(value(polynomials[name], zs));
      }
      expect(h3Coefficients).toEqual([...polynomials.h3.values()].map(modulo));
    }),
    { numRuns: 3 },
  );
});
