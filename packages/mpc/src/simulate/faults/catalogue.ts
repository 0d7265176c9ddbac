/** All fault strategies by name: what the exhaustive tests go through, and what a node can be told to do. */
import type { PartyId } from '../../transport.ts';
import type { Prng } from '../prng.ts';
import type { FaultStrategy, Faults } from '../strategy.ts';
import { crashAtSend } from './crash.ts';
import { contradict, equivocate } from './equivocate.ts';
import { late } from './late.ts';
import { replay, wrongSession } from './replay.ts';
import { codewordOffset, constantOffset, randomShare } from './shares.ts';
import { silent } from './silent.ts';

/** One instance of each kind, with parameters that bite in a protocol of a few rounds. */
export const STRATEGIES: Readonly<Record<string, FaultStrategy>> = {
  silent: silent(),
  crash: crashAtSend(5),
  late: late(2_000),
  'wrong-session': wrongSession(),
  replay: replay(),
  equivocate: equivocate(),
  contradict: contradict(),
  'wrong-share': randomShare(),
  'constant-offset': constantOffset(),
  'codeword-offset': codewordOffset(),
  'codeword-offset-high': codewordOffset({ highBitsOnly: true }),
};

/** `name`, or `slow:MS`; undefined for anything else. For the fault switch of a node. */
export function strategyByName(text: string): FaultStrategy | undefined {
  const slow = /^slow:(\d{1,7})$/.exec(text);
  if (slow) return late(Number(slow[1]));
  return Object.hasOwn(STRATEGIES, text) ? STRATEGIES[text] : undefined;
}

/** Every set of 1..t parties out of n. */
export function corruptSets(n: number, t: number): PartyId[][] {
  const sets: PartyId[][] = [];
  for (let mask = 1; mask < 1 << n; mask++) {
    const set = Array.from({ length: n }, (_, index) => index + 1).filter((party) => mask & (1 << (party - 1)));
    if (set.length <= t) sets.push(set);
  }
  return sets;
}

/** All of `corrupt` do the same. */
export function allDo(corrupt: readonly PartyId[], strategy: FaultStrategy): Faults {
  return Object.fromEntries(corrupt.map((party) => [party, strategy]));
}

/** At most t random parties, each with a random strategy. */
export function drawFaults(random: Prng, n: number, t: number, strategies = Object.values(STRATEGIES)): Faults {
  const parties = Array.from({ length: n }, (_, index) => index + 1);
  const corrupt = random.sample(parties, random.below(t + 1));
  return Object.fromEntries(corrupt.map((party) => [party, random.pick(strategies)]));
}
