/**
 * `npm run bench:keygen`: measures key generation. Four processes over libp2p make `base` and `default` keys (`--only
 * base` makes one of them); the simulator makes `test` keys in committees of 4, 7 and 13. Prints tables.
 */
import { parseArgs } from 'node:util';
import { type KeygenCost, measureKeygen } from './bench/keygen.ts';
import { type SimulatedKeygen, simulateKeygen } from './bench/keygen-simulator.ts';
import { fillPool } from './bench/pool.ts';
import { table } from './demo/table.ts';
import { temporaryNetwork } from './network/temporary-network.ts';

const say = (text: string): void => console.error(`bench: ${text}`);
const MEGABYTE = 1e6;
const GOALS = { base: 15, default: 120 } as const;
const SIMULATED = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
  { n: 13, t: 4 },
] as const;

const tenth = (value: number): string => value.toFixed(1);

async function measureProcesses(keySets: readonly (keyof typeof GOALS)[]): Promise<KeygenCost[]> {
  say('starting four processes');
  await using network = await temporaryNetwork();
  await network.startAll();
  await network.allReady();
  await fillPool({ network, say });
  const costs: KeygenCost[] = [];
  for (const keySet of keySets) costs.push(await measureKeygen(network, keySet, say));
  return costs;
}

function processTables(costs: readonly KeygenCost[]): string {
  const rows = costs.map(({ keySet, seconds, sentBytes, cpuSeconds, residentBytes }) => [
    keySet,
    tenth(seconds),
    String(GOALS[keySet as keyof typeof GOALS]),
    tenth(sentBytes / MEGABYTE),
    tenth(cpuSeconds),
    tenth(residentBytes / MEGABYTE),
  ]);
  const phases = costs.flatMap(({ keySet, phases: each }) =>
    each.map(({ phase, seconds }) => [keySet, phase, tenth(seconds)]),
  );
  return [
    table(['key set, 4/1', 'seconds', 'goal', 'MB sent per party', 'CPU s per party', 'peak MB per party'], rows),
    table(['key set', 'phase', 'seconds'], phases),
  ].join('\n\n');
}

/** Bits and triples of a generation that makes all noise from joint bits and products from triples. */
const CLASSIC_TEST = { bits: 729_638, triples: 795_942 };

function simulatorTable(costs: readonly SimulatedKeygen[]): string {
  const rows = costs.map(({ n, t, bits, sentBytes, msPerParty }) => [
    `${n}/${t}`,
    String(bits),
    '0',
    tenth(sentBytes / MEGABYTE),
    msPerParty.toFixed(0),
  ]);
  const { bits, triples } = CLASSIC_TEST;
  return [
    table(['Test set', 'joint bits', 'triples', 'MB sent per party', 'CPU ms per party'], rows),
    `  with all noise from joint bits and products from triples it would take ${bits} bits and ${triples} triples`,
  ].join('\n');
}

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const simulated: SimulatedKeygen[] = [];
if (values.only === undefined || values.only === 'test') {
  for (const size of SIMULATED) simulated.push(await simulateKeygen(size, say));
  console.log(`\n${simulatorTable(simulated)}`);
}
const keySets = (['base', 'default'] as const).filter((each) => values.only === undefined || values.only === each);
if (keySets.length > 0) console.log(`\n${processTables(await measureProcesses(keySets))}`);
process.exit();
