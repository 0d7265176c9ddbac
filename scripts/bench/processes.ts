/** Measures a network of real processes on this machine: four nodes, t = 1, over REST and libp2p on loopback. */
import { statusOf } from '../network/committee.ts';
import { decrypt, decryptionRequest } from '../network/decryption.ts';
import { createEncryptor, type Encryptor, randomSample, type SampleType } from '../network/encryption.ts';
import { fetchObject, finishedKey, generateKey } from '../network/key-generation.ts';
import type { LocalNetwork } from '../network/local-network.ts';
import { waitFor } from '../network/rest.ts';
import { metricSum, metricsOf } from './metrics.ts';
import { type Summary, summarise } from './statistics.ts';

const LATENCY_TYPES: readonly SampleType[] = ['bool', 'uint8', 'uint64', 'uint256'];
const LATENCY_REQUESTS = 100;
const WARM_UP_REQUESTS = 10;
const LOAD_CONCURRENCY = 32;
const LOAD_REQUESTS = 128;
const BITS_PER_BLOCK = 2;
const LOAD_BLOCKS = (LOAD_REQUESTS * 64) / BITS_PER_BLOCK;
const POOL_WITHIN_MS = 300_000;
const KEY_WITHIN_MS = 60_000;

export interface ProcessReport {
  readonly keygen: { readonly phases: readonly { phase: string; ms: number }[]; readonly totalMs: number };
  readonly latencyMs: { readonly [type: string]: Summary };
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
  await poolHolds(bench, LOAD_BLOCKS);
  const load = await benchLoad(bench);
  const loadBlocksPerSecond = load.blocks / load.seconds;
  const residentBytes = await Promise.all(network.nodes.map(({ party }) => residentOf(network, party)));
  const { phases, totalMs } = keygen;
  const rates = { loadBlocksPerSecond, preprocessingBlocksPerSecond };
  return { keygen: { phases, totalMs }, latencyMs, load, ...rates, residentBytes };
}

interface Bench {
  readonly network: LocalNetwork;
  readonly keyId: string;
  readonly encryptor: Encryptor;
  readonly say: Say;
}

async function benchKeyGeneration(network: LocalNetwork, say: Say) {
  say('key generation, Default parameters');
  const started = performance.now();
  const phases: { phase: string; ms: number }[] = [];
  let phaseStarted = started;
  let phase = '';
  const endPhase = (next: string) => {
    const now = performance.now();
    if (phase !== '') phases.push({ phase, ms: now - phaseStarted });
    [phase, phaseStarted] = [next, now];
  };
  const request = { parameters: 'default', purpose: 'development' } as const;
  const key = await generateKey(network.rest(1), request, (state) => {
    if (state.phase !== phase) endPhase(state.phase);
  });
  endPhase('');
  const totalMs = performance.now() - started;
  await Promise.all(network.nodes.map(({ party }) => finishedKey(network.rest(party), key.requestId, KEY_WITHIN_MS)));
  const encryptor = createEncryptor(await fetchObject(network.rest(1), key, 'CompactPublicKey'));
  return { keyId: key.requestId, encryptor, phases, totalMs };
}

type Filling = Pick<Bench, 'network' | 'say'>;

/** Fills the pool of a new network; blocks per second, as party 1 saw it. Nothing else runs meanwhile. */
async function fillPool(filling: Filling): Promise<number> {
  const started = performance.now();
  const { pool } = await statusOf(filling.network, 1);
  await poolHolds(filling, pool.target);
  return (pool.target - pool.available) / ((performance.now() - started) / 1_000);
}

/** The pool is refilled batch by batch, so it may stay a little below its target. */
async function poolHolds({ network, say }: Filling, blocks: number): Promise<void> {
  say(`waiting for ${blocks} blocks in the pool`);
  await waitFor({ what: `${blocks} blocks in the pool`, withinMs: POOL_WITHIN_MS }, async () => {
    const { pool } = await statusOf(network, 1);
    if (pool.available >= blocks) return true;
    throw new Error(`${pool.available} of ${pool.target}: ${pool.reason}`);
  });
}

interface CeremonyList {
  readonly ceremonies: readonly { readonly kind: string; readonly state: string }[];
}

/** Resolves when no batch of material is being made: on two cores it competes with what is measured. */
async function poolRests({ network }: Filling): Promise<void> {
  await waitFor({ what: 'the end of a batch', withinMs: POOL_WITHIN_MS }, async () => {
    const { ceremonies } = await network.rest(1).get<CeremonyList>('/v1/ceremonies');
    const running = ceremonies.some(({ kind, state }) => {
      return kind === 'preprocessing' && (state === 'running' || state === 'pending');
    });
    return running ? undefined : true;
  });
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
    await poolRests({ network, say });
    const { values, ms } = await decrypt(network.rest(1), request);
    if (values[0]?.value !== String(sample.value)) throw new Error(`wrong value for ${type}`);
    times.push(ms);
  }
  return summarise(times.slice(WARM_UP_REQUESTS));
}

/** Many requests of one uint64 each, a fixed number of them always under way, spread over all nodes. */
async function benchLoad({ network, keyId, encryptor, say }: Bench): Promise<ProcessReport['load']> {
  say(`${LOAD_CONCURRENCY} requests at once`);
  const prepared = Array.from({ length: LOAD_REQUESTS }, () => {
    const sample = randomSample('uint64');
    return { sample, request: decryptionRequest(keyId, encryptor.encrypt([sample], 'packed')) };
  });
  const started = performance.now();
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < prepared.length) {
      const index = next++;
      const { sample, request } = prepared[index]!;
      const { values } = await decrypt(network.rest(1 + (index % network.nodes.length)), request);
      if (values[0]?.value !== String(sample.value)) throw new Error('wrong value under load');
    }
  };
  await Promise.all(Array.from({ length: LOAD_CONCURRENCY }, caller));
  const seconds = (performance.now() - started) / 1_000;
  return { concurrency: LOAD_CONCURRENCY, blocks: LOAD_BLOCKS, seconds };
}

async function residentOf(network: LocalNetwork, party: number): Promise<number> {
  return metricSum(await metricsOf(network.rest(party)), 'keyquorum_process_resident_memory_bytes');
}
