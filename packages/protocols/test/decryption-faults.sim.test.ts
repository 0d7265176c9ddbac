/**
 * Decryption while parties lie. Goal: whoever is corrupt and whatever it does, no honest party ever outputs a wrong
 * value, every honest party finishes while at most t are corrupt, nobody honest is reported as more than silent or
 * late, and who sends wrong shares is named. Method: every set of at most t parties times every strategy of the
 * catalogue at 4/1 and 7/2, a seeded sample at 13/4; one honestly made network per strategy, whose parties start to lie
 * when told.
 */
import { allDo, corruptSets, drawFaults, STRATEGIES } from '@keyquorum/mpc/simulate/faults/catalogue';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import type { Run } from '@keyquorum/mpc/simulate/simulate';
import { describeFaults, type FaultStrategy, type Faults, intercept } from '@keyquorum/mpc/simulate/strategy';
import { expect, test } from 'vitest';
import type { DecryptionOutcome } from '../src/decryption/job.ts';
import { SHARE_CODECS } from '../src/share-codecs.ts';
import { createLies, type Lies } from './support/lies.ts';
import { createReadyNetwork, decryptEverywhere, lastLogs, type ReadyNetwork, type Request } from './support/ready.ts';

/** Blocks of the values of one request. */
const BLOCKS = [3, 2];
/** Strategies that send wrong shares of every opened value: each honest party that gets them must name the liar. */
const NAMED = ['wrong-share', 'constant-offset', 'codeword-offset', 'codeword-offset-high'];
/** Strategies whose lies stay in a network: dead processes, and messages planted in sessions that are used again. */
const LASTING = ['crash', 'wrong-session'];
/** Lies are about decryption; those about preprocessing have a test of their own. */
const ONLINE = SHARE_CODECS.filter(({ degree }) => degree === 1);

const NAMED_STRATEGIES = NAMED.map((name) => STRATEGIES[name]);

function checkOutcome(run: Run<DecryptionOutcome>, { messages }: Request, faults: Faults, where: string): void {
  const corrupt = Object.keys(faults).map(Number);
  const toBeNamed = corrupt.filter((party) => NAMED_STRATEGIES.includes(faults[party]));
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
    expect(named, `${say} names the liars`).toEqual(expect.arrayContaining(toBeNamed));
  });
  for (const { by, fault } of run.faults) {
    if (corrupt.includes(by) || fault.kind === 'silent' || fault.kind === 'late') continue;
    expect(corrupt, `${where}: party ${by} accuses ${JSON.stringify(fault)}`).toContain(fault.party);
  }
}

interface Stage {
  readonly network: ReadyNetwork;
  readonly lies: Lies;
  /** Free bundles every party must have before a scenario. */
  readonly bundles: number;
}

async function setStage(seed: string, { n, t }: { n: number; t: number }, bundlesPerParty = 8): Promise<Stage> {
  const lies = createLies(n);
  const bundles = bundlesPerParty * n;
  const network = await createReadyNetwork(
    { seed, n, t, faults: lies.faults, codecs: ONLINE },
    { poolTarget: bundles, batchBundles: bundles },
  );
  return { network, lies, bundles: bundles / 2 };
}

async function attack({ network, lies, bundles }: Stage, faults: Faults): Promise<void> {
  const { n, t } = network.sim.roster;
  const where = `n=${n}, t=${t}, ${describeFaults(faults)}`;
  await network.refilled(bundles);
  const request = network.request(BLOCKS);
  lies.start(faults, where);
  const run = await decryptEverywhere(network, request.job);
  lies.stop();
  checkOutcome(run, request, faults, `${where}\n${lastLogs(network)}\n`);
}

test.each(
  [
    { n: 4, t: 1 },
    { n: 7, t: 2 },
  ].flatMap((size) => Object.keys(STRATEGIES).map((name) => ({ ...size, name }))),
)('$n/$t, $name: every corrupt set', async ({ n, t, name }) => {
  await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
    let stage: Stage | undefined;
    for (const corrupt of corruptSets(n, t)) {
      if (LASTING.includes(name)) stage = undefined;
      stage ??= await setStage(`${seed}`, { n, t });
      await attack(stage, allDo(corrupt, STRATEGIES[name]!));
    }
  });
});

test('13/4: random parties, each with a random strategy', async () => {
  await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
    const stage = await setStage(`${seed}`, { n: 13, t: 4 }, 4);
    const strategies = Object.entries(STRATEGIES).flatMap(([name, each]) => (LASTING.includes(name) ? [] : [each]));
    const random = stage.network.sim.random.fork('corrupt');
    await attack(
      stage,
      allDo(
        random.sample(
          [...Array(13).keys()].map((index) => index + 1),
          4,
        ),
        STRATEGIES['codeword-offset']!,
      ),
    );
    for (let scenario = 0; scenario < 5; scenario++) await attack(stage, drawFaults(random, 13, 4, strategies));
  });
});

test('more than t silent parties: the session is closed, and keeps nothing that is sent later', async () => {
  const mute: FaultStrategy = {
    name: 'sends no shares, and much later two messages under one tag',
    wrap: (transport, { clock, random }) =>
      intercept(transport, {
        send(to, envelope, inner) {
          if (envelope.tag !== 'masked') return inner.send(to, envelope);
          void clock.until(clock.now() + 30_000).then(() => {
            for (let copy = 0; copy < 2; copy++) inner.send(to, { ...envelope, tag: 'late', body: random.bytes(64) });
          });
        },
      }),
  };
  const network = await createReadyNetwork(
    { seed: 11, n: 4, t: 1, faults: { 2: mute, 3: mute } },
    { poolTarget: 32, batchBundles: 32 },
  );
  const { job } = network.request([1]);
  const run = await network.sim.run(async (party) => {
    const { clock } = party;
    const decrypted = (await network.services(party)).decrypt({ ...job, deadlineMs: clock.now() + 1_500 });
    await expect(decrypted).rejects.toMatchObject({ code: 'DECRYPTION_TIMEOUT' });
    await clock.until(clock.now() + 60_000);
  });
  expect(run.faults.filter(({ fault }) => fault.kind === 'equivocation')).toEqual([]);
});
