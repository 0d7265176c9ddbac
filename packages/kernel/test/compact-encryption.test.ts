/** What is encrypted under a compact public key made here decrypts under its secret key, with small noise. */
import { expect, test } from 'vitest';
import { encryptCompact } from '../src/compact-encryption.ts';
import { KernelError } from '../src/errors.ts';
import { createKernel } from '../src/kernel.ts';
import { createKeystream } from '../src/keystream.ts';
import { seededBytes } from './arbitraries.ts';
import { negacyclic, wordsOf } from './kronecker.ts';

const kernel = createKernel();
const SIZE = 512;
const BOUND_LOG2 = 17;
const secret = Array.from(seededBytes(1, SIZE), (byte) => BigInt(byte & 1));
const mask = seededBytes(2, 8 * SIZE);
const body = negacyclic(wordsOf(mask, 64), secret.slice().reverse(), 64).map((w) => BigInt.asUintN(64, w + 3n));
const key = { mask, body: new Uint8Array(BigUint64Array.from(body).buffer), noiseBoundLog2: BOUND_LOG2 };

test('every message decrypts, wherever it stands in the list', () => {
  const messages = Array.from({ length: SIZE }, (_, i) => i % 16);
  const out = wordsOf(encryptCompact(kernel, key, messages, createKeystream(seededBytes(3, 16))), 64);
  for (let i = 0; i < SIZE; i++) {
    const row = out.slice(i * (SIZE + 1), (i + 1) * (SIZE + 1));
    const phase = secret.reduce((sum, bit, j) => sum - bit * row[j]!, row[SIZE]!);
    const error = BigInt.asIntN(64, phase - (BigInt(messages[i]!) << 59n));
    // e2 + <e, r> - <e1, s>, of sizes 2^17, 3 N and 2^17 sqrt(N/2 / 3)
    expect(error < 1n << 24n && error > -(1n << 24n)).toBe(true);
  }
});

test('encryptions of one message differ, and wrong arguments are refused', () => {
  const encrypt = (seed: number, messages = [7]) =>
    encryptCompact(kernel, key, messages, createKeystream(seededBytes(seed, 16)));
  expect(Buffer.compare(encrypt(4), encrypt(5))).not.toBe(0);
  expect(encrypt(4, []).length).toBe(0);
  expect(() => encrypt(4, [16])).toThrow(KernelError);
  expect(() => encrypt(4, new Array(SIZE + 1).fill(0))).toThrow(KernelError);
  const odd = { ...key, body: mask.slice(8) };
  expect(() => encryptCompact(kernel, odd, [1], createKeystream(seededBytes(4, 16)))).toThrow(KernelError);
});
