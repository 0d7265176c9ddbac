/**
 * Decryption while parties lie. Goal: whoever is corrupt and whatever it does, no honest party ever outputs a wrong value,
 * every honest party finishes while at most t are corrupt, nobody honest is reported as more than silent or late, and who
 * sends wrong shares is named. Method: every set of at most t parties times every strategy of the catalogue at 4/1 and 7/2,
 * a seeded sample at 13/4; one honestly made network per strategy, whose parties start to lie when told.
 */
import { corruptSets, STRATEGIES } from '@keyquorum/mpc/simulate/faults/catalogue';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import type { Run } from '@keyquorum/mpc/simulate/simulate';
import type { PartyId } from '@keyquorum/mpc/transport';
import { expect, test } from 'vitest';
import type { DecryptionOutcome } from '../src/decryption/job.ts';
import { SHARE_CODECS } from '../src/share-codecs.ts';
import { createLies, type Lies } from './support/lies.ts';
import { createReadyNetwork, decryptEverywhere, lastLogs, type ReadyNetwork, type Request } from './support/ready.ts';

/** Blocks of the values of one request. */
const BLOCKS = [3, 2];
/** Strategies that send wrong shares of every opened value: each honest party that gets them must name the liar. */
const NAMED = ['wrong-share', 'constant-offset', 'codeword-offset', 'codeword-offset-high'];
/** Lies are about decryption; those about preprocessing have a test of their own. */
const ONLINE = SHARE_CODECS.filter(({ degree }) => degree === 1);

interface Liars {
  readonly lies: Lies;
  readonly corrupt: readonly PartyId[];
  readonly name: string;
}

function checkOutcome(run: Run<DecryptionOutcome>, { messages }: Request, { corrupt, name }: Liars, where: string): void {
  run.outcomes.forEach((outcome, index) => {
    const party = index + 1;
    if (corrupt.includes(party)) return;
    const say = `${where}: party ${party}`;
    expect(outcome.status, `${say} ${String((outcome as { reason?: unknown }).reason)}`).toBe('fulfilled');
    if (outcome.status !== 'fulfilled') return;
    expect(outcome.value.messages, say).toEqual(messages);
    const accused = outcome.value.faults.filter(({ kind }) => kind !== 'silent' && kind !== 'late');
    for (const fault of accused) expect(corrupt, `${say} accuses ${JSON.stringify(fault)}`).toContain(fault.party);
    const named = accused.filter(({ kind }) => kind === 'wrong-share').map((fault) => fault.party);
    if (NAMED.includes(name)) expect(named, `${say} names the liars`).toEqual(expect.arrayContaining([...corrupt]));
  });
  for (const { by, fault } of run.faults) {
    if (corrupt.includes(by) || fault.kind === 'silent' || fault.kind === 'late') continue;
    expect(corrupt, `${where}: party ${by} accuses ${JSON.stringify(fault)}`).toContain(fault.party);
  }
}

async function attack(network: ReadyNetwork, { lies, corrupt, name }: Liars, bundles: number): Promise<void> {
  const { sim } = network;
  const where = `${sim.describe().split(', party')[0]}, ${name} by ${corrupt.join(', ')}`;
  const request = network.request(BLOCKS);
  lies.start(corrupt, STRATEGIES[name]!, where);
  const run = await decryptEverywhere(network, request.job);
  lies.stop();
  checkOutcome(run, request, { lies, corrupt, name }, `${where}\n${lastLogs(network)}\n`);
  for (const party of corrupt) sim.restart(party); // only those that crashed
  await network.refilled(bundles);
}

/** All sets, one strategy, one network. */
async function attackAll(seed: string, { n, t, name, sets }: { n: number; t: number; name: string; sets: PartyId[][] }) {
  const lies = createLies(n);
  const bundles = 24 * n;
  const options = { seed, n, t, faults: lies.faults, codecs: ONLINE };
  const network = await createReadyNetwork(options, { poolTarget: bundles, batchBundles: bundles });
  for (const corrupt of sets) await attack(network, { lies, corrupt, name }, bundles / 2);
}

test.each(
  [
    { n: 4, t: 1 },
    { n: 7, t: 2 },
  ].flatMap((size) => Object.keys(STRATEGIES).map((name) => ({ ...size, name }))),
)('$n/$t, $name: every corrupt set', async ({ n, t, name }) => {
  await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, (seed) =>
    attackAll(`${seed}`, { n, t, name, sets: corruptSets(n, t) }),
  );
});
