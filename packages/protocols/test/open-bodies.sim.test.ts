/**
 * The bodies of a key set among liars (step K4). Goal: no wrong value is ever accepted or stored; if shares do not fit,
 * all honest parties stop at the same chunk, with what was opened before in their stores; who sends nothing, or what is
 * no share, stalls the chunk and is named as absent; nobody honest is reported. Method: values and shares of degree 2t
 * dealt by the test, in small chunks of both rings; every corrupt set times every strategy at 4/1, seeded sets at 7/2
 * and 13/4, from the first, a middle or the last chunk on. Nobody burns here: whoever signs two messages is found out
 * in a burn (closed.sim.test.ts), so that those who heard the true one may wait for the others.
 */
import { asGr64, asGr128 } from '@keyquorum/kernel/batch';
import { sha256 } from '@keyquorum/mpc/bytes';
import { LABELS } from '@keyquorum/mpc/labels';
import { SIGNATURE_BYTES, signStatement, subjectOf } from '@keyquorum/mpc/runtime/statement';
import { allDo, corruptSets, STRATEGIES } from '@keyquorum/mpc/simulate/faults/catalogue';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import { simulate } from '@keyquorum/mpc/simulate/simulate';
import { type FaultStrategy, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { PartyId } from '@keyquorum/mpc/transport';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import { expect, test } from 'vitest';
import { kingsOf } from '../src/closed/kings.ts';
import { InconsistentOpening, StalledOpening } from '../src/closed/opening-error.ts';
import { bodyStore, joinDigests } from '../src/keygen/bodies.ts';
import { type BodyChunk, bodyChunks, chunkBytes, PACKED } from '../src/keygen/chunks.ts';
import { bodyTag, openBodies } from '../src/keygen/open-bodies.ts';
import { SHARE_CODECS } from '../src/share-codecs.ts';
import { dealShares } from './support/dealt-keys.ts';
import { discreet } from './support/discreet.ts';
import { type Size, upTo } from './support/generation.ts';
import { kernel } from './support/kernel.ts';
import { createLies } from './support/lies.ts';
import { memoryPublics } from './support/stores.ts';

const SESSION = 'b0'.repeat(32);
const ELEMENTS = 8;
/** Long enough for everybody to ask for shares when kings say nothing, and so to name who is absent. */
const STEP_LIMIT_MS = 120_000;
/** Chunks of the Test set, cut short: more than a window of them. */
const CHUNKS: readonly BodyChunk[] = bodyChunks(keySetChoice('test')).map((chunk) => ({
  ...chunk,
  elements: ELEMENTS,
}));
const PLACES = { first: 0, middle: CHUNKS.length >> 1, last: CHUNKS.length - 1 };

/** Shares that do not fit: seen by everybody, at the first chunk that has them. */
const SHARES = ['wrong-share', 'constant-offset', 'codeword-offset', 'codeword-offset-high'];
/** Everything is opened in spite of them. */
const HARMLESS = ['late', 'wrong-session', 'contradict'];

const seeds = (runs: number) => ({ runs, file: import.meta.filename, env: process.env });

/** Values of all chunks, and each party's messages. */
function dealChunks({ n, t }: Size, seed: string) {
  const random = createPrng(`chunks ${seed}`);
  return CHUNKS.map((chunk) => {
    const values = random.bytes(chunkBytes(chunk));
    const options = { n, degree: 2 * t, random };
    const messages: Map<PartyId, Uint8Array> =
      chunk.component.wordBytes === 16
        ? dealShares(kernel.gr128, asGr128(values), options)
        : dealShares(kernel.gr64, asGr64(values), options);
    return { values, digest: sha256(values), messages };
  });
}

/** What the honest parties end with, while `corrupt` do what `strategy` says from chunk `from` on. */
async function open(
  size: Size,
  seed: string,
  { corrupt, strategy, from }: { corrupt: readonly PartyId[]; strategy: FaultStrategy; from: number },
) {
  const dealt = dealChunks(size, seed);
  const lies = createLies(size.n);
  const sim = simulate({ seed, ...size, kernel, codecs: SHARE_CODECS, faults: lies.faults });
  lies.start(allDo(corrupt, strategy), seed, new RegExp(`^${bodyTag(CHUNKS[from]!)}$`));
  const stores = new Map(upTo(size.n).map((party) => [party, bodyStore(memoryPublics(), SESSION)]));
  const run = await sim.run(
    (party) =>
      openBodies(party.open(SESSION), {
        chunks: CHUNKS,
        expected: upTo(size.n),
        messageOf: ({ index }) => dealt[index]!.messages.get(party.self)!.slice(),
        store: stores.get(party.self)!,
        deadlineMs: party.clock.now() + STEP_LIMIT_MS,
        bytesPerSecond: undefined,
        onOpened: () => undefined,
        onWaiting: () => undefined,
      }),
    { limitMs: 2 * STEP_LIMIT_MS },
  );
  const honest = upTo(size.n).filter((party) => !corrupt.includes(party));
  const where = `${size.n}/${size.t}, parties ${corrupt.join()} ${strategy.name} from chunk ${from} on`;
  for (const { by, fault } of run.faults) {
    if (corrupt.includes(by) || fault.kind === 'silent' || fault.kind === 'late') continue;
    expect(corrupt, `${where}: party ${by} accuses ${JSON.stringify(fault)}`).toContain(fault.party);
  }
  const ends = honest.map((party) => {
    const outcome = run.outcomes[party - 1]!;
    if (outcome.status === 'fulfilled') {
      expect(Buffer.compare(outcome.value, joinDigests(dealt.map(({ digest }) => digest))), where).toBe(0);
      return undefined;
    }
    expect(outcome.status, `${where}: party ${party}`).toBe('rejected');
    return (outcome as { reason: unknown }).reason;
  });
  const stored = await Promise.all(
    honest.map(async (party) => {
      const chunks = await Promise.all(CHUNKS.map(({ index }) => stores.get(party)!.get(index)));
      chunks.forEach((values, index) => {
        if (values !== undefined) expect(Buffer.compare(values, dealt[index]!.values), where).toBe(0);
      });
      return chunks.filter((values) => values !== undefined).length;
    }),
  );
  return { ends, stored, run, where };
}

async function attack(size: Size, seed: string, name: string, corrupt: readonly PartyId[], from: number) {
  const strategy = SHARES.includes(name) ? discreet(STRATEGIES[name]!) : STRATEGIES[name]!;
  const { ends, stored, where } = await open(size, seed, { corrupt, strategy, from });
  for (const [index, end] of ends.entries()) {
    if (SHARES.includes(name)) {
      expect(end, where).toBeInstanceOf(InconsistentOpening);
      expect((end as InconsistentOpening).tag, `${where}: all stop at one chunk`).toBe(bodyTag(CHUNKS[from]!));
      expect(stored[index], `${where}: chunks before it`).toBe(from);
    } else if (HARMLESS.includes(name)) expect(end, where).toBeUndefined();
    else if (end instanceof StalledOpening && name !== 'equivocate') {
      expect(corrupt, `${where}: who is absent`).toEqual(expect.arrayContaining([...end.absent]));
    } else if (end !== undefined && !(end instanceof StalledOpening)) {
      expect(end, where).toBeInstanceOf(InconsistentOpening);
    }
  }
}

test.each(Object.keys(STRATEGIES))(
  '4/1, %s: every corrupt set, from the first, a middle or the last chunk on',
  async (name) => {
    await forEachSeed(seeds(1), async (seed) => {
      const places = Object.values(PLACES);
      const turn = seed + Object.keys(STRATEGIES).indexOf(name);
      for (const [index, corrupt] of corruptSets(4, 1).entries()) {
        await attack({ n: 4, t: 1 }, `${seed}`, name, corrupt, places[(turn + index) % places.length]!);
      }
    });
  },
);

test.each([
  { n: 7, t: 2, names: Object.keys(STRATEGIES) },
  { n: 13, t: 4, names: ['codeword-offset', 'codeword-offset-high', 'equivocate'] },
])('$n/$t: t colluders', async ({ n, t, names }) => {
  await forEachSeed(seeds(1), async (seed) => {
    const random = createPrng(`sets ${n} ${seed}`);
    for (const name of names) {
      const from = random.pick(Object.values(PLACES));
      await attack({ n, t }, `${seed}`, name, random.sample(upTo(n), t), from);
    }
  });
});

/** Bodies of other lengths, signed like right ones. */
const LENGTHS: Readonly<Record<string, (shares: Uint8Array) => Uint8Array>> = {
  'a row less': (shares) => shares.slice(0, shares.length / 2),
  'an element more': (shares) => Uint8Array.from({ length: shares.length + 4 * PACKED }, (_, at) => shares[at] ?? 0),
  'half an element less': (shares) => shares.slice(0, shares.length - 2 * PACKED),
  nothing: () => new Uint8Array(0),
};

function resized(change: (shares: Uint8Array) => Uint8Array): FaultStrategy {
  return {
    name: 'send bodies of another length',
    wrap: (transport, tools) =>
      intercept(transport, {
        send(to, envelope, inner) {
          const { session, tag, body } = envelope;
          if (!CHUNKS.some((chunk) => bodyTag(chunk) === tag)) return inner.send(to, envelope);
          const shares = change(body.slice(SIGNATURE_BYTES));
          const subject = subjectOf({ domain: LABELS.message, session, tag, receiver: 0 }, shares);
          inner.send(to, { ...envelope, body: Uint8Array.of(...signStatement(tools, subject), ...shares) });
        },
      }),
  };
}

test.each(Object.keys(LENGTHS))('bodies of a wrong length: %s', async (what) => {
  await forEachSeed(seeds(4), async (seed) => {
    const from = Object.values(PLACES)[seed % 3]!;
    const liar = 1 + (seed % 4);
    const attacked = { corrupt: [liar], strategy: discreet(resized(LENGTHS[what]!)), from };
    const { ends, stored, run, where } = await open({ n: 4, t: 1 }, `${seed}`, attacked);
    for (const end of ends) expect(end, where).toMatchObject({ tag: bodyTag(CHUNKS[from]!), absent: [liar] });
    expect(stored, where).toEqual(ends.map(() => from));
    const kings = kingsOf(upTo(4), 1, CHUNKS[from]!.index); // who is sent the bodies
    for (const reporter of [...kings.keys()].filter((party) => party !== liar)) {
      const named = run.faults.filter(({ by, fault }) => by === reporter && fault.kind === 'malformed');
      expect(new Set(named.map(({ fault }) => fault.party)), `${where}: party ${reporter} reports`).toEqual(
        new Set([liar]),
      );
    }
  });
});
