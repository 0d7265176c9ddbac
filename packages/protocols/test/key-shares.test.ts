// Goal: the local computations of a key generation are right: bits are bits and have degree t, and a wrong share
// of any party anywhere is seen. Method: PRSS keys dealt by the test,
// all parties computed one after the other, everything reconstructed and compared with BigInt arithmetic.
import { asGr64, asGr128 } from '@keyquorum/kernel/batch';
import { openingMatrix } from '@keyquorum/kernel/lagrange';
import { familyC } from '@keyquorum/mpc/prss/family';
import { createPrss, type Prss } from '@keyquorum/mpc/prss/prss';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import type { PartyId } from '@keyquorum/mpc/transport';
import { describe, expect, test } from 'vitest';
import { bitsMessage, bitsMessageBytes, finishSecretBits, openBits } from '../src/keygen/secret-bits.ts';
import { dealKeys } from './support/dealt-keys.ts';
import { kernel } from './support/kernel.ts';

const SIZES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
];

function prssOfAll(family: ReturnType<typeof familyC>, seed: string): Map<PartyId, Prss> {
  return new Map([...dealKeys(family, seed)].map(([party, keys]) => [party, createPrss(kernel, keys)]));
}

function mapOf<A, B>(map: ReadonlyMap<PartyId, A>, change: (value: A, party: PartyId) => B): Map<PartyId, B> {
  return new Map([...map].map(([party, value]) => [party, change(value, party)]));
}

/** Coordinates of an element, `bytes` each, little endian. */
function coordinates(element: Uint8Array, bytes: number): bigint[] {
  return [0, 1, 2, 3].map((index) => {
    const word = element.subarray(index * bytes, (index + 1) * bytes);
    return word.reduceRight((sum, byte) => (sum << 8n) + BigInt(byte), 0n);
  });
}

/** a^2 + a in Z[X]/(X^4+X+1), modulo 2^bits. */
function squarePlusSelf(a: readonly bigint[], bits: number): bigint[] {
  const raw = Array<bigint>(7).fill(0n);
  a.forEach((left, i) => {
    a.forEach((right, j) => {
      raw[i + j] = raw[i + j]! + left * right;
    });
  });
  for (let high = 6; high >= 4; high--) {
    raw[high - 3] = raw[high - 3]! - raw[high]!;
    raw[high - 4] = raw[high - 4]! - raw[high]!;
  }
  return a.map((each, index) => BigInt.asUintN(bits, raw[index]! + each));
}

describe.each(SIZES)('n=$n, t=$t', ({ n, t }) => {
  const roster = { n, t };
  const expected = Array.from({ length: n }, (_, index) => index + 1);

  function open64(shares: ReadonlyMap<PartyId, Uint8Array>): Uint8Array {
    const parties = [...shares.keys()];
    const opened = kernel.gr64.open(
      openingMatrix(parties, t, 'gr64'),
      parties.map((party) => asGr64(shares.get(party)!)),
    );
    expect(opened.firstInconsistent).toBe(-1);
    return opened.values;
  }

  function open128(shares: ReadonlyMap<PartyId, Uint8Array>): Uint8Array {
    const parties = [...shares.keys()];
    const opened = kernel.gr128.open(
      openingMatrix(parties, t, 'gr128'),
      parties.map((party) => asGr128(shares.get(party)!)),
    );
    expect(opened.firstInconsistent).toBe(-1);
    return opened.values;
  }

  test('secret bits: the opened value is a^2 + a, the shares are of a bit, both bits occur', () => {
    const counts = { key: 64, noise: 48 };
    const made = mapOf(prssOfAll(familyC(roster), `bits ${n}`), (prss) => bitsMessage(kernel, prss, counts));
    const messages = mapOf(made, ({ message }) => message);
    for (const message of messages.values()) expect(message.length).toBe(bitsMessageBytes(counts));
    const values = openBits(kernel, messages, { counts, expected, t })!;
    const roots128 = open128(mapOf(made, ({ secrets }) => secrets.key));
    const roots64 = open64(mapOf(made, ({ secrets }) => secrets.noise));
    for (let index = 0; index < counts.key; index++) {
      const root = coordinates(roots128.subarray(64 * index, 64 * (index + 1)), 16);
      const value = coordinates(values.subarray(64 * index, 64 * (index + 1)), 16);
      expect(value).toEqual(squarePlusSelf(root, 128));
    }
    for (let index = 0; index < counts.noise; index++) {
      const at = 64 * counts.key + 32 * index;
      const root = coordinates(roots64.subarray(32 * index, 32 * (index + 1)), 8);
      expect(coordinates(values.subarray(at, at + 32), 8)).toEqual(squarePlusSelf(root, 64));
    }
    const bits = mapOf(made, ({ secrets }) => finishSecretBits(kernel, secrets, values, counts));
    const key = open128(mapOf(bits, (each) => each.key));
    const noise = open64(mapOf(bits, (each) => each.noise));
    const seen = new Set<bigint>();
    for (let index = 0; index < counts.key; index++) {
      const [low, ...rest] = coordinates(key.subarray(64 * index, 64 * (index + 1)), 16);
      expect(rest).toEqual([0n, 0n, 0n]);
      seen.add(low!);
    }
    for (let index = 0; index < counts.noise; index++) {
      const [low, ...rest] = coordinates(noise.subarray(32 * index, 32 * (index + 1)), 8);
      expect(rest).toEqual([0n, 0n, 0n]);
      seen.add(low!);
    }
    expect(seen).toEqual(new Set([0n, 1n]));
  });

  test('one changed bit in any message, any place, is seen', () => {
    const counts = { key: 3, noise: 2 };
    const made = mapOf(prssOfAll(familyC(roster), 'detect'), (prss) => bitsMessage(kernel, prss, counts).message);
    const random = createPrng(`detect ${n}`);
    for (let trial = 0; trial < 200; trial++) {
      const party = 1 + random.below(n);
      const message = Uint8Array.from(made.get(party)!);
      const bit = random.below(8 * message.length);
      message[bit >> 3]! ^= 1 << (bit & 7);
      const opened = openBits(kernel, new Map(made).set(party, message), { counts, expected, t });
      expect(opened, `party ${party}, bit ${bit}`).toBeUndefined();
    }
    expect(openBits(kernel, made, { counts, expected, t })).toBeDefined();
  });
});
