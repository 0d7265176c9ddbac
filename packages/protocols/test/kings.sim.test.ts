/**
 * Openings by kings (docs/protocols/closed-openings.md, "Kings"). Goal: whoever lies, as a sender of shares or as a
 * king, an honest party obtains the right values or none; lies in shares are seen by everybody, though only kings were
 * sent them; kings that lie or are silent cost time and nothing else. Method: the real step on Shamir sharings of
 * degree 2t made in the clear, several steps at once, in which other parties are kings.
 */
import { asGr64, type Gr64 } from '@keyquorum/kernel/batch';
import { sha256, toHex } from '@keyquorum/mpc/bytes';
import { BLOB_EXCHANGE } from '@keyquorum/mpc/runtime/blobs';
import { signStatement } from '@keyquorum/mpc/runtime/statement';
import { decodeDetected } from '@keyquorum/mpc/sharing/detected';
import { allDo, corruptSets, STRATEGIES } from '@keyquorum/mpc/simulate/faults/catalogue';
import { equivocateShares } from '@keyquorum/mpc/simulate/faults/shares';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import { type SimulateOptions, simulate } from '@keyquorum/mpc/simulate/simulate';
import { combine, describeFaults, type FaultStrategy, type Faults, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { Envelope, Exchange, PartyId } from '@keyquorum/mpc/transport';
import { expect, test } from 'vitest';
import { bodiesSent, kingOf, kingsOf } from '../src/closed/kings.ts';
import { openClosed, sealSubject } from '../src/closed/opening.ts';
import { SHARE_CODECS } from '../src/share-codecs.ts';
import { discreet } from './support/discreet.ts';
import { upTo } from './support/generation.ts';
import { kernel } from './support/kernel.ts';
import { createWitness } from './support/witness.ts';

const SESSION = 'c1'.repeat(32);
const ELEMENTS = 8;
const ELEMENT_BYTES = 32;
const VALUES_BYTES = ELEMENTS * ELEMENT_BYTES;
const DEADLINE_MS = 120_000;
/** Longer than a party waits for a king before it asks others. */
const BUSY_MS = 10_000;
const seeds = (runs: number) => ({ runs, file: import.meta.filename, env: process.env });

interface Size {
  readonly n: number;
  readonly t: number;
}

/** Random polynomials of degree 2t, the values first. */
function polynomials(seed: string, { t }: Size): Gr64[] {
  const random = createPrng(seed);
  return Array.from({ length: 2 * t + 1 }, () => asGr64(random.bytes(VALUES_BYTES)));
}

interface Opening {
  /** By party, by step: the values in hex, or the code of the failure and the parties that were absent. */
  readonly ends: readonly (readonly string[])[];
  readonly right: readonly string[];
  /** By party, when its last step ended. */
  readonly endedMs: readonly number[];
  readonly honest: readonly PartyId[];
  /** What honest parties reported, in words. */
  readonly reports: readonly string[];
  readonly where: string;
}

interface OpeningOptions extends Partial<SimulateOptions> {
  /** Numbers of the steps, which decide who is king; by default two in which the first corrupt party is, and one. */
  readonly numbers?: readonly number[];
  readonly progressMs?: (nowMs: number) => number;
}

/** Some steps at once. */
async function openSteps(seed: string, size: Size, faults: Faults, given: OpeningOptions = {}): Promise<Opening> {
  const { n, t } = size;
  const [firstCorrupt = 1] = Object.keys(faults).map(Number);
  const { numbers = [firstCorrupt - 1, firstCorrupt - 1 + n - t, firstCorrupt], progressMs, ...options } = given;
  const secrets = numbers.map((number) => polynomials(`${seed} ${number}`, size));
  const sim = simulate({ seed, n, t, kernel, faults, codecs: SHARE_CODECS, ...options });
  const run = await sim.run(async (party) => {
    const session = party.open(SESSION);
    const deadlineMs = party.clock.now() + DEADLINE_MS;
    const steps = secrets.map((coefficients, index) =>
      openClosed(session, {
        tag: `body64/${numbers[index]}`,
        message: kernel.gr64.evaluate(coefficients, party.self),
        expected: upTo(n),
        kings: kingsOf(upTo(n), t, numbers[index]!),
        decode(messages) {
          const shares = new Map([...messages].map(([from, body]) => [from, asGr64(body)]));
          const opened = decodeDetected(kernel, 'gr64', shares, { expected: upTo(n), t });
          return opened.kind === 'opened' ? opened.values : undefined;
        },
        valuesBytesMax: VALUES_BYTES,
        seal: 'ok',
        deadlineMs,
        ...(progressMs && { progressMs: () => progressMs(party.clock.now()) }),
      }),
    );
    const told = ({ code, absent }: { code: string; absent?: PartyId[] }) => [code, absent?.join()].join(' ').trim();
    const ends = await Promise.all(steps.map((step) => step.then(({ values }) => toHex(values), told)));
    return { ends, endedMs: party.clock.now() };
  });
  const ended = run.outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined));
  const ends = ended.map((each) => each?.ends ?? []);
  const endedMs = ended.map((each) => each?.endedMs ?? 0);
  const right = secrets.map(([values]) => toHex(values!));
  const honest = upTo(n).filter((party) => !faults[party]);
  const reports = run.faults
    .filter(({ by }) => honest.includes(by))
    .map(({ fault: { party, kind, detail } }) => `party ${party} ${kind} ${detail}`);
  return { ends, right, endedMs, honest, reports, where: `${seed}: ${describeFaults(faults)}` };
}

function expectSafe({ ends, right, honest, where }: Opening): void {
  for (const party of honest) {
    expect(ends[party - 1]!.length, `${where}: party ${party} ends`).toBe(right.length);
    ends[party - 1]!.forEach((end, step) => {
      if (!/^OPENING_/.test(end)) expect(end, `${where}: party ${party}, step ${step}`).toBe(right[step]);
    });
  }
}

function expectRight(opening: Opening): void {
  const { ends, right, honest, where } = opening;
  for (const party of honest) expect(ends[party - 1], `${where}: party ${party}`).toEqual(right);
}

/** What every honest party says at the end of every step. */
function expectAll({ ends, right, honest, where }: Opening, end: string): void {
  for (const party of honest) expect(ends[party - 1], `${where}: party ${party}`).toEqual(right.map(() => end));
}

const WRONG_SHARES = ['wrong-share', 'constant-offset', 'codeword-offset', 'codeword-offset-high'];
const HARMLESS = ['late', 'wrong-session'];

async function attack(seed: string, size: Size, corrupt: PartyId[], name: string): Promise<void> {
  const strategy = STRATEGIES[name]!;
  const isWrong = WRONG_SHARES.includes(name);
  const opening = await openSteps(seed, size, allDo(corrupt, isWrong ? discreet(strategy) : strategy));
  expectSafe(opening);
  if (isWrong) expectAll(opening, 'OPENING_INCONSISTENT');
  if (name === 'silent') expectAll(opening, `OPENING_STALLED ${corrupt.join()}`);
  if (HARMLESS.includes(name)) expectRight(opening);
}

test('4/1: every corrupt party times every strategy', async () => {
  for (const corrupt of corruptSets(4, 1)) {
    for (const name of Object.keys(STRATEGIES)) await attack(`${name} ${corrupt}`, { n: 4, t: 1 }, corrupt, name);
  }
});

test('7/2 and 13/4: colluders that lie in values of degree 2t are seen by everybody, and never corrected', async () => {
  await forEachSeed(seeds(2), async (seed) => {
    for (const size of [
      { n: 7, t: 2 },
      { n: 13, t: 4 },
    ]) {
      const random = createPrng(`colluders ${seed} ${size.n}`);
      const corrupt = random.sample(upTo(size.n), 1 + random.below(size.t)).sort((left, right) => left - right);
      for (const name of [...WRONG_SHARES, 'silent', 'equivocate']) {
        await attack(`${seed} ${name}`, size, corrupt, name);
      }
    }
  });
});

/** Sends the right shares, and lies as a king: `lie` replaces its vote and values; null sends nothing. */
function king(name: string, lie: (to: PartyId, envelope: Envelope, signed: Signed) => Envelope | null): FaultStrategy {
  return {
    name,
    wrap: (transport, tools) =>
      intercept(transport, {
        send(to, envelope, inner) {
          const [, step] = /^(.*)\/(?:ok|values)$/.exec(envelope.tag) ?? [];
          if (step === undefined) return inner.send(to, envelope);
          const signed: Signed = (digest) => {
            const subject = sealSubject(SESSION, { tag: step, seal: 'ok' }, digest);
            return { ...envelope, body: Buffer.concat([digest, signStatement(tools, subject)]) };
          };
          const sent = lie(to, envelope, signed);
          if (sent !== null) inner.send(to, sent);
        },
      }),
  };
}

type Signed = (digest: Uint8Array) => Envelope;
const isVote = ({ tag }: Envelope): boolean => tag.endsWith('/ok');
/** Values that all colluders invent alike for a step. */
const invented = ({ tag }: Envelope): Uint8Array => createPrng(tag.replace(/\/\w+$/, '')).bytes(VALUES_BYTES);

const KINGS: readonly FaultStrategy[] = [
  king('a king opens, and tells nobody', () => null),
  king('a king signs, and keeps the values', (_, envelope) => (isVote(envelope) ? envelope : null)),
  king('a king sends the values, and does not sign', (_, envelope) => (isVote(envelope) ? null : envelope)),
  king('a king sends other values, and signs the right ones', (_, envelope) =>
    isVote(envelope) ? envelope : { ...envelope, body: invented(envelope) },
  ),
  king('a king signs and sends other values', (_, envelope, signed) =>
    isVote(envelope) ? signed(sha256(invented(envelope))) : { ...envelope, body: invented(envelope) },
  ),
  king('N19: a king tells one half other values than the other, and signs both', (to, envelope, signed) => {
    if (to % 2 === 0) return envelope;
    return isVote(envelope) ? signed(sha256(invented(envelope))) : { ...envelope, body: invented(envelope) };
  }),
  king('a king sends values of another length', (_, envelope) =>
    isVote(envelope) ? envelope : { ...envelope, body: new Uint8Array(VALUES_BYTES + ELEMENT_BYTES) },
  ),
];

/** Says that shares do not fit when they do. */
const alarmist: FaultStrategy = {
  name: 'shows evidence of nothing',
  wrap: (transport) =>
    intercept(transport, {
      send(to, envelope, inner) {
        inner.send(to, envelope);
        const tag = /^body64\/\d+$/.exec(envelope.tag)?.[0];
        if (tag !== undefined) inner.send(to, { ...envelope, tag: `${tag}/evidence`, body: new Uint8Array(2) });
      },
    }),
};

test('kings that lie or are silent: everybody has the right values, at 4/1 whoever it is', async () => {
  for (const strategy of [...KINGS, alarmist]) {
    for (const corrupt of corruptSets(4, 1)) {
      const opening = await openSteps(`${strategy.name} ${corrupt}`, { n: 4, t: 1 }, allDo(corrupt, strategy));
      expectRight(opening);
      const isFormal = strategy.name.includes('length') || strategy === alarmist;
      expect(opening.reports.filter((report) => / malformed /.test(report)).length > 0, strategy.name).toBe(isFormal);
    }
  }
});

test('t kings that collude, at 7/2 and 13/4', async () => {
  await forEachSeed(seeds(2), async (seed) => {
    for (const size of [
      { n: 7, t: 2 },
      { n: 13, t: 4 },
    ]) {
      const first = 1 + createPrng(`kings ${seed}`).below(size.n);
      const corrupt = upTo(size.t).map((index) => 1 + ((first + index) % size.n)); // side by side: kings together
      for (const strategy of KINGS) {
        expectRight(await openSteps(`${seed} ${strategy.name}`, size, allDo(corrupt, strategy)));
      }
    }
  });
});

test('a party that sends other shares to some kings, and lies as a king: the right values or none', async () => {
  for (const lie of [equivocateShares(), discreet(equivocateShares())]) {
    for (const asKing of KINGS) {
      for (const corrupt of corruptSets(4, 1)) {
        const faults = allDo(corrupt, combine(asKing, lie));
        expectSafe(await openSteps(`${lie.name} ${asKing.name} ${corrupt}`, { n: 4, t: 1 }, faults));
      }
    }
  }
});

test('N20: one wrong bit in one share of one element, the highest: no random check that it could pass', async () => {
  const highest: FaultStrategy = {
    name: 'flips the highest bit of one coordinate',
    wrap: (transport, tools) =>
      intercept(transport, {
        send(to, envelope, inner) {
          const codec = SHARE_CODECS.find(({ matches }) => matches(envelope.tag));
          if (codec === undefined) return inner.send(to, envelope);
          const body = codec.alter(
            envelope.body,
            (elements) => elements.map((byte, index) => (index === VALUES_BYTES - 1 ? byte ^ 0x80 : byte)),
            (domain, receiver, payload) => {
              const { session, tag } = envelope;
              const length = payload.length;
              return signStatement(tools, { domain, session, tag, receiver, length, digest: sha256(payload) });
            },
          );
          inner.send(to, { ...envelope, body });
        },
      }),
  };
  for (const corrupt of corruptSets(4, 1)) {
    const opening = await openSteps(`highest ${corrupt}`, { n: 4, t: 1 }, allDo(corrupt, discreet(highest)));
    expectAll(opening, 'OPENING_INCONSISTENT');
    const times = opening.honest.map((party) => opening.endedMs[party - 1]!);
    expect(Math.max(...times) - Math.min(...times), 'all vote BURN at the same time').toBeLessThan(1_000);
  }
});

test('a cut link between two honest parties is no obstacle', async () => {
  for (const [one, other] of [
    [1, 2],
    [2, 4],
    [3, 4],
  ] as const) {
    const cut = (peer: PartyId): FaultStrategy => silentTo(peer);
    const opening = await openSteps(`cut ${one} ${other}`, { n: 4, t: 1 }, { [one]: cut(other), [other]: cut(one) });
    expectRight({ ...opening, honest: upTo(4) });
  }
});

function silentTo(peer: PartyId): FaultStrategy {
  return {
    name: `has no link to party ${peer}`,
    wrap: (transport) =>
      intercept(transport, {
        send: (to, envelope, inner) => to !== peer && inner.send(to, envelope),
        answer: (from, _, answer) => (from === peer ? Promise.reject(new Error('no link')) : answer()),
      }),
  };
}

test('voters that hand over nothing for a while are asked again', async () => {
  const keeps = KINGS[1]!;
  for (const [corrupt] of corruptSets(4, 1)) {
    let refusals = 0;
    const busy: FaultStrategy = {
      name: 'is too busy to hand over values',
      wrap: (transport, { clock }) => {
        const freeMs = clock.now() + BUSY_MS;
        const answer = (_: PartyId, { name }: Exchange, reply: () => Promise<Uint8Array>): Promise<Uint8Array> => {
          if (name !== BLOB_EXCHANGE.name || clock.now() >= freeMs) return reply();
          refusals++;
          return Promise.reject(new Error('busy'));
        };
        return intercept(transport, { answer });
      },
    };
    const faults = { ...allDo(upTo(4), busy), [corrupt!]: combine(keeps, busy) };
    const opening = await openSteps(`busy ${corrupt}`, { n: 4, t: 1 }, faults);
    expectRight({ ...opening, honest: upTo(4) });
    expect(refusals).toBeGreaterThan(0);
    const waitedMs = Math.max(...opening.endedMs) - Math.min(...opening.endedMs);
    expect(waitedMs, 'they have them soon after').toBeLessThan(BUSY_MS + 2_000);
  }
});

test('without faults each body goes over as few links as said, and nobody asks for anything', async () => {
  for (const size of [
    { n: 4, t: 1 },
    { n: 7, t: 2 },
    { n: 13, t: 4 },
  ]) {
    const { n, t } = size;
    const witness = createWitness(n);
    const numbers = upTo(n).map((party) => party - 1);
    expectRight({ ...(await openSteps('counted', size, witness.faults, { numbers })), honest: upTo(n) });
    for (const party of upTo(n)) {
      const bodies = witness.sent.filter(({ from, body }) => from === party && body.length >= VALUES_BYTES);
      const said = numbers.reduce((sum, number) => sum + bodiesSent(kingsOf(upTo(n), t, number), party), 0);
      expect(bodies.length, `party ${party} of ${n}`).toBe(said);
      expect(said / n).toBeCloseTo(t + 2 - (2 * (t + 1)) / n);
    }
    expect(witness.sent.filter(({ tag }) => /\/(want|roots|evidence)$/.test(tag))).toEqual([]);
  }
});

test('on slow links nobody asks for what is on its way, as long as earlier steps end', async () => {
  const latency = { minMs: 1, maxMs: 8_000 };
  for (const [progressMs, asks] of [
    [(nowMs: number) => nowMs, false],
    [undefined, true],
  ] as const) {
    const witness = createWitness(4);
    const opening = await openSteps('slow', { n: 4, t: 1 }, witness.faults, {
      latency,
      ...(progressMs && { progressMs }),
    });
    expectRight({ ...opening, honest: upTo(4) });
    expect(witness.sent.some(({ tag }) => tag.endsWith('/want'))).toBe(asks);
  }
});

test('kings take turns, t+1 at a time, and serve each of the others once', () => {
  for (const { n, t } of [
    { n: 4, t: 1 },
    { n: 7, t: 2 },
    { n: 12, t: 4 },
    { n: 15, t: 4 },
  ]) {
    const expected = upTo(n);
    const reigns = new Map<PartyId, number>();
    for (let step = 0; step < n; step++) {
      const kings = kingsOf(expected, t, step);
      expect(kings.size).toBe(t + 1);
      const others = expected.filter((party) => !kings.has(party));
      expect([...kings.values()].flat().sort((left, right) => left - right)).toEqual(others);
      for (const [king, served] of kings) {
        reigns.set(king, (reigns.get(king) ?? 0) + 1);
        expect(kingOf(kings, king)).toBeUndefined();
        for (const party of served) expect(kingOf(kings, party)).toBe(king);
      }
    }
    expect(expected.map((party) => reigns.get(party))).toEqual(expected.map(() => t + 1));
  }
});
