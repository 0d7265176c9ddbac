/**
 * One bundle, one use (SPEC R4, O13; negative tests N9..N13 of the design review). Goal: in no network, with no liar,
 * crash or restored disk, is a bundle certified twice or a share sent without a certificate; and requests are answered
 * all the same. Method: real services in the simulator; a witness outside of all parties judges every PROPOSE, ECHO and
 * CERT.
 */
import { digestSubject } from '@keyquorum/mpc/agreement/certificate';
import { LABELS } from '@keyquorum/mpc/labels';
import type { DiskSnapshot } from '@keyquorum/mpc/runtime/memory-journal';
import { signStatement } from '@keyquorum/mpc/runtime/statement';
import { forEachSeed, SEED_VARIABLE } from '@keyquorum/mpc/simulate/seeds';
import type { Simulation } from '@keyquorum/mpc/simulate/simulate';
import { type FaultStrategy, type FaultTools, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { Envelope, PartyId, Transport } from '@keyquorum/mpc/transport';
import { expect, test } from 'vitest';
import type { DecryptionOutcome } from '../src/decryption/job.ts';
import { decodeProposal, encodeProposal, proposalDigest } from '../src/decryption/proposal.ts';
import { upTo } from './support/generation.ts';
import { eventually } from './support/network.ts';
import { createReadyNetwork, lastLogs, type ReadyNetwork, type Request } from './support/ready.ts';
import { checkBindings, createWitness } from './support/witness.ts';

const seeds = (runs: number) => ({ runs, file: import.meta.filename, env: process.env });

/** All requests at all parties; each party's outcomes, or why it has none. */
function decryptAll(network: ReadyNetwork, requests: readonly Request[], limitMs = 180_000) {
  return network.sim.run(
    async (party) => {
      const services = await network.services(party);
      await eventually(party, () => services.keys().length > 0); // a rebooted party has to load them
      const decrypt = async (job: Request['job']): Promise<DecryptionOutcome> => {
        for (;;) {
          const outcome = await services.decrypt(job).catch((error: { code?: string }) => error);
          if ('messages' in outcome) return outcome;
          if (outcome.code !== 'POOL_EMPTY') throw outcome;
          await party.clock.until(party.clock.now() + 500); // after a boot the epoch is not there at once
        }
      };
      return Promise.all(requests.map(({ job }) => decrypt(job)));
    },
    { limitMs },
  );
}

function expectAnswers(
  run: Awaited<ReturnType<typeof decryptAll>>,
  requests: readonly Request[],
  parties: readonly PartyId[],
  where: string,
): void {
  for (const party of parties) {
    const outcome = run.outcomes[party - 1]!;
    expect(outcome.status, `${where}: party ${party} ${String((outcome as { reason?: unknown }).reason)}`).toBe(
      'fulfilled',
    );
    if (outcome.status !== 'fulfilled') continue;
    outcome.value.forEach(({ messages }, index) => {
      expect(messages, `${where}: party ${party}, request ${index}`).toEqual(requests[index]!.messages);
    });
  }
}

/**
 * Two requests of one shape, and an owner that proposes either one to some and the other to others, and echoes both.
 */
class TwoStories {
  readonly requests: Request[] = [];
  readonly #groups: readonly PartyId[];
  readonly #tools: FaultTools[] = [];
  /** Number of proposals that were told in two ways. */
  told = 0;

  readonly #again: boolean;

  /** `first`: parties that are told the truth; the others hear another story, or `again`: the same and then another. */
  constructor(first: readonly PartyId[], again: boolean) {
    this.#groups = first;
    this.#again = again;
  }

  /** Colluders: whoever of them owns the stripe lies, and all of them echo both stories. */
  readonly strategy: FaultStrategy = {
    name: 'tells two stories about a bundle',
    wrap: (transport, tools) => {
      this.#tools.push(tools);
      return intercept(transport, { send: (to, envelope, inner) => this.#send(to, envelope, inner, tools) });
    },
  };

  #send(to: PartyId, envelope: Envelope, inner: Transport, tools: FaultTools): void {
    const other = envelope.tag.startsWith('propose/') ? this.#otherStory(envelope) : undefined;
    if (other === undefined || this.#again || this.#groups.includes(to)) inner.send(to, envelope);
    if (other === undefined) return;
    if (this.#again || !this.#groups.includes(to)) inner.send(to, other);
    this.told += 1;
    for (const story of [envelope, other]) this.#echo(to, story, inner, tools);
  }

  #echo(to: PartyId, { session, tag, body }: Envelope, inner: Transport, tools: FaultTools): void {
    const digest = proposalDigest(body);
    const name = tag.replace('propose/', 'echo/');
    const subject = digestSubject(LABELS.echo, session, name, digest);
    const echo = Buffer.concat([digest, signStatement(tools, subject)]);
    inner.send(to, { session, tag: name, body: new Uint8Array(echo) });
  }

  /** The same bundles for the other request, under the same number or the next. */
  #otherStory({ session, body }: Envelope): Envelope | undefined {
    const proposal = decodeProposal(body);
    const other = (id: string) => {
      const index = this.requests.findIndex(({ job }) => job.requestId === id);
      return index < 0 ? undefined : this.requests[1 - index]!.job;
    };
    const items = proposal.items.map((item) => {
      const job = other(item.requestId);
      return job && { ...item, requestId: job.requestId, contentHash: job.contentHash };
    });
    if (items.some((item) => item === undefined)) return undefined;
    const number = proposal.number + (this.#again ? 1 : 0);
    const story = encodeProposal({ ...proposal, number, items: items.map((item) => item!) });
    return { session, tag: `propose/${number}`, body: story };
  }
}

test.each([
  { n: 4, t: 1, corrupt: [2], runs: 6 },
  { n: 7, t: 2, corrupt: [2, 5], runs: 4 },
])('N9: $n/$t: an owner proposes one bundle for two requests: one certificate, no share of the loser', async (size) => {
  const { n, t, corrupt, runs } = size;
  let told = 0;
  await forEachSeed(seeds(runs), async (seed) => {
    const honest = upTo(n).filter((party) => !corrupt.includes(party));
    const first = honest.filter((_, index) => (seed >> (index % 3)) & 1);
    const stories = new TwoStories(first, seed % 2 === 0);
    const witness = createWitness(n, Object.fromEntries(corrupt.map((party) => [party, stories.strategy])));
    const bundles = 16 * n;
    const network = await createReadyNetwork(
      { seed, n, t, faults: witness.faults },
      { poolTarget: bundles, batchBundles: bundles },
    );
    // As many pairs as it takes that a liar is the initiator of one.
    for (let pair = 0; pair < n; pair++) {
      const requests = [network.request([2, 2]), network.request([2, 2])];
      stories.requests.splice(0, 2, ...requests);
      expectAnswers(await decryptAll(network, requests), requests, honest, `seed ${seed}`);
    }
    told += stories.told;
    checkBindings(witness, network.sim.roster, honest);
  });
  if (!(SEED_VARIABLE in process.env)) expect(told, 'a liar was an initiator').toBeGreaterThan(runs);
});

/** Whoever could echo without end would fill the memory of all others. */
test('an echo counts under the one spelling of a number that exists', async () => {
  const spellings = ['echo/01', 'echo/1.0', 'echo/ 1', 'echo/1e0', 'echo/0x1', 'echo/1.5', 'echo/', 'echo/-1'];
  const flooding: FaultStrategy = {
    name: 'echoes under many spellings',
    wrap: (transport, tools) =>
      intercept(transport, {
        send(to, envelope, inner) {
          inner.send(to, envelope);
          if (envelope.tag !== 'echo/1') return;
          for (const tag of spellings) {
            const digest = tools.random.bytes(32);
            const name = `echo/${Number(tag.slice(5))}`;
            const signature = signStatement(tools, digestSubject(LABELS.echo, envelope.session, name, digest));
            inner.send(to, { ...envelope, tag, body: new Uint8Array(Buffer.concat([digest, signature])) });
          }
        },
      }),
  };
  const network = await createReadyNetwork(
    { seed: 7, n: 4, t: 1, faults: { 3: flooding } },
    { poolTarget: 64, batchBundles: 64 },
  );
  const requests = [network.request([2])];
  const run = await decryptAll(network, requests);
  expectAnswers(run, requests, [1, 2, 4], 'flooded');
  for (const tag of spellings) {
    const refused = run.faults.filter(
      ({ fault }) => fault.kind === 'malformed' && fault.detail?.startsWith(`${tag}: `),
    );
    expect(
      refused.map(({ fault }) => fault.party),
      tag,
    ).toEqual([3, 3, 3]);
  }
});

test('N10: requests for more than the last bundles, all at once: every bundle once, everything answered', async () => {
  await forEachSeed(seeds(4), async (seed) => {
    const witness = createWitness(4);
    const network = await createReadyNetwork(
      { seed, n: 4, t: 1, faults: witness.faults },
      { poolTarget: 16, batchBundles: 16 },
    );
    const requests = Array.from({ length: 12 }, (_, index) => network.request([1 + (index % 5)]));
    expectAnswers(await decryptAll(network, requests), requests, upTo(4), `seed ${seed}`);
    const { certified } = checkBindings(witness, network.sim.roster, upTo(4));
    expect(certified).toBeGreaterThan(0);
  });
});

test('what the stripes of the party that was asked cannot serve is bound at once by another', async () => {
  await forEachSeed(seeds(2), async (seed) => {
    const witness = createWitness(4);
    const limits = { poolTarget: 80, batchBundles: 80 };
    const network = await createReadyNetwork({ seed, n: 4, t: 1, faults: witness.faults }, limits);
    const ask = async (request: Request): Promise<number> => {
      const askedMs = network.sim.now();
      expectAnswers(await decryptAll(network, [request]), [request], upTo(4), `seed ${seed}`);
      return network.sim.now() - askedMs;
    };
    for (const owner of [1, 2]) {
      const { job, messages } = network.request([15]); // of 20 bundles that each owns
      expect(await ask({ job: { ...job, first: 1 }, messages })).toBeLessThan(1_000);
      const proposals = witness.sent
        .filter(({ tag }) => tag.startsWith('propose/'))
        .map(({ body }) => decodeProposal(body));
      const ofRequest = proposals.filter(({ items }) => items.some(({ requestId }) => requestId === job.requestId));
      expect(new Set(ofRequest.map((proposal) => proposal.owner))).toEqual(new Set([owner]));
    }
  });
});

/** Ends the process of a party around its echoes, at most one party at a time, and brings it back on some disk. */
class Crasher {
  crashes = 0;
  #sim: Simulation | undefined;
  #snapshot: { party: PartyId; disk: DiskSnapshot } | undefined;
  #down = false;
  #left: number;
  readonly #victim: PartyId;
  constructor(victim: PartyId, crashes: number) {
    this.#victim = victim;
    this.#left = crashes;
  }

  arm(sim: Simulation): void {
    this.#sim = sim;
  }

  readonly strategy: FaultStrategy = {
    name: 'crashes around its echoes',
    wrap: (transport, { random }) =>
      intercept(transport, {
        send: (to, envelope, inner) => {
          const sim = this.#sim;
          const dies = sim && this.#left > 0 && !this.#down && envelope.tag.startsWith('echo/') && random.chance(0.4);
          if (!dies) return inner.send(to, envelope);
          if (random.chance(0.5)) inner.send(to, envelope); // one party has it, the others do not
          this.#die(sim, random.below(3));
        },
      }),
  };

  #die(sim: Simulation, kind: number): void {
    this.#left -= 1;
    this.#down = true;
    this.crashes += 1;
    const old = this.#snapshot?.disk;
    const disk = kind === 0 ? 'synced' : kind === 1 || old === undefined ? 'torn' : old;
    this.#snapshot ??= { party: this.#victim, disk: sim.disk(this.#victim).snapshot() }; // yesterday's backup
    sim.crash(this.#victim, { restartAfterMs: 1_500, disk });
    sim.after(1_500, () => {
      this.#down = false;
    });
  }
}

test("N11: crashes around an echo, torn writes, yesterday's disk: no bundle twice", async () => {
  let crashes = 0;
  await forEachSeed(seeds(5), async (seed) => {
    const victim = 1 + (seed % 4);
    const crasher = new Crasher(victim, 4);
    const witness = createWitness(4, { [victim]: crasher.strategy });
    const limits = { poolTarget: 520, batchBundles: 520 }; // two segments and a bit a stripe: a reboot leaves little
    const network = await createReadyNetwork({ seed, n: 4, t: 1, faults: witness.faults }, limits);
    crasher.arm(network.sim);
    for (let round = 0; round < 3; round++) {
      const requests = Array.from({ length: 6 }, (_, index) => network.request([1 + ((index + round) % 4) * 4]));
      const run = await decryptAll(network, requests);
      expectAnswers(
        run,
        requests,
        upTo(4).filter((party) => party !== victim),
        `seed ${seed}, round ${round}`,
      );
    }
    crashes += crasher.crashes;
    checkBindings(witness, network.sim.roster, upTo(4)); // the victim is honest: it may forget, not echo twice
  });
  if (!(SEED_VARIABLE in process.env)) expect(crashes).toBeGreaterThan(8);
});

/** All but one are restarted, one after the other, as for an update: each may have used all it had reserved. */
async function restartAllBut(network: ReadyNetwork, kept: PartyId): Promise<void> {
  for (const restarted of upTo(network.sim.roster.n).filter((party) => party !== kept)) {
    network.sim.crash(restarted);
    network.sim.restart(restarted);
    const back = await network.sim.run(async (party) => {
      const services = await network.services(party);
      await eventually(party, () => services.pool().settled && services.keys().length > 0);
    });
    expect(back.outcomes.map(({ status }) => status)).toEqual(upTo(network.sim.roster.n).map(() => 'fulfilled'));
  }
}

test.each([
  [4, 1],
  [7, 2],
])('%i/%i: after restarts of nearly all a request waits for nobody else to propose', async (n, t) => {
  await forEachSeed(seeds(n === 4 ? 4 : 1), async (seed) => {
    const witness = createWitness(n, {});
    const limits = { poolTarget: n * 256, batchBundles: n * 256 }; // four segments a stripe
    const network = await createReadyNetwork({ seed, n, t, faults: witness.faults }, limits);
    const asked = upTo(n).map((first) => ({ ...network.request([8]), first }));
    const requests = asked.map(({ job, first, messages }) => ({ job: { ...job, first }, messages }));
    const before = network.request([3]);
    expectAnswers(await decryptAll(network, [before]), [before], upTo(n), `seed ${seed}, before`);
    await restartAllBut(network, 1 + (seed % n));
    const startMs = network.sim.now();
    expectAnswers(await decryptAll(network, requests), requests, upTo(n), `seed ${seed}, after`);
    expect(network.sim.now() - startMs).toBeLessThan(1_000); // the next initiator's turn begins after 2 s
    checkBindings(witness, network.sim.roster, upTo(n));
  });
});

test.each([
  ['after its proposal', 'echo/'],
  ['after the certificate', 'masked'],
])('N12: the initiator dies %s: still answered, no bundle twice', async (_, tag) => {
  await forEachSeed(seeds(8), async (seed) => {
    let armed = false;
    let died: PartyId | undefined;
    const proposed = new Set<PartyId>();
    const mortal: FaultStrategy = {
      name: `dies ${tag}`,
      wrap: (transport, { self, crash }) =>
        intercept(transport, {
          send(to, envelope, inner) {
            if (armed && envelope.tag.startsWith('propose/')) proposed.add(self);
            inner.send(to, envelope);
            if (!armed || died !== undefined || !proposed.has(self) || !envelope.tag.startsWith(tag)) return;
            died = self;
            crash();
          },
        }),
    };
    const witness = createWitness(4, Object.fromEntries(upTo(4).map((party) => [party, mortal])));
    const network = await createReadyNetwork({ seed, n: 4, t: 1, faults: witness.faults });
    armed = true;
    const requests = [network.request([3, 2])];
    const run = await decryptAll(network, requests);
    expect(died).toBeDefined();
    const alive = upTo(4).filter((party) => party !== died);
    expectAnswers(run, requests, alive, `seed ${seed}`);
    checkBindings(witness, network.sim.roster, upTo(4));
  });
});

test('N13: t parties are silent, one missed the batch: it catches up, all honest ones get the output', async () => {
  await forEachSeed(seeds(3), async (seed) => {
    const missing = 1 + (seed % 4);
    const mute = 1 + ((seed + 1) % 4);
    let cutting = false;
    let muted = false;
    let cut: (() => void) | undefined;
    const loses: FaultStrategy = {
      name: 'loses its links after its share',
      wrap: (transport, { clock }) =>
        intercept(transport, {
          send(to, envelope, inner) {
            inner.send(to, envelope);
            if (!cutting || envelope.tag !== 'share') return;
            cutting = false;
            void clock.until(clock.now() + 21).then(() => cut?.()); // longer than any message is on its way
          },
          receive: (from, envelope, deliver) => {
            if (envelope.tag !== 'share/complete' || !cut) deliver(from, envelope);
          },
        }),
    };
    const silences: FaultStrategy = {
      name: 'falls silent',
      wrap: (transport) =>
        intercept(transport, {
          send: (to, envelope, inner) => (muted ? undefined : inner.send(to, envelope)),
          answer: (_, __, answer) => (muted ? new Promise(() => undefined) : answer()),
        }),
    };
    const witness = createWitness(4, { [missing]: loses, [mute]: silences });
    const network = await createReadyNetwork(
      { seed, n: 4, t: 1, faults: witness.faults },
      { poolTarget: 16, batchBundles: 32 },
    );
    const { sim } = network;
    const others = upTo(4).filter((party) => party !== missing);
    cut = () => sim.partition([others, [missing]]);
    cutting = true;
    // Empties the pool, so that a batch is made that one party does not see the end of.
    const first = [network.request([8]), network.request([8]), network.request([8])];
    const made = await sim.run(
      async (party) => {
        const services = await network.services(party);
        for (const { job } of first) services.decrypt(job).catch(() => undefined);
        const before = services.pool().batches;
        if (party.self !== missing) await eventually(party, () => services.pool().batches > before);
        await party.clock.until(party.clock.now() + 90_000); // the session of the batch is over
        return services.pool().batches;
      },
      { limitMs: 240_000 },
    );
    const counts = made.outcomes.map((outcome) => (outcome as { value?: number }).value);
    expect(counts[missing - 1], `seed ${seed}: ${counts.join()}`).toBeLessThan(counts[others[0]! - 1]!);
    muted = true;
    sim.heal();
    const honest = upTo(4).filter((party) => party !== mute);
    const requests = Array.from({ length: 3 }, () => network.request([4]));
    const run = await decryptAll(network, requests);
    expectAnswers(run, requests, honest, `seed ${seed}\n${lastLogs(network, 12)}\n`);
    checkBindings(witness, sim.roster, upTo(4));
  });
});
