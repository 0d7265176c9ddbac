/** Pseudo-random sharing: what the parties compute apart lies on one polynomial with the promised secret. */
import { createCipheriv } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { asGf16, asGr64, type Gf16, type Gr64, type Gr128 } from '../src/batch.ts';
import { KernelError } from '../src/errors.ts';
import { field16Mul } from '../src/field16.ts';
import {
  decodeGr64,
  decodeGr128,
  encodeGr64,
  encodeGr128,
  GR_ZERO,
  type GrBits,
  type GrElement,
  grAdd,
  grMul,
} from '../src/gr.ts';
import { createKernel } from '../src/kernel.ts';
import { createKeystream, type Keystream } from '../src/keystream.ts';
import { openingMatrix } from '../src/lagrange.ts';
import type { Ring } from '../src/ring.ts';
import { normalisedWeights, smallWeightAtZero, smallWeights } from '../src/weights.ts';
import { PROFILES, seededBytes, subsetsOf } from './arbitraries.ts';

const kernel = createKernel();
const COUNT = 21;

const keyOf = (subset: readonly number[], label: number): Uint8Array => {
  const key = new Uint8Array(16).fill(label);
  key.set(subset);
  return key;
};
const partiesOf = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** One party's view: its subsets and a fresh keystream for each. */
function holdings(n: number, t: number, party: number, label: number) {
  const subsets = subsetsOf(n, n - t).filter((subset) => subset.includes(party));
  return { subsets, streams: subsets.map((subset) => createKeystream(keyOf(subset, label))) };
}

function ringShares<E>(ring: Ring<E>, n: number, t: number, label: number, count = COUNT): E[] {
  return partiesOf(n).map((party) => {
    const { subsets, streams } = holdings(n, t, party, label);
    return ring.prss(streams, smallWeights(subsets, n, party), count);
  });
}

/** The documented element of a keystream block: signed 16-bit limbs, index limb*4 + coefficient. */
function element(block: Uint8Array, index: number, bits: GrBits): GrElement {
  const view = new DataView(block.buffer, block.byteOffset + (index * bits) / 2);
  const coefficient = (k: number) => {
    let sum = 0n;
    for (let limb = 0; limb < bits / 16; limb++)
      sum += BigInt(view.getInt16(2 * (4 * limb + k), true)) << BigInt(16 * limb);
    return BigInt.asUintN(bits, sum);
  };
  return [coefficient(0), coefficient(1), coefficient(2), coefficient(3)];
}

function secretOf(n: number, t: number, label: number, bits: GrBits): GrElement[] {
  const subsets = subsetsOf(n, n - t);
  const blocks = subsets.map((subset) => createKeystream(keyOf(subset, label)).read((COUNT * bits) / 2));
  const factors = subsets.map((subset) => smallWeightAtZero(subset, n, bits));
  return Array.from({ length: COUNT }, (_, i) =>
    blocks.reduce<GrElement>(
      (sum, block, s) => grAdd(sum, grMul(factors[s]!, element(block, i, bits), bits), bits),
      GR_ZERO,
    ),
  );
}

describe.each(PROFILES)('n=$n, t=$t', ({ n, t }) => {
  const points = partiesOf(n);

  test('gr64 shares lie on one polynomial of degree t whose value at 0 is sum g_A(0) psi_A', () => {
    const opened = kernel.gr64.open(openingMatrix(points, t, 'gr64'), ringShares<Gr64>(kernel.gr64, n, t, 1));
    expect(opened.firstInconsistent).toBe(-1);
    expect(opened.values).toEqual(encodeGr64(secretOf(n, t, 1, 64)));
  });

  test('gr128 shares do so too', () => {
    const opened = kernel.gr128.open(openingMatrix(points, t, 'gr128'), ringShares<Gr128>(kernel.gr128, n, t, 2));
    expect(opened.firstInconsistent).toBe(-1);
    expect(opened.values).toEqual(encodeGr128(secretOf(n, t, 2, 128)));
  });

  test('gf16 shares with normalised weights open to the sum of the streams', () => {
    const shares = points.map((party) => {
      const { subsets, streams } = holdings(n, t, party, 3);
      return kernel.gf16.prss(streams, normalisedWeights(subsets, n, party, 'gf16'), COUNT);
    });
    const opened = kernel.gf16.open(openingMatrix(points, t, 'gf16'), shares);
    expect(opened.firstInconsistent).toBe(-1);
    const want = new Uint8Array(COUNT);
    for (const subset of subsetsOf(n, n - t)) {
      const block = createKeystream(keyOf(subset, 3)).read(Math.ceil(COUNT / 2));
      for (let i = 0; i < COUNT; i++) want[i]! ^= (block[i >> 1]! >> (4 * (i & 1))) & 15;
    }
    expect(opened.values).toEqual(want);
  });

  test('t sharings without a constant term add up to a sharing of 0 of degree exactly 2t', () => {
    const levels = Array.from({ length: t }, (_, j) => ringShares<Gr64>(kernel.gr64, n, t, 10 + j));
    const shares = points.map((party, i) =>
      kernel.gr64.evaluate([kernel.gr64.zeros(COUNT), ...levels.map((level) => level[i]!)], party),
    );
    const opened = kernel.gr64.open(openingMatrix(points, 2 * t, 'gr64'), shares);
    expect(opened).toEqual({ values: kernel.gr64.zeros(COUNT), firstInconsistent: -1 });
    expect(kernel.gr64.open(openingMatrix(points, 2 * t - 1, 'gr64'), shares).firstInconsistent).not.toBe(-1);
  });

  test('normalised weights share the plain sum of bounded values at degree t', () => {
    const subsets = subsetsOf(n, n - t);
    const noises = subsets.map((subset) => kernel.gr64.noise(createKeystream(keyOf(subset, 5)), 18, COUNT));
    const shares = points.map((party) => {
      const mine = subsets.map((_, s) => s).filter((s) => subsets[s]!.includes(party));
      const weights = normalisedWeights(
        mine.map((s) => subsets[s]!),
        n,
        party,
        'gr64',
      );
      return mine.reduce(
        (sum, s, i) => kernel.gr64.addScaled(sum, asGr64(weights.slice(32 * i, 32 * i + 32)), noises[s]!),
        kernel.gr64.zeros(COUNT),
      );
    });
    const opened = kernel.gr64.open(openingMatrix(points, t, 'gr64'), shares);
    expect(opened.firstInconsistent).toBe(-1);
    expect(opened.values).toEqual(noises.reduce((sum, noise) => kernel.gr64.add(sum, noise), kernel.gr64.zeros(COUNT)));
  });
});

test('chunks do not show: one long call equals many short ones on the same streams', () => {
  const { subsets, streams } = holdings(4, 1, 2, 7);
  const weights = smallWeights(subsets, 4, 2);
  const long = kernel.gr64.prss(streams, weights, 5000);
  const again = holdings(4, 1, 2, 7).streams;
  const short = [1, 2048, 2049, 902].map((count) => kernel.gr64.prss(again, weights, count));
  expect(Buffer.concat(short).equals(long)).toBe(true);
});

test('extreme limbs do not overflow the lanes at 13 of 4', () => {
  const subsets = subsetsOf(13, 9).filter((subset) => subset.includes(13));
  const weights = smallWeights(subsets, 13, 13);
  const constant = (byte: number): Keystream => ({ read: (bytes) => new Uint8Array(bytes).fill(byte) });
  for (const byte of [0x80, 0x7f, 0xff]) {
    const got = decodeGr64(
      kernel.gr64.prss(
        subsets.map(() => constant(byte)),
        weights,
        2,
      ),
    );
    const psi = element(new Uint8Array(32).fill(byte), 0, 64);
    const sum = subsets.reduce<GrElement>((total, _, s) => {
      const column = Array.from(weights.matrices.subarray(16 * s, 16 * s + 16), BigInt);
      const row = (r: number) => [0, 1, 2, 3].reduce((part, c) => part + column[4 * r + c]! * psi[c]!, 0n);
      return grAdd(total, [row(0), row(1), row(2), row(3)], 64);
    }, GR_ZERO);
    expect(got).toEqual([sum, sum]);
  }
});

test('families that would overflow, and subsets without the party, are refused', () => {
  const wide = subsetsOf(15, 2).filter((subset) => subset.includes(1));
  expect(() => smallWeights(wide, 15, 1)).toThrow(KernelError);
  expect(() => smallWeights([[2, 3, 4]], 4, 1)).toThrow(KernelError);
  expect(() => kernel.gr64.prss([], smallWeights([[1, 2, 3]], 4, 1), 1)).toThrow(KernelError);
});

describe('keystream', () => {
  test('is AES-128-CTR of zeros from counter 0, whatever the read sizes', () => {
    const key = seededBytes(9, 16);
    const sizes = [0, 1, 15, 16, 17, 70_000, 600_000, 3];
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const want = createCipheriv('aes-128-ctr', key, new Uint8Array(16)).update(new Uint8Array(total));
    const stream = createKeystream(key);
    expect(Buffer.concat(sizes.map((size) => stream.read(size))).equals(want)).toBe(true);
    expect(() => createKeystream(new Uint8Array(32))).toThrow(KernelError);
  });
});

describe('noise', () => {
  /** Every value of the bits of a sample once: the exact distribution is visible as counts. */
  const counting = (width: number): Keystream => {
    let next = 0;
    return {
      read(bytes) {
        const step = Math.ceil((width + 1) / 8);
        return Uint8Array.from({ length: bytes }, (_, i) => {
          if (i % step === 0 && i > 0) next++;
          const value = Math.floor(next / 256 ** (i % step)) & 255;
          if (i === bytes - 1) next++;
          return value;
        });
      },
    };
  };

  test.each([1, 2, 7, 8, 9, 11])('width %i: each value in [1, 2^width) twice, the ends once', (width) => {
    const counts = new Array<number>(2 ** width + 1).fill(0);
    const batch = kernel.gr64.noise(counting(width), width, 2 ** (width + 1) / 4);
    for (const coefficient of decodeGr64(batch).flat()) counts[Number(coefficient)]!++;
    expect(counts).toEqual(counts.map((_, value) => (value === 0 || value === 2 ** width ? 1 : 2)));
  });

  test.each([18, 46, 62])('width %i reads ceil((width+1)/8) bytes per sample in both rings', (width) => {
    const key = seededBytes(4, 16);
    const step = Math.ceil((width + 1) / 8);
    const bytes = createKeystream(key).read(4 * step * 9000);
    const want = (sample: number) => {
      let value = 0n;
      for (let i = step - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[sample * step + i]!);
      return BigInt.asUintN(width, value) + ((value >> BigInt(width)) & 1n);
    };
    const got64 = decodeGr64(kernel.gr64.noise(createKeystream(key), width, 9000)).flat();
    const got128 = decodeGr128(kernel.gr128.noise(createKeystream(key), width, 9000)).flat();
    for (let i = 0; i < got64.length; i += 7) expect([got64[i], got128[i]]).toEqual([want(i), want(i)]);
  });
});

test('gf16 products of shares are shares of products', () => {
  const polynomials = [1, 2].map((seed) =>
    [0, 1].map((k) => asGf16(seededBytes(seed + 2 * k, COUNT).map((b) => b & 15))),
  );
  const shares = (which: number): Gf16[] =>
    partiesOf(4).map((point) => kernel.gf16.evaluate(polynomials[which]!, point));
  const products = shares(0).map((share, i) => kernel.gf16.mul(share, shares(1)[i]!));
  const opened = kernel.gf16.open(openingMatrix(partiesOf(4), 2, 'gf16'), products);
  expect(opened.firstInconsistent).toBe(-1);
  expect([...opened.values]).toEqual([...polynomials[0]![0]!].map((x, i) => field16Mul(x, polynomials[1]![0]![i]!)));
});
