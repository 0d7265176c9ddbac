/**
 * `npm run bench`: measures key generation, decryption latency and throughput, preprocessing, traffic and memory;
 * prints tables and writes `bench-results/<time>.json`. Real processes for four parties, the simulator for more.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchFlooding, type FloodingReport } from './bench/flooding.ts';
import { benchProcesses, type ProcessReport } from './bench/processes.ts';
import { benchSimulator, type PhaseCost, type SimulatorReport } from './bench/simulator.ts';
import { type AnswerCost, benchAnswers } from './bench/user-answers.ts';
import { table } from './demo/table.ts';
import type { LocalNetwork } from './network/local-network.ts';
import { temporaryNetwork } from './network/temporary-network.ts';

const RESULTS = 'bench-results';
const say = (text: string): void => console.error(`bench: ${text}`);

/** With four processes, which end with it. */
async function withNetwork<T>(measure: (network: LocalNetwork, say: (text: string) => void) => Promise<T>): Promise<T> {
  say('starting four processes');
  await using network = await temporaryNetwork();
  await network.startAll();
  await network.allReady();
  return await measure(network, say);
}

const whole = (value: number): string => value.toFixed(0);
const tenth = (value: number): string => value.toFixed(1);
const MEBIBYTE = 2 ** 20;

function processTables(report: ProcessReport): string {
  const { keygen, latencyMs, userLatencyMs, load, loadBlocksPerSecond, preprocessingBlocksPerSecond, residentBytes } =
    report;
  const phases = keygen.phases.map(({ phase, seconds }) => [phase, tenth(seconds)]);
  const measured = { ...latencyMs, 'uint64 for one user': userLatencyMs };
  const latencies = Object.entries(measured).map(([what, { count, p50, p99, max }]) => {
    return [what, String(count), tenth(p50), tenth(p99), tenth(max)];
  });
  const rates = [
    [`online, ${load.concurrency} requests at once`, whole(loadBlocksPerSecond)],
    ['preprocessing', whole(preprocessingBlocksPerSecond)],
  ];
  const memory = residentBytes.map((bytes, index) => [String(index + 1), whole(bytes / MEBIBYTE)]);
  return [
    table(['base key generation, 4/1', 'seconds'], [...phases, ['in all', tenth(keygen.seconds)]]),
    table(['REST request to value, 4/1', 'requests', 'p50 ms', 'p99 ms', 'max ms'], latencies),
    table(['blocks of 2 bits per second, 4/1', ''], rates),
    table(['party', 'resident MiB'], memory),
  ].join('\n\n');
}

/** Committees that are too many processes for one machine, and 4/1 to compare with. */
const SIMULATED = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
  { n: 13, t: 4 },
] as const;

const sum = ({ bytesPerParty }: PhaseCost): number =>
  Object.values(bytesPerParty).reduce((all, bytes) => all + bytes, 0);

/** Bytes of the kinds of messages, most first, per block and party. */
function traffic({ bytesPerParty }: PhaseCost, blocks: number): string {
  const kinds = Object.entries(bytesPerParty).sort(([, left], [, right]) => right - left);
  return kinds.map(([tag, bytes]) => `${tag} ${whole(bytes / blocks)}`).join(', ');
}

function simulatorTables(reports: readonly SimulatorReport[]): string {
  const costs = reports.map(({ n, t, epoch, keygen, preprocessing, online }) => [
    `${n}/${t}`,
    whole(epoch.msPerParty),
    whole(keygen.msPerParty),
    tenth(sum(keygen) / MEBIBYTE),
    whole((1_000 * preprocessing.msPerParty) / preprocessing.blocks),
    whole(sum(preprocessing) / preprocessing.blocks),
    whole((1_000 * online.msPerParty) / online.blocks),
    whole(sum(online) / online.blocks),
  ]);
  const head = ['n/t', 'epoch ms', 'keygen ms', 'keygen MiB', 'offline us', 'offline B', 'online us', 'online B'];
  const kinds = reports.flatMap(({ n, t, preprocessing, online }) => [
    [`${n}/${t}`, 'offline', traffic(preprocessing, preprocessing.blocks)],
    [`${n}/${t}`, 'online', traffic(online, online.blocks)],
  ]);
  return [
    '  Simulator: processor time and bytes sent, per party; offline and online per block of 2 bits',
    table(head, costs),
    table(['n/t', 'phase', 'bytes per block and party, by kind of message'], kinds),
  ].join('\n\n');
}

function answersTable(costs: readonly AnswerCost[]): string {
  const rows = costs.map((cost) => {
    const { n, t, permitMs, answerMs, answerParts, openMs, decodeMs, floodedBlocksPerSecond } = cost;
    const { signaturesMs, digestsMs, encapsulationMs } = answerParts;
    const parts = [signaturesMs, digestsMs, encapsulationMs].map(tenth).join(' + ');
    const client = [tenth(openMs), tenth(decodeMs)];
    return [`${n}/${t}`, tenth(permitMs), tenth(answerMs), parts, ...client, whole(floodedBlocksPerSecond)];
  });
  const head = [
    'processor time',
    'node: permit ms',
    'node: answer ms',
    'of it, signatures + digests + ML-KEM',
    'client: open ms',
    'client: 64 blocks ms',
    'node: flooded blocks/s',
  ];
  return table(head, rows);
}

function floodingTable(report: FloodingReport): string {
  const { latencyMs, carryingMs, handOverMs, concurrency, uint64PerSecond, blocksPerSecond, ciphertextBytes } = report;
  const megabytes = tenth(ciphertextBytes / 1e6);
  const latencies = Object.entries({
    'request that names it': latencyMs,
    'request that carries it': carryingMs,
    'handing it over': handOverMs,
  }).map(([what, { count, p50, p99, max }]) => [what, String(count), tenth(p50), tenth(p99), tenth(max)]);
  return [
    table([`squashed uint64 of ${megabytes} MB, 4/1`, 'times', 'p50 ms', 'p99 ms', 'max ms'], latencies),
    table(
      [`${concurrency} requests at once`, 'a second'],
      [
        ['uint64', tenth(uint64PerSecond)],
        ['blocks, by each node', whole(blocksPerSecond)],
      ],
    ),
  ].join('\n\n');
}

/** `--only PART` runs one part. */
function wanted(part: 'processes' | 'flooding' | 'simulator' | 'answers'): boolean {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  return values.only === undefined || values.only === part;
}

async function main(): Promise<void> {
  const simulated: SimulatorReport[] = [];
  if (wanted('simulator')) {
    for (const { n, t } of SIMULATED) {
      simulated.push(await benchSimulator(n, t, say));
      console.log(`\n${simulatorTables(simulated.slice(-1))}`);
    }
  }
  const answers: AnswerCost[] = [];
  if (wanted('answers')) {
    for (const size of SIMULATED) answers.push(await benchAnswers(size));
    console.log(`\n${answersTable(answers)}`);
  }
  const processes = wanted('processes') ? await withNetwork(benchProcesses) : undefined;
  if (processes) console.log(`\n${processTables(processes)}`);
  const flooding = wanted('flooding') ? await withNetwork(benchFlooding) : undefined;
  if (flooding) console.log(`\n${floodingTable(flooding)}`);
  const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version };
  await mkdir(RESULTS, { recursive: true });
  const file = join(RESULTS, `${new Date().toISOString().replaceAll(':', '-')}.json`);
  await writeFile(file, `${JSON.stringify({ machine, processes, flooding, answers, simulated }, undefined, 2)}\n`);
  say(`written to ${file}`);
}

await main();
process.exit();
