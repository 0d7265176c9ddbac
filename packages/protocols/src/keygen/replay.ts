/**
 * A key generation as a function of its PRSS keys (SPEC R5.7): what a party should have sent in a step, for a burnt
 * session. Whoever took part knows the seed and the opened values; everybody else recomputes those too, from the keys
 * of 2t+1 parties.
 *
 * What this makes is compared with what parties have signed, also by later versions of this software: whoever changes
 * the messages of a step gives `labels.ceremonySession` a new number, so that old evidence is about another session and
 * convicts nobody. A test pins the messages.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import { familyA2, familyC } from '@keyquorum/mpc/prss/family';
import { prssInitSubject } from '@keyquorum/mpc/prss/init';
import { createScope, type InitScope, type KeySet } from '@keyquorum/mpc/prss/init-scope';
import type { Prss } from '@keyquorum/mpc/prss/prss';
import { partiesOf, type Roster } from '@keyquorum/mpc/roster';
import { recomputeCoin } from '@keyquorum/mpc/sharing/coin';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import { digestOf } from '../digest.ts';
import { labels } from '../labels.ts';
import type { SessionPrss } from './body-message.ts';
import { bitsOf, bodyMaker, type KeygenPlan } from './material.ts';
import { chunkOfTag } from './open-bodies.ts';
import { bitsMessage, finishSecretBits, openBits } from './secret-bits.ts';

export const BITS_TAG = 'bits';
const SEED_BYTES = 16;
const SEED_NIBBLES = 64;

/** What all parties know of a run: enough, with a party's PRSS keys, to recompute each of its messages. */
export interface KeygenRun {
  readonly plan: KeygenPlan;
  seed?: Uint8Array;
  bitsValues?: Uint8Array;
}

export function keygenFamilies(roster: Roster) {
  return [familyC(roster), familyA2(roster)] as const;
}

/** What the session's PRSS-Init is about; `context` is the announced content. */
export function keygenScope(roster: Roster, session: SessionId, context: Uint8Array): InitScope {
  return createScope({ session, roster }, keygenFamilies(roster), context);
}

/** The sets whose keys determine every message of a party: all of C, which make seed and bits, and its own of A2. */
export function decisiveSets({ sets }: InitScope, party: PartyId): readonly KeySet[] {
  return sets.filter(({ family, members }) => family.name === 'C' || members.includes(party));
}

/** The coin behind the seed of the public stream. */
export function seedCoin(session: SessionId, transcript: Uint8Array) {
  return { tag: 'seed', count: SEED_NIBBLES, fixed: prssInitSubject(session, transcript) };
}

export function seedOf(transcript: Uint8Array, coin: Uint8Array): Uint8Array {
  return digestOf(labels.keygenSeed, transcript, coin).slice(0, SEED_BYTES);
}

/** True for the tags that `stepMessage` knows. */
export function isStep({ chunks }: KeygenPlan, tag: string): boolean {
  return tag === BITS_TAG || chunkOfTag(chunks, tag) !== undefined;
}

/** The message of the party that holds these keys in the given step. The bits themselves need no seed and values. */
export function stepMessage(kernel: Kernel, prss: SessionPrss, run: KeygenRun, tag: string): Uint8Array {
  const { plan, seed, bitsValues } = run;
  const bits = bitsMessage(kernel, prss.c, plan.counts);
  if (tag === BITS_TAG) return bits.message;
  const secrets = bitsOf(plan, finishSecretBits(kernel, bits.secrets, bitsValues!, plan.counts));
  const maker = bodyMaker(kernel, plan, { prss, secrets, seed: seed! });
  const message = maker.messageOf(chunkOfTag(plan.chunks, tag)!);
  maker.erase();
  return message;
}

/** Seed and values of a run from the keys alone. `prssOf` makes the PRSS of a party anew. */
export function replayRun(
  kernel: Kernel,
  plan: KeygenPlan,
  past: {
    readonly roster: Roster;
    readonly session: SessionId;
    readonly transcript: Uint8Array;
    readonly prssOf: (party: PartyId) => Prss;
  },
): KeygenRun {
  const { roster, session, transcript, prssOf } = past;
  const { t } = roster;
  const { counts } = plan;
  const expected = partiesOf(roster).slice(0, 2 * t + 1);
  const tossers = new Map(expected.slice(0, t + 1).map((party) => [party, prssOf(party)]));
  const seed = seedOf(transcript, recomputeCoin(kernel, tossers, seedCoin(session, transcript)));
  const messages = new Map(expected.map((party) => [party, bitsMessage(kernel, prssOf(party), counts).message]));
  const bitsValues = openBits(kernel, messages, { counts, expected, t });
  if (bitsValues === undefined) throw new Error('2t+1 shares always lie on a polynomial of degree 2t');
  return { plan, seed, bitsValues };
}
