/**
 * Squashed values at a network of processes: one round, no material. Their words are random, since only a coprocessor
 * with the network's server key makes real ones; what nodes do with them is the same, and they agree on the result.
 *
 * The ceiling: every node works on every block, a uint64 has 16 of them, so n nodes that share c cores answer at most
 * blocks-per-second-and-core * c / (16 n) uint64 a second: at the goal of 5000 blocks, 4 nodes on 2 cores, 156.
 */
import { randomBytes } from 'node:crypto';
import { sha256Hex } from '@keyquorum/mpc/bytes';
import { DEFAULT_PARAMETERS, lweDimensionOf } from '@keyquorum/tfhe/parameters';
import type { SquashedBlock } from '@keyquorum/tfhe/schema/ciphertexts';
import { NATIVE_128 } from '@keyquorum/tfhe/schema/core';
import { squashedBytes } from '../../packages/tfhe/test/support/squashed.ts';
import { decrypt, decryptionRequest, type NamedValue } from '../network/decryption.ts';
import type { EncryptedValue } from '../network/encryption.ts';
import { generateKey, newRequestId } from '../network/key-generation.ts';
import type { LocalNetwork } from '../network/local-network.ts';
import type { Rest } from '../network/rest.ts';
import { secondsAtOnce } from './at-once.ts';
import { type Summary, summarise } from './statistics.ts';

const BLOCKS_OF_UINT64 = 16;
const WORD_BYTES = 16;
/** Different ones, each asked for several times, as by many users; the noise is made anew for each request. */
const VALUES = 16;
const WARM_UP_REQUESTS = 10;
const LATENCY_REQUESTS = 100;
const CARRYING_REQUESTS = 20;
const LOAD_CONCURRENCY = 16;
const LOAD_REQUESTS = 480;

export interface FloodingReport {
  /** Of requests that name their ciphertext, and of those that carry it. */
  readonly latencyMs: Summary;
  readonly carryingMs: Summary;
  /** To hand over one ciphertext to one node. */
  readonly handOverMs: Summary;
  readonly concurrency: number;
  readonly uint64PerSecond: number;
  /** By each node. */
  readonly blocksPerSecond: number;
  readonly ciphertextBytes: number;
}

export async function benchFlooding(network: LocalNetwork, say: (text: string) => void): Promise<FloodingReport> {
  say('key generation: default');
  const { requestId: keyId } = await generateKey(network.rest(1), { parameters: 'default', purpose: 'development' });
  say('squashed uint64: handed over');
  const objects = Array.from({ length: VALUES }, squashedUint64);
  const handOverMs: number[] = [];
  for (const object of objects) {
    for (const { party } of network.nodes) handOverMs.push(await handOver(network.rest(party), object));
  }
  const value = () => ({ handle: newRequestId(), format: 'squashed' as const, slot: 0 });
  const naming = (index: number) => ({ ...value(), digest: sha256Hex(objects[index % VALUES]!) });
  const carrying = () => ({ ...value(), bytes: Buffer.from(squashedUint64()).toString('base64') });
  const oneByOne = async (count: number, ciphertextOf: (index: number) => EncryptedValue | NamedValue) => {
    const times: number[] = [];
    for (let index = 0; index < count; index++) {
      times.push((await decrypt(network.rest(1), decryptionRequest(keyId, [ciphertextOf(index)]))).ms);
    }
    return times;
  };
  say('squashed uint64: one at a time');
  const times = (await oneByOne(WARM_UP_REQUESTS + LATENCY_REQUESTS, naming)).slice(WARM_UP_REQUESTS);
  const carryingTimes = await oneByOne(CARRYING_REQUESTS, carrying);
  say(`squashed uint64: ${LOAD_CONCURRENCY} requests at once`);
  const requests = Array.from({ length: LOAD_REQUESTS }, (_, index) => decryptionRequest(keyId, [naming(index)]));
  const seconds = await secondsAtOnce(requests, LOAD_CONCURRENCY, async (request, index) => {
    await decrypt(network.rest(1 + (index % network.nodes.length)), request);
  });
  const uint64PerSecond = LOAD_REQUESTS / seconds;
  return {
    ...{ latencyMs: summarise(times), carryingMs: summarise(carryingTimes), handOverMs: summarise(handOverMs) },
    ...{ concurrency: LOAD_CONCURRENCY, uint64PerSecond, blocksPerSecond: BLOCKS_OF_UINT64 * uint64PerSecond },
    ciphertextBytes: objects[0]!.length,
  };
}

/** Milliseconds. */
async function handOver(rest: Rest, object: Uint8Array): Promise<number> {
  const digest = sha256Hex(object);
  const started = performance.now();
  await rest.put(`/v1/ciphertexts/${digest}`, object);
  return performance.now() - started;
}

function squashedUint64(): Uint8Array {
  const words = lweDimensionOf(DEFAULT_PARAMETERS.noiseSquashing) + 1;
  const block = (): SquashedBlock => ({
    lwe: { data: new Uint8Array(randomBytes(words * WORD_BYTES)), ciphertextModulus: NATIVE_128 },
    ...{ degree: 15, messageModulus: 4, carryModulus: 4 },
  });
  return squashedBytes({ kind: 'uint', bits: 64 }, Array.from({ length: BLOCKS_OF_UINT64 }, block));
}
