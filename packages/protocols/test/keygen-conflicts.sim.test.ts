/**
 * One id, one key, and who may end a ceremony. Goal: an id stands for one content and one key, whoever announces what
 * and when; what is finished can be neither run again nor burnt (negative tests N16, N17 of the design review); nodes
 * that were asked for different things learn it at once; t parties cannot cancel what a quorum can finish. Method: the
 * real services; one party does something at the moment when it sends a certain message.
 */
import { decide, decisionSubject } from '@keyquorum/mpc/agreement/decision';
import { sha256 } from '@keyquorum/mpc/bytes';
import { signStatement } from '@keyquorum/mpc/runtime/statement';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import { type FaultStrategy, type FaultTools, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { Envelope, Exchange, PartyId, Transport } from '@keyquorum/mpc/transport';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import { expect, test } from 'vitest';
import { type Announcement, encodeAnnouncement, startExchange } from '../src/ceremony/starting.ts';
import { encodeRoots } from '../src/closed/signed-shares.ts';
import { bodyChunks } from '../src/keygen/chunks.ts';
import { encodeContent } from '../src/keygen/content.ts';
import { bodyTag } from '../src/keygen/open-bodies.ts';
import type { Services } from '../src/services.ts';
import {
  askFor,
  checkGenerated,
  expectNothingLeft,
  generateUnder,
  KEY_ID,
  onEpoch,
  startNetwork,
  untilEnded,
  upTo,
} from './support/generation.ts';
import { createNetwork, eventually, LIMITS } from './support/network.ts';
import { lastLogs } from './support/ready.ts';
import { reconstructBits } from './support/secret-keys.ts';
import { createWitness } from './support/witness.ts';

const SIZE = { n: 4, t: 1 };
/** Of the pool that the key is tried with. */
const BUNDLES = 16;
const NEXT_ID = 'cd'.repeat(32);
const CHUNKS = bodyChunks(keySetChoice('test')).map(bodyTag);
const MIDDLE = CHUNKS[CHUNKS.length >> 1]!;
const CONTENT = encodeContent({ parameters: 'test', purpose: 'development' });
const OTHER = encodeContent({ parameters: 'test', purpose: 'production' });
const CANCEL: Exchange = { name: 'ceremony/cancel', requestBytesMax: 32, responseBytesMax: 1 };

const seeds = (runs: number) => ({ runs, file: import.meta.filename, env: process.env });

function askForProduction(services: Services): void {
  services.generateKey({ requestId: KEY_ID, parameters: 'test', purpose: 'production' });
}

/** Honest, but it also does this, once, when it sends its first message under the tag. */
function onceAt(
  tag: string,
  name: string,
  act: (inner: Transport, tools: FaultTools, at: Envelope) => void,
): FaultStrategy {
  return {
    name: `${name} at ${tag}`,
    wrap(transport, tools) {
      let done = false;
      return intercept(transport, {
        send(to, envelope, inner) {
          if (!done && envelope.tag === tag) {
            done = true;
            act(inner, tools, envelope);
          }
          inner.send(to, envelope);
        },
      });
    },
  };
}

/** Asks a peer something; undefined when it refuses. */
function askPeer(transport: Transport, peer: PartyId, exchange: Exchange, body: Uint8Array) {
  return transport.request(peer, exchange, body, AbortSignal.timeout(60_000)).catch(() => undefined);
}

test('an id asked for twice is one ceremony; another id beside it is another key', async () => {
  const { network } = await startNetwork({ seed: 'two ids', ...SIZE });
  const first = await untilEnded(network, (services, party) => {
    if (party === 1) askFor(services);
    if (party === 1) askFor(services);
    if (party === 1)
      expect(() => askForProduction(services)).toThrow(expect.objectContaining({ code: 'CEREMONY_EXISTS' }));
    if (party === 2) askFor(services, NEXT_ID);
  });
  const second = await untilEnded(network, (services) => askFor(services), { id: NEXT_ID });
  const stores = new Map(upTo(4).map((party) => [party, network.secrets.get(party)!]));
  const bits = [];
  for (const run of [first, second]) {
    const seen = await checkGenerated({ network, run, corrupt: [], honest: upTo(4) }, lastLogs(network));
    expect(seen.map(({ ceremony }) => ceremony?.state)).toEqual(upTo(4).map(() => 'succeeded'));
    bits.push(await reconstructBits(stores, seen[0]!.record!, 1));
  }
  expect(bits[0]).not.toEqual(bits[1]);
  const services = await network.services(network.sim.party(3));
  expect(services.keys().length).toBe(2);
  expect(() => askForProduction(services)).toThrow(expect.objectContaining({ code: 'CEREMONY_EXISTS' }));
});

test('a party has two ceremonies at once: a third is refused by all, itself too, until one has ended', async () => {
  const { network } = await startNetwork({ seed: 'three ids', ...SIZE });
  const [third, announced] = ['1f'.repeat(32), '2f'.repeat(32)];
  const content = encodeContent({ parameters: 'test', purpose: 'development' });
  const run = await untilEnded(
    network,
    (services, party) => {
      if (party !== 1) return;
      askFor(services);
      askFor(services, NEXT_ID);
      expect(() => askFor(services, third)).toThrow(expect.objectContaining({ code: 'CEREMONIES_RUNNING' }));
      // As a node that does not keep to it would.
      const { transport, clock } = network.sim.party(1);
      const startMs = Math.round(clock.now() + 2_000);
      const announcement = encodeAnnouncement({ kind: 'keygen', id: announced, attempt: 0, startMs, content });
      clock.until(startMs - 1_900).then(() => {
        for (const peer of [2, 3, 4]) void askPeer(transport, peer, startExchange, announcement);
      });
    },
    { id: NEXT_ID },
  );
  await checkGenerated({ network, run, corrupt: [], honest: upTo(4) }, lastLogs(network));
  const refusals = network.logs.filter(({ event }) => /2 ceremonies that party 1 announced/.test(String(event.error)));
  expect(refusals.map(({ party }) => party).sort()).toEqual([2, 3, 4]);
  const later = await untilEnded(network, (services, party) => party === 1 && askFor(services, third), { id: third });
  const seen = await checkGenerated({ network, run: later, corrupt: [], honest: upTo(4) }, lastLogs(network));
  expect(seen.map(({ ceremony }) => ceremony?.state)).toEqual(upTo(4).map(() => 'succeeded'));
});

test('two nodes are asked for different keys under one id: all learn it at once, and nothing is left', async () => {
  await forEachSeed(seeds(2), async (seed) => {
    const [one, other] = [1 + (seed % 4), 1 + ((seed + 1) % 4)];
    const { network } = await startNetwork({ seed: `${seed}`, ...SIZE });
    const run = await untilEnded(network, (services, party) => {
      if (party === one) askFor(services);
      if (party === other) askForProduction(services);
    });
    expect(run.elapsedMs, `seed ${seed}`).toBeLessThan(5_000);
    const seen = await checkGenerated({ network, run, corrupt: [], honest: upTo(4) }, lastLogs(network));
    for (const [index, { ceremony }] of seen.entries()) {
      expect(ceremony?.failure, `seed ${seed}`).toMatchObject({ code: 'CEREMONY_CONFLICT', culprits: [] });
      expect(ceremony?.failure?.message).toMatch(/^party \d announced something else .* new id/);
      await expectNothingLeft(network, index + 1, `seed ${seed}`);
    }
    if (seed > 1) return;
    const next = await untilEnded(network, (services, party) => party === one && askFor(services, NEXT_ID), {
      id: NEXT_ID,
    });
    for (const end of next.outcomes) expect(end).toMatchObject({ value: { ceremony: { state: 'succeeded' } } });
  });
});

test('N16: announcements of a finished id are refused, whatever they say', async () => {
  const { network } = await startNetwork({ seed: 'again', ...SIZE });
  const run = await untilEnded(network, (services, party) => party === 1 && askFor(services));
  const before = await checkGenerated({ network, run, corrupt: [], honest: upTo(4) }, lastLogs(network));
  const answers = await network.sim.run(async ({ self, clock, transport }) => {
    if (self !== 4) return undefined;
    const heard = [];
    for (const change of [{ attempt: 0 }, { attempt: 1 }, { attempt: 5 }, { content: OTHER }]) {
      for (const peer of [1, 2, 3]) {
        const announcement: Announcement = {
          ...{ kind: 'keygen', id: KEY_ID, attempt: 0, startMs: Math.round(clock.now()) + 900, content: CONTENT },
          ...change,
        };
        heard.push(await askPeer(transport, peer, startExchange, encodeAnnouncement(announcement)));
      }
    }
    await clock.until(clock.now() + 10_000);
    return heard;
  });
  expect(answers.outcomes[3]).toEqual({ status: 'fulfilled', value: Array(12).fill(undefined) });
  for (const party of upTo(4)) {
    const services = await network.services(network.sim.party(party));
    expect(services.keys()).toEqual([before[party - 1]!.record]);
    expect(services.ceremony(KEY_ID)?.state).toBe('succeeded');
  }
});

test.each([
  { tag: 'bits', victims: [1, 2, 3] },
  { tag: MIDDLE, victims: [2] },
  { tag: CHUNKS.at(-1)!, victims: [1, 2, 3] },
  { tag: 'complete', victims: [1, 2, 3] },
  { tag: 'complete', victims: [2] },
])('a second attempt is announced at $tag to $victims: never two keys of one id', async ({ tag, victims }) => {
  await forEachSeed(seeds(1), async (seed) => {
    const again = onceAt(tag, 'announces another attempt', (inner, { clock }) => {
      const startMs = Math.round(clock.now()) + 900;
      const body = encodeAnnouncement({ kind: 'keygen', id: KEY_ID, attempt: 1, startMs, content: CONTENT });
      for (const victim of victims) void askPeer(inner, victim, startExchange, body);
    });
    const generated = await generateUnder({ seed: `${seed} ${victims}`, ...SIZE }, { 4: again });
    const seen = await checkGenerated(generated, `${tag}, ${victims}\n${lastLogs(generated.network)}\n`);
    if (tag === 'complete') expect(seen.map(({ ceremony }) => ceremony?.state)).toEqual(Array(3).fill('succeeded'));
  });
});

test('N17: a session that made a key cannot be burnt, also after a reboot', async () => {
  await forEachSeed(seeds(1), async (seed) => {
    const burns = onceAt('complete', 'burns', (inner, tools, { session }) => {
      for (const step of ['bits', CHUNKS.at(-1)!]) {
        const digest = sha256(new TextEncoder().encode(step));
        const vote = signStatement(tools, decisionSubject(session, 'burn', digest));
        for (const to of [1, 2, 3]) {
          inner.send(to, { session, tag: `${step}/evidence`, body: encodeRoots([]) });
          inner.send(to, { session, tag: `${step}/burn`, body: Uint8Array.of(...digest, ...vote) });
        }
      }
    });
    const witness = createWitness(4, { 4: burns });
    const network = createNetwork({ seed, ...SIZE, faults: witness.faults }, { ...LIMITS, poolTarget: 0 });
    await onEpoch(network);
    const run = await untilEnded(network, (services, party) => party === 1 && askFor(services));
    const seen = await checkGenerated({ network, run, corrupt: [4], honest: [1, 2, 3] }, lastLogs(network));
    const { session } = seen[0]!.record!;
    const shown = witness.sent.filter(({ from, tag }) => from !== 4 && /\/(burn|reveal)$/.test(tag));
    expect(shown.map(({ tag }) => tag)).toEqual([]);
    for (const reboot of [false, true]) {
      for (const party of [1, 2, 3]) {
        if (reboot) network.sim.crash(party, { disk: 'synced' });
        if (reboot) network.sim.restart(party);
      }
      if (reboot) await onEpoch(network);
      for (const party of [1, 2, 3]) {
        const { journal } = network.sim.party(party);
        expect(decide(journal, session, 'burn', sha256(new Uint8Array(0))), `party ${party}`).toBe('refused');
      }
    }
  });
});

/** Tells everybody that its operator cancels, and goes on like an honest party. */
const cancelsAt = (tag: string): FaultStrategy =>
  onceAt(tag, 'cancels', (inner) => {
    for (const peer of [1, 2, 3]) void askPeer(inner, peer, CANCEL, Buffer.from(KEY_ID, 'hex'));
  });

test('one party cancels while all are needed: aborted at all nodes, and nothing is left', async () => {
  await forEachSeed(seeds(2), async (seed) => {
    const tag = seed === 1 ? 'bits' : MIDDLE;
    const { network, run, honest } = await generateUnder({ seed: `${seed}`, ...SIZE }, { 4: cancelsAt(tag) });
    expect(run.elapsedMs, `seed ${seed}`).toBeLessThan(10_000);
    for (const party of honest) {
      expect(run.outcomes[party - 1], `seed ${seed}`).toMatchObject({ value: { ceremony: { state: 'aborted' } } });
      await expectNothingLeft(network, party, `seed ${seed}`);
    }
  });
});

test('t parties cancel when all is opened and the key is being tried: it is made', async () => {
  await forEachSeed(seeds(2), async (seed) => {
    const limits = { poolTarget: BUNDLES, batchBundles: BUNDLES };
    const { network, lies } = await startNetwork({ seed: `${seed}`, ...SIZE }, { limits });
    await network.sim.run(async (party) => {
      const services = await network.services(party);
      await eventually(party, () => services.pool().available === BUNDLES);
    });
    lies.start({ 4: cancelsAt('masked') }, `${seed}`); // the first message of a decryption
    const run = await untilEnded(network, (services, party) => party === 1 && askFor(services));
    const where = `seed ${seed}\n${lastLogs(network)}\n`;
    const seen = await checkGenerated({ network, run, corrupt: [4], honest: [1, 2, 3] }, where);
    expect(
      seen.map(({ ceremony }) => ceremony?.state),
      where,
    ).toEqual(Array(3).fill('succeeded'));
    const told = network.logs.filter(({ event }) => event.message === 'a peer cancels a ceremony');
    expect(told.map(({ party }) => party).sort(), where).toEqual([1, 2, 3]);
  });
});
