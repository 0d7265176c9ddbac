/**
 * Who opens a large step (docs/protocols/closed-openings.md, "Kings"). Shares go to t+1 parties only, the kings of the
 * step; each opens them and sends the values to some of the others. One of t+1 kings is honest, so values that all
 * kings sign are right, as C4 says of any t+1 parties. Step after step others are kings, so that all do equal work.
 */
import type { PartyId } from '@keyquorum/mpc/transport';

/** The kings of a step, and to whom each sends the opened values: everybody else once. */
export type Kings = ReadonlyMap<PartyId, readonly PartyId[]>;

/** The kings of the step with this number, out of the parties whose shares are needed: t+1 or more. */
export function kingsOf(expected: readonly PartyId[], t: number, step: number): Kings {
  const first = step % expected.length;
  const inTurn = [...expected.slice(first), ...expected.slice(0, first)];
  const kings = inTurn.slice(0, t + 1);
  const others = inTurn.slice(t + 1);
  return new Map(kings.map((king, seat) => [king, others.filter((_, index) => index % kings.length === seat)]));
}

/** The king that sends the values to a party; undefined for kings. */
export function kingOf(kings: Kings, party: PartyId): PartyId | undefined {
  return [...kings].find(([, served]) => served.includes(party))?.[0];
}

/** Bodies of a step's size that a party sends: its shares to the other kings, and as a king the values. */
export function bodiesSent(kings: Kings, party: PartyId): number {
  const served = kings.get(party);
  return served === undefined ? kings.size : kings.size - 1 + served.length;
}
