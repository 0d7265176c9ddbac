/**
 * Shares for users. Goal: the shares of all honest parties lie on polynomials of degree t whose values are m * 2^123,
 * exactly, or within the noise of flooding; only bits of the value are in them; whoever is corrupt, whichever bundles
 * are used and however often a request is run, the shares are the same, bit for bit; and no bundle ever serves a user
 * and everybody. Method: real services in the simulator, a key whose bits the test knows, shares opened by the test.
 */
import { asGr128 } from '@keyquorum/kernel/batch';
import { decodeGr128 } from '@keyquorum/kernel/gr';
import { fromWire, openShares } from '@keyquorum/mpc/sharing/algebra';
import { allDo, corruptSets, STRATEGIES } from '@keyquorum/mpc/simulate/faults/catalogue';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import type { Run } from '@keyquorum/mpc/simulate/simulate';
import { describeFaults, type Faults } from '@keyquorum/mpc/simulate/strategy';
import { type CiphertextValue, isSquashed, type Piece, recompose, type Value64 } from '@keyquorum/tfhe/ciphertext';
import { describe, expect, test } from 'vitest';
import { SHARES_TAG } from '../src/decryption/content-openings.ts';
import type { DecryptionJob, UserShares } from '../src/decryption/job.ts';
import { createDealtDecryption, type DealtDecryption, type KeyBits } from './support/dealt-decryption.ts';
import { encryptMessages, encryptSquashed } from './support/encrypt.ts';
import { kernel } from './support/kernel.ts';
import { checkBindings, createWitness, type Witness } from './support/witness.ts';

const KEY_ID = 'ab'.repeat(32);
const DELTA = 1n << 123n;
const NAMED = ['wrong-share', 'constant-offset', 'codeword-offset', 'codeword-offset-high'];

const IDS = { requestId: '1d'.repeat(32), contentHash: new Uint8Array(32) };

const random = createPrng('user shares');
const word = (): bigint => new DataView(random.bytes(8).buffer).getBigUint64(0);
const bits = (count: number) => random.bytes(count).map((byte) => byte & 1);
const keyBits = {
  pke: bits(24),
  big: bits(32),
  compression: bits(16),
  'noise-squashing': bits(24),
  'noise-squashing-compression': bits(40),
} satisfies KeyBits;

function encrypt(key: Value64['key'], messages: readonly number[], change: Partial<Value64> = {}): Value64 {
  return { ...encryptMessages(keyBits[key], { messages, key, noise: 12345n, random: word }), ...change };
}

const clean = (...places: [block: number, shift: 0 | 2][]): Piece[] =>
  places.map(([block, shift]) => ({ block, shift, bits: 2 }));

/** Values of every layout, each with the blocks that a user must find in the shares. */
const VALUES: Record<string, { value: CiphertextValue; want: readonly number[]; packingFactor: 1 | 2 }> = {
  'an FheUint, with carries': {
    value: encrypt('big', [1, 15, 9, 3, 0, 7]),
    want: [1, 15, 9, 3, 0, 7],
    packingFactor: 1,
  },
  'an FheBool': {
    value: encrypt('big', [1], { type: { kind: 'bool', bits: 1 }, pieces: clean([0, 0]) }),
    want: [1],
    packingFactor: 1,
  },
  'a packed list, the neighbours in its first and last block left out': {
    value: encrypt('pke', [0b1101, 0b0110, 0b1011], {
      type: { kind: 'uint', bits: 8 },
      pieces: clean([0, 2], [1, 0], [1, 2], [2, 0]),
    }),
    want: [0b10_11, 0b11_01],
    packingFactor: 2,
  },
  'a boolean beside a neighbour': {
    value: encrypt('pke', [0b0111], { type: { kind: 'bool', bits: 1 }, pieces: clean([0, 2]) }),
    want: [0b01],
    packingFactor: 1,
  },
  'a compressed list, an odd number of blocks': {
    value: encrypt('compression', [3, 0, 2, 1, 1], { type: { kind: 'uint', bits: 10 } }),
    want: [0b00_11, 0b01_10, 0b01],
    packingFactor: 2,
  },
  'more than one bundle lends': {
    value: encrypt(
      'big',
      [...Array(21).keys()].map((m) => m % 16),
    ),
    want: [...Array(21).keys()].map((m) => m % 16),
    packingFactor: 1,
  },
  'outside of the message space': { value: encrypt('big', [17, 4]), want: [0, 4], packingFactor: 1 },
  squashed: {
    value: encryptSquashed(keyBits['noise-squashing'], {
      ...{ messages: [15, 0, 7, 1, 9], key: 'noise-squashing', noise: 1n << 69n, random: word },
    }),
    want: [15, 0, 7, 1, 9],
    packingFactor: 2,
  },
};
const ALL = Object.values(VALUES);
/** In each party's stripe: more than all values together take. */
const BUNDLES = 64;

function jobOf(values: readonly CiphertextValue[], change: Partial<DecryptionJob> = {}): DecryptionJob {
  const requestId = Buffer.from(random.bytes(32)).toString('hex');
  return { requestId, keyId: KEY_ID, contentHash: random.bytes(32), values, ...change };
}

function network(seed: string, size: { n: number; t: number }, faults: Faults = {}, stripe = 16): DealtDecryption {
  const dealt = { keyId: KEY_ID, keyBits, bundles: stripe * size.n };
  return createDealtDecryption({ seed, ...size, faults }, dealt);
}

function sharesFrom({ sim, service }: DealtDecryption, job: DecryptionJob): Promise<Run<UserShares>> {
  return sim.run(async (party) => {
    const shares = await (await service(party)).userShares(job);
    await party.clock.until(party.clock.now() + 16_000);
    return shares;
  });
}

/** What a user finds in the shares of the honest parties. */
function checkShares(run: Run<UserShares>, values: typeof ALL, t: number, corrupt: readonly number[] = []): void {
  const honest = run.outcomes.flatMap((outcome, index) => {
    if (corrupt.includes(index + 1)) return [];
    expect(outcome, `party ${index + 1}`).toMatchObject({ status: 'fulfilled', value: { degree: t } });
    return outcome.status === 'fulfilled' ? [[index + 1, outcome.value] as const] : [];
  });
  expect(honest.length).toBe(run.outcomes.length - corrupt.length);
  for (const [index, { value, want, packingFactor }] of values.entries()) {
    const own = honest.map(([party, { values }]) => [party, values[index]!] as const);
    for (const [, { type, blocks, elements, ...share }] of own) {
      expect({ ...share, type, blocks }).toEqual({ type: value.type, packingFactor, blocks: want.length });
      expect(elements.length).toBe(64 * Math.ceil(want.length / 4));
    }
    const shares = own.map(([party, { elements }]) => [party, elements] as const);
    const { values: opened, firstInconsistent } = openShares(kernel, 'gr128', shares, t);
    expect(firstInconsistent).toBe(-1);
    const noise = decodeGr128(opened)
      .flat()
      .map((sum, block) => BigInt.asIntN(128, sum - BigInt(want[block] ?? 0) * DELTA));
    const limit = isSquashed(value) ? DELTA / 2n : 1n;
    expect(noise.every((each) => each < limit && -each < limit)).toBe(true);
    expect(noise.slice(want.length).every((each) => each === 0n)).toBe(true);
  }
}

describe.each([
  { n: 4, t: 1 },
  { n: 7, t: 2 },
])('n=$n, t=$t', ({ n, t }) => {
  const net = network('layouts', { n, t }, {}, BUNDLES);

  test('every layout of a value, in one request', async () => {
    checkShares(await sharesFrom(net, jobOf(ALL.map(({ value }) => value))), ALL, t);
  });

  test.each(Object.entries(VALUES))('%s', async (_, value) => {
    checkShares(await sharesFrom(net, jobOf([value.value])), [value], t);
  });
});

test('the blocks add up to the value that everybody would get', () => {
  for (const { value, want, packingFactor } of ALL) {
    const digits = want.reduce((sum, block, index) => sum + (BigInt(block) << BigInt(2 * packingFactor * index)), 0n);
    const messages = new Uint8Array(value.blockBits.length);
    for (const [index, { block, shift, bits }] of value.pieces.entries()) {
      const at = Math.floor(index / packingFactor);
      const piece = (want[at]! >> (2 * (index % packingFactor))) & (2 ** bits - 1);
      messages[block]! |= piece << shift;
    }
    if (value.type.kind !== 'bool') expect(recompose(value, messages)).toBe(BigInt.asUintN(value.type.bits, digits));
  }
});

const SOME = ALL.slice(0, 3).concat(VALUES.squashed!);

test.each(Object.keys(STRATEGIES))('4/1, %s: every corrupt party', async (name) => {
  for (const corrupt of corruptSets(4, 1)) {
    const faults = allDo(corrupt, STRATEGIES[name]!);
    const run = await sharesFrom(
      network(`${name} ${corrupt}`, { n: 4, t: 1 }, faults),
      jobOf(SOME.map(({ value }) => value)),
    );
    checkShares(run, SOME, 1, corrupt);
    for (const outcome of run.outcomes) {
      if (outcome.status !== 'fulfilled' || !NAMED.includes(name)) continue;
      const liars = outcome.value.faults.filter(({ kind }) => kind === 'wrong-share').map(({ party }) => party);
      for (const liar of liars) expect(corrupt, describeFaults(faults)).toContain(liar);
    }
  }
});

test('two corrupt parties of seven', async () => {
  const faults = allDo([3, 5], STRATEGIES['codeword-offset']!);
  const run = await sharesFrom(network('seven', { n: 7, t: 2 }, faults), jobOf(SOME.map(({ value }) => value)));
  checkShares(run, SOME, 2, [3, 5]);
});

const elementsOf = (run: Run<UserShares>) =>
  run.outcomes.map((outcome) => {
    if (outcome.status !== 'fulfilled') throw new Error(outcome.status);
    return outcome.value.values.map(({ elements }) => elements);
  });

test('asked again, in another request too, with other bundles: the same shares, bit for bit', async () => {
  const net = network('again', { n: 4, t: 1 }, {}, BUNDLES);
  const values = ALL.map(({ value }) => value);
  const job = jobOf(values);
  const first = elementsOf(await sharesFrom(net, job));
  expect(elementsOf(await sharesFrom(net, job))).toEqual(first);
  expect(elementsOf(await sharesFrom(net, jobOf(values)))).toEqual(first);
  const other = ALL.map(({ value }) => ({ ...value, bodies: flipped(value.bodies) }));
  const others = elementsOf(await sharesFrom(net, jobOf(other)));
  for (const [party, elements] of others.entries()) {
    for (const [index, each] of elements.entries()) expect(each).not.toEqual(first[party]![index]);
  }
});

test('bound by every party at once, finished in any order: shares of one polynomial', async () => {
  const { value } = VALUES['an FheUint, with carries']!;
  for (const seed of ['one', 'two', 'three']) {
    const witness = createWitness(4);
    const net = network(`everybody ${seed}`, { n: 4, t: 1 }, witness.faults);
    const job = jobOf([value]);
    const run = await net.sim.run(async (party) => {
      const shares = await (await net.service(party)).userShares({ ...job, first: party.self });
      await party.clock.until(party.clock.now() + 16_000);
      return shares;
    });
    checkShares(run, [VALUES['an FheUint, with carries']!], 1);
    expect(checkBindings(witness, net.sim.roster, [1, 2, 3, 4]).certified).toBe(4);
  }
});

function flipped(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes);
  out[0]! ^= 1; // far below any message
  return out;
}

/** Copies: what a caller erases is its own. */
test('erased shares are zeros; whoever asks again gets them whole', async () => {
  const net = network('erase', { n: 4, t: 1 });
  const job = jobOf([VALUES.squashed!.value, VALUES['an FheBool']!.value]);
  const run = await sharesFrom(net, job);
  const before = elementsOf(run).map((values) => values.map((each) => asGr128(new Uint8Array(each))));
  for (const outcome of run.outcomes) if (outcome.status === 'fulfilled') outcome.value.erase();
  expect(
    elementsOf(run)
      .flat()
      .every((elements) => elements.every((byte) => byte === 0)),
  ).toBe(true);
  expect(elementsOf(await sharesFrom(net, job))).toEqual(before);
});

test('a squashed value takes no message, and no other party', async () => {
  const witness = createWitness(4);
  const net = network('local', { n: 4, t: 1 }, witness.faults);
  const job = jobOf([VALUES.squashed!.value]);
  const run = await net.sim.run(async (party) => {
    if (party.self !== 1) return undefined;
    return (await net.service(party)).userShares(job);
  });
  expect(run.outcomes[0]).toMatchObject({ status: 'fulfilled', value: { faults: [] } });
  expect(witness.sent).toEqual([]);
});

/** N25: also the public opening sends what a user is given. */
test('a squashed value has the same shares for a user and for everybody', async () => {
  const witness = createWitness(4);
  const net = network('kinds', { n: 4, t: 1 }, witness.faults);
  const shares = elementsOf(await sharesFrom(net, jobOf([VALUES.squashed!.value])));
  await net.decrypt(jobOf([VALUES.squashed!.value]));
  for (const party of [1, 2, 3, 4]) {
    const sent = witness.sent.filter(({ tag, from }) => tag === SHARES_TAG && from === party);
    expect(sent.length).toBe(3);
    for (const { body } of sent) expect(body).toEqual(shares[party - 1]![0]);
  }
});

test('one ciphertext for a user and for everybody at once: no bundle serves both', async () => {
  const witness = createWitness(4);
  const net = network('both', { n: 4, t: 1 }, witness.faults);
  const { value, want } = VALUES['an FheUint, with carries']!;
  const [user, all] = [jobOf([value]), jobOf([value])];
  const run = await net.sim.run(async (party) => {
    const service = await net.service(party);
    const [shares, outcome] = await Promise.all([service.userShares(user), service.decrypt(all)]);
    await expect(service.decrypt(user)).rejects.toMatchObject({ code: 'REQUEST_CONFLICT' });
    await party.clock.until(party.clock.now() + 16_000);
    return { shares, outcome };
  });
  for (const outcome of run.outcomes) {
    expect(outcome).toMatchObject({ status: 'fulfilled', value: { outcome: { messages: [Uint8Array.from(want)] } } });
  }
  expect(checkBindings(witness, net.sim.roster, [1, 2, 3, 4]).certified).toBeGreaterThan(0);
});

test('what can wait, waits for the requests under way, or for its limit', async () => {
  const net = network('calm', { n: 4, t: 1 });
  const job = jobOf([VALUES['an FheUint, with carries']!.value]);
  const run = await net.sim.run(async (party) => {
    const { clock } = party;
    const service = await net.service(party);
    const waited = async (limitMs: number) => {
      const from = clock.now();
      await service.calm(limitMs);
      return clock.now() - from;
    };
    const idle = await waited(1_000);
    await clock.until(clock.now() + 5_000 * Number(party.self !== 1)); // the others come later than party 1
    const shares = service.userShares(job);
    const late = await waited(1_000);
    const settled = await waited(60_000);
    await shares;
    return { idle, late, settled, after: await waited(1_000) };
  });
  const [first, ...others] = run.outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? outcome.value : undefined,
  );
  expect(first).toMatchObject({ idle: 0, late: 1_000, after: 0 });
  expect(first!.settled).toBeGreaterThan(0);
  for (const { idle, late, settled, after } of [first!, ...others.map((other) => other!)]) {
    expect(late + settled).toBeLessThan(10_000); // the request's end, not the limit
    expect([idle, after]).toEqual([0, 0]);
  }
});

test('what is opened for a user is uniform: the same bit opens as 0 and as 1', async () => {
  const witness = createWitness(4);
  const net = network('uniform', { n: 4, t: 1 }, witness.faults, BUNDLES);
  const value = encrypt('big', Array(60).fill(0));
  await sharesFrom(net, jobOf([value]));
  const opened = (tag: string) => witness.sent.filter((each) => each.tag === tag && each.to !== each.from);
  const shares = new Map(opened('message').map(({ from, body }) => [from, kernel.gf16.unpack(body, 240)] as const));
  const bitsSeen = openShares(kernel, 'gf16', [...shares].slice(0, 3), 1).values;
  const ones = bitsSeen.reduce((sum, bit) => sum + bit, 0);
  expect(ones).toBeGreaterThan(80);
  expect(ones).toBeLessThan(160);
});

/** A share of a sum without its mask would be one share more of the value itself than t corrupt parties have. */
test('a request that is given up while its pieces are lifted: no share leaves without its mask', async () => {
  const { value } = VALUES['an FheBool']!;
  const sumsOf = (witness: Witness) => {
    const sent = new Map(witness.sent.filter(({ tag }) => tag === 'lifted').map(({ from, body }) => [from, body]));
    const shares = [...sent].map(([party, body]) => [party, fromWire(kernel, 'gr64', body, 1)] as const);
    return { parties: sent.size, ...(sent.size > 1 && openShares(kernel, 'gr64', shares, 1)) };
  };
  const run = async (deadlineMs: number) => {
    const witness = createWitness(4);
    const net = network('given up', { n: 4, t: 1 }, witness.faults);
    const { outcomes } = await net.sim.run(async (party) => {
      const shares = (await net.service(party)).userShares(jobOf([value], { ...IDS, deadlineMs }));
      const ended = shares.then(
        () => 'answered',
        () => 'given up',
      );
      await party.clock.until(party.clock.now() + 16_000);
      return ended;
    });
    const givenUp = outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value === 'given up').length;
    return { givenUp, sums: sumsOf(witness), sentMs: witness.sent.find(({ tag }) => tag === 'lifted')?.timeMs ?? 0 };
  };
  const right = await run(Number.MAX_SAFE_INTEGER);
  expect(right).toMatchObject({ givenUp: 0, sums: { parties: 4, firstInconsistent: -1 } });
  const sentByGivenUp: number[] = [];
  for (let earlierMs = 1; earlierMs < 60; earlierMs += 8) {
    const { givenUp, sums } = await run(right.sentMs - earlierMs);
    if (givenUp === 0 || sums.parties < 4) continue;
    sentByGivenUp.push(givenUp);
    expect(sums, `given up ${earlierMs} ms before it by ${givenUp}`).toEqual(right.sums);
  }
  expect(sentByGivenUp).toContain(4);
});
