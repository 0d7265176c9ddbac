/**
 * Values under the key of compressed lists. Goal: the two message bits open, for all noise that rounds to them, beside
 * values under other keys in one request and with a liar among the parties; the noise below is never opened; a key
 * without that part says so. Method: real decryption services in the simulator, on a key whose bits the test knows.
 */
import { allDo, STRATEGIES } from '@keyquorum/mpc/simulate/faults/catalogue';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import type { Faults } from '@keyquorum/mpc/simulate/strategy';
import type { Value64 } from '@keyquorum/tfhe/ciphertext';
import { secretKeyBits } from '@keyquorum/tfhe/key-set-components';
import { lweDimensionOf, TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { describe, expect, test } from 'vitest';
import type { DecryptionJob } from '../src/decryption/job.ts';
import { createDealtDecryption, type KeyBits } from './support/dealt-decryption.ts';
import { encryptMessages } from './support/encrypt.ts';
import { createWitness } from './support/witness.ts';

const KEY_ID = 'ab'.repeat(32);
/** The padding bit on top: the upper four are outside of the message space and open as 0. */
const COMPRESSED = [0, 1, 2, 3, 4, 5, 6, 7];
const BIG = [0, 9, 15];

const random = createPrng('compressed values');
const word = (): bigint => new DataView(random.bytes(8).buffer).getBigUint64(0);
const bitsOf = (name: Value64['key']) => random.bytes(secretKeyBits(TEST_PARAMETERS, name)).map((byte) => byte & 1);
const keyBits = { pke: bitsOf('pke'), big: bitsOf('big'), compression: bitsOf('compression') } satisfies KeyBits;

function compressed(messages: readonly number[], noise: bigint): Value64 {
  return encryptMessages(keyBits.compression, { messages, key: 'compression', noise, random: word });
}

function jobOf(values: readonly Value64[], keyId = KEY_ID): DecryptionJob {
  return { requestId: Buffer.from(random.bytes(32)).toString('hex'), keyId, contentHash: random.bytes(32), values };
}

/** What opens: the message in the upper two of four bits, the lower two left at 0. */
const opened = (messages: readonly number[]) =>
  Uint8Array.from(messages, (message) => (message < 4 ? message << 2 : 0));

describe.each([
  { n: 4, t: 1 },
  { n: 7, t: 2 },
])('n=$n, t=$t', ({ n, t }) => {
  const lowest = -(1n << 60n);
  const highest = (1n << 60n) - 1n;

  async function decryptsAll(faults: Faults, liars: readonly number[]): Promise<void> {
    const bundles = 40 * n;
    const network = createDealtDecryption({ seed: n, n, t, faults }, { keyId: KEY_ID, keyBits, bundles });
    const big = encryptMessages(keyBits.big, { messages: BIG, key: 'big', noise: 12345n, random: word });
    const noises = [lowest, -1n, 0n, highest];
    const values = [big, ...noises.map((noise) => compressed(COMPRESSED, noise))];
    const run = await network.decrypt(jobOf(values));
    const want = [Uint8Array.from(BIG), ...noises.map(() => opened(COMPRESSED))];
    run.outcomes.forEach((outcome, index) => {
      if (liars.includes(index + 1)) return;
      expect(outcome, network.sim.describe()).toMatchObject({ status: 'fulfilled', value: { messages: want } });
      const accused = outcome.status === 'fulfilled' ? outcome.value.faults.map(({ party }) => party) : [];
      expect(new Set(accused)).toEqual(new Set(liars));
    });
  }

  test('open beside values under another key, whatever noise rounds to them', () => decryptsAll({}, []));

  test('with t liars, who are named', () => {
    const liars = Array.from({ length: t }, (_, index) => index + 2);
    return decryptsAll(allDo(liars, STRATEGIES['wrong-share']!), liars);
  });
});

test('two bits of each ciphertext travel in the last round, not four', async () => {
  const witness = createWitness(4);
  const dealt = { keyId: KEY_ID, keyBits, bundles: 64 };
  const network = createDealtDecryption({ seed: 'two bits', n: 4, t: 1, faults: witness.faults }, dealt);
  await network.decrypt(jobOf([compressed([3, 0, 1, 2, 3], 1n << 59n)]));
  const bodies = witness.sent.filter(({ tag }) => tag === 'message').map(({ body }) => body.length);
  expect(bodies.length).toBeGreaterThanOrEqual(12);
  expect(new Set(bodies)).toEqual(new Set([5])); // 10 nibbles
});

test('a key without that part, and a key that is not known', async () => {
  const { compression: _, ...without } = keyBits;
  const dealt = { keyId: KEY_ID, keyBits: without, bundles: 16 };
  const network = createDealtDecryption({ seed: 'without', n: 4, t: 1 }, dealt);
  const codes = async (job: DecryptionJob) =>
    (await network.decrypt(job)).outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason);
  const value = compressed([1], 0n);
  expect(value.dimension).toBe(lweDimensionOf(TEST_PARAMETERS.compression));
  for (const reason of await codes(jobOf([value]))) {
    expect(reason).toMatchObject({
      code: 'KEY_PART_MISSING',
      message: expect.stringContaining('without a compression key'),
    });
  }
  for (const reason of await codes(jobOf([value], 'cd'.repeat(32)))) {
    expect(reason).toMatchObject({ code: 'KEY_UNKNOWN' });
  }
});
