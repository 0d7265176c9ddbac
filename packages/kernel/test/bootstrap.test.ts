/** Key switching against BigInt, and bootstrapping of every message under small keys made here. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BootstrappingKey, type KeySwitchingKey, MAX_BATCH, type MaskReader } from '../src/bootstrap.ts';
import { KernelError } from '../src/errors.ts';
import { createKernel } from '../src/kernel.ts';
import { edgeBytes, seededBytes } from './arbitraries.ts';
import { negacyclic, wordsOf } from './kronecker.ts';

const { evaluator } = createKernel();
const reader = (bytes: Uint8Array): MaskReader => {
  let at = 0;
  return {
    read(byteCount) {
      at += byteCount;
      return bytes.slice(at - byteCount, at);
    },
  };
};
const bytesOf = (words: readonly bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(words).buffer);
const all = [...Array(16).keys()];

test('switched ciphertexts are the body less the closest digits times the rows', () => {
  const shape = fc.record({
    inputs: fc.integer({ min: 1, max: 40 }),
    outputs: fc.integer({ min: 1, max: 9 }),
    base: fc.constantFrom({ baseLog: 4, levels: 4 }, { baseLog: 37, levels: 1 }, { baseLog: 7, levels: 8 }),
    count: fc.integer({ min: 0, max: 3 }),
  });
  const input = shape.chain(({ inputs, outputs, base, count }) =>
    fc.record({
      ciphertexts: edgeBytes(8 * count * (inputs + 1), 8),
      masks: edgeBytes(8 * inputs * base.levels * outputs, 8),
      bodies: edgeBytes(8 * inputs * base.levels, 8),
      key: fc.constant({ inputDimension: inputs, outputDimension: outputs, ...base }),
    }),
  );
  fc.assert(
    fc.property(input, ({ ciphertexts, masks, bodies, key }) => {
      const { inputDimension: inputs, outputDimension: outputs, baseLog, levels } = key;
      const got = wordsOf(evaluator.keySwitch(ciphertexts, { ...key, masks: reader(masks), bodies }), 64);
      const [words, rows, ends] = [wordsOf(ciphertexts, 64), wordsOf(masks, 64), wordsOf(bodies, 64)];
      for (let c = 0; c * (inputs + 1) < words.length; c++) {
        // Undo every subtraction with digits recomputed from their definition: the sum must be the rounded word.
        const sum = got.slice(c * (outputs + 1), (c + 1) * (outputs + 1));
        for (let i = 0; i < inputs; i++) {
          for (const [j, digit] of digits(words[c * (inputs + 1) + i]!, baseLog, levels).entries()) {
            const row = i * levels + j;
            for (let k = 0; k < outputs; k++) sum[k]! += digit * rows[row * outputs + k]!;
            sum[outputs]! += digit * ends[row]!;
          }
        }
        const want = [...Array<bigint>(outputs).fill(0n), words[c * (inputs + 1) + inputs]!];
        expect(sum.map((word) => BigInt.asUintN(64, word))).toEqual(want);
      }
    }),
  );
});

/** Balanced digits of the closest multiple, smallest weight first; their weighted sum is checked here. */
function digits(word: bigint, baseLog: number, levels: number): bigint[] {
  const base = BigInt(baseLog);
  const used = base * BigInt(levels);
  const unit = 1n << (64n - used);
  let state = BigInt.asUintN(Number(used), (word + unit / 2n) / unit);
  const result: bigint[] = [];
  for (let level = 0; level < levels; level++) {
    let digit = state & ((1n << base) - 1n);
    state >>= base;
    // Ties go up or down by the next bit, as in tfhe-rs.
    const half = 1n << (base - 1n);
    if (digit > half || (digit === half && (state & (1n << (base - 1n))) !== 0n)) {
      digit -= 1n << base;
      state += 1n;
    }
    result.push(digit);
  }
  const total = result.reduce((sum, digit, j) => sum + digit * (unit << (base * BigInt(j))), 0n);
  const error = BigInt.asIntN(64, total - word);
  expect(error <= unit / 2n && error >= -unit / 2n).toBe(true);
  return result;
}

const SIZE = 256;
const INPUTS = 12;
const BASE_LOG = 23;
const smallKey = Array.from(seededBytes(5, INPUTS), (byte) => BigInt(byte & 1));
const bigKey = Array.from(seededBytes(6, SIZE), (byte) => BigInt(byte & 1));

/** GGSW encryptions of the small key under the big one, with noise of a few units. */
function bootstrappingKey(centredModulusSwitch: boolean): BootstrappingKey {
  const masks = seededBytes(7, INPUTS * 2 * SIZE * 8);
  const noise = seededBytes(8, INPUTS * 2 * SIZE);
  const unit = 1n << BigInt(64 - BASE_LOG);
  const bodies = smallKey.flatMap((bit, i) =>
    [0, 1].flatMap((r) => {
      const row = 2 * i + r;
      const mask = wordsOf(masks.subarray(row * SIZE * 8, (row + 1) * SIZE * 8), 64);
      return negacyclic(mask, bigKey, 64).map((word, j) => {
        const plaintext = r === 0 ? -bit * bigKey[j]! * unit : j === 0 ? bit * unit : 0n;
        return BigInt.asUintN(64, word + plaintext + BigInt(noise[row * SIZE + j]!));
      });
    }),
  );
  const key = { inputDimension: INPUTS, polynomialSize: SIZE, baseLog: BASE_LOG, centredModulusSwitch };
  return { ...key, masks: reader(masks), bodies: bytesOf(bodies) };
}

/** Encryptions of 0..15 under the small key, `error` away from their plaintexts. */
function ciphertexts(error: bigint): Uint8Array {
  return bytesOf(
    all.flatMap((value) => {
      const mask = wordsOf(seededBytes(20 + value, 8 * INPUTS), 64);
      const product = mask.reduce((sum, word, i) => sum + word * smallKey[i]!, 0n);
      return [...mask, BigInt.asUintN(64, product + (BigInt(value) << 59n) + error)];
    }),
  );
}

test.each([
  [false, 0n],
  [true, 0n],
  [false, 1n << 56n],
  [true, -(1n << 56n)],
])('bootstrapping looks up every message (centred: %s, error %i)', (centred, error) => {
  const lookup = all.map((v) => (7 * v + 5) % 16);
  const out = wordsOf(evaluator.bootstrap(ciphertexts(error), bootstrappingKey(centred), lookup), 64);
  for (const value of all) {
    const sample = out.slice(value * (SIZE + 1), (value + 1) * (SIZE + 1));
    const phase = sample.slice(0, SIZE).reduce((sum, word, i) => sum - word * bigKey[i]!, sample[SIZE]!);
    const error64 = BigInt.asIntN(64, phase - (BigInt(lookup[value]!) << 59n));
    // Rounding to digits alone leaves about 2^40 * sqrt(SIZE / 2 * INPUTS) = 2^45.3; a wrong message is 2^59 off.
    expect(error64 < 1n << 48n && error64 > -(1n << 48n), `message ${value}`).toBe(true);
  }
});

test('wrong shapes are refused', () => {
  const switching: KeySwitchingKey = {
    masks: reader(new Uint8Array(8)),
    bodies: new Uint8Array(16),
    inputDimension: 2,
    outputDimension: 1,
    baseLog: 4,
    levels: 1,
  };
  const one = new Uint8Array(24);
  const wrong: Partial<KeySwitchingKey>[] = [{ levels: 16 }, { bodies: one }, { inputDimension: 3 }, {}];
  for (const fields of wrong) expect(() => evaluator.keySwitch(one, { ...switching, ...fields })).toThrow(KernelError);
  const many = new Uint8Array((MAX_BATCH + 1) * 8 * (INPUTS + 1));
  expect(() => evaluator.bootstrap(many, bootstrappingKey(true), all)).toThrow(KernelError);
  const none = new Uint8Array(0);
  expect(() => evaluator.bootstrap(none, bootstrappingKey(true), [1])).toThrow(KernelError);
  expect(() => evaluator.bootstrap(none, { ...bootstrappingKey(true), polynomialSize: 48 }, all)).toThrow(KernelError);
});
