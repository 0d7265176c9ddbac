/** A network with an epoch, a full pool and one dealt key, whose secret bits the test knows; and requests to it. */
import type { Party } from '@keyquorum/mpc/party';
import type { Run, SimulateOptions } from '@keyquorum/mpc/simulate/simulate';
import type { CiphertextValue } from '@keyquorum/tfhe/ciphertext';
import type { DecryptionJob, DecryptionOutcome } from '../../src/decryption/job.ts';
import type { ServiceLimits } from '../../src/services.ts';
import { dealKeySet } from './dealt-keys.ts';
import { encryptMessages } from './encrypt.ts';
import { KEY_ID } from './generation.ts';
import { createNetwork, eventually, LIMITS, type SimulatedNetwork } from './network.ts';

const SETUP_LIMIT_MS = 300_000;
const DELTA_BITS = 59;

export interface Request {
  readonly job: DecryptionJob;
  /** The right answer. */
  readonly messages: readonly Uint8Array[];
}

export interface ReadyNetwork extends SimulatedNetwork {
  /** A request for fresh ciphertexts of random messages: `blocks` per value, values alternate between the two keys. */
  request(blocks: readonly number[]): Request;
  /** Until every party has the epoch, the key and at least this many free bundles. */
  refilled(available: number): Promise<void>;
}

export async function createReadyNetwork(
  options: Omit<SimulateOptions, 'kernel'>,
  limits: Partial<ServiceLimits> = {},
): Promise<ReadyNetwork> {
  const network = createNetwork(options, { ...LIMITS, ...limits });
  const { sim } = network;
  const refilled = async (available: number): Promise<void> => {
    const { outcomes } = await sim.run(
      async (party) => {
        const services = await network.services(party);
        const full = (): boolean => services.pool().available >= available && services.keys().length > 0;
        await eventually(party, () => services.epoch() === 1 && full());
      },
      { limitMs: SETUP_LIMIT_MS },
    );
    const stuck = outcomes.flatMap(({ status }, index) =>
      status === 'fulfilled' ? [] : [`party ${index + 1} ${status}`],
    );
    if (stuck.length > 0) throw new Error(`the network is not ready: ${stuck.join(', ')}; ${lastLogs(network)}`);
  };
  await dealKeySet(network, { keyId: KEY_ID, parameters: 'test' });
  await refilled(limits.poolTarget ?? LIMITS.poolTarget);
  const bits = {
    pke: await network.secretBits(KEY_ID, 'pke', 'test'),
    big: await network.secretBits(KEY_ID, 'big', 'test'),
  };
  const random = sim.random.fork('requests');
  const word = (): bigint => new DataView(random.bytes(8).buffer).getBigUint64(0);

  function encrypt(key: 'pke' | 'big', blocks: number): { value: CiphertextValue; messages: Uint8Array } {
    const messages = Array.from({ length: blocks }, () => random.below(32));
    const noise = BigInt.asIntN(DELTA_BITS - 1, word()); // anything that rounds to the message
    const value = encryptMessages(bits[key], { messages, key, noise, random: word });
    return { value, messages: Uint8Array.from(messages, (message) => (message < 16 ? message : 0)) };
  }

  return {
    ...network,
    refilled,
    request(blocks) {
      const made = blocks.map((count, index) => encrypt(index % 2 === 0 ? 'big' : 'pke', count));
      const id = Buffer.from(random.bytes(32)).toString('hex');
      const values = made.map(({ value }) => value);
      return {
        job: { requestId: id, keyId: KEY_ID, contentHash: random.bytes(32), values },
        messages: made.map(({ messages }) => messages),
      };
    },
  };
}

/** Every party decrypts; then the online sessions go on for `lingerMs`, so that late liars are seen too. */
export function decryptEverywhere(
  network: SimulatedNetwork,
  job: DecryptionJob,
  { lingerMs = 16_000, limitMs = 120_000 } = {},
): Promise<Run<DecryptionOutcome>> {
  return network.sim.run(
    async (party: Party) => {
      const outcome = await (await network.services(party)).decrypt(job);
      await party.clock.until(party.clock.now() + lingerMs);
      return outcome;
    },
    { limitMs },
  );
}

/** The newest warnings and errors of a network, for the message of a failed test. */
export function lastLogs(network: SimulatedNetwork, count = 6): string {
  const bad = network.logs.filter(({ event }) => event.level !== 'info');
  return bad
    .slice(-count)
    .map(({ party, event }) => `party ${party}: ${JSON.stringify(event)}`)
    .join('\n');
}
