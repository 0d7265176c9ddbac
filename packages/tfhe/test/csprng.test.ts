/** The mask stream against a direct computation block by block, and its layout over the components of a key set. */
import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMaskStream, createSeededStream, keyStreamLayout, keyStreamSeedData } from '../src/csprng.ts';
import { DEFAULT_PARAMETERS, TEST_PARAMETERS } from '../src/parameters.ts';

const MASK_128 = (1n << 128n) - 1n;

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, index) => Number((value >> BigInt(8 * index)) & 255n));
}

function aes(key: Uint8Array, block: Uint8Array): Uint8Array {
  return new Uint8Array(createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block));
}

/** Byte `index` of the stream of a plain 128-bit seed. */
function counterByte(seed: bigint, index: bigint): number {
  return aes(littleEndian(seed), littleEndian((index >> 4n) & MASK_128))[Number(index & 15n)]!;
}

const seed128 = fc.bigInt({ min: 0n, max: MASK_128 });
const position = fc.oneof(
  fc.bigInt({ min: 0n, max: 1n << 40n }),
  fc.constantFrom((1n << 36n) - 5n, (1n << 68n) - 3n, (1n << 100n) - 20n, (1n << 132n) - 40n), // counter carries
);

test('bytes at any position are AES of the little-endian counter', () => {
  fc.assert(
    fc.property(seed128, position, fc.integer({ min: 1, max: 70 }), (seed, start, length) => {
      const firstIndex = { aesIndex: start >> 4n, byteIndex: Number(start & 15n) };
      const inner = { seed: { kind: 'Ctr' as const, value: seed }, firstIndex };
      const bytes = createSeededStream({ version: 1, value: { inner } }).read(length);
      const want = Uint8Array.from(bytes, (_, index) => counterByte(seed, start + BigInt(index)));
      expect(bytes).toEqual(want);
    }),
  );
});

test('a seed of tfhe-rs before 1.6 starts at its second byte', () => {
  expect(createSeededStream({ version: 0, value: { seed: 9n } }).read(1)[0]).toBe(counterByte(9n, 1n));
});

test('reading in pieces, across batches, equals reading at once', () => {
  const data = keyStreamSeedData(new Uint8Array(16).fill(7));
  const whole = createMaskStream(data).read(100_000);
  fc.assert(
    fc.property(fc.nat(99_999), fc.nat(99_999), (a, b) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)];
      const stream = createMaskStream(data, start);
      const pieces = [
        stream.read(Math.floor((end - start) / 3)),
        stream.read(end - start - Math.floor((end - start) / 3)),
      ];
      expect(Buffer.concat(pieces).equals(whole.subarray(start, end))).toBe(true);
      expect(stream.position).toBe(BigInt(end));
    }),
    { numRuns: 50 },
  );
});

test('distinct seed data give distinct streams, also when only the padding differs', () => {
  const heads = [[], [0], [1], Array(16).fill(0), Array(17).fill(0)].map((data) =>
    Buffer.from(createMaskStream(Uint8Array.from(data)).read(32)).toString('hex'),
  );
  expect(new Set(heads).size).toBe(heads.length);
});

test('the components of a key set follow each other without gaps', () => {
  for (const set of [DEFAULT_PARAMETERS, TEST_PARAMETERS]) {
    let position = 0;
    for (const slice of keyStreamLayout(set)) {
      expect(slice.position).toBe(position);
      position += slice.byteCount;
    }
    // Measured on a whole key made in this order and loaded by node-tfhe.
    if (set === TEST_PARAMETERS) expect(position).toBe(2_658_448);
  }
  const sizes = new Map(keyStreamLayout(DEFAULT_PARAMETERS).map(({ component, byteCount }) => [component, byteCount]));
  expect(sizes.get('noise-squashing-key')).toBe(541_458_432);
  expect(sizes.get('key-switching-key')).toBe(60_162_048);
});

test('sizes that make no sense are refused', () => {
  const stream = createMaskStream(new Uint8Array(8));
  for (const size of [-1, 1.5, 2 ** 31]) expect(() => stream.read(size)).toThrow(RangeError);
  expect(() => keyStreamSeedData(new Uint8Array(8))).toThrow(RangeError);
});
