/** Measures a network of real processes on this machine: four nodes, t = 1, over REST and libp2p on loopback. */

import { committeeOf } from '../network/committee.ts';
import { decrypt, decryptionRequest } from '../network/decryption.ts';
import { createEncryptor, type Encryptor, randomSample, type SampleType } from '../network/encryption.ts';
import { fetchObject, finishedKey } from '../network/key-generation.ts';
import type { LocalNetwork } from '../network/local-network.ts';
import { CONTRACT, userOf } from '../network/user.ts';
import { secondsAtOnce } from './at-once.ts';
import { type KeygenCost, measureKeygen } from './keygen.ts';
import { metricSum, metricsOf } from './metrics.ts';
import { fillPool, poolRests, waitForPool } from './pool.ts';
import { type Summary, summarise } from './statistics.ts';

const LATENCY_TYPES: readonly SampleType[] = ['bool', 'uint8', 'uint64', 'uint256'];
const LATENCY_REQUESTS = 100;
const WARM_UP_REQUESTS = 10;
const LOAD_CONCURRENCY = 32;
const LOAD_REQUESTS = 128;
const BITS_PER_BLOCK = 2;
const LOAD_BLOCKS = (LOAD_REQUESTS * 64) / BITS_PER_BLOCK;

export interface ProcessReport {
  readonly keygen: Pick<KeygenCost, 'phases' | 'seconds'>;
  readonly latencyMs: { readonly [type: string]: Summary };
  /** From the call of the client to the value that only it can read; uint64. */
  readonly userLatencyMs: Summary;
  readonly load: { readonly concurrency: number; readonly blocks: number; readonly seconds: number };
  readonly loadBlocksPerSecond: number;
  readonly preprocessingBlocksPerSecond: number;
  readonly residentBytes: readonly number[];
}

type Say = (text: string) => void;

export async function benchProcesses(network: LocalNetwork, say: Say): Promise<ProcessReport> {
  const preprocessingBlocksPerSecond = await fillPool({ network, say });
  const keygen = await benchKeyGeneration(network, say);
  const bench: Bench = { network, keyId: keygen.keyId, encryptor: keygen.encryptor, say };
  const latencyMs: Record<string, Summary> = {};
  for (const type of LATENCY_TYPES) latencyMs[type] = await benchLatency(bench, type);
  const userLatencyMs = await benchUserLatency(bench);
  await waitForPool(bench, LOAD_BLOCKS);
  const load = await benchLoad(bench);
  const loadBlocksPerSecond = load.blocks / load.seconds;
  const residentBytes = await Promise.all(network.nodes.map(({ party }) => residentOf(network, party)));
  const { phases, seconds } = keygen;
  const rates = { loadBlocksPerSecond, preprocessingBlocksPerSecond };
  return { keygen: { phases, seconds }, latencyMs, userLatencyMs, load, ...rates, residentBytes };
}

interface Bench {
  readonly network: LocalNetwork;
  readonly keyId: string;
  readonly encryptor: Encryptor;
  readonly say: Say;
}

async function benchKeyGeneration(network: LocalNetwork, say: Say) {
  const cost = await measureKeygen(network, 'base', say);
  const key = await finishedKey(network.rest(1), cost.keyId, 0);
  const encryptor = createEncryptor(await fetchObject(network.rest(1), key, 'CompactPublicKey'));
  return { ...cost, encryptor };
}

/**
 * One request at a time at party 1, each with one fresh value, the pool filled and at rest; from sending the request to
 * reading the value.
 */
async function benchLatency({ network, keyId, encryptor, say }: Bench, type: SampleType): Promise<Summary> {
  say(`latency of ${type}`);
  const samples = Array.from({ length: WARM_UP_REQUESTS + LATENCY_REQUESTS }, () => randomSample(type));
  const times: number[] = [];
  for (const sample of samples) {
    const request = decryptionRequest(keyId, encryptor.encrypt([sample], 'packed'));
    await poolRests({ network });
    const { values, ms } = await decrypt(network.rest(1), request);
    if (values[0]?.value !== String(sample.value)) throw new Error(`wrong value for ${type}`);
    times.push(ms);
  }
  return summarise(times.slice(WARM_UP_REQUESTS));
}

/** The same for one user: re-encrypted by all nodes, read by the client from the first 2t+1 shares that agree. */
async function benchUserLatency({ network, keyId, encryptor, say }: Bench): Promise<Summary> {
  say('latency of uint64 for one user');
  const { client, permit } = await userOf(network, await committeeOf(network));
  const times: number[] = [];
  for (let count = 0; count < WARM_UP_REQUESTS + LATENCY_REQUESTS; count++) {
    const sample = randomSample('uint64');
    const ciphertexts = encryptor.encrypt([sample], 'packed').map((each) => ({ ...each, contractAddress: CONTRACT }));
    await poolRests({ network });
    const started = performance.now();
    const { agreed, finished } = client.decryptForUser(permit, { keyId, ciphertexts });
    const [value] = await agreed;
    times.push(performance.now() - started);
    if (value?.value !== sample.value) throw new Error('wrong value for a user');
    await finished;
  }
  permit.dispose();
  return summarise(times.slice(WARM_UP_REQUESTS));
}

/** Many requests of one uint64 each, a fixed number of them always under way, spread over all nodes. */
async function benchLoad({ network, keyId, encryptor, say }: Bench): Promise<ProcessReport['load']> {
  say(`${LOAD_CONCURRENCY} requests at once`);
  const prepared = Array.from({ length: LOAD_REQUESTS }, () => {
    const sample = randomSample('uint64');
    return { sample, request: decryptionRequest(keyId, encryptor.encrypt([sample], 'packed')) };
  });
  const seconds = await secondsAtOnce(prepared, LOAD_CONCURRENCY, async ({ sample, request }, index) => {
    const { values } = await decrypt(network.rest(1 + (index % network.nodes.length)), request);
    if (values[0]?.value !== String(sample.value)) throw new Error('wrong value under load');
  });
  return { concurrency: LOAD_CONCURRENCY, blocks: LOAD_BLOCKS, seconds };
}

async function residentOf(network: LocalNetwork, party: number): Promise<number> {
  return metricSum(await metricsOf(network.rest(party)), 'keyquorum_process_resident_memory_bytes');
}
