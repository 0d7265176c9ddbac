/**
 * A key generation up to K4 with PRSS keys dealt by the test: the protocol's own makers for every party, and the secret
 * keys, reconstructed.
 */
import type { Gr128 } from '@keyquorum/kernel/batch';
import { openingMatrix } from '@keyquorum/kernel/lagrange';
import { familyA2, familyC } from '@keyquorum/mpc/prss/family';
import { createPrss } from '@keyquorum/mpc/prss/prss';
import type { PartyId } from '@keyquorum/mpc/transport';
import { type KeySetChoice, type KeySetName, keySetChoice, secretKeyPlaces } from '@keyquorum/tfhe/key-sets';
import { expect } from 'vitest';
import type { SecretBits } from '../../../tfhe/test/support/dealer.ts';
import type { SessionPrss } from '../../src/keygen/body-message.ts';
import type { BodyChunk } from '../../src/keygen/chunks.ts';
import { type BodyMaker, bitsOf, bodyMaker, keygenPlan } from '../../src/keygen/material.ts';
import { bitsMessage, finishSecretBits, openBits } from '../../src/keygen/secret-bits.ts';
import { dealKeys } from './dealt-keys.ts';
import { kernel } from './kernel.ts';

export const SEED = Uint8Array.from({ length: 16 }, (_, index) => index);

export type DealtGeneration = ReturnType<typeof dealGeneration>;

/** Everything up to K4: makers of every party, and the secret keys. */
export function dealGeneration(roster: { n: number; t: number }, keySet: KeySetName) {
  const { n, t } = roster;
  const choice = keySetChoice(keySet);
  const expected = Array.from({ length: n }, (_, index) => index + 1);
  const families = { c: familyC(roster), a2: familyA2(roster) };
  const plan = keygenPlan(choice, roster);
  const [c, a2] = [dealKeys(families.c, `c ${n}`), dealKeys(families.a2, `a2 ${n}`)];
  const fresh = (party: PartyId): SessionPrss => ({
    c: createPrss(kernel, c.get(party)!),
    a2: createPrss(kernel, a2.get(party)!),
  });
  const prss = new Map(expected.map((party) => [party, fresh(party)]));
  const made = new Map(expected.map((party) => [party, bitsMessage(kernel, prss.get(party)!.c, plan.counts)]));
  const messages = new Map([...made].map(([party, { message }]) => [party, message]));
  const values = openBits(kernel, messages, { counts: plan.counts, expected, t })!;
  const bits = new Map(
    [...made].map(([party, { secrets }]) => [party, finishSecretBits(kernel, secrets, values, plan.counts)]),
  );
  const secrets = secretBits(
    choice,
    [...bits].map(([party, { key }]) => [party, key] as const),
    t,
  );
  const maker = (party: PartyId, own: SessionPrss): BodyMaker => {
    const { key, noise } = bits.get(party)!;
    const copy = { key: key.slice() as Gr128, noise: noise.slice() as typeof noise };
    return bodyMaker(kernel, plan, { prss: own, secrets: bitsOf(plan, copy), seed: SEED });
  };
  const makers = new Map(expected.map((party) => [party, maker(party, prss.get(party)!)]));
  /** As a burnt session is recomputed: fresh streams, one chunk. */
  const again = (party: PartyId, chunk: BodyChunk) => maker(party, fresh(party)).messageOf(chunk);
  return { plan, expected, makers, secrets, again };
}

function secretBits(choice: KeySetChoice, shares: readonly (readonly [PartyId, Gr128])[], t: number): SecretBits {
  const points = shares.map(([party]) => party);
  const opened = kernel.gr128.open(
    openingMatrix(points, t, 'gr128'),
    shares.map(([, share]) => share),
  );
  expect(opened.firstInconsistent).toBe(-1);
  const words = kernel.gr128.coordinate(opened.values, 0);
  const places = secretKeyPlaces(choice);
  const bitsAt = (first: number, bits: number) =>
    Uint8Array.from({ length: bits }, (_, at) => words[16 * (first + at)]!);
  return Object.fromEntries(places.map(({ key, first, bits }) => [key, bitsAt(first, bits)])) as SecretBits;
}
