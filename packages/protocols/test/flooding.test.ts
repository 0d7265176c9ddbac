/**
 * The local steps of flooding. Goal: the shares of all parties are on one polynomial of degree t whose value is the
 * phase plus noise within the bound; the noise is tied to exactly what is decrypted and to nothing else; rounding gives
 * the message for all noise that it may meet. Method: keys dealt by the test, BigInt arithmetic.
 */
import { asGr128, type Gr128 } from '@keyquorum/kernel/batch';
import { decodeGr128, encodeGr128 } from '@keyquorum/kernel/gr';
import { familyC } from '@keyquorum/mpc/prss/family';
import { openShares } from '@keyquorum/mpc/sharing/algebra';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import type { Value128 } from '@keyquorum/tfhe/ciphertext';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FLOOD_BOUND_LOG2,
  floodedMessages,
  floodedShares,
  type KeyIdentity,
  maskSession,
  requireFloodingBound,
} from '../src/decryption/flooding.ts';
import { dealKeys } from './support/dealt-keys.ts';
import { encryptSquashed } from './support/encrypt.ts';
import { kernel } from './support/kernel.ts';

const random = createPrng('flooding');
const word = (): bigint => new DataView(random.bytes(8).buffer).getBigUint64(0);
const DIMENSION = 24;
const keyBits = random.bytes(DIMENSION).map((byte) => byte & 1);
const KEY: KeyIdentity = { keyId: 'ab'.repeat(32), parameters: 'test', session: 'cd'.repeat(32) };
/** The PRSS-Init behind the keys of the epoch. */
const START = '01'.repeat(32);

function encrypt(messages: readonly number[], noise: bigint): Value128 {
  return encryptSquashed(keyBits, { messages, key: 'noise-squashing', noise, random: word });
}

/** The flooded shares of all parties. */
function sharesOfAll(value: Value128, { n, t }: { n: number; t: number }, session = maskSession(value, KEY, START)) {
  const secret = encodeGr128([...keyBits].map((bit) => [BigInt(bit), 0n, 0n, 0n]));
  const others = Array.from({ length: t }, () => asGr128(random.bytes(64 * DIMENSION)));
  return [...dealKeys(familyC({ n, t }), 'flooding')].map(([party, prss]): [number, Gr128] => {
    const key = kernel.gr128.evaluate([secret, ...others], party);
    return [party, floodedShares(kernel, value, { key, prss, session })];
  });
}

describe.each([
  { n: 4, t: 1, sets: 4 },
  { n: 7, t: 2, sets: 21 },
])('n=$n, t=$t', ({ n, t, sets }) => {
  const bound = (2n * BigInt(sets)) << BigInt(FLOOD_BOUND_LOG2);

  test.each([1, 4, 5, 6])(
    '%d blocks: degree t, phases and noise within the bound, nothing behind the last',
    (blocks) => {
      const messages = Array.from({ length: blocks }, () => random.below(16));
      const noise = BigInt.asIntN(70, (word() << 64n) | word());
      const { values, firstInconsistent } = openShares(
        kernel,
        'gr128',
        sharesOfAll(encrypt(messages, noise), { n, t }),
        t,
      );
      expect(firstInconsistent).toBe(-1);
      const opened = decodeGr128(values).flat();
      expect(opened.length).toBe(4 * Math.ceil(blocks / 4));
      expect(opened.slice(blocks).every((sum) => sum === 0n)).toBe(true);
      opened.slice(0, blocks).forEach((sum, index) => {
        const added = BigInt.asIntN(128, sum - (BigInt(messages[index]!) << 123n) - noise);
        expect(added < bound && added >= -bound).toBe(true);
        expect(added).not.toBe(0n);
      });
      expect([...floodedMessages(values, blocks)]).toEqual(messages);
    },
  );

  test('the noise is spread over the bound and centred', () => {
    const blocks = 400;
    const shares = sharesOfAll(encrypt(Array(blocks).fill(0), 0n), { n, t });
    const unit = 2 ** FLOOD_BOUND_LOG2;
    const opened = decodeGr128(openShares(kernel, 'gr128', shares, t).values).flat();
    const noises = opened.map((sum) => Number(BigInt.asIntN(128, sum)) / unit);
    const mean = noises.reduce((sum, each) => sum + each) / blocks;
    const variance = noises.reduce((sum, each) => sum + each * each, 0) / blocks - mean * mean;
    const want = (2 * sets) / 3; // two terms of variance B^2/3 from every set
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(want / blocks));
    expect(variance / want).toBeGreaterThan(0.7);
    expect(variance / want).toBeLessThan(1.3);
  });
});

test('the same words give the same shares, bit for bit; any other word, key, sharing, set or start other noise', () => {
  const value = encrypt([1, 2, 3, 4, 5], 99n);
  const copy = { ...value, masks: value.masks.slice(), bodies: value.bodies.slice() };
  const session = maskSession(value, KEY, START);
  expect(maskSession(copy, KEY, START)).toBe(session);
  const key = asGr128(random.bytes(64 * DIMENSION));
  const prss = dealKeys(familyC({ n: 4, t: 1 }), 'flooding').get(1)!;
  const shares = floodedShares(kernel, value, { key, prss, session });
  expect(floodedShares(kernel, copy, { key, prss, session })).toEqual(shares);
  const sessions = new Set([session]);
  const others: [Value128, KeyIdentity, string][] = [
    [value, KEY, '02'.repeat(32)],
    [value, { ...KEY, keyId: 'ac'.repeat(32) }, START],
    [value, { ...KEY, session: 'ce'.repeat(32) }, START],
    [value, { ...KEY, parameters: 'default' }, START],
    [{ ...value, key: 'noise-squashing-compression' }, KEY, START],
    [{ ...value, dimension: value.dimension - 1 }, KEY, START],
  ];
  for (const at of [0, 15, value.masks.length - 1])
    others.push([{ ...value, masks: flipped(value.masks, at) }, KEY, START]);
  for (const at of [0, value.bodies.length - 1])
    others.push([{ ...value, bodies: flipped(value.bodies, at) }, KEY, START]);
  for (const [other, key, start] of others) sessions.add(maskSession(other, key, start));
  expect(sessions.size).toBe(1 + others.length);
});

function flipped(bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes);
  out[at]! ^= 1;
  return out;
}

test('rounding equals BigInt for any sum; outside of the message space is 0', () => {
  const edge = fc.tuple(fc.integer({ min: 0, max: 31 }), fc.constantFrom(-1n, 0n, 1n)).map(([m, off]) => {
    return BigInt.asUintN(128, (BigInt(m) << 123n) + (1n << 122n) + off);
  });
  const sums = fc.array(fc.oneof(edge, fc.bigInt(0n, 2n ** 128n - 1n)), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(sums, ([a, b, c, d]) => {
      const want = [a!, b!, c!, d!].map((sum) => Number(BigInt.asUintN(5, (sum + (1n << 122n)) >> 123n)));
      const got = floodedMessages(encodeGr128([[a!, b!, c!, d!]]), 4);
      expect([...got]).toEqual(want.map((message) => (message < 16 ? message : 0)));
    }),
  );
});

test('something behind the last block stops the node', () => {
  const opened = encodeGr128([[0n, 0n, 0n, 1n]]);
  expect(() => floodedMessages(opened, 3)).toThrow('behind the last');
  expect([...floodedMessages(opened, 4)]).toEqual([0, 0, 0, 0]);
});

test('committees whose noise could change a message are refused: none of up to 15 parties', () => {
  const choose = (n: number, t: number): number => (t === 0 ? 1 : (choose(n - 1, t - 1) * n) / t);
  for (let n = 4; n <= 15; n++) {
    for (let t = 1; 3 * t + 1 <= n; t++) expect(() => requireFloodingBound(choose(n, t))).not.toThrow();
  }
  expect(() => requireFloodingBound(2047)).not.toThrow();
  expect(() => requireFloodingBound(2048)).toThrow(expect.objectContaining({ code: 'FLOODING_UNSOUND_SIZE' }));
});
