/** What one key generation costs in a network of processes. */
import type { KeySetName } from '@keyquorum/tfhe/key-sets';
import { finishedKey, generateKey } from '../network/key-generation.ts';
import type { LocalNetwork } from '../network/local-network.ts';
import { metricSum, metricsOf } from './metrics.ts';

/** All nodes end within seconds of each other. */
const KEY_WITHIN_MS = 120_000;

export interface KeygenCost {
  readonly keySet: KeySetName;
  readonly keyId: string;
  readonly seconds: number;
  readonly phases: readonly { readonly phase: string; readonly seconds: number }[];
  /** Of the party that was asked. */
  readonly sentBytes: number;
  /** Of the slowest and largest party. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** From the request to the finished key at all nodes. Nothing else should run meanwhile. */
export async function measureKeygen(
  network: LocalNetwork,
  keySet: KeySetName,
  say: (text: string) => void,
): Promise<KeygenCost> {
  say(`key generation: ${keySet}`);
  const before = await cpuOf(network);
  const started = performance.now();
  const clock = createPhaseClock(started);
  let sentBytes = 0;
  let residentBytes = 0;
  const sampling = setInterval(() => {
    largestMemory(network).then(
      (bytes) => {
        residentBytes = Math.max(residentBytes, bytes);
      },
      () => undefined, // a busy node answers the next time
    );
  }, 1_000);
  const key = await generateKey(network.rest(1), { parameters: keySet, purpose: 'development' }, (progress) => {
    clock.enter(progress.phase);
    sentBytes = progress.bytesSent;
  });
  await Promise.all(network.nodes.map(({ party }) => finishedKey(network.rest(party), key.requestId, KEY_WITHIN_MS)));
  clearInterval(sampling);
  const phases = clock.end();
  const seconds = (performance.now() - started) / 1_000;
  const after = await cpuOf(network);
  const cpuSeconds = Math.max(...after.map((each, index) => each - before[index]!));
  return { keySet, keyId: key.requestId, seconds, phases, sentBytes, cpuSeconds, residentBytes };
}

/** How long each phase took, as it was told. */
export function createPhaseClock(startedMs: number) {
  const phases: { phase: string; seconds: number }[] = [];
  let [phase, sinceMs] = ['', startedMs];
  const enter = (next: string): void => {
    if (next === phase) return;
    const nowMs = performance.now();
    if (phase !== '') phases.push({ phase, seconds: (nowMs - sinceMs) / 1_000 });
    [phase, sinceMs] = [next, nowMs];
  };
  return {
    enter,
    end() {
      enter('');
      return phases;
    },
  };
}

async function cpuOf(network: LocalNetwork): Promise<number[]> {
  const texts = await Promise.all(network.nodes.map(({ party }) => metricsOf(network.rest(party))));
  return texts.map((text) => metricSum(text, 'keyquorum_process_cpu_seconds_total'));
}

async function largestMemory(network: LocalNetwork): Promise<number> {
  const texts = await Promise.all(network.nodes.map(({ party }) => metricsOf(network.rest(party))));
  return Math.max(...texts.map((text) => metricSum(text, 'keyquorum_process_resident_memory_bytes')));
}
