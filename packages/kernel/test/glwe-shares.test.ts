/**
 * A GGSW row made on shares: mask times shared key, plus the product of two shared values, plus shared noise, packed,
 * masked with a sharing of zero and opened once at degree 2t, is the row a dealer would make.
 */
import { expect, test } from 'vitest';
import type { Gr64, Gr128 } from '../src/batch.ts';
import type { GlweKernel } from '../src/glwe.ts';
import { createKernel } from '../src/kernel.ts';
import { openingMatrix } from '../src/lagrange.ts';
import type { Ring } from '../src/ring.ts';
import { seededBytes } from './arbitraries.ts';
import { negacyclic, wordsOf } from './kronecker.ts';

const kernel = createKernel();
const SIZE = 256;
const EXPONENT = 41n;

interface Side<E extends Gr64 | Gr128> {
  readonly bits: 64 | 128;
  readonly ring: Ring<E>;
  readonly glwe: GlweKernel<E>;
  readonly name: 'gr64' | 'gr128';
}

function encode<E extends Gr64 | Gr128>({ bits, ring }: Side<E>, values: readonly bigint[]): E {
  const words = values.map((value) => BigInt.asUintN(bits, value));
  const halves = bits === 64 ? words : words.flatMap((word) => [BigInt.asUintN(64, word), word >> 64n]);
  return ring.embed(new Uint8Array(BigUint64Array.from(halves).buffer));
}

/** Shares for parties 1..n of degree `degree`, coefficients from fixed streams. */
function share<E extends Gr64 | Gr128>(
  { ring }: Side<E>,
  secret: E,
  { n, degree, label }: { n: number; degree: number; label: number },
): E[] {
  const random = Array.from({ length: degree }, (_, k) => seededBytes(label + k, secret.length) as unknown as E);
  return Array.from({ length: n }, (_, i) => ring.evaluate([secret, ...random], i + 1));
}

function ggswRow<E extends Gr64 | Gr128>(side: Side<E>, n: number, t: number): void {
  const { bits, ring, glwe, name } = side;
  const wordBytes = bits / 8;
  const key = Array.from(seededBytes(1, 2 * SIZE), (byte) => BigInt(byte & 1));
  const noise = Array.from(seededBytes(2, SIZE), (byte) => BigInt(byte) - 128n);
  const masks = seededBytes(3, 2 * SIZE * wordBytes);
  const shape = { n, degree: t };
  const keyShares = share(side, encode(side, key), { ...shape, label: 10 });
  const bitShares = share(side, encode(side, [1n]), { ...shape, label: 30 });
  const noiseShares = share(side, encode(side, noise), { ...shape, label: 50 });
  const zeroShares = share(side, ring.zeros(SIZE / 4), { n, degree: 2 * t, label: 70 });
  const unit = encode(side, [-(1n << EXPONENT)]);

  const bodies = keyShares.map((keyShare, i) => {
    const linear = glwe.prepareKey(keyShare, SIZE).packedBodies(masks);
    const second = keyShare.subarray(keyShare.length / 2) as unknown as E; // S_1
    const product = ring.scale(ring.mul(unit, bitShares[i]!), ring.pack4(second));
    const sum = ring.add(ring.add(linear, product), ring.pack4(noiseShares[i]!));
    return ring.add(sum, zeroShares[i]!);
  });
  const points = Array.from({ length: n }, (_, i) => i + 1);
  const matrix = openingMatrix(points, 2 * t, name) as unknown as Parameters<typeof ring.open>[0];
  const opened = ring.open(matrix, bodies);
  expect(opened.firstInconsistent).toBe(-1);

  const mask = wordsOf(masks, bits);
  const want = [0, 1].map((q) =>
    negacyclic(mask.slice(q * SIZE, (q + 1) * SIZE), key.slice(q * SIZE, (q + 1) * SIZE), bits),
  );
  // The coordinates of packed elements are the coefficients in order: the opened bytes are the body to publish.
  expect(wordsOf(opened.values, bits)).toEqual(
    noise.map((e, j) => BigInt.asUintN(bits, want[0]![j]! + want[1]![j]! + e - (key[SIZE + j]! << EXPONENT))),
  );
}

test.each([
  [4, 1],
  [7, 2],
])('n=%i t=%i: rows of both rings open to the row a dealer makes', (n, t) => {
  ggswRow({ bits: 64, ring: kernel.gr64, glwe: kernel.glwe64, name: 'gr64' }, n, t);
  ggswRow({ bits: 128, ring: kernel.gr128, glwe: kernel.glwe128, name: 'gr128' }, n, t);
});
