/**
 * What a closed session must never do (SPEC R3, R5, R6, R14; negative tests N7, N8, N14..N16, N27, N28 of the design
 * review): accept values of degree 2t without everybody, reveal anything after COMPLETE, reveal what another session
 * needs, make one key twice, send after it was given up, or lower the degree. Method: the real services in the
 * simulator, with a witness of all messages; for votes that are split, the real steps on sessions of their own.
 */
import { decide, enterSession } from '@keyquorum/mpc/agreement/decision';
import { sha256, toHex } from '@keyquorum/mpc/bytes';
import { familyC } from '@keyquorum/mpc/prss/family';
import { eraseKeys, sessionKeys } from '@keyquorum/mpc/prss/keys';
import { decodePrssKeys } from '@keyquorum/mpc/prss/late-keys';
import { SIGNATURE_BYTES } from '@keyquorum/mpc/runtime/statement';
import { codewordOffset, constantOffset } from '@keyquorum/mpc/simulate/faults/shares';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import { simulate } from '@keyquorum/mpc/simulate/simulate';
import { type FaultStrategy, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { PartyId } from '@keyquorum/mpc/transport';
import { parameterSet } from '@keyquorum/tfhe/parameters';
import { expect, test } from 'vitest';
import { burn } from '../src/closed/burn.ts';
import { exchangeShares } from '../src/closed/signed-shares.ts';
import { loadEpoch } from '../src/epoch/epoch.ts';
import { batchesOf } from './support/batches.ts';
import { discreet } from './support/discreet.ts';
import { filesOf, judge } from './support/evidence.ts';
import { upTo } from './support/generation.ts';
import { kernel } from './support/kernel.ts';
import { createNetwork, eventually, LIMITS, type SimulatedNetwork } from './support/network.ts';
import { lastLogs } from './support/ready.ts';
import { publicKeyNoise, reconstructBits } from './support/secret-keys.ts';
import { createWitness } from './support/witness.ts';

const KEY_ID = 'ab'.repeat(32);
const TEST = parameterSet('test');
const isClosed = (tag: string): boolean => /^(share|bits|body(64|128)\/\d+)$/.test(tag);
const seeds = (runs: number) => ({ runs, file: import.meta.filename, env: process.env });

async function startEpoch(network: SimulatedNetwork): Promise<void> {
  await network.sim.run(async (party) => {
    const services = await network.services(party);
    await eventually(party, () => services.epoch() === 1);
  });
}

/** Until the ceremony has ended at every party, or a time limit; returns how, by party. */
async function generate(network: SimulatedNetwork, id: string, asker: PartyId, limitMs = 300_000): Promise<string[]> {
  const run = await network.sim.run(
    async (party) => {
      const services = await network.services(party);
      if (party.self === asker) services.generateKey({ requestId: id, parameters: 'test', purpose: 'development' });
      const state = (): string => services.ceremony(id)?.state ?? '';
      await eventually(party, () => ['succeeded', 'failed', 'aborted'].includes(state()), 500);
      return state();
    },
    { limitMs },
  );
  return run.outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.status));
}

/** An honest party whose messages of degree 2t never leave, nor can be pulled. */
const mutedShares: FaultStrategy = {
  name: 'sends no shares of degree 2t',
  wrap: (transport) =>
    intercept(transport, {
      send(to, envelope, inner) {
        if (!isClosed(envelope.tag)) inner.send(to, envelope);
      },
      answer: (_, exchange, answer) => (exchange.name.startsWith('blob') ? new Promise(() => undefined) : answer()),
    }),
};

test('N7: one party silent and one that shifts a value of degree 2t: it stalls, and nothing is accepted', async () => {
  await forEachSeed(seeds(3), async (seed) => {
    const faults = { [1 + (seed % 4)]: mutedShares, [1 + ((seed + 1) % 4)]: discreet(constantOffset()) };
    const limits = { ...LIMITS, poolTarget: 16, batchBundles: 16 };
    const network = createNetwork({ seed, n: 4, t: 1, faults }, limits);
    const { honest } = network.sim;
    await startEpoch(network);
    const ends = await generate(network, KEY_ID, honest[0]!);
    for (const party of honest) {
      expect(ends[party - 1], `seed ${seed}: ${lastLogs(network)}`).toBe('failed');
      expect(await batchesOf(network, party), `seed ${seed}`).toEqual([]);
      expect(network.sim.party(party).journal.keys('proven/'), `seed ${seed}: nobody can be proven`).toEqual([]);
    }
  });
});

test('N8: 13/4: four colluders add a codeword: seen, proven, and the key is made without them', async () => {
  await forEachSeed(seeds(1), async (seed) => {
    const corrupt = [2, 5, 7, 13];
    const liar = codewordOffset({ highBitsOnly: true });
    const faults = Object.fromEntries(corrupt.map((party) => [party, liar]));
    const network = createNetwork({ seed, n: 13, t: 4, faults }, { ...LIMITS, poolTarget: 0 });
    const { honest } = network.sim;
    await startEpoch(network);
    const ends = await generate(network, KEY_ID, 1);
    for (const party of honest) {
      expect(ends[party - 1], `seed ${seed}: ${lastLogs(network)}`).toBe('succeeded');
      expect(network.sim.party(party).journal.keys('proven/').length).toBe(corrupt.length);
    }
    const convicted = (await filesOf(network, honest[0]!)).map((file) => judge(network, file).party);
    expect(
      convicted.sort((left, right) => left - right),
      'evidence for anybody',
    ).toEqual(corrupt);
    await expectKey(network, honest, 4);
  });
});

/** All honest parties hold shares of one key that fits its public key. */
async function expectKey(network: SimulatedNetwork, honest: readonly PartyId[], t: number): Promise<void> {
  const record = (await network.services(network.sim.party(honest[0]!))).keys()[0]!;
  const bits = await reconstructBits(new Map(honest.map((party) => [party, network.secrets.get(party)!])), record, t);
  const noise = await publicKeyNoise(network.publics.get(honest[0]!)!, record, bits);
  expect(noise.every((each) => each >= -1n && each <= 1n)).toBe(true);
}

test('N14: COMPLETE and BURN votes are split: nothing is revealed, a party that completed never burns', async () => {
  for (const completed of [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]) {
    const witness = createWitness(4);
    const sim = simulate({ seed: `burn ${completed.join()}`, n: 4, t: 1, kernel, faults: witness.faults });
    const run = await sim.run(async (party) => {
      const session = party.open('a0'.repeat(32));
      enterSession(session.journal, session.id);
      const message = Uint8Array.of(party.self, 1, 2, 3);
      const shares = exchangeShares(session, { tag: 'step', message, expected: upTo(4) });
      await shares.complete;
      if (completed.includes(party.self)) decide(session.journal, session.id, 'complete', sha256(message));
      return burn(session, {
        ...{ tag: 'step', messageBytes: message.length, shares, revealBytesMax: 4, stepMs: 500 },
        ceremony: { kind: 'preprocessing', value: new Uint8Array(0) },
        reveal: () => Uint8Array.of(party.self),
        recompute: () => (other) => ({
          message: Uint8Array.of(other, 1, 2, other === 3 ? 9 : 3), // party 3 should have sent another
          secrets: { kind: 'keys', value: [] },
        }),
      });
    });
    const burnt = completed.length <= 1;
    const reveals = new Set(witness.sent.filter(({ tag }) => tag === 'step/reveal').map(({ from }) => from));
    expect([...reveals].sort()).toEqual(burnt ? upTo(4).filter((party) => !completed.includes(party)) : []);
    run.outcomes.forEach((outcome, index) => {
      const proofs = burnt && !completed.includes(index + 1) ? [3] : [];
      expect(outcome).toMatchObject({ status: 'fulfilled', value: proofs.map((party) => ({ party })) });
    });
  }
});

test('N15: what the burn of a batch reveals says nothing about the batches before and after', async () => {
  await forEachSeed(seeds(2), async (seed) => {
    const liar = 1 + (seed % 4);
    let lying = false;
    const later: FaultStrategy = {
      name: 'lies when told',
      wrap(transport, tools) {
        const lie = discreet(constantOffset()).wrap(transport, tools);
        return { ...intercept(transport, {}), send: (to, envelope) => (lying ? lie : transport).send(to, envelope) };
      },
    };
    const witness = createWitness(4, { [liar]: later });
    const network = createNetwork(
      { seed, n: 4, t: 1, faults: witness.faults },
      { ...LIMITS, poolTarget: 16, batchBundles: 16 },
    );
    const { sim } = network;
    const honest = upTo(4).filter((party) => party !== liar);
    const run = await sim.run(
      async (party) => {
        const services = await network.services(party);
        await eventually(party, () => services.epoch() === 1 && services.pool().batches === 1);
        lying = true;
        // A reboot of somebody else makes a second batch necessary.
        if (party.self === honest[0]) sim.crash(honest[1]!, { restartAfterMs: 500 });
        const isProven = (): boolean => party.journal.keys('proven/').length > 0;
        if (party.self !== liar) await eventually(party, () => isProven() && services.pool().batches > 1, 500);
      },
      { limitMs: 600_000 },
    );
    for (const party of honest)
      expect(run.outcomes[party - 1], `seed ${seed}: ${lastLogs(network)}`).toMatchObject({ status: 'fulfilled' });
    const revealed = new Set<string>();
    for (const { tag, from, body } of witness.sent) {
      const keys =
        tag === 'share/reveal' ? decodePrssKeys(familyC(sim.roster), from, body.subarray(SIGNATURE_BYTES)) : undefined;
      for (const key of keys?.bySubset.values() ?? []) revealed.add(toHex(key));
    }
    expect(revealed.size, 'a burn revealed the keys of its batch').toBeGreaterThan(0);
    for (const party of honest) {
      const { keys: epochKeys } = (await loadEpoch(sim.party(party), network.secrets.get(party)!, 1))!;
      const sets = [epochKeys];
      for (const id of await batchesOf(network, party)) sets.push(sessionKeys(epochKeys, id));
      for (const { bySubset } of sets)
        for (const key of bySubset.values()) expect(revealed.has(toHex(key))).toBe(false);
      for (const keys of sets) eraseKeys(keys);
    }
  });
});

test('N16: a request id is good for one ceremony, also after a reboot; another id is another key', async () => {
  const witness = createWitness(4);
  const network = createNetwork({ seed: 1, n: 4, t: 1, faults: witness.faults }, { ...LIMITS, poolTarget: 0 });
  const { sim } = network;
  await startEpoch(network);
  expect(await generate(network, KEY_ID, 2)).toEqual(Array(4).fill('succeeded'));
  expect(await generate(network, 'cd'.repeat(32), 3)).toEqual(Array(4).fill('succeeded'));
  const records = (await network.services(sim.party(1))).keys();
  expect(new Set(records.map(({ session }) => session)).size).toBe(2);
  expect(new Set(records.map(({ seed }) => seed)).size).toBe(2);
  const stores = new Map(upTo(4).map((party) => [party, network.secrets.get(party)!]));
  const [one, other] = await Promise.all(records.map((record) => reconstructBits(stores, record, 1)));
  expect(one).not.toEqual(other);

  const keygenMessages = (): number => witness.sent.filter(({ tag }) => /^(seed|bits|body\d+\/\d+)$/.test(tag)).length;
  const before = keygenMessages();
  expect(await generate(network, KEY_ID, 1)).toEqual(Array(4).fill('succeeded'));
  for (const party of upTo(4)) {
    sim.crash(party);
    sim.restart(party);
  }
  await startEpoch(network);
  expect(await generate(network, KEY_ID, 4)).toEqual(Array(4).fill('succeeded'));
  expect(keygenMessages(), 'nothing was run again').toBe(before);
  const again = (await network.services(sim.party(1))).keys();
  expect(again).toEqual(records);
});

test('N27: after a ceremony is cancelled, no share of it leaves this party', async () => {
  await forEachSeed(seeds(20), async (seed) => {
    const witness = createWitness(4);
    const network = createNetwork({ seed, n: 4, t: 1, faults: witness.faults }, { ...LIMITS, poolTarget: 0 });
    await startEpoch(network);
    const cancelledAt = new Map<PartyId, number>();
    const states = await network.sim.run(
      async (party) => {
        const services = await network.services(party);
        if (party.self === 1) services.generateKey({ requestId: KEY_ID, parameters: 'test', purpose: 'development' });
        services.watch(({ id, state }) => {
          if (id === KEY_ID && state === 'aborted') cancelledAt.set(party.self, party.clock.now());
        });
        const afterMs = 800 + 90 * seed; // before, during and after every step
        if (party.self === 1) {
          await party.clock.until(party.clock.now() + afterMs);
          if (services.ceremony(KEY_ID)?.state === 'running') services.cancel(KEY_ID);
        }
        await party.clock.until(party.clock.now() + 30_000);
        return services.ceremony(KEY_ID)?.state;
      },
      { limitMs: 60_000 },
    );
    for (const { from, tag, timeMs, body } of witness.sent) {
      if (!/^(seed|bits(\/ok)?|body\d+\/\d+(\/ok)?|complete)$/.test(tag)) continue;
      const at = cancelledAt.get(from);
      expect(at === undefined || timeMs <= at, `seed ${seed}: party ${from} sent ${tag}, ${body.length} bytes`).toBe(
        true,
      );
    }
    for (const outcome of states.outcomes) {
      expect(['succeeded', 'aborted']).toContain((outcome as { value?: string }).value);
    }
  });
});

test('a party that signed COMPLETE and lost touch keeps its shares, and gets the key', async () => {
  for (const how of ['reboots', 'is cut off'] as const) {
    await forEachSeed(seeds(4), async (seed) => {
      const lost = 1 + (seed % 4);
      const others = upTo(4).filter((party) => party !== lost);
      let leave: (() => void) | undefined;
      // The others hear each other late, so that nobody has the key when the lost party asks for it first.
      const slow: FaultStrategy = {
        name: 'completes late',
        wrap: (transport, { clock }) =>
          intercept(transport, {
            send(to, envelope, inner) {
              if (envelope.tag !== 'body/complete') return inner.send(to, envelope);
              void clock.until(clock.now() + 4_000).then(() => inner.send(to, envelope));
            },
          }),
      };
      const leaves: FaultStrategy = {
        name: 'goes after COMPLETE',
        wrap: (transport, { clock }) =>
          intercept(transport, {
            send(to, envelope, inner) {
              inner.send(to, envelope);
              if (envelope.tag !== 'body/complete' || leave === undefined) return;
              void clock.until(clock.now() + 21).then(leave);
              leave = undefined;
            },
          }),
      };
      const faults = Object.fromEntries(upTo(4).map((party) => [party, party === lost ? leaves : slow]));
      const network = createNetwork({ seed, n: 4, t: 1, faults }, { ...LIMITS, poolTarget: 0 });
      const { sim } = network;
      await startEpoch(network);
      leave = () => {
        if (how === 'reboots') return sim.crash(lost, { restartAfterMs: 500, disk: 'synced' });
        sim.partition([others, [lost]]);
        sim.after(200_000, () => sim.heal()); // longer than the ceremony may take
      };
      const run = await sim.run(
        async (party) => {
          const services = await network.services(party);
          const fresh = services.ceremony(KEY_ID) === undefined;
          if (party.self === others[0] && fresh)
            services.generateKey({ requestId: KEY_ID, parameters: 'test', purpose: 'development' });
          await eventually(party, () => services.keys().length === 1, 500);
        },
        { limitMs: 400_000 },
      );
      const where = `${how}, seed ${seed}\n${lastLogs(network)}\n`;
      for (const party of upTo(4))
        expect(run.outcomes[party - 1]?.status, `${where}: party ${party}`).toBe('fulfilled');
      await expectKey(network, upTo(4), 1);
    });
  }
});

test('N28: after a party is proven corrupt, sharings still have degree t, and t+1 shares are needed', async () => {
  await forEachSeed(seeds(2), async (seed) => {
    const liar = 1 + (seed % 4);
    const network = createNetwork(
      { seed, n: 4, t: 1, faults: { [liar]: discreet(constantOffset()) } },
      { ...LIMITS, poolTarget: 0 },
    );
    const { honest } = network.sim;
    await startEpoch(network);
    const ends = await generate(network, KEY_ID, honest[0]!);
    for (const party of honest) expect(ends[party - 1], lastLogs(network)).toBe('succeeded');
    await expectKey(network, honest, 1);
    const { session } = (await network.services(network.sim.party(honest[0]!))).keys()[0]!;
    const shares = await Promise.all(
      honest.map(async (party) => (await network.secrets.get(party)!.get(`key/${KEY_ID}/${session}`))!),
    );
    for (let bit = 0; bit < TEST.pke.dimension; bit++) {
      const [left, right] = shares.map((each) => toHex(each.subarray(64 * bit, 64 * (bit + 1))));
      expect(left, `bit ${bit} has degree 0`).not.toBe(right);
    }
  });
});
