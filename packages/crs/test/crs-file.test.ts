/** Files as tfhe-rs writes them. That node-tfhe reads and writes the same bytes is test/conformance. */
import { createHash } from 'node:crypto';
import { asG1Points, asG2Points, G1_BYTES, G2_BYTES, P } from '@keyquorum/kernel/bls446-encoding';
import { createLabelledDigest, DIGEST_LABEL } from '@keyquorum/wire/digest';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CrsFileError } from '../src/crs-error.ts';
import {
  type CrsFile,
  crsDigest,
  crsFileBytes,
  decodeCrsFile,
  encodeCrsFile,
  KMS_PROOF_LABELS,
} from '../src/crs-file.ts';
import { crsParameters } from '../src/parameters.ts';
import { SMALL_KEY } from './support/small-key.ts';

const parameters = crsParameters(SMALL_KEY, 32);
const { size } = parameters;
const { dimension, blocks, noiseBound, plaintextModulus } = parameters;
const shape = { dimension, blocks, noiseBound, plaintextModulus };

/** What stands behind the points: sizes, kind of bound, number, labels. */
const SIZES_BYTES = 8 * 8 + 16;
const BOUND_BYTES = 8;
const NUMBER_BYTES = 17;
const LABELS_BYTES = 4 + 11 * 16;

const hash = (input: Uint8Array) => createHash('sha256').update(input).digest('hex');

/** Coordinates below p, no points of the curve: the format does not look. */
function points(count: number, pointBytes: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(count * pointBytes);
  bytes.forEach((_, index) => {
    bytes[index] = index % 56 < 55 ? (index * 31 + seed) % 251 : (index / 56 + seed) % 32;
  });
  return bytes;
}

const g1 = points(2 * size, G1_BYTES, 1);
g1.fill(0, size * G1_BYTES, (size + 1) * G1_BYTES);
const file: CrsFile = {
  ...{ shape, number: 2n ** 127n + 5n, labels: KMS_PROOF_LABELS },
  ...{ g1: asG1Points(g1), g2: asG2Points(points(size, G2_BYTES, 7)) },
};
const bytes = encodeCrsFile(file);

test('what is written is read back, and written again byte for byte', () => {
  expect(bytes.length).toBe(crsFileBytes(size));
  const read = decodeCrsFile(bytes);
  expect({ ...read, g1: hash(read.g1), g2: hash(read.g2) }).toEqual({ ...file, g1: hash(file.g1), g2: hash(file.g2) });
  expect(hash(encodeCrsFile(read))).toBe(hash(bytes));
});

test('a file without a number of its ceremony', () => {
  const unnumbered = encodeCrsFile({ ...file, number: null });
  expect(unnumbered.length).toBe(bytes.length - 16);
  expect(decodeCrsFile(unnumbered).number).toBeNull();
});

test('the layout, place by place', () => {
  const hex = Buffer.from(bytes);
  expect(hex.subarray(8, 11).toString()).toBe('0.5');
  expect(hex.subarray(34, 51).toString()).toBe('zk::CompactPkeCrs');
  expect([51, 55, 59, 63].map((at) => hex.readUInt32LE(at))).toEqual([1, 1, 1, 0]);
  expect(hex.readBigUInt64LE(67)).toBe(BigInt(2 * size));
  const middle = 75 + 144 * size;
  expect([hex.readUInt32LE(middle - 144), hex.readUInt32LE(middle - 140)]).toEqual([0, 2]);
  expect([hex.readUInt32LE(middle), hex.readUInt32LE(middle + 4)]).toEqual([0, 0]);
  const labels = hex.subarray(-11 * 16).toString('latin1');
  expect(labels.match(/[A-Z][A-Za-z0-9_]{7}/g)).toEqual([
    ...['ZKHASH__', 'ZKHASH_R', 'ZKHASH_T', 'ZKHASH_W', 'ZK_AGGRE', 'ZKLINMAP'],
    ...['ZKHA_PHI', 'ZKHAS_XI', 'ZKHASH_Z', 'ZKHA_CHI', 'VCProve2'],
  ]);
});

test('the digest is that of the label of reference strings', () => {
  expect(crsDigest(bytes)).toEqual(createLabelledDigest(DIGEST_LABEL.crs).update(bytes).digest());
});

test.each([
  ['D', 0],
  ['n', 8],
  ['d', 16],
  ['k', 24],
  ['B^2', 32],
  ['B', 48],
  ['q', 56],
  ['t', 64],
  ['padding', 72],
])('a file whose sizes do not fit each other: %s', (_, offset) => {
  const changed = bytes.slice();
  const at = bytes.length - LABELS_BYTES - NUMBER_BYTES - BOUND_BYTES - SIZES_BYTES + offset;
  changed[at] = changed[at]! ^ 1;
  expect(() => decodeCrsFile(changed)).toThrow(CrsFileError);
});

test('lists of another size are not written', () => {
  expect(() => encodeCrsFile({ ...file, shape: { ...shape, dimension: 33 } })).toThrow(RangeError);
});

test('any changed or cut file is refused or is another canonical file', () => {
  const change = fc.record({ at: fc.nat(bytes.length - 1), xor: fc.integer({ min: 1, max: 255 }) });
  const places = fc.oneof(
    change,
    change.map(({ at, xor }) => ({ at: at % 300, xor })),
    tail(),
  );
  fc.assert(
    fc.property(places, fc.boolean(), ({ at, xor }, cut) => {
      const changed = cut ? bytes.slice(0, at) : bytes.slice();
      if (!cut) changed[at] = changed[at]! ^ xor;
      expectRefusedOrCanonical(changed);
    }),
    { numRuns: 60 },
  );
});

/** Where parameters and labels stand. */
function tail() {
  return fc.record({
    at: fc.integer({ min: bytes.length - 290, max: bytes.length - 1 }),
    xor: fc.constantFrom(1, 128),
  });
}

test('bytes of no file are refused without allocating what they declare', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => expectRefusedOrCanonical(noise)));
  const huge = bytes.slice(0, 200);
  new DataView(huge.buffer).setBigUint64(67, 2n ** 60n, true);
  expect(() => decodeCrsFile(huge)).toThrow(CrsFileError);
});

test('bytes after the file', () => {
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes);
  expect(() => decodeCrsFile(longer)).toThrow(CrsFileError);
});

test('a coordinate that is not reduced', () => {
  const changed = bytes.slice();
  const limbs = P.toString(16).padStart(112, '0');
  changed.set(Buffer.from(limbs, 'hex').reverse(), 75 + 20);
  expect(() => decodeCrsFile(changed)).toThrow('not reduced');
});

test('compressed points, and a second spelling of infinity', () => {
  const compressed = bytes.slice();
  new DataView(compressed.buffer).setUint32(79, 1, true);
  expect(() => decodeCrsFile(compressed)).toThrow(CrsFileError);
  const zero = bytes.slice();
  zero.fill(0, 75 + 20, 75 + 76);
  zero.fill(0, 75 + 88, 75 + 144);
  expect(() => decodeCrsFile(zero)).toThrow('not all 0');
});

function expectRefusedOrCanonical(input: Uint8Array): void {
  try {
    expect(Buffer.compare(encodeCrsFile(decodeCrsFile(input)), input)).toBe(0);
  } catch (error) {
    if (!(error instanceof CrsFileError)) throw error;
  }
}
