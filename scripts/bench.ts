/**
 * `npm run bench`: measures key generation, decryption latency and throughput, preprocessing, traffic and memory; prints
 * tables and writes `bench-results/<time>.json`. Real processes for four parties, the simulator for more.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchProcesses, type ProcessReport } from './bench/processes.ts';
import { table } from './demo/table.ts';
import { createLocalNetwork } from './network/local-network.ts';

const RESULTS = 'bench-results';
const say = (text: string): void => console.error(`bench: ${text}`);

async function measureProcesses(): Promise<ProcessReport> {
  const dir = await mkdtemp(join(tmpdir(), 'keyquorum-bench-'));
  say('starting four processes');
  const network = await createLocalNetwork({ parties: 4, threshold: 1, dir });
  try {
    await network.startAll();
    await network.allReady();
    return await benchProcesses(network, say);
  } finally {
    await network.stopAll();
    await rm(dir, { recursive: true, force: true });
  }
}

const whole = (value: number): string => value.toFixed(0);
const tenth = (value: number): string => value.toFixed(1);
const MEBIBYTE = 2 ** 20;

function processTables(report: ProcessReport): string {
  const { keygen, latencyMs, load, loadBlocksPerSecond, preprocessingBlocksPerSecond, residentBytes } = report;
  const phases = keygen.phases.map(({ phase, ms }) => [phase, whole(ms)]);
  const latencies = Object.entries(latencyMs).map(([type, { count, p50, p99, max }]) => {
    return [type, String(count), tenth(p50), tenth(p99), tenth(max)];
  });
  const rates = [
    [`online, ${load.concurrency} requests at once`, whole(loadBlocksPerSecond)],
    ['preprocessing', whole(preprocessingBlocksPerSecond)],
  ];
  const memory = residentBytes.map((bytes, index) => [String(index + 1), whole(bytes / MEBIBYTE)]);
  return [
    table(['key generation, 4/1', 'ms'], [...phases, ['in all', whole(keygen.totalMs)]]),
    table(['REST request to value, 4/1', 'requests', 'p50 ms', 'p99 ms', 'max ms'], latencies),
    table(['blocks of 2 bits per second, 4/1', ''], rates),
    table(['party', 'resident MiB'], memory),
  ].join('\n\n');
}

async function main(): Promise<void> {
  const processes = await measureProcesses();
  console.log(processTables(processes));
  const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version };
  await mkdir(RESULTS, { recursive: true });
  const file = join(RESULTS, `${new Date().toISOString().replaceAll(':', '-')}.json`);
  await writeFile(file, `${JSON.stringify({ machine, processes }, undefined, 2)}\n`);
  say(`written to ${file}`);
}

await main();
process.exit();
