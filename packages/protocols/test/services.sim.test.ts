// Goal: the whole life of a network in the simulator: epoch, pool, key, decryption; honest runs and the textbook liars.
// Method: the real services over the simulated network, on a virtual clock; one seed fixes everything.
import { expect, test } from 'vitest';
import type { DecryptionJob } from '../src/decryption/job.ts';
import { encryptMessages } from './support/encrypt.ts';
import { createNetwork, eventually } from './support/network.ts';

const KEY_ID = 'ab'.repeat(32);
const MESSAGES = [0, 1, 5, 15, 9, 31, 16]; // the last two have the padding bit set and decrypt to 0
const OPENED = [0, 1, 5, 15, 9, 0, 0];

test('four parties start an epoch, fill the pool, generate a key and decrypt', async () => {
  const network = createNetwork({ seed: 1, n: 4, t: 1 });
  const made = await network.sim.run(async (party) => {
    const services = await network.services(party);
    await eventually(party, () => services.epoch() === 1);
    if (party.self === 2) services.generateKey({ requestId: KEY_ID, parameters: 'test', purpose: 'development' });
    await eventually(party, () => services.keys().length === 1 && services.pool().available >= 32);
    return services.keys()[0]!;
  });
  for (const outcome of made.outcomes) expect(outcome).toMatchObject({ status: 'fulfilled', value: { keyId: KEY_ID } });
  expect(made.faults).toEqual([]);

  const bits = await network.secretBits(KEY_ID, 'big', 'test');
  const random = network.sim.random.fork('ciphertext');
  const word = (): bigint => new DataView(random.bytes(8).buffer).getBigUint64(0);
  const value = encryptMessages(bits, { messages: MESSAGES, key: 'big', noise: 12345n, random: word });
  const job: DecryptionJob = {
    requestId: 'cd'.repeat(32),
    keyId: KEY_ID,
    contentHash: new Uint8Array(32).fill(7),
    values: [value],
  };
  const opened = await network.sim.run(async (party) => (await network.services(party)).decrypt(job));
  for (const outcome of opened.outcomes) {
    expect(outcome).toMatchObject({ status: 'fulfilled', value: { messages: [Uint8Array.from(OPENED)], faults: [] } });
  }
});
