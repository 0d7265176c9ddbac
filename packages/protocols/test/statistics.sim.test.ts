// Goal: a key of the real parameters, made by four parties in the simulator, looks as the documents say: noise within
// its bound, centred, with the stated variance; key bits balanced. Method: reconstruct what no party knows; limits are
// four standard deviations, and the seed is fixed.
import { parameterSet } from '@keyquorum/tfhe/parameters';
import { expect, test } from 'vitest';
import { centring, jointNoise } from '../src/keygen/noise.ts';
import { createNetwork, eventually, LIMITS } from './support/network.ts';
import { keyOf, publicKeyNoise, reconstructBits } from './support/secret-keys.ts';

const KEY_ID = 'ab'.repeat(32);
const FAMILY_SIZE = 2;

test('a Default key: bits, and noise of the public key', async () => {
  const parameters = parameterSet('default');
  const network = createNetwork({ seed: 1, n: 4, t: 1 }, { ...LIMITS, poolTarget: 0 });
  const run = await network.sim.run(async (party) => {
    const services = await network.services(party);
    await eventually(party, () => services.epoch() === 1);
    if (party.self === 1) services.generateKey({ requestId: KEY_ID, parameters: 'base', purpose: 'development' });
    await eventually(party, () => services.keys().length === 1);
    return services.keys()[0]!;
  });
  const outcome = run.outcomes[0]!;
  if (outcome.status !== 'fulfilled') throw new Error(`no key: ${outcome.status}`);
  const record = outcome.value;
  const bits = await reconstructBits(network.secrets, record, 1);
  for (const key of ['pke', 'small', 'big'] as const) {
    const own = keyOf(bits, key, 'base');
    const ones = own.reduce((sum, bit) => sum + bit, 0);
    expect(Math.abs(ones - own.length / 2), key).toBeLessThan(4 * Math.sqrt(own.length / 4));
  }

  const noise = await publicKeyNoise(network.publics.get(1)!, record, bits);
  const { boundLog2, ...shape } = jointNoise(parameters.pke.noiseBoundLog2, FAMILY_SIZE);
  const bound = Number(-centring({ boundLog2, ...shape }, FAMILY_SIZE));
  const samples = noise.map(Number);
  expect(Math.max(...samples.map(Math.abs))).toBeLessThanOrEqual(bound);
  expect(Math.max(...samples.map(Math.abs))).toBeGreaterThan(0.9 * 2 ** boundLog2); // not a smaller one either
  const variance = ((2 ** (2 * boundLog2 + 1) + 1) / 6) * (1 + (FAMILY_SIZE - 1) / 4 ** shape.jointBits);
  const mean = samples.reduce((sum, each) => sum + each, 0) / samples.length;
  expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(variance / samples.length));
  const measured = samples.reduce((sum, each) => sum + (each - mean) ** 2, 0) / samples.length;
  // The kurtosis of a uniform distribution is 1.8, so its sample variance scatters by sqrt(0.8 / N).
  expect(Math.abs(measured / variance - 1)).toBeLessThan(4 * Math.sqrt(0.8 / samples.length));
});
