/**
 * Decryption of squashed values by a network. Goal: whoever is corrupt and whatever it does, every honest party gets
 * the right messages and no honest party is accused; whoever has other words for a ciphertext sends nothing that fits,
 * and nothing that tells of the key (N24); a ciphertext has the same shares in every request (N25); and who comes late,
 * comes back or asks again gets its answer. Method: real services in the simulator, a key whose bits the test knows.
 */
import { asGr128, type Gr128 } from '@keyquorum/kernel/batch';
import { decodeGr128 } from '@keyquorum/kernel/gr';
import { openShares } from '@keyquorum/mpc/sharing/algebra';
import { allDo, corruptSets, STRATEGIES } from '@keyquorum/mpc/simulate/faults/catalogue';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import type { Outcome, Run } from '@keyquorum/mpc/simulate/simulate';
import { describeFaults, type FaultStrategy, type Faults, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { CiphertextValue, Value128 } from '@keyquorum/tfhe/ciphertext';
import { expect, test } from 'vitest';
import { SHARES_TAG } from '../src/decryption/content-openings.ts';
import type { DecryptionJob, DecryptionOutcome } from '../src/decryption/job.ts';
import { createDealtDecryption, type KeyBits } from './support/dealt-decryption.ts';
import { encryptMessages, encryptSquashed } from './support/encrypt.ts';
import { askFor, KEY_ID, startNetwork, untilEnded } from './support/generation.ts';
import { kernel } from './support/kernel.ts';
import { decryptEverywhere } from './support/ready.ts';
import { createWitness, type Sent } from './support/witness.ts';

const NOISE = (1n << 70n) - 1n;
/** The padding bit on top: the upper ones are outside of the message space and open as 0. */
const MESSAGES = [0, 15, 9, 31, 5, 16];
const OPENED = Uint8Array.of(0, 15, 9, 0, 5, 0);
/** Strategies that send wrong shares: each honest party must name the liar. */
const NAMED = ['wrong-share', 'constant-offset', 'codeword-offset', 'codeword-offset-high'];

const random = createPrng('flooding');
const word = (): bigint => new DataView(random.bytes(8).buffer).getBigUint64(0);
const bits = (count: number) => random.bytes(count).map((byte) => byte & 1);
const keyBits = {
  big: bits(32),
  'noise-squashing': bits(24),
  'noise-squashing-compression': bits(40),
} satisfies KeyBits;
const DEALT = { keyId: KEY_ID, keyBits, bundles: 0 };

function squashed(messages: readonly number[], key: Value128['key'] = 'noise-squashing', noise = NOISE): Value128 {
  return encryptSquashed(keyBits[key], { messages, key, noise, random: word });
}

function jobOf(values: readonly CiphertextValue[], change: Partial<DecryptionJob> = {}): DecryptionJob {
  const requestId = Buffer.from(random.bytes(32)).toString('hex');
  return { requestId, keyId: KEY_ID, contentHash: random.bytes(32), values, ...change };
}

const bothKeys = () => [squashed(MESSAGES), squashed([7], 'noise-squashing-compression', -NOISE)];
const BOTH_OPENED = [OPENED, Uint8Array.of(7)];

function checkAll(run: Run<DecryptionOutcome>, faults: Faults, named: boolean, where: string): void {
  const corrupt = Object.keys(faults).map(Number);
  run.outcomes.forEach((outcome, index) => {
    if (corrupt.includes(index + 1)) return;
    expect(outcome, `${where}: party ${index + 1}`).toMatchObject({
      status: 'fulfilled',
      value: { messages: BOTH_OPENED },
    });
    if (outcome.status !== 'fulfilled') return;
    const accused = outcome.value.faults.filter(({ kind }) => kind !== 'silent' && kind !== 'late');
    for (const fault of accused) expect(corrupt, `${where}: ${JSON.stringify(fault)}`).toContain(fault.party);
    const liars = accused.filter(({ kind }) => kind === 'wrong-share').map(({ party }) => party);
    if (named) expect([...new Set(liars)].sort(), where).toEqual(corrupt);
  });
  for (const { by, fault } of run.faults) {
    if (corrupt.includes(by) || fault.kind === 'silent' || fault.kind === 'late') continue;
    expect(corrupt, `${where}: party ${by} accuses ${JSON.stringify(fault)}`).toContain(fault.party);
  }
}

test.each(Object.keys(STRATEGIES))('4/1, %s: every corrupt party', async (name) => {
  for (const corrupt of corruptSets(4, 1)) {
    const faults = allDo(corrupt, STRATEGIES[name]!);
    const network = createDealtDecryption({ seed: `${name} ${corrupt}`, n: 4, t: 1, faults }, DEALT);
    for (let request = 0; request < 2; request++) {
      const run = await network.decrypt(jobOf(bothKeys()));
      checkAll(run, faults, NAMED.includes(name), `${describeFaults(faults)}, request ${request}`);
    }
  }
});

test.each(['silent', 'codeword-offset', 'late', 'equivocate'])('7/2, %s: two parties', async (name) => {
  const faults = allDo([2, 7], STRATEGIES[name]!);
  const network = createDealtDecryption({ seed: name, n: 7, t: 2, faults }, DEALT);
  checkAll(await network.decrypt(jobOf(bothKeys())), faults, NAMED.includes(name), describeFaults(faults));
});

test('no material is needed; values of both kinds go in one request while there is some', async () => {
  const big = encryptMessages(keyBits.big, { messages: [3, 14], key: 'big', noise: 5n, random: word });
  const job = () => jobOf([squashed([4]), big, squashed([11, 12])]);
  const full = createDealtDecryption({ seed: 'both', n: 4, t: 1 }, { ...DEALT, bundles: 40 });
  for (const outcome of (await full.decrypt(job())).outcomes) {
    const messages = [Uint8Array.of(4), Uint8Array.of(3, 14), Uint8Array.of(11, 12)];
    expect(outcome).toMatchObject({ status: 'fulfilled', value: { messages } });
  }
  const empty = createDealtDecryption({ seed: 'none', n: 4, t: 1 }, DEALT);
  for (const outcome of (await empty.decrypt(job())).outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'POOL_EMPTY' } });
  }
});

/** Openings that were sent: by session and sender, with all that this sender sent there. */
function openingsOf(sent: readonly Sent[]): Map<string, Map<number, Gr128>> {
  const openings = new Map<string, Map<number, Gr128>>();
  for (const { session, tag, from, body } of sent) {
    if (tag !== SHARES_TAG) continue;
    const shares = openings.get(session) ?? new Map<number, Gr128>();
    expect(shares.get(from) ?? body, 'everybody is sent the same').toEqual(body);
    openings.set(session, shares.set(from, asGr128(body)));
  }
  return openings;
}

/** N24. */
test('half of the parties hold another ciphertext: nothing opens, and nothing tells of the difference', async () => {
  const witness = createWitness(4);
  const network = createDealtDecryption({ seed: 'n24', n: 4, t: 1, faults: witness.faults }, DEALT);
  const [one, other] = [squashed([1]), squashed([1])];
  const base = jobOf([one], { deadlineMs: 20_000 });
  const run = await network.sim.run(async (party) => {
    const service = await network.service(party);
    return service.decrypt({ ...base, values: [party.self <= 2 ? one : other] });
  });
  for (const outcome of run.outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'DECRYPTION_TIMEOUT' } });
  }
  expect(run.faults.filter(({ fault }) => fault.kind === 'wrong-share')).toEqual([]);
  const openings = [...openingsOf(witness.sent).values()];
  expect(openings.map((shares) => [...shares.keys()].sort())).toEqual(
    expect.arrayContaining([
      [1, 2],
      [3, 4],
    ]),
  );
  // With a corrupt party in each half, or with t+1 shares of each as here, both sums are known. Their difference is
  // that of the phases plus that of two independent noises.
  const sums = openings.map((shares) => {
    const { values } = openShares(kernel, 'gr128', [...shares], 1);
    return decodeGr128(values)[0]![0];
  });
  const difference = BigInt.asIntN(128, sums[0]! - sums[1]!);
  expect(difference > 1n << 100n || difference < -(1n << 100n)).toBe(true);
});

/** N25. */
test('one ciphertext in two requests: the same shares, bit for bit, in sessions of their own', async () => {
  const witness = createWitness(4);
  const network = createDealtDecryption({ seed: 'n25', n: 4, t: 1, faults: witness.faults }, DEALT);
  const value = squashed(MESSAGES);
  await network.decrypt(jobOf([value]));
  await network.decrypt(jobOf([value]));
  const openings = [...openingsOf(witness.sent).values()];
  expect(openings.length).toBe(2);
  for (const party of [1, 2, 3, 4]) expect(openings[0]!.get(party)).toEqual(openings[1]!.get(party));
});

const fulfilled = (outcome: Outcome<DecryptionOutcome> | undefined) => {
  expect(outcome).toMatchObject({ status: 'fulfilled', value: { messages: [OPENED] } });
};

test('who admits the request long after the others asks them for their shares', async () => {
  const network = createDealtDecryption({ seed: 'late', n: 4, t: 1 }, DEALT);
  const job = jobOf([squashed(MESSAGES)]);
  const run = await network.sim.run(async (party) => {
    const service = await network.service(party);
    if (party.self === 3) await party.clock.until(party.clock.now() + 100_000);
    const outcome = await service.decrypt(job);
    await party.clock.until(party.clock.now() + 110_000);
    return outcome;
  });
  for (const outcome of run.outcomes) fulfilled(outcome);
});

test.each([
  { lie: (answer: Uint8Array) => answer.map((byte) => byte ^ 1), kind: 'wrong-share' },
  { lie: (answer: Uint8Array) => answer.slice(64), kind: 'malformed' },
])('who asks for shares is told a lie, and names the liar: $kind', async ({ lie, kind }) => {
  const liar: FaultStrategy = {
    name: 'answers with lies',
    wrap: (transport) =>
      intercept(transport, {
        send: (to, envelope, inner) => void (envelope.tag === SHARES_TAG || inner.send(to, envelope)),
        answer: async (_, { name }, answer) => (name === 'decryption/shares' ? lie(await answer()) : answer()),
      }),
  };
  const silentAtFirst: FaultStrategy = {
    name: 'is heard only when asked',
    wrap: (transport) =>
      intercept(transport, {
        send: (to, envelope, inner) => void (envelope.tag === SHARES_TAG || inner.send(to, envelope)),
      }),
  };
  const faults = { 1: silentAtFirst, 2: liar, 3: silentAtFirst, 4: silentAtFirst };
  const network = createDealtDecryption({ seed: kind, n: 4, t: 1, faults }, DEALT);
  const run = await network.decrypt(jobOf([squashed(MESSAGES)]));
  for (const index of [0, 2, 3]) {
    fulfilled(run.outcomes[index]);
    const faults = [expect.objectContaining({ party: 2, kind })];
    expect(run.outcomes[index]).toMatchObject({ value: { faults } });
  }
});

test('who restarts after it has answered asks again and gets the same answer', async () => {
  const network = createDealtDecryption({ seed: 'restart', n: 4, t: 1 }, DEALT);
  const job = jobOf([squashed(MESSAGES)]);
  for (const outcome of (await network.decrypt(job)).outcomes) fulfilled(outcome);
  network.sim.crash(2);
  network.sim.restart(2);
  fulfilled((await network.decrypt(job)).outcomes[1]);
});

test('a request that failed because others did not know it is answered when it is sent again', async () => {
  const network = createDealtDecryption({ seed: 'again', n: 4, t: 1 }, DEALT);
  const job = jobOf([squashed(MESSAGES)]);
  const run = await network.sim.run(async (party) => {
    const service = await network.service(party);
    if (party.self <= 2) {
      const failed = service.decrypt({ ...job, deadlineMs: party.clock.now() + 10_000 });
      await expect(failed).rejects.toMatchObject({ code: 'DECRYPTION_TIMEOUT' });
    }
    await party.clock.until(party.clock.now() + 20_000);
    const outcome = await service.decrypt(job);
    await party.clock.until(party.clock.now() + 20_000);
    return outcome;
  });
  for (const outcome of run.outcomes) fulfilled(outcome);
});

test('under a key that the network has generated', async () => {
  const { network } = await startNetwork({ seed: 'generated', n: 4, t: 1 });
  await untilEnded(network, (services, party) => party === 2 && askFor(services));
  const keys = ['noise-squashing', 'noise-squashing-compression'] as const;
  const values = await Promise.all(
    keys.map(async (key) => {
      const secret = await network.secretBits(KEY_ID, key, 'test');
      return encryptSquashed(secret, { messages: MESSAGES, key, noise: NOISE, random: word });
    }),
  );
  const run = await decryptEverywhere(network, jobOf(values));
  for (const outcome of run.outcomes) {
    expect(outcome).toMatchObject({ status: 'fulfilled', value: { messages: [OPENED, OPENED] } });
  }
});

test('a key without squashing', async () => {
  const network = createDealtDecryption({ seed: 'x', n: 4, t: 1 }, { ...DEALT, keyBits: { big: keyBits.big } });
  for (const outcome of (await network.decrypt(jobOf([squashed([1])]))).outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'KEY_PART_MISSING' } });
  }
});
