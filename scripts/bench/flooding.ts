/**
 * Squashed values at a network of processes: one round, no material. Their words are random, since only a coprocessor
 * with the network's server key makes real ones; what nodes do with them is the same, and they agree on the result.
 */
import { randomBytes } from 'node:crypto';
import { DEFAULT_PARAMETERS, lweDimensionOf } from '@keyquorum/tfhe/parameters';
import type { SquashedBlock } from '@keyquorum/tfhe/schema/ciphertexts';
import { NATIVE_128 } from '@keyquorum/tfhe/schema/core';
import { squashedBytes } from '../../packages/tfhe/test/support/squashed.ts';
import { decrypt, decryptionRequest } from '../network/decryption.ts';
import { generateKey, newRequestId } from '../network/key-generation.ts';
import type { LocalNetwork } from '../network/local-network.ts';
import { secondsAtOnce } from './at-once.ts';
import { type Summary, summarise } from './statistics.ts';

const BLOCKS_OF_UINT64 = 16;
const WORD_BYTES = 16;
const WARM_UP_REQUESTS = 10;
const LATENCY_REQUESTS = 50;
const LOAD_CONCURRENCY = 16;
const LOAD_REQUESTS = 160;

export interface FloodingReport {
  readonly latencyMs: Summary;
  readonly concurrency: number;
  readonly uint64PerSecond: number;
  /** Of one request, as base64. */
  readonly requestBytes: number;
}

export async function benchFlooding(network: LocalNetwork, say: (text: string) => void): Promise<FloodingReport> {
  say('key generation: default');
  const { requestId: keyId } = await generateKey(network.rest(1), { parameters: 'default', purpose: 'development' });
  say('squashed uint64: one at a time');
  const times: number[] = [];
  for (let count = 0; count < WARM_UP_REQUESTS + LATENCY_REQUESTS; count++) {
    const { ms } = await decrypt(network.rest(1), decryptionRequest(keyId, [squashedUint64()]));
    times.push(ms);
  }
  say(`squashed uint64: ${LOAD_CONCURRENCY} requests at once`);
  const requests = Array.from({ length: LOAD_REQUESTS }, () => decryptionRequest(keyId, [squashedUint64()]));
  const seconds = await secondsAtOnce(requests, LOAD_CONCURRENCY, async (request, index) => {
    await decrypt(network.rest(1 + (index % network.nodes.length)), request);
  });
  return {
    latencyMs: summarise(times.slice(WARM_UP_REQUESTS)),
    concurrency: LOAD_CONCURRENCY,
    uint64PerSecond: LOAD_REQUESTS / seconds,
    requestBytes: requests[0]!.ciphertexts[0]!.bytes.length,
  };
}

function squashedUint64() {
  const words = lweDimensionOf(DEFAULT_PARAMETERS.noiseSquashing) + 1;
  const block = (): SquashedBlock => ({
    lwe: { data: new Uint8Array(randomBytes(words * WORD_BYTES)), ciphertextModulus: NATIVE_128 },
    ...{ degree: 15, messageModulus: 4, carryModulus: 4 },
  });
  const object = squashedBytes({ kind: 'uint', bits: 64 }, Array.from({ length: BLOCKS_OF_UINT64 }, block));
  return {
    handle: newRequestId(),
    format: 'squashed',
    bytes: Buffer.from(object).toString('base64'),
    slot: 0,
  } as const;
}
