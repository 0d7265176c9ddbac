/**
 * The end of a key generation, when a quorum signs COMPLETE of which t parties are corrupt. Goal: with a key that
 * anybody may use the honest parties alone can decrypt, those among them that were late, cut off, or restarted, when
 * the corrupt ones then say nothing more. Method: the real services; messages between honest parties are held back once
 * all of them have sent what the bodies need; afterwards the honest parties decrypt under the key.
 */
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import { type FaultStrategy, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { Exchange, PartyId } from '@keyquorum/mpc/transport';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import { expect, test } from 'vitest';
import { bodyChunks } from '../src/keygen/chunks.ts';
import { bodyTag } from '../src/keygen/open-bodies.ts';
import { encryptMessages } from './support/encrypt.ts';
import {
  askFor,
  checkKey,
  expectNothingLeft,
  KEY_ID,
  onEpoch,
  type Size,
  startNetwork,
  untilEnded,
  upTo,
} from './support/generation.ts';
import type { Lies } from './support/lies.ts';
import { eventually, type SimulatedNetwork } from './support/network.ts';
import { decryptEverywhere, lastLogs } from './support/ready.ts';
import { keyOf, reconstructBits } from './support/secret-keys.ts';

const DEADLINE_MS = 60_000;
/** Of the pool: 8 for the trial, the rest to decrypt with afterwards. */
const BUNDLES = 16;
const LAST = bodyChunks(keySetChoice('test')).map(bodyTag).at(-1)!;
const CANCEL: Exchange = { name: 'ceremony/cancel', requestBytesMax: 32, responseBytesMax: 1 };

/** The answer of a party that never signs COMPLETE. */
const NEVER = Uint8Array.of(0);

interface Scenario {
  readonly network: SimulatedNetwork;
  readonly lies: Lies;
  readonly corrupt: readonly PartyId[];
  /** Honest: those that sign COMPLETE, and t that do not. */
  readonly signers: readonly PartyId[];
  readonly late: readonly PartyId[];
  readonly seed: string;
}

/** What is sent to it under such a tag arrives when nobody needs it any more. */
function deaf(tag: RegExp): FaultStrategy {
  return {
    name: `hears nothing of ${tag}`,
    wrap: (transport) =>
      intercept(transport, {
        receive(from, envelope, deliver) {
          if (!tag.test(envelope.tag)) deliver(from, envelope);
        },
      }),
  };
}

/** Honest, except that this happens when it signs COMPLETE. */
function whenSigning(act: (transport: Parameters<FaultStrategy['wrap']>[0]) => void): FaultStrategy {
  let done = false;
  return {
    name: 'acts when it signs COMPLETE',
    wrap: (transport) =>
      intercept(transport, {
        send(to, envelope, inner) {
          if (envelope.tag === 'complete' && !done) act(inner);
          done ||= envelope.tag === 'complete';
          inner.send(to, envelope);
        },
      }),
  };
}

/** Who does not hear the signatures on the last chunk lags, and signs nothing. */
const LAGGING = new RegExp(`^${LAST}/ok$`);

function strategies({ corrupt, late }: Scenario, liar: FaultStrategy | undefined, slow: FaultStrategy) {
  const lying = corrupt.flatMap((party) => (liar === undefined ? [] : [[party, liar] as const]));
  return Object.fromEntries([...lying, ...late.map((party) => [party, slow] as const)]);
}

/** Tells a corrupt party what to do later. */
interface Plot {
  /** True once it shows the finished key to anybody. */
  shows: boolean;
}

/**
 * Its own COMPLETE reaches its colluders only, so they alone have a certificate; to those whom it fools it says that
 * there is no key and that it never signs one, to the others nothing.
 */
function withholding(corrupt: readonly PartyId[], fooled: readonly PartyId[], plot: Plot): FaultStrategy {
  return {
    name: 'withholds the certificate',
    wrap: (transport) =>
      intercept(transport, {
        send(to, envelope, inner) {
          if (envelope.tag !== 'complete' || corrupt.includes(to)) inner.send(to, envelope);
        },
        async answer(from, { name }, answer) {
          if (!['key/record', 'key/complete'].includes(name) || corrupt.includes(from)) return answer();
          if (!fooled.includes(from)) return plot.shows ? answer() : new Promise(() => undefined);
          if (name === 'key/complete') return NEVER;
          throw new Error('no such key');
        },
      }),
  };
}

/** What happens to t honest parties, until the corrupt ones fall silent. */
const SCENARIOS: Record<string, (scenario: Scenario) => Promise<void>> = {
  async 'reach the deadline'(scenario) {
    scenario.lies.start(strategies(scenario, undefined, deaf(LAGGING)), scenario.seed);
    await generate(scenario);
  },
  async 'are told to cancel'(scenario) {
    const cancel = whenSigning((transport) => {
      for (const party of scenario.late) {
        transport
          .request(party, CANCEL, Buffer.from(KEY_ID, 'hex'), new AbortController().signal)
          .catch(() => undefined);
      }
    });
    scenario.lies.start(strategies(scenario, cancel, deaf(LAGGING)), scenario.seed);
    await generate(scenario);
  },
  async 'are restarted'(scenario) {
    const crash = whenSigning(() => {
      for (const party of scenario.late) scenario.network.sim.crash(party, { restartAfterMs: 5_000 });
    });
    scenario.lies.start(strategies(scenario, crash, deaf(LAGGING)), scenario.seed);
    await generate(scenario);
  },
  async 'see no certificate, nor does anybody, until a corrupt party shows it to one'(scenario) {
    const { network, lies, corrupt, signers, late, seed } = scenario;
    const fooled = [...signers.slice(1), ...late];
    const plot: Plot = { shows: false };
    lies.start(strategies(scenario, withholding(corrupt, fooled, plot), deaf(LAGGING)), seed);
    await generate(scenario);
    await pass(network, 5 * DEADLINE_MS);
    for (const party of [...signers, ...late]) {
      const services = await network.services(network.sim.party(party));
      expect(services.keys(), `party ${party} knows of no quorum`).toEqual([]);
      expect(await network.secrets.get(party)!.names(`key/${KEY_ID}/`), `shares of party ${party}`).toHaveLength(1);
    }
    plot.shows = true;
    await pass(network, 2 * DEADLINE_MS);
  },
  async 'hear no COMPLETE but their own, nor do the others'(scenario) {
    const all = upTo(scenario.network.sim.roster.n).map((party) => [party, deaf(/^complete$/)] as const);
    scenario.lies.start(Object.fromEntries(all), scenario.seed);
    await generate(scenario);
  },
};

async function generate({ network, signers }: Scenario): Promise<void> {
  await untilEnded(
    network,
    (services, party) => party === signers[0] && services.keys().length === 0 && askOnce(services),
  );
}

/** A process that was restarted runs the same program: it does not ask again. */
function askOnce(services: Parameters<typeof askFor>[0]): void {
  if (services.ceremony(KEY_ID) === undefined) askFor(services);
}

function pass(network: SimulatedNetwork, milliseconds: number): Promise<unknown> {
  return network.sim.run(({ clock }) => clock.until(clock.now() + milliseconds));
}

async function begin(seed: string, { n, t }: Size): Promise<Scenario> {
  const limits = { poolTarget: BUNDLES, batchBundles: BUNDLES, keygenDeadlineMs: DEADLINE_MS };
  const { network, lies } = await startNetwork({ seed, n, t }, { limits });
  await untilReady(network);
  const random = network.sim.random.fork('roles');
  const corrupt = random.sample(upTo(n), t);
  const honest = upTo(n).filter((party) => !corrupt.includes(party));
  const late = random.sample(honest, t);
  const signers = honest.filter((party) => !late.includes(party));
  return { network, lies, corrupt, signers, late, seed };
}

/** Until all have material to decrypt with; who was restarted has to make some first, with the help of all. */
async function untilReady(network: SimulatedNetwork): Promise<void> {
  await network.sim.run(async (party) => {
    const services = await network.services(party);
    await eventually(party, () => services.pool().settled && services.pool().available >= BUNDLES / 2);
  });
}

/** Who has the key once the corrupt parties are gone and nothing is held back any more. */
async function holders({ network, lies, corrupt, signers, late }: Scenario): Promise<PartyId[]> {
  lies.stop();
  await untilReady(network);
  for (const party of corrupt) network.sim.crash(party);
  const has = async (party: PartyId) => (await network.services(network.sim.party(party))).keys().length > 0;
  const honest = [...signers, ...late].sort();
  await network.sim.run(
    async (party) => {
      const services = await network.services(party);
      await eventually(party, () => services.keys().length > 0, 500);
    },
    { limitMs: 2 * DEADLINE_MS },
  );
  const held = await Promise.all(honest.map(has));
  return honest.filter((_, index) => held[index]);
}

/** The honest parties alone decrypt a fresh ciphertext. */
async function expectDecrypts({ network }: Scenario, parties: readonly PartyId[], where: string): Promise<void> {
  const { sim, secrets } = network;
  const records = await Promise.all(
    parties.map(async (party) => [party, (await network.services(sim.party(party))).keys()[0]] as const),
  );
  await checkKey(network, new Map(records), where);
  const stores = new Map(parties.map((party) => [party, secrets.get(party)!]));
  const bits = keyOf(await reconstructBits(stores, records[0]![1]!, sim.roster.t), 'big', 'test');
  const random = sim.random.fork('plaintexts');
  const word = () => new DataView(random.bytes(8).buffer).getBigUint64(0);
  const messages = [random.below(16), random.below(16)];
  const value = encryptMessages(bits, { messages, key: 'big', noise: 0n, random: word });
  const requestId = Buffer.from(random.bytes(32)).toString('hex');
  const job = { requestId, keyId: KEY_ID, contentHash: random.bytes(32), values: [value] };
  const { outcomes } = await decryptEverywhere(network, job);
  for (const party of parties) {
    const right = { status: 'fulfilled', value: { messages: [Uint8Array.from(messages)] } };
    expect(outcomes[party - 1], `${where}: party ${party}`).toMatchObject(right);
  }
}

const EVERYTHING = Object.keys(SCENARIOS);
const CASES = [
  ...EVERYTHING.map((how) => ({ n: 4, t: 1, how })),
  ...EVERYTHING.filter((how) => /cancel|certificate/.test(how)).map((how) => ({ n: 7, t: 2, how })),
];

test.each(CASES)('$n/$t: t honest parties $how: the key can be decrypted with', async ({ how, ...size }) => {
  await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
    const scenario = await begin(`${seed}`, size);
    await SCENARIOS[how]!(scenario);
    const { network, corrupt, signers, late } = scenario;
    const where = `${how}: ${corrupt} corrupt, ${late} late\n${lastLogs(network)}\n`;
    const honest = [...signers, ...late].sort();
    expect(await holders(scenario), where).toEqual(honest);
    await expectDecrypts(scenario, honest, where);
  });
});

test('4/1: all parties are restarted before they sign, one of them twice: nothing is left of the key', async () => {
  await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
    const { network, lies } = await startNetwork({ seed: `${seed}`, n: 4, t: 1 });
    const { sim } = network;
    let begun = false;
    const outage: FaultStrategy = {
      name: 'all lose power when bodies are opened',
      wrap: (transport) =>
        intercept(transport, {
          send(to, envelope, inner) {
            inner.send(to, envelope);
            if (begun || !/^body/.test(envelope.tag)) return;
            begun = true;
            for (const party of upTo(4)) sim.after(20, () => sim.crash(party, { restartAfterMs: 1_000 * party }));
            sim.after(10_000, () => sim.crash(1, { restartAfterMs: 1_000 }));
          },
        }),
    };
    lies.start({ 2: outage }, `${seed}`);
    await untilEnded(network, (services, party) => party === 1 && !begun && askOnce(services));
    await onEpoch(network);
    expect(begun).toBe(true);
    for (const party of upTo(4)) await expectNothingLeft(network, party, `seed ${seed}`);
  });
});
