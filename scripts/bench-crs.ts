/**
 * `npm run bench:crs`: what a common reference string costs. The steps on points, beside noble's; one contribution and
 * its check on this thread and on all cores; with `--network`, four processes make one over libp2p; with `--proof`,
 * node-tfhe proves with it, and it and we verify. `--bits` takes another size than the largest. Prints tables.
 */
import { randomBytes, randomFillSync } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type CurveTools, contribute } from '@keyquorum/crs/contribution';
import { crsParameters, MAX_BITS } from '@keyquorum/crs/parameters';
import { type CrsState, type CrsSubject, startState } from '@keyquorum/crs/state';
import { verifyContribution } from '@keyquorum/crs/verification';
import { inThisThread } from '@keyquorum/crs/workers';
import { createBls446 } from '@keyquorum/kernel/bls446';
import { startCurvePool } from '@keyquorum/node/curve/pool';
import type { CeremonyBody } from '@keyquorum/node/rest/schemas';
import { TFHE_FORMAT } from '@keyquorum/protocols/crs/content';
import { DEFAULT_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { measureProofs } from './bench/crs-proof.ts';
import { measureCurves } from './bench/curve.ts';
import { fillPool } from './bench/pool.ts';
import { table } from './demo/table.ts';
import { finishedReferenceString } from './network/reference-string.ts';
import { temporaryNetwork } from './network/temporary-network.ts';

const say = (text: string): void => console.error(`bench: ${text}`);
const random = (count: number) => randomFillSync(new Uint8Array(count));
const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
/** The others end at the same time, or take the file from those that have. */
const END_MS = 120_000;

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const startMs = performance.now();
  const result = await work();
  return { result, ms: performance.now() - startMs };
}

/** Times of one contribution and its check. */
async function measure(name: string, tools: CurveTools, subject: CrsSubject, before: CrsState) {
  say(`${name}: contributing`);
  const round = before.round + 1;
  const made = await timed(() => contribute(tools, subject, before, { round, random }));
  say(`${name}: checking`);
  const checks = { round, contribution: made.result };
  const checked = await timed(() => verifyContribution(tools, subject, before, checks));
  return { row: [name, seconds(made.ms), seconds(checked.ms)], state: checked.result };
}

/** From the request to the finished file at all nodes. */
async function measureNetwork(maxBits: number): Promise<string> {
  say('starting four processes');
  await using network = await temporaryNetwork();
  await network.startAll();
  await network.allReady();
  await fillPool({ network, say });
  const id = randomBytes(32).toString('hex');
  const { ms } = await timed(async () => {
    await network.rest(1).post('/v1/crs', { requestId: id, parameters: 'default', maxBits });
    for await (const { data } of network.rest(1).events(`/v1/ceremonies/${id}/events`)) say(phaseOf(data));
    await Promise.all(network.nodes.map(({ party }) => finishedReferenceString(network.rest(party), id, END_MS)));
  });
  return table(['four processes on this machine', 'seconds'], [['from the request to the end at all', seconds(ms)]]);
}

function phaseOf(data: string): string {
  const { phase, state } = JSON.parse(data) as CeremonyBody;
  return phase === '' ? state : phase;
}

async function measureHere(maxBits: number): Promise<{ readonly text: string; readonly file: Uint8Array }> {
  const subject = { parameters: crsParameters(DEFAULT_PARAMETERS, maxBits), number: 1n };
  const curve = createBls446();
  const one = { curve, workers: inThisThread(curve, random) };
  const all = { curve, workers: startCurvePool() };
  try {
    const first = await measure('one core', one, subject, startState(subject));
    const second = await measure(`${availableParallelism()} threads`, all, subject, first.state);
    const file = TFHE_FORMAT.encode(subject, { g1: second.state.g1, g2: second.state.g2 });
    const heads = [`${maxBits} bits, n = ${subject.parameters.size}`, 'contribute s', 'check s'];
    return { text: table(heads, [first.row, second.row]), file };
  } finally {
    await all.workers.close();
  }
}

const { values } = parseArgs({
  options: {
    bits: { type: 'string', default: String(MAX_BITS) },
    network: { type: 'boolean', default: false },
    proof: { type: 'boolean', default: false },
  },
});
const maxBits = Number(values.bits);
say('points');
const steps = measureCurves().map(({ step, kernelMs, nobleMs }) => [step, kernelMs.toFixed(2), nobleMs.toFixed(1)]);
console.log(table(['ms per point', 'kernel', 'noble'], steps));
const here = await measureHere(maxBits);
console.log(here.text);
if (values.proof) {
  const rows = measureProofs(here.file, say).map(({ load, proveMs, expandMs, verifyMs }) => {
    return [load.toLowerCase(), ...[proveMs, expandMs, verifyMs].map(seconds)];
  });
  console.log(table(['one uint64, load', 'node-tfhe proves s', 'verifies and expands s', 'we verify s'], rows));
}
if (values.network) console.log(await measureNetwork(maxBits));
